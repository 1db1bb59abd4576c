"""Forests on Adult: what names one, and a small store, so that each is fitted once.

A teacher is a random forest classifier, a student a regression forest of one tree, as in Appendix
C.3 of Teacher's pet. Specifications are frozen values whose hash names the entry, as for runs. An
entry is one safetensors file under ``forests/`` in the store's folder: the scores, and in its
header the specification, the SHA-256 of the scores and the environment that made them.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_arrays

from kdlib import __version__
from kdlib.data.adult_features import Encoding, Features, Missing, adult_features
from kdlib.files import write_atomically
from kdlib.locks import held
from kdlib.runs.execute import cores
from kdlib.runs.spec import ID_DIGITS
from kdlib.runs.store import DAMAGED, DamagedRunWarning, Store
from kdlib.validated import Frozen

FORESTS_VERSION = 1
"""Part of every id: raise it in the commit that changes what a specification is fitted to."""
Scores = dict[str, NDArray[np.float32]]
Weighting = Literal["none", "balanced"]
Depth = Annotated[int, Field(ge=1, le=64)]
FOLDER = "forests"
_DIGEST, _SPEC, _ENVIRONMENT = "sha256", "spec", "environment"


class _Forest(Frozen):
    """What teacher and student share: the data as numbers, the weights, depth and seed.

    Attributes:
        encoding, missing: see ``kdlib.data.adult_features.adult_features``.
        class_weight: ``balanced`` weighs every person by N / (2 N_y), so that both labels weigh
            the same in the fit.
        depth: the largest depth of a tree, 1 to 64.
        seed: of the bootstrap samples, and of the attributes that a split may look at.
    """

    encoding: Encoding = "ordinal"
    missing: Missing = "keep"
    class_weight: Weighting = "none"
    depth: Depth = 20
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    version: int = FORESTS_VERSION

    @property
    def id(self) -> str:
        """Names the entry: a hash of the kind and of every field."""
        text = f"{type(self).__name__}{self.canonical_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]

    @property
    def features(self) -> Features:
        """The data that the forest is fitted to."""
        return adult_features(self.encoding, self.missing)


class TeacherForest(_Forest):
    """A random forest classifier with ``trees`` trees, 1 to 5,000."""

    trees: Annotated[int, Field(ge=1, le=5000)] = 500


class StudentTree(_Forest):
    """A regression forest of one tree, fitted to alpha * teacher's score + (1 - alpha) * label.

    Attributes:
        alpha: trust in the teacher, 0 to 1; 0 where there is no teacher.
        teacher: whose scores on the training people are the target; ``None``: one-hot.
    """

    alpha: Annotated[float, Field(ge=0, le=1)] = 0.0
    teacher: TeacherForest | None = None

    @model_validator(mode="after")
    def _check_teacher(self) -> Self:
        if (self.teacher is None) != (self.alpha == 0):
            raise ValueError("alpha above 0 needs a teacher, and alpha 0 takes none")
        if self.teacher and self.teacher.missing != self.missing:
            raise ValueError("teacher and student must be fitted to the same people")
        return self


Forest = TeacherForest | StudentTree


def fit_forests(
    specs: Iterable[Forest], store: Store | None = None, *, jobs: int | None = None
) -> list[Scores]:
    """The scores of every forest, in the order given; fit those that the store lacks.

    Args:
        specs: the wanted forests. Their teachers are fitted too, first.
        store: where they are kept; by default ``Store()``.
        jobs: threads, each with a forest of its own, so that their number changes no bit; by
            default one per core.

    Returns:
        For each a score in [0, 1] a person, the estimated chance of the label 1: ``test`` for
        everyone, and ``train`` for teachers.
    """
    from joblib import Parallel, delayed

    wanted, store = list(specs), store or Store()
    teachers = [s.teacher for s in wanted if isinstance(s, StudentTree) and s.teacher]
    run = Parallel(n_jobs=jobs or cores(), prefer="threads")
    missing = [t for t in dict.fromkeys(teachers) if not entry(t, store).exists()]
    run(delayed(_kept_or_fitted)(spec, store) for spec in missing)
    found = run(delayed(_kept_or_fitted)(spec, store) for spec in dict.fromkeys(wanted))
    by_spec = dict(zip(dict.fromkeys(wanted), found, strict=True))
    return [by_spec[spec] for spec in wanted]


def entry(spec: Forest, store: Store) -> Path:
    """The file of a forest's scores, whether it is there or not."""
    return store.root / FOLDER / f"{spec.id}.safetensors"


