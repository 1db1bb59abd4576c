"""Where a page's numbers come from: recorded, trained here, or both, with what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.display import HTML, Markdown

from kdbook import compare, tables
from kdbook.records import Provenance, days
from kdbook.shelf import RecordedResult
from kdlib.runs import RunResult, Store

if TYPE_CHECKING:
    from kdbook.study import Study

SAME = 0.05
"""Points; a difference below shows as none."""


def trained_where(study: Study[Any]) -> Markdown | HTML:
    """One line: when and on what the study's runs were trained; and what this machine made of them.

    Args:
        study: one that trains.
    """
    results = study.results()
    recorded = [result for result in results if isinstance(result, RecordedResult)]
    said = _source(results, recorded)
    said += _further(study)
    own = [Store().look(spec) for spec in study.runs()] if recorded else []
    if not own or None in own:
        return Markdown(f"*{said}*")
    both = beside(study, [result for result in own if result is not None])
    return _told(said, both)


def recorded_where(about: Provenance, what: str = "runs") -> Markdown:
    """The same line of a page that reads a record and trains nothing.

    Args:
        about: where the record comes from.
        what: what its runs are, in words.
    """
    return Markdown(f"*Recorded: {said_of(about, f'{len(about.runs)} {what}')}.*")


def said_of(about: Provenance, what: str) -> str:
    """``what`` was recorded, when, and on which machines."""
    days_of = about.trained or (about.recorded, about.recorded)
    machines = " and ".join(map(_kind, about.machines or about.devices))
    return f"{what}, {_dates(*days_of)}, on {machines}"


def _kind(words: str) -> str:
    """A machine of a record: "AMD EPYC, ..., threads: 1", "CPU, 2 cores" or a GPU."""
    name, _, threads = words.partition(", threads: ")
    if threads:
        return _machine({"device": "CPU", "processor": name, "threads": int(threads)})
    return name.replace("CPU, ", "a CPU of ")


def _further(study: Study[Any]) -> str:
    """Seeds of which a record has the accuracies, though no run is kept."""
    seeds = study.table["seed"].nunique()
    further = study.with_recorded(study.table)["seed"].nunique() - seeds
    return f" The accuracies of {further} further seeds come from its record." if further else ""


def _source(results: Sequence[RunResult], recorded: Sequence[RunResult]) -> str:
    here = [result for result in results if result not in recorded]
    parts = [_sentence("Recorded", recorded)] if recorded else []
    parts += [_sentence("Trained on this machine", here)] if here else []
    return " ".join(parts)


def _sentence(how: str, results: Sequence[RunResult]) -> str:
    environments = [result.environment for result in results]
    machines = sorted(set(map(_machine, environments)))
    count = len({result.spec.id for result in results})
    runs = "1 run" if count == 1 else f"{count} runs"
    return f"{how}: {runs}, {_dates(*days(environments))}, on {' and '.join(machines)}."


def _machine(about: Mapping[str, Any]) -> str:
    """The machine in words; which processor exactly, ``kdlib verify --trace`` says."""
    if not about["device"].startswith("CPU"):
        return about["device"]
    threads = "one thread" if about["threads"] == 1 else f"{about['threads']} threads"
    unnamed = f"a {about['device'].replace(', ', ' of ')}"  # older runs do not name it
    return f"{about.get('processor', unnamed).partition(',')[0]} ({threads})"


def _dates(first: str, last: str) -> str:
    begun, ended = (f"{day.day} {day:%B %Y}" for day in map(date.fromisoformat, (first, last)))
    return begun if first == last else f"{begun} to {ended}"


def beside(study: Study[Any], own: Sequence[RunResult]) -> pd.DataFrame:
    """Means of every method, recorded and trained here: a row per method and measure.

    Args:
        study: whose table is the recorded one.
        own: the results of its runs that were trained here.

    Returns:
        Columns: method, measure, recorded, here (percent), points (here minus recorded).
    """
    measures = study.measures()
    recorded = _means(study.table, measures, "recorded")
    here = _means(study.per_seed(own), measures, "here")
    both = recorded.merge(here, on=["method", "measure"], sort=False)
    return both.assign(points=both["here"] - both["recorded"])


def _means(per_seed: pd.DataFrame, measures: dict[str, str], name: str) -> pd.DataFrame:
    rows = compare.named(per_seed)
    if "imbalance" in rows and rows["imbalance"].nunique() > 1:
        rows = rows.assign(method=rows["method"] + rows["imbalance"].map(", ratio {:g}".format))
    means = rows.groupby("method", sort=False)[list(measures)].mean().rename(columns=measures)
    long = means.reset_index().melt("method", var_name="measure", value_name=name)
    return long


def _told(said: str, both: pd.DataFrame) -> Markdown | HTML:
    widest = both.iloc[int(both["points"].abs().argmax())]
    if abs(widest["points"]) < SAME:
        return Markdown(f"*{said} Trained on this machine too, to the same numbers.*")
    names = {"method": "method", "measure": "measure", "recorded": "recorded", "here": "here"}
    table = tables.shown(
        both.rename(columns=names | {"points": "here − recorded"}),
        "Means in percent: recorded, and of the same runs trained on this machine",
    )
    line = (
        f"{said} Trained on this machine too: the {widest['measure']} of {widest['method']} moves "
        f"by {widest['points']:+.1f} points, the others by less."
    )
    return HTML(f"<details><summary><em>{line}</em></summary>{table.to_html()}</details>")
