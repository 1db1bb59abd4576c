"""Makes records: from a study and the store to a table and where it came from."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import torch

from kdbook.profiles import profile_of
from kdbook.protocol import Paper, protocol, reported_split
from kdbook.records.asked import Asked
from kdbook.records.files import Record
from kdbook.records.provenance import Provenance
from kdbook.settings import Settings
from kdlib import __version__
from kdlib.errors import KdlibError
from kdlib.runs import RESULTS_VERSION, RunResult, RunSpec, Store, execute
from kdlib.runs.machine import checkout_commit, device_name, kind_of_machine, warn_of_mixed_machines


def record(
    study: Asked,
    *,
    store: Store | None = None,
    jobs: int | None = None,
    device: str | None = None,
    finished_only: bool = False,
    together: int = 1,
) -> Record:
    """Train what is missing, then make the study's record.

    Args:
        study: at its settings.
        store: where the runs are; by default ``Store()``.
        jobs: training processes side by side; by default as ``execute`` chooses.
        device: ``cpu`` or ``cuda``; by default ``cuda`` where there is one.
        finished_only: train nothing; record the runs that the store holds, and how many it lacks.
        together: students that may be trained together, as for ``execute``. Runs that the store
            holds are used as they are; the record names every number trained together.

    Raises:
        SettingError: a device that is not there.
        KdlibError: ``finished_only`` and the store holds none of the runs.
    """
    if not study.trains:
        return _computed(study)
    shelf, specs = store or Store(), study.runs()
    results = (
        [shelf.get(spec) for spec in specs]
        if finished_only
        else execute(specs, store=shelf, jobs=jobs, device=device, together=together)
    )
    finished = _each_once(result for result in results if result is not None)
    if not finished:
        raise KdlibError(f"none of the runs of {study.name} is in {shelf.root}: nothing to record")
    warn_of_mixed_machines(finished)
    table = sorted_rows(study.per_seed(results))
    missing = len({s for s, r in zip(specs, results, strict=True) if r is None})
    return Record(_provenance(study, table, finished, missing), table)


def sorted_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows by ratio, method, temperature, then whatever else tells them apart.

    Methods keep the order in which the study lists them; a missing temperature comes first.
    """
    place = {method: i for i, method in enumerate(dict.fromkeys(table.get("method", ())))}
    first = [c for c in ("imbalance", "method", "temperature", "group", "seed") if c in table]
    keys = table[first].assign(**({"method": table["method"].map(place)} if place else {}))
    order = keys.sort_values(first, kind="stable", na_position="first").index
    return table.loc[order].reset_index(drop=True)


def _each_once(results: Iterable[RunResult]) -> list[RunResult]:
    return list({result.spec.id: result for result in results}.values())


def _provenance(
    study: Asked, table: pd.DataFrame, finished: Sequence[RunResult], missing: int
) -> Provenance:
    specs, environments = [r.spec for r in finished], [r.environment for r in finished]
    return Provenance(
        **_question(study, table),
        dataset=specs[0].data.name,
        imbalance=ratio_of(study.settings),
        model=networks(specs),
        **recipes_of(specs),
        missing_runs=missing,
        devices=distinct(environments, "device"),
        machines=tuple(sorted(set(filter(None, map(kind_of_machine, environments))))),
        versions={key: distinct(environments, key) for key in ("kdlib", "torch", "python")},
        commits=distinct(environments, "commit"),
        results_version=specs[0].version,
        trained=days(environments),
        runs={result.spec.id: result.status for result in sorted(finished, key=_id)},
        splits=split_digests(finished),
        test_images=_test_images(finished, study.paper),
        tested_on=protocol(specs[0].data.name, study.paper).test,
        together=tuple(sorted({result.together for result in finished})),
    )


def _computed(study: Asked) -> Record:
    """Of a study that trains no network: its table is computed here and now."""
    about = Provenance(
        **_question(study, study.table),
        **study.provenance(),
        imbalance=None,
        missing_runs=0,
        devices=(device_name("cpu"),),
        versions=_versions_here(),
        commits=tuple(filter(None, [checkout_commit()])),
        results_version=RESULTS_VERSION,
        trained=None,
        runs={},
        splits={},
    )
    return Record(about, study.table.reset_index(drop=True))


def _question(study: Asked, table: pd.DataFrame) -> dict[str, Any]:
    return {
        "study": study.name,
        "question": study.question,
        "profile": study.settings.profile,
        "settings": changed_settings(study.settings),
        "seeds": sorted({int(seed) for seed in table.get("seed", ())}),
        "recorded": _today(),
        "columns": tuple(table.columns),
        "blanks": study.blanks,
    }


