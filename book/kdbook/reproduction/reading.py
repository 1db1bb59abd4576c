"""What the page on the matrix shows of it: sentences, examples, and tables for its charts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kdbook.reproduction import words
from kdbook.reproduction.mapping import DIFFERENCES
from kdbook.reproduction.matrix import decided_after_holm, distinct_differences, leading, summary
from kdbook.reproduction.verdicts import Verdict
from kdbook.studies.records import Record

_GUESSES = {"ours": "ours plus", "plus": "all plus", "minus": "all minus"}
_WITHOUT = (Verdict.NOT_RUN.value, Verdict.NO_VERDICT.value)


def in_words(matrix: pd.DataFrame) -> list[str]:
    """Sentences that sum the matrix up; all numbers in them are counted here."""
    rows = leading(matrix)
    counts = rows["verdict"].value_counts()
    held = rows[~rows["verdict"].isin(_WITHOUT)]
    said = [f"{counts[v.value]} {v.value}" for v in Verdict if v.value in set(held["verdict"])]
    papers = int(held["papers_setting"].sum())
    run = len(rows) - int(counts.get(Verdict.NOT_RUN.value, 0))
    alone, after = decided_after_holm(matrix)
    different, own_alone, own_after = distinct_differences(matrix)
    return [
        f"The paper prints {len(rows)} numbers. Of {run} we have a measurement, of "
        f"{len(rows) - run} none.",
        f"{len(held)} have a verdict: {', '.join(said) or 'none'}.",
        f"{papers} of these were measured in the paper's own setting. The other "
        f"{len(held) - papers} compare signs across data sets, networks or lengths of training.",
        f"{counts.get(Verdict.NO_VERDICT.value, 0)} were measured and have no verdict: accuracies "
        "of another setting, with no difference to compare.",
        f"{alone} of the differences leave out zero by themselves, {after} after Holm's correction "
        "for all of them.",
        f"Printed numbers share our comparisons. {different} different ones stand behind them: "
        f"{own_alone} leave out zero by themselves, {own_after} after Holm's correction for all "
        f"{different}.",
    ]


def always_plus(matrix: pd.DataFrame) -> str:
    """How well a rule that always says *plus* would guess the decided printed signs."""
    decided = _decided(leading(matrix))
    plus, ours = (int((decided[column] > 0).sum()) for column in ("compared", "mean"))
    agree = int((decided["verdict"] != Verdict.DIFFERS.value).sum())
    return (
        f"Of {len(decided)} decided differences {agree} agree with the printed sign. Ours is "
        f"*plus* in {ours}. Whoever always says *plus* agrees with {plus}."
    )


def constant_guesses(matrix: pd.DataFrame) -> pd.DataFrame:
    """The decided differences by data set and measure, and two rules that have seen no data.

    Returns:
        One row a data set and measure: decided, agree (with the printed sign), ``ours plus`` (how
        many of ours are above zero), ``all plus`` and ``all minus`` (how many printed signs
        each rule guesses; an exact zero is neither).
    """
    rows = _decided(leading(matrix))
    names = {"data set": rows["dataset"].map(words.DATASETS)}
    names["measure"] = rows["metric"].map(words.metric_words)
    counted = rows.assign(
        **names,
        agree=rows["verdict"] != Verdict.DIFFERS.value,
        ours=rows["mean"] > 0,
        plus=rows["compared"] > 0,
        minus=rows["compared"] < 0,
    ).groupby(list(names), sort=False)
    table = counted[["agree", "ours", "plus", "minus"]].sum()
    table.insert(0, "decided", counted.size())
    return table.rename(columns=_GUESSES)


def counts(matrix: pd.DataFrame) -> list[str]:
    """The rows of ``kdbook.reproduction.summary``, as Markdown."""
    rows = summary(matrix).to_dict("records")
    return [f"{r['numbers']} {r['verdict']}{_because(r['because'])}" for r in rows]


def _because(text: str) -> str:
    return f": {text}" if text else ""


def examples(matrix: pd.DataFrame) -> list[str]:
    """The first published number of each verdict, as Markdown, in the order of ``Verdict``."""
    rows = leading(matrix).assign(is_change=lambda t: t["metric"].isin(DIFFERENCES))
    first = [rows[rows["verdict"] == verdict.value].head(1) for verdict in Verdict]
    return [_example(row) for one in first for _, row in one.iterrows()]


def _decided(rows: pd.DataFrame) -> pd.DataFrame:
    """The measured differences of ``leading`` whose interval leaves out zero."""
    measured = _measured_differences(rows)
    return measured[measured["verdict"] != Verdict.UNDECIDED.value]


def _measured_differences(rows: pd.DataFrame) -> pd.DataFrame:
    has_both = rows[["compared", "mean", "low"]].notna().all(axis=1)
    return rows[has_both & rows["is_difference"].eq(True)]


def differences(matrix: pd.DataFrame) -> pd.DataFrame:
    """What ``kdbook.charts.printed_and_ours`` draws: measured differences, one row a number."""
    shown = _measured_differences(leading(matrix))
    names = [words.chart_row(row) for _, row in shown.iterrows()]
    tables = [words.chart_table(row) for _, row in shown.iterrows()]
    return shown.assign(what=names, table=tables)[
        ["table", "what", "compared", "mean", "low", "high", "seeds", "setting", "verdict"]
    ].reset_index(drop=True)


def verdicts(matrix: pd.DataFrame) -> pd.DataFrame:
    """What ``kdbook.charts.verdict_bars`` draws, one row a number, in words."""
    rows = leading(matrix)
    metrics = rows["metric"].map(words.metric_words)
    tables, datasets = rows["table"].map(words.table_words), rows["dataset"].map(words.DATASETS)
    return rows.assign(table=tables, dataset=datasets, metric=metrics)[
        ["table", "dataset", "metric", "verdict"]
    ]


def records_table(records: Sequence[Record]) -> pd.DataFrame:
    """What was measured where, one row a record."""
    return pd.DataFrame([_record(record) for record in records])


def _example(row: pd.Series) -> str:
    is_run = row["verdict"] != Verdict.NOT_RUN.value
    ours = f" Ours: {words.ours(row)} ({row['setting']})." if is_run else ""
    less = f" ({row['against']})" if row["against"].startswith("less") else ""
    return (
        f"**{row['verdict']}**: {words.table_words(row['table'])}, {words.what(row)}. "
        f"Printed: {words.printed(row)}; compared: {words.compared(row)}{less}.{ours} "
        f"Why: {row['because']}."
    )


def _record(record: Record) -> dict[str, object]:
    about = record.about
    changed = ", ".join(f"{key} = {value}" for key, value in about.settings.items())
    return {
        "study": about.study,
        "profile": about.profile,
        "settings": changed or "the profile's own",
        "data": about.dataset,
        "model": about.model,
        "seeds": len(about.seeds),
        "runs": len(about.runs),
        "diverged": sum(status == "diverged" for status in about.runs.values()),
        "missing": about.missing_runs,
        "device": about.device,
        "results version": about.results_version,
        "recorded": about.recorded,
    }
