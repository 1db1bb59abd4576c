"""The numbers of the workshop: the logits of seventy trainings, in one file to hand out.

Nothing in the file can run when it is read. With it no laptop trains, and all see one number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from kdbook.chapters.trusting_the_teacher_less import TrustingTheTeacherLess
from kdbook.compare import method_name
from kdbook.tables import Member, training_counts
from kdlib import __version__
from kdlib.errors import DataError, KdlibError
from kdlib.files import write_atomically
from kdlib.metrics import per_class_accuracy
from kdlib.names import choices
from kdlib.runs import RunResult, RunSpec, Store
from kdlib.runs.train_each import train_each

FILE = "logits.safetensors"
SPLITS = ("dev", "validation", "test")
INITIAL = "initial teacher"
"""Trained without the dev images, so that they can judge it."""
_MADE_HERE = Path("_build") / "workshop"


class Logits:
    """What the workshop's networks say of the images that they were not trained on.

    Attributes:
        methods: whose logits it holds, e.g. ``one-hot`` and ``distilled, T = 3``.
        seeds: how many trainings of each.
        class_names: the classes in words, the most frequent first.
        training_counts: training images per class ``[L]``, of the first seed.
        source: what it was made from, in words.
    """

    def __init__(self, path: Path) -> None:
        """Read the file ``path``.

        Raises:
            DataError: it is not there, damaged, or something else.
        """
        try:
            with safe_open(path, framework="np") as arrays:
                self._arrays = {name: arrays.get_tensor(name) for name in arrays.keys()}  # noqa: SIM118
                about = json.loads(arrays.metadata()["workshop"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            raise DataError(f"{path} is damaged, or not what `kdlib workshop` writes") from None
        self.methods, self.seeds = tuple(about["methods"]), int(about["seeds"])
        self.class_names, self.source = tuple(about["class_names"]), str(about["source"])
        self.training_counts = np.array(about["training_counts"])

    def logits(self, method: str, seed: int = 0, split: str = "test") -> np.ndarray:
        """Raw logits ``[N, L]`` of one network on a split: dev, validation or test."""
        return self._array(method, seed, split)

    def labels(self, split: str = "test", seed: int = 0) -> np.ndarray:
        """True classes ``[N]``, in the order of the logits; each seed has dev images of its own."""
        return self._array("labels", seed, split).astype(np.int64)

    def accuracies(self, method: str, split: str = "test") -> np.ndarray:
        """Percent of the images of each class that each network has right, ``[seeds, L]``."""
        rows = [
            per_class_accuracy(
                self.logits(method, seed, split).argmax(axis=1),
                self.labels(split, seed),
                len(self.class_names),
            )
            for seed in range(self.seeds)
        ]
        return 100 * np.stack(rows)

    def table(self, *methods: str) -> pd.DataFrame:
        """Test accuracy in percent: columns method, seed, label, class_name, accuracy."""
        return pd.DataFrame(
            {"method": method, "seed": seed, "label": label, "accuracy": value,
             "class_name": self.class_names[label]}
            for method in methods
            for (seed, label), value in np.ndenumerate(self.accuracies(method))
        )  # fmt: skip

    def _array(self, method: str, seed: int, split: str) -> np.ndarray:
        name = _entry(method, seed, split)
        if name not in self._arrays:
            held = f"{choices(method, self.methods)}; seeds 0 to {self.seeds - 1}; {SPLITS}"
            raise DataError(f"no logits of {method!r}, seed {seed}, split {split!r}: {held}")
        return self._arrays[name]


def open_logits() -> Logits:
    """The file beside the notebook or above it, or that which ``kdlib workshop`` made above it.

    Raises:
        DataError: there is none, or it is damaged.
    """
    here = Path.cwd()
    folders = [place for above in (here, *here.parents) for place in (above, above / _MADE_HERE)]
    found = next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)
    if found is None:
        raise DataError(
            f"no {FILE} in {here} or above it: put it beside the notebook (it is in students.zip), "
            "or run make workshop"
        )
    return Logits(found)


def workshop_study(**settings: Any) -> TrustingTheTeacherLess:
    """The study whose runs the workshop shows; ``settings`` make it smaller in tests."""
    return TrustingTheTeacherLess.parse(profile="quick", **settings)


def make_logits(path: Path, asked: TrustingTheTeacherLess, store: Store) -> None:
    """Train what the store lacks, and write the file; one that is there is replaced.

    Args:
        path: the file.
        asked: as ``workshop_study`` gives it.
        store: where the runs lie.

    Raises:
        KdlibError: runs are not finished, a line each; the others are kept.
    """
    members = asked.members()
    for family in asked.study_families():
        first = family.initial_teacher()
        members.append(Member(INITIAL, family.imbalance, float("nan"), family.seed, first))
    results = _results([member.spec for member in members], store)
    arrays: dict[str, np.ndarray] = {}
    for member, result in zip(members, results, strict=True):
        name = method_name(member.method, member.temperature)
        arrays.update(_entries(name, member.seed, result))
    about = {
        "class_names": list(asked.class_names),
        "training_counts": training_counts(members[0].spec).tolist(),
        "source": f"trained with kdlib {__version__} on {results[0].environment['device']}",
    }
    write_logits(path, arrays, about)


def _results(specs: Sequence[RunSpec], store: Store) -> list[RunResult]:
    failures = train_each(specs, store=store)
    if failures:
        lines = [f"run {spec.id} ({spec.label()}): {why}" for spec, why in failures.items()]
        raise KdlibError("\n".join(lines))
    return [store.finished(spec) for spec in specs]


def write_logits(path: Path, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
    """Write logits and labels by ``METHOD/SEED/SPLIT``. Equal arrays give equal bytes.

    Args:
        path: the file.
        arrays: of the methods, and of ``labels``.
        about: ``class_names``, ``training_counts`` and ``source`` of ``Logits``.
    """
    names = [name.split("/") for name in arrays]
    methods = list(dict.fromkeys(name[0] for name in names if name[0] != "labels"))
    found = {"methods": methods, "seeds": 1 + max(int(name[1]) for name in names)}
    write_atomically(path, save(arrays, metadata={"workshop": json.dumps(about | found)}))


def _entry(method: str, seed: int, split: str) -> str:
    return f"{method}/{seed}/{split}"


def _entries(method: str, seed: int, result: RunResult) -> Iterator[tuple[str, np.ndarray]]:
    for split in SPLITS:
        yield _entry(method, seed, split), result.logits(split)
        yield _entry("labels", seed, split), result.labels(split).astype(np.uint8)
