"""The images behind the worst class: what it is trained on, and what robust twice wins back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kdbook.chapters.teacher_and_student import TeacherAndStudent
from kdbook.chapters.teacher_and_student.objective_cells import ROBUST_TWICE
from kdbook.charts.pictures import digit_image
from kdlib.runs import RunResult
from kdlib.runs.build import dataset_for, training_split

SHOWN = 9
"""Images of a strip, at most."""

_TAUGHT, _WON = "all it is trained on", "won back"


def won_back(study: TeacherAndStudent) -> tuple[pd.DataFrame, str]:
    """Images of the rarest class in the first seed, and a sentence that says what they show.

    Returns:
        Tiles, one row per image: strip, place, url (a PNG as text) and words (what standard twice
        took it for). And how many test images of the class either pair gets right.
    """
    plain, robust = (
        _first(study, name) for name in ("std / std-d", ROBUST_TWICE.format("teacher"))
    )
    train = training_split(plain.spec, dataset_for(plain.spec))
    label = int(np.argmin(train.class_counts.numpy()))
    mine = np.flatnonzero(train.labels.numpy() == label)[:SHOWN]
    truth = plain.labels("test") == label
    guesses, better = (one.logits("test").argmax(1) for one in (plain, robust))
    won = np.flatnonzero(truth & (guesses != label) & (better == label))[:SHOWN]
    images, names = dataset_for(plain.spec).test.images, study.class_names
    tiles = [_strip(_TAUGHT, train.images, mine, [""] * len(mine))]
    tiles += [_strip(_WON, images, won, [str(names[guesses[i]]) for i in won])]
    rights = [int((one[truth] == label).sum()) for one in (guesses, better)]
    return pd.concat(tiles, ignore_index=True), (
        f"Class {names[label]} in one seed: of {int(truth.sum())} test images standard twice gets "
        f"{rights[0]} right, robust twice {rights[1]}"
    )


def _first(study: TeacherAndStudent, method: str) -> RunResult:
    """The run of that cell in the first seed."""
    pairs = zip(study.members(), study.results(), strict=True)
    return next(result for member, result in pairs if member.method == method)


def _strip(name: str, images: object, places: np.ndarray, words: list[str]) -> pd.DataFrame:
    urls = [digit_image(images[int(i)].numpy()) for i in places]  # type: ignore[index]
    return pd.DataFrame({"strip": name, "place": range(len(urls)), "url": urls, "words": words})
