"""From finished runs to tidy tables: one row per seed, one row per class, means with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from kdbook.protocol import Paper, protocol, reported_split
from kdbook.shelf import RecordedResult
from kdlib import metrics
from kdlib.losses import teacher_probabilities
from kdlib.runs import RunResult, RunSpec
from kdlib.runs.build import dataset_for, training_split
from kdlib.training.predict import predict_logits

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

KEYS = ["method", "imbalance", "temperature", "seed"]


Place = tuple[tuple[str, str | float], ...]
"""Further columns of a run's row, and what they hold."""


@dataclass(frozen=True)
class Member:
    """A run's place in a study: which method, at which ratio and temperature, for which seed.

    ``temperature`` is NaN where the method listens to no teacher. ``place`` holds further columns
    of the study with their values, such as the network that teaches.
    """

    method: str
    imbalance: float
    temperature: float
    seed: int
    spec: RunSpec
    place: Place = ()

    def key(self) -> dict[str, str | float]:
        """The columns that name this member."""
        return {name: getattr(self, name) for name in KEYS} | dict(self.place)


def per_seed(
    members: Sequence[Member],
    results: Sequence[RunResult | None],
    paper: Paper = "teachers_pet",
) -> pd.DataFrame:
    """One row per run: its key, status, and its test accuracies in percent.

    ``None`` stands for a run that is not finished: it has no row. The test images are those of the
    paper's protocol (``kdbook.protocol``).

    ``mean`` is the mean over classes. ``worst_k`` is the mean of the k worst classes, for k of 1
    and 10, 20, 50 percent of the classes; ``best_tenth`` is that of the best 10 percent.
    ``rarest`` is the mean over the rarest 20 percent of the classes by training count, which no
    test example chose; of equally rare ones the later count. ``validation`` is the mean over
    classes on the validation split, where the protocol chooses settings by it
    (``kdbook.selection``); it is no result.
    """
    pairs = zip(members, results, strict=True)
    return pd.DataFrame([m.key() | _summary(m, r, paper) for m, r in pairs if r is not None])


def per_class(
    members: Sequence[Member],
    results: Sequence[RunResult | None],
    paper: Paper = "teachers_pet",
) -> pd.DataFrame:
    """One row per run and class: key, label, train_count, accuracy, log_loss, margin.

    On the test images of the paper's protocol: accuracy in percent, mean log-loss in nats, mean
    margin from -1 to 1. ``None`` stands for a run that is not finished: it has no rows.
    """
    pairs = zip(members, results, strict=True)
    pieces = [_class_rows(m, r, paper).assign(**m.key()) for m, r in pairs if r is not None]
    table = pd.concat(pieces, ignore_index=True)
    return table[[*KEYS, *(c for c in table.columns if c not in KEYS)]]


def worst_ks(num_classes: int) -> tuple[int, ...]:
    """1, and 10, 20, 50 percent of the classes, each once."""
    shares = (max(1, round(num_classes * share)) for share in (0.1, 0.2, 0.5))
    return tuple(dict.fromkeys((1, *shares)))


def _summary(member: Member, result: RunResult, paper: Paper) -> dict[str, object]:
    rule = protocol(member.spec.data.name, paper)
    accuracy = 100 * result.accuracy(rule.test)
    counts = training_counts(member.spec)
    worst = {f"worst_{k}": _measured(metrics.worst_k, accuracy, k) for k in worst_ks(len(accuracy))}
    mean = float(accuracy.mean())
    others = {
        "best_tenth": _measured(metrics.top_fraction, accuracy, 0.1),
        "rarest": float(accuracy[rarest_fifth(counts)].mean()),
    }
    if rule.chooses == "validation":
        others["validation"] = float(100 * result.accuracy("validation").mean())
    return {"mean": mean, **worst, **others, "status": result.status, "run": member.spec.id}


def rarest_fifth(counts: np.ndarray) -> np.ndarray:
    """Labels of the rarest 20 percent of the classes, at least one.

    Args:
        counts: training examples per class, ``[L]``. Of equally rare classes the last are taken,
            which are the rare ones at every ratio, so that at ratio 1 they stay the same.
    """
    return np.lexsort((-np.arange(len(counts)), counts))[: max(1, round(0.2 * len(counts)))]


def _measured(measure: Callable[..., Any], accuracy: np.ndarray, part: float) -> float:
    """The measure of that part of the classes, or NaN for a run that diverged."""
    return float("nan") if np.isnan(accuracy).all() else float(measure(accuracy, part))


