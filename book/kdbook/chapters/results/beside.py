"""What another choice would have printed, and what the paper prints, as tables of the page."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare, selection
from kdbook.chapters.results import Results
from kdbook.chapters.results.findings import METHODS, PRINTED, Findings
from kdbook.published import DATASETS, printed_grid
from kdbook.tables import shown, unbroken
from kdlib.metrics import PERCENT


def printed(study: Results, dataset: str) -> pd.DataFrame:
    """Table 3's accuracies on a data set, a row per method; NaN where the training diverged."""
    return printed_grid(study.published(table="Table 3", dataset=dataset), METHODS, PRINTED)


def printed_table(study: Results) -> Styler:
    """Table 3's CIFAR part in words."""
    both = {DATASETS[key]: printed(study, key) for key in ("cifar100", "cifar100_lt")}
    wide = pd.concat(both, axis=1).map(lambda v: "diverged" if pd.isna(v) else f"{v:.2f}")
    return shown(
        wide, "Table 3 of Teacher's pet: test accuracy in percent, ResNet-56 of ResNet-56."
    )


def peeking_table(found: Findings) -> Styler:
    """What would be printed had the test images chosen: for all seeds at once, and per seed."""
    rows = [_peeked(found, key, method) for key in found.measures for method in found.chosen]
    return shown(
        unbroken(pd.DataFrame(rows)),
        "Test accuracy in percent at either choice; the gap in points, where each seed chooses for "
        "itself, with 95 % intervals.",
    )


def _peeked(found: Findings, measure: str, method: str) -> dict[str, str]:
    rows = found.summary[found.summary["method"] == method]
    means = rows.groupby("temperature")[measure].agg(lambda values: values.mean(skipna=False))
    own = found.chosen[method]
    peek = selection.choose_temperature(rows, measure)["temperature"].item()
    gaps = selection.gap_to_peeking(rows, measure)
    gap = compare.with_intervals(gaps, "gap", ["method"], PERCENT).iloc[0]
    return {
        "measure": found.measures[measure],
        "method": method,
        f"by {found.rule.chooses}": f"{means[own]:.1f} (T = {own:g})",
        "by the test images": f"{means[peek]:.1f} (T = {peek:g})",
        "gap, seed by seed": compare.signed(gap),
    }


def paper_table(found: Findings) -> Styler:
    """The signs of the printed differences on CIFAR-100-LT beside ours."""
    paper, rows = printed(found.study, "cifar100_lt"), []
    keys = {
        PRINTED["mean_accuracy"]: found.measures["mean"],
        PRINTED["worst_10"]: found.measures[found.tenth],
    }
    for place, pair in enumerate(found.pairs):
        later, early = (name.partition(",")[0] for name in pair)
        for metric, name in keys.items():
            gap = float(paper[metric][later]) - float(paper[metric][early])
            rows.append(_beside(found, place, name, gap))
    return shown(unbroken(pd.DataFrame(rows)), f"Differences in points. {_settings_said(found)}")


def _beside(found: Findings, place: int, measure: str, value: float) -> dict[str, str]:
    row = found.found[found.found["measure"] == measure].iloc[place]
    diverged = pd.isna(value)
    sign = "the paper's diverged" if diverged else str(found.study.beside_paper([row], [value])[0])
    paper_says = "–" if diverged else f"{value:+.2f}"
    return {"comparison": row["comparison"], "measure": measure, "paper": paper_says,
            "ours": row["cell"], "sign": sign}  # fmt: skip


def _settings_said(found: Findings) -> str:
    profile, count = found.study.profile, found.study.data.num_classes
    return (
        "Paper: CIFAR-100-LT, ratio 100, ResNet-56, worst 10 of 100 classes. Ours: "
        f"{profile.dataset}, ratio {found.study.ratio:g}, {profile.model.title}, "
        f"{found.measures[found.tenth]} of {count}."
    )
