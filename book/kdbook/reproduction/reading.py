"""What the page on the matrix shows of it: sentences, examples, and tables for its charts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kdbook.compare import LEVEL
from kdbook.records import Record
from kdbook.reproduction import words
from kdbook.reproduction.levels import Level
from kdbook.reproduction.mapping import DIFFERENCES
from kdbook.reproduction.matrix import leading, summary
from kdbook.reproduction.verdicts import Verdict

_WITHOUT = (Verdict.NOT_RUN.value, Verdict.NO_VERDICT.value)
_DECIDED = (Verdict.AGREES.value, Verdict.SAME_SIGN.value, Verdict.DIFFERS.value)


def in_words(matrix: pd.DataFrame) -> list[str]:
    """Sentences that sum the matrix up; all numbers in them are counted here.

    What is counted are measurements of ours, each once, however many printed numbers ask for it.
    """
    rows = leading(matrix)
    run = rows[rows["verdict"] != Verdict.NOT_RUN.value]
    held = run[~run["verdict"].isin(_WITHOUT)]
    return [
        f"The paper prints {len(rows)} numbers. {run['measurement'].nunique()} measurements of "
        f"ours speak to {len(run)} of them, and none to {len(rows) - len(run)}.",
        f"Of these measurements {_by_level(run)}.",
        f"{held['measurement'].nunique()} of them have a verdict: {_by_verdict(held)}.",
        _after_correction(held),
        *_predicted(held),
    ]


def _by_level(run: pd.DataFrame) -> str:
    counts = run.groupby("evidence")["measurement"].nunique()
    said = {
        Level.SAME_SETTING: "were made in the paper's own setting",
        Level.SAME_DATA: "on its data in another setting",
        Level.MECHANISM: "on other data, where they show a mechanism only",
    }
    return ", ".join(f"{int(counts.get(level.value, 0))} {text}" for level, text in said.items())


def _by_verdict(held: pd.DataFrame) -> str:
    """A measurement that several printed numbers ask for may have several verdicts."""
    counts = held.groupby("verdict")["measurement"].nunique()
    found = [f"{counts[v.value]} {v.value}" for v in Verdict if v.value in counts]
    return ", ".join(found) or "none"


def _after_correction(held: pd.DataFrame) -> str:
    once = held.dropna(subset="p").drop_duplicates("measurement")
    alone, after = ((once[name] <= LEVEL).sum() for name in ("p", "p_holm"))
    return (
        f"{len(once)} of these are differences over three seeds or more. {alone} leave out zero by "
        f"themselves, {after} after Holm's correction for all measurements that may have a verdict."
    )


def _predicted(held: pd.DataFrame) -> list[str]:
    sized = held[held["predicted"].notna()]
    if sized.empty:
        return []
    inside = int(sized["predicted"].eq(True).sum())
    return [
        f"Of {len(sized)} printed numbers the size can be compared. {inside} of them fall into our "
        "95 % prediction interval."
    ]


def constant_guesses(matrix: pd.DataFrame) -> str:
    """How well rules that have seen no data would guess the decided printed signs."""
    decided = decided_differences(matrix)
    agree = int((decided["verdict"] != Verdict.DIFFERS.value).sum())
    ours, plus, minus = (
        int(count.sum())
        for count in (decided["mean"] > 0, decided["compared"] > 0, decided["compared"] < 0)
    )
    return (
        f"Of {len(decided)} decided differences {agree} agree with the printed sign. Ours is "
        f"*plus* in {ours}. Whoever always says *plus* agrees with {plus}, and with {minus} who "
        "always says *minus*."
    )


def counts(matrices: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """How many have which verdict and why: printed numbers, and measurements of ours behind them.

    Args:
        matrices: one per paper.
    """
    pieces = [
        summary(matrix).assign(paper=words.PAPERS[matrix["paper"].iloc[0]]) for matrix in matrices
    ]
    table = pd.concat(pieces, ignore_index=True)
    return table[["paper", *_COUNTED]].rename(columns={"paper": "Paper", **_COUNTED})


_COUNTED = {
    "verdict": "Verdict",
    "because": "Why",
    "numbers": "Printed numbers",
    "measurements": "Measurements of ours",
}


def examples(matrix: pd.DataFrame) -> list[str]:
    """The first published number of each verdict, as Markdown, in the order of ``Verdict``."""
    rows = leading(matrix).assign(is_change=lambda t: t["metric"].isin(DIFFERENCES))
    first = [rows[rows["verdict"] == verdict.value].head(1) for verdict in Verdict]
    return [_example(row) for one in first for _, row in one.iterrows()]


def decided_differences(matrix: pd.DataFrame) -> pd.DataFrame:
    """The differences whose sign is decided, here and in print, each measurement once."""
    rows = leading(matrix)
    decided = rows["is_difference"].eq(True) & rows["verdict"].isin(_DECIDED)
    in_print = rows["compared"].ne(0) & ~(rows["compared_low"].le(0) & rows["compared_high"].ge(0))
    clear = decided & in_print & (rows["p_holm"] <= LEVEL)
    return rows[clear].drop_duplicates("measurement").reset_index(drop=True)


def differences(matrix: pd.DataFrame) -> pd.DataFrame:
    """What ``kdbook.charts.printed_and_ours`` draws: measured differences, one row per number."""
    rows = leading(matrix)
    has_both = rows[["compared", "mean", "low"]].notna().all(axis=1)
    shown = rows[has_both & rows["is_difference"].eq(True)]
    names = [words.chart_row(row) for _, row in shown.iterrows()]
    tables = [words.chart_table(row) for _, row in shown.iterrows()]
    kept = ["table", "what", "compared", "mean", "low", "high", "p_holm", "seeds", "setting",
            "evidence", "verdict"]  # fmt: skip
    return shown.assign(what=names, table=tables)[kept].reset_index(drop=True)


def verdicts(matrix: pd.DataFrame) -> pd.DataFrame:
    """What ``kdbook.charts.verdict_bars`` draws, in words: one row per measurement and verdict.

    Of the numbers that ask for one measurement the first that is printed names it.
    """
    run = leading(matrix).dropna(subset="measurement")
    rows = run.drop_duplicates(["measurement", "verdict"])
    metrics = rows["metric"].map(words.metric_words)
    tables, datasets = rows["table"].map(words.table_words), rows["dataset"].map(words.DATASETS)
    return rows.assign(table=tables, dataset=datasets, metric=metrics)[
        ["table", "dataset", "metric", "verdict"]
    ]


def records_table(records: Sequence[Record]) -> pd.DataFrame:
    """What was measured where, one row per record."""
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
    status = [*about.runs.values()]
    lost = {"diverged": status.count("diverged"), "missing": about.missing_runs}
    counts = [f"{len(status)}", *(f"{count} {word}" for word, count in lost.items() if count)]
    return {
        "Study": f"{about.study}, {about.profile}".replace("_", " "),
        "Settings": (changed or "the profile's own").replace("_", " "),
        "Data and network": f"{about.dataset}, {about.model}",
        "Seeds": len(about.seeds),
        "Runs": ", ".join(counts),
        "Trained": f"{about.device}; version {about.results_version}; {about.recorded}",
    }