def fitted(spec: Forest, store: Store | None = None) -> Any:
    """The fitted forest itself, a scikit-learn estimator, fitted anew: the store keeps no trees.

    The teacher's scores of a student come from ``store``.
    """
    return _fit(spec, store or Store())


def _kept_or_fitted(spec: Forest, store: Store) -> Scores:
    path = entry(spec, store)
    kept = _read(path, spec)
    if kept is not None:
        return kept
    with held(store.lock_file(spec.id), f"forest {spec.id}"):
        kept = _read(path, spec)  # another process may have been quicker
        if kept is None:
            kept = _fitted_scores(spec, store, path)
    return kept


def _fitted_scores(spec: Forest, store: Store, path: Path) -> Scores:
    if path.exists():
        _set_aside(path, store)
    start = time.monotonic()
    scores = _scores(spec, _fit(spec, store))
    header = {
        _SPEC: spec.canonical_json(),
        _DIGEST: _digest(scores),
        _ENVIRONMENT: json.dumps(_environment(time.monotonic() - start)),
    }
    write_atomically(path, save_arrays(scores, metadata=header))
    return scores


def _fit(spec: Forest, store: Store) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    data, label = spec.features, spec.features.people.train.label
    size = {"max_depth": spec.depth, "random_state": spec.seed}
    balanced = spec.class_weight == "balanced"
    if isinstance(spec, TeacherForest):
        weight = "balanced" if balanced else None
        forest = RandomForestClassifier(spec.trees, class_weight=weight, **size)
        return forest.fit(data.train, label)
    target = mixed_target(label, _teacher_scores(spec, store), spec.alpha)
    weights = len(label) / (2 * np.bincount(label)[label]) if balanced else None
    return RandomForestRegressor(1, **size).fit(data.train, target, sample_weight=weights)


def mixed_target(label: Any, score: Any, alpha: float) -> NDArray[np.float64]:
    """What a student is fitted to: alpha * teacher's score + (1 - alpha) * label, Appendix C.3."""
    return alpha * np.asarray(score, dtype=np.float64) + (1 - alpha) * np.asarray(label)


def _teacher_scores(spec: StudentTree, store: Store) -> Any:
    return 0.0 if spec.teacher is None else _kept_or_fitted(spec.teacher, store)["train"]


def _scores(spec: Forest, forest: Any) -> Scores:
    data = spec.features
    if isinstance(spec, TeacherForest):
        parts = {"train": data.train, "test": data.test}
        return {k: forest.predict_proba(x)[:, 1].astype(np.float32) for k, x in parts.items()}
    return {"test": forest.predict(data.test).astype(np.float32)}


def _read(path: Path, spec: Forest) -> Scores | None:
    """The kept scores, or ``None`` where there are none or they cannot be believed."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="np") as arrays:
            header = arrays.metadata() or {}
            scores = {name: arrays.get_tensor(name) for name in sorted(arrays.keys())}
    except (SafetensorError, OSError):
        return None
    told = header.get(_SPEC), header.get(_DIGEST)
    return scores if told == (spec.canonical_json(), _digest(scores)) else None


def _digest(scores: Mapping[str, NDArray[np.float32]]) -> str:
    parts = (name.encode() + scores[name].tobytes() for name in sorted(scores))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _set_aside(path: Path, store: Store) -> None:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = store.root / DAMAGED / f"{path.stem}-{moment}{path.suffix}"
    aside.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, aside)
    message = f"forest {path.stem} is damaged: moved to {aside}, to be fitted again"
    warnings.warn(message, DamagedRunWarning, stacklevel=2)


def _environment(seconds: float) -> dict[str, Any]:
    return {
        "kdlib": __version__,
        "python": platform.python_version(),
        "scikit-learn": version("scikit-learn"),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "seconds": round(seconds, 3),
    }