def changed_settings(settings: Settings) -> dict[str, Any]:
    """The settings, other than the profile, that differ from their defaults."""
    default = type(settings)(profile=settings.profile).model_dump(mode="json")
    now = settings.model_dump(mode="json")
    return {key: value for key, value in now.items() if value != default[key]}


def ratio_of(settings: Settings) -> float:
    """The long-tail ratio at which the study compares its methods."""
    own = getattr(settings, "imbalance", None)
    return profile_of(settings).imbalance if own is None else float(own)


def networks(specs: Sequence[RunSpec]) -> str:
    """The students' networks in words, and the teachers' where they are others."""
    students = _titles(spec for spec in specs if spec.teacher is not None) or _titles(specs)
    teachers = _titles(spec.teacher for spec in specs if spec.teacher is not None)
    return students if teachers in ("", students) else f"{students} taught by {teachers}"


def _titles(specs: Iterable[RunSpec]) -> str:
    titles = {spec.model.title for spec in specs}
    return ", ".join(sorted(titles, key=lambda title: (len(title), title)))


def recipes_of(specs: Sequence[RunSpec]) -> dict[str, dict[str, Any]]:
    """``recipe`` of the students; of the teachers and of balanced data as far as they differ."""
    taught_by = {parent for spec in specs for parent in spec.parents()}
    students = [spec for spec in specs if spec not in taught_by] or list(specs)
    balanced = [spec for spec in students if spec.data.imbalance == 1]
    long_tailed = [spec for spec in students if spec.data.imbalance != 1]
    recipe = common_recipe(long_tailed or balanced)
    ratios = {spec.data.imbalance for spec in long_tailed or balanced}
    teachers = [spec for spec in taught_by if spec.data.imbalance in ratios]
    return {
        "recipe": recipe,
        "teacher_recipe": _differing(teachers, recipe),
        "balanced_recipe": _differing(balanced, recipe),
    }


def _differing(specs: Sequence[RunSpec], recipe: dict[str, Any]) -> dict[str, Any]:
    """The fields in which the recipes of ``specs`` (perhaps none) are not ``recipe``."""
    own = common_recipe(specs) if specs else recipe
    return {key: value for key, value in own.items() if value != recipe[key]}


def common_recipe(specs: Sequence[RunSpec]) -> dict[str, Any]:
    """The recipe; a field in which the runs differ holds the list of its values."""
    recipes = [spec.recipe.model_dump(mode="json") for spec in specs]
    distinct = {key: _values(recipe[key] for recipe in recipes) for key in recipes[0]}
    return {key: found[0] if len(found) == 1 else found for key, found in distinct.items()}


def _values(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    found.extend(value for value in values if value not in found)
    return found


def split_digests(results: Sequence[RunResult]) -> dict[str, str]:
    """Digests by name. Splits are told apart by what they follow: ratio, subset, drawn classes."""
    found = {}
    for result in results:
        data = result.spec.data
        for split, digest in result.environment["splits"].items():
            own = split.startswith(("train", "dev"))
            where = f" 1:{data.imbalance:g}, subset {data.subset_seed}" if own else ""
            drawn = f", {data.class_share:g} of the classes, draw {data.class_seed}"
            found[f"{split}{where}{drawn if data.class_share < 1 else ''}"] = digest
    return dict(sorted(found.items()))


def days(environments: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """First and last day, UTC, of the trainings that left these environments."""
    starts = [datetime.fromisoformat(e["started"]) for e in environments]
    ends = [
        start + timedelta(seconds=e["seconds"])
        for start, e in zip(starts, environments, strict=True)
    ]
    return min(starts).date().isoformat(), max(ends).date().isoformat()


def distinct(environments: Sequence[dict[str, Any]], key: str) -> tuple[str, ...]:
    """The values of a key that these environments have, each once, sorted."""
    return tuple(sorted({str(e[key]) for e in environments if e[key] is not None}))


def _versions_here() -> dict[str, tuple[str, ...]]:
    found = {"kdlib": __version__, "torch": torch.__version__, "python": platform.python_version()}
    return {name: (version,) for name, version in found.items()}


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _test_images(results: Sequence[RunResult], paper: Paper) -> int | None:
    """How many images test each run, if it is the same number for all."""
    splits = ((result, reported_split(result.spec, paper)) for result in results)
    counts = {int(result.class_rows(split)["count"].sum()) for result, split in splits}
    return counts.pop() if len(counts) == 1 else None


def _id(result: RunResult) -> str:
    return result.spec.id