def training_counts(spec: RunSpec) -> np.ndarray:
    """Training examples per class ``[L]`` of the spec's data."""
    return training_split(spec, dataset_for(spec)).class_counts.numpy()


def _class_rows(member: Member, result: RunResult, paper: Paper) -> pd.DataFrame:
    rows = result.class_rows(reported_split(member.spec, paper))
    return pd.DataFrame(
        {
            "label": rows["label"].to_numpy(),
            "train_count": training_counts(member.spec),
            "accuracy": 100 * rows["accuracy"].to_numpy(),
            "log_loss": rows["log_loss"].to_numpy(),
            "margin": rows["margin"].to_numpy(),
        }
    )


def training_logits(result: RunResult) -> tuple[Tensor, Tensor]:
    """Logits ``[N, L]`` and labels ``[N]`` of the images that trained the run, unshifted."""
    spec, dataset = result.spec, dataset_for(result.spec)
    split, scaling = training_split(spec, dataset), spec.recipe.input_scaling
    if isinstance(result, RecordedResult):
        return torch.from_numpy(result.training_logits()), split.labels
    logits = predict_logits(
        result.model(), split.images, scaling=scaling, dataset_name=spec.data.name
    )
    return logits, split.labels


def class_averages(values: Tensor, labels: Tensor, num_classes: int) -> list[float]:
    """Mean of ``values [N]`` in each class; every class needs an example."""
    sums = torch.zeros(num_classes, dtype=values.dtype).index_add(0, labels, values)
    return (sums / torch.bincount(labels, minlength=num_classes)).tolist()


@cache
def off_label_by_class(teacher: RunSpec, store: Path, temperature: float) -> np.ndarray:
    """Percent of a teacher's probability that lies off the label, mean in each class, ``[L]``.

    Args:
        teacher: a finished run.
        store: the folder that holds it.
        temperature: of its probabilities. They are those on its training images as they are,
            neither cropped nor mirrored.
    """
    logits, labels = training_logits(RunResult(teacher, store / teacher.id))
    own = teacher_probabilities(logits, temperature).gather(1, labels[:, None])[:, 0]
    return np.array(class_averages(100 * (1 - own), labels, logits.shape[1]))


def shown(frame: pd.DataFrame, caption: str) -> Styler:
    """The frame as a page shows it: a caption above, one row of headings, no row numbers, no NaN.

    Numbers get one decimal; give text where another form is wanted. Columns of words stand at the
    left of their cells, numbers at the right.

    Args:
        frame: its column names head the columns, so they are words; levels of a heading are joined.
            The names of its index head columns too; an index without a name is left out.
        caption: one sentence that says what is shown, and in which unit.
    """
    table = frame.reset_index() if any(frame.index.names) else frame.reset_index(drop=True)
    heads = [one if isinstance(one, tuple) else (one,) for one in table.columns]
    table.columns = pd.Index([", ".join(filter(None, map(str, head))) for head in heads])
    styler = table.style.format(precision=1, na_rep="–").hide(axis="index").set_caption(caption)
    at_left: list[Any] = [
        {"selector": f"{kind}:nth-child({place})", "props": "text-align: left"}
        for place in range(1, table.shape[1] + 1)
        if _is_words(table.iloc[:, place - 1])
        for kind in ("th", "td")  # the site drops the classes that pandas gives to cells
    ]
    return styler.set_uuid(f"{crc32(caption.encode()):08x}").set_table_styles(at_left)


def _is_words(column: pd.Series) -> bool:
    """Whether its cells are text that begins with a letter; dashes stand for nothing."""
    said = [cell for cell in column.dropna() if cell != "–"]
    return bool(said) and all(
        isinstance(cell, str) and cell.lstrip("“")[:1].isalpha() for cell in said
    )


def unbroken(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with intervals that no line breaks: a narrow cell breaks before its bracket."""
    return frame.map(
        lambda cell: cell.replace(" to ", "\u00a0to\u00a0") if isinstance(cell, str) else cell
    )


def recorded_shown(found: Any, caption: str) -> Any:
    """What ``Study.recorded`` found as ``shown`` has it; where nothing is recorded, as it is.

    Args:
        found: rows with the index level ``recorded``, which names the record, or a sentence.
        caption: what is shown. Where there is one record, its name follows in brackets.
    """
    if not isinstance(found, pd.DataFrame):
        return found
    names = found.index.get_level_values("recorded").unique()
    if len(names) > 1:
        return shown(unbroken(found), caption)
    return shown(unbroken(found.droplevel("recorded")), f"{caption} ({names[0]}).")
