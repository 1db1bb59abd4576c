"""What the grid of trade-offs says, in sentences and tables that follow by rule."""

from __future__ import annotations

import pandas as pd

from kdbook import compare, selection
from kdbook.chapters.trade_offs import STANDARD, TradeOffs, frontier, printed
from kdbook.published import DATASETS, beside_paper

MEASURES = {"mean": "average", "worst_1": "worst class"}
WHO = {"alpha_s": "the student's α", "alpha_t": "the teacher's α"}
NOT_RECORDED = "Not recorded at these settings."
_PARTS = {"all": "paper: all images, twice", "first_half": "stricter: a half each"}
_PLAIN = frontier.RULES[0]


def chosen_rows(study: TradeOffs) -> pd.DataFrame:
    """The rows with recorded seeds, each cell at the temperature that validation chose."""
    rows = study.with_recorded(study.table)
    return selection.at_chosen(rows, selection.choose_temperature(rows, "select_worst"))


def reference(summary: pd.DataFrame) -> pd.Series:
    """Standard distillation, mean over seeds: ``mean`` and ``worst`` in percent."""
    rows = summary[summary["method"] == STANDARD]
    return pd.Series({"mean": rows["mean"].mean(), "worst": rows["worst_1"].mean()})


def headline(summary: pd.DataFrame, cells: pd.DataFrame) -> str:
    """The title of the first figure: standard distillation beside all trade-offs.

    Args:
        summary: as ``chosen_rows`` gives it.
        cells: as ``frontier.cells`` gives them.
    """
    return (
        f"Worst class: {reference(summary)['worst']:.0f} % with standard distillation, "
        f"{cells['worst'].min():.0f} to {cells['worst'].max():.0f} % with {len(cells)} trade-offs"
    )


def in_short(summary: pd.DataFrame, slopes: pd.DataFrame) -> str:
    """Two sentences: what a selected trade-off gains and where on the grid; what test adds.

    Args:
        summary: as ``chosen_rows`` gives it.
        slopes: as ``frontier.slopes`` gives them.
    """
    chosen = frontier.selections(summary)
    gains = frontier.gains(summary, chosen)
    gain = compare.row_of(gains, rule=_PLAIN, measure="worst_1")
    added = compare.row_of(frontier.optimism(chosen), rule=_PLAIN)
    clear = int((slopes["p_holm"] <= compare.LEVEL).sum())
    return (
        f"The trade-off that validation images select has a worst class {compare.signed(gain)} "
        f"points above standard distillation ({int(gain['seeds'])} seeds), while on the grid "
        f"itself, from balanced to robust, {clear or 'none'} of {len(slopes)} slopes is "
        f"significant after correction. Whoever selects on the test images instead reports "
        f"{compare.signed(added)} points that are nothing but luck."
    )


def explored(
    study: TradeOffs, summary: pd.DataFrame, cells: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two frames of ``charts.trade_off_explorer``: ours first, then the paper's panels."""
    ours = f"ours: {study.study_families()[0].profile.dataset}"
    paper, marks = printed.grid(), printed.standard()
    both = [cells.assign(panel=ours), paper.assign(panel=_panel(paper))]
    own = pd.DataFrame([dict(reference(summary)) | {"panel": ours}])
    named = pd.concat([own, marks.assign(panel=_panel(marks))])
    return pd.concat(both, ignore_index=True), named.assign(what="standard distillation")


def _panel(rows: pd.DataFrame) -> pd.Series:
    return "paper: " + rows["dataset"].map(DATASETS)


def tested(slopes: pd.DataFrame) -> pd.DataFrame:
    """Slopes as a table: which measure, whose trade-off, points from 0 to 1, p."""
    shown = slopes.assign(alpha=slopes["alpha"].map(WHO))
    return compare.tested(shown, {"measure": "change of the", "alpha": "from 0 to 1 in"})


def every_cell(cells: pd.DataFrame, name: str) -> pd.DataFrame:
    """One measure of every cell with its interval: students by teachers.

    Args:
        cells: as ``frontier.cells`` gives them.
        name: ``worst`` or ``mean``.
    """
    ends = {name: "mean", f"{name}_low": "low", f"{name}_high": "high"}
    text = [
        compare.level(row[[*ends, "seeds"]].rename(ends), digits=0) for _, row in cells.iterrows()
    ]
    wide = cells.assign(cell=text).pivot(index="alpha_s", columns="alpha_t", values="cell")
    wide.columns = pd.Index([f"teacher {value:g}" for value in wide.columns])
    return wide.rename("{:g}".format).rename_axis("student")


def frontier_said(grid: pd.DataFrame, cells: pd.DataFrame) -> str:
    """How much of the frontiers has teachers below 1, beside the share of such cells."""
    shares = frontier.frontier_shares(grid)
    gaps = 100 * (shares["share"] - shares["of_grid"])
    on_mean = cells[cells["frontier"]]
    return (
        f"On the frontiers of the {len(shares)} seeds the share of teachers below 1 is "
        f"{shares['share'].mean():.0%} on average, in the grid {shares['of_grid'].mean():.0%}. "
        f"The difference is {compare.signed(compare.mean_over_seeds(gaps.tolist()))} points. On "
        f"the frontier of the means it is {(on_mean['alpha_t'] < 1).sum()} of {len(on_mean)} "
        "points."
    )


def printed_said() -> str:
    """What the paper's points say of its claims."""
    fits, counts = printed.slopes(), printed.frontiers()
    steeper = fits.pivot(index="dataset", columns="alpha", values="mean")
    return (
        f"In {(steeper < 0).all(axis=1).sum()} of {len(steeper)} panels the average falls with "
        f"**both** alphas, and in {(steeper['alpha_s'] < steeper['alpha_t']).sum()} it falls more "
        f"steeply with the student's. Of {counts['points'].sum()} points on the frontiers, "
        f"{counts['alpha_t < 1'].sum()} have a teacher below 1; of the whole grid, four fifths do."
    )


def printed_slopes() -> pd.DataFrame:
    """Slopes of the paper's panels in points from 0 to 1, a row per data set."""
    wide = printed.slopes().pivot(index="dataset", columns="alpha", values=["mean", "worst"])
    words = {"mean": "average", "worst": "worst class"}
    found = wide.loc[list(printed.SETS)].rename(index=DATASETS)
    found.columns = pd.Index([f"{words[pair[0]]}, {WHO[pair[1]]}" for pair in found.columns])
    return found.map("{:+.1f}".format).rename_axis("data")


def gains_table(summary: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """What the selected cell gains over standard distillation, by rule and measure."""
    gains = frontier.gains(summary, chosen)
    shown = gains.assign(measure=gains["measure"].map(MEASURES))
    return compare.tested(shown, {"rule": "rule", "measure": "measure"})


def optimism_said(chosen: pd.DataFrame) -> str:
    """What selecting on test images would have added, by rule."""
    added = frontier.optimism(chosen)
    said = [
        f"by the rule *{row['rule']}*, test images select another cell in {row['other']} of "
        f"{row['seeds']} seeds, whose worst class looks {compare.signed(row)} points better"
        for _, row in added.iterrows()
    ]
    return f"And what would selecting on test have added? {'; '.join(said).capitalize()}."


def selected(chosen: pd.DataFrame, seeds: int = 5) -> pd.DataFrame:
    """The cells that the first seeds select, by rule and split, with their accuracies on test."""
    few = chosen[chosen["seed"] < seeds]
    cells = [f"({t:g}, {s:g})" for t, s in zip(few["alpha_t"], few["alpha_s"], strict=True)]
    words = {"rule": "rule", "split": "selected on", "seed": "seed", "cell": "cell"}
    numbers = {"mean": "average (%)", "worst_1": "worst class (%)"}
    return few.assign(cell=cells)[[*words, *numbers]].rename(columns=words | numbers)


def both_protocols(study: TradeOffs) -> tuple[pd.DataFrame, int]:
    """Worst class and flattery of the selected cell in either protocol, and the seeds of both."""
    found = {
        part: study.at(study.settings.model_copy(update={"validation_part": part})).recorded_rows()
        for part in _PARTS
    }
    shared = set.intersection(*(set(rows["seed"]) for rows in found.values()))
    if not shared:
        return pd.DataFrame(), 0
    tables = {
        _PARTS[part]: _protocol(rows[rows["seed"].isin(shared)]) for part, rows in found.items()
    }
    return pd.concat(tables, axis=1).rename_axis(["number", "rule"]), len(shared)


def _protocol(rows: pd.DataFrame) -> pd.Series:
    picked = frontier.selections(rows)
    picked = picked[picked["split"] == "validation"]
    picked = picked.assign(difference=picked["select_worst"] - picked["worst_1"])
    kinds = {"worst class": "worst_1", "flattery": "difference"}
    return pd.concat(
        {
            words: compare.with_intervals(picked, column, ["rule"])
            .set_index("rule")
            .apply(compare.level, axis=1)
            for words, column in kinds.items()
        }
    )


def beside(slopes: pd.DataFrame) -> pd.DataFrame:
    """The slopes of the paper's CIFAR-10-LT panel beside ours."""
    theirs = printed.slopes().query("dataset == 'cifar10_lt'").set_index("alpha")
    columns = {"average": "mean", "worst class": "worst"}
    values = [theirs.loc[row["alpha"], columns[row["measure"]]] for _, row in slopes.iterrows()]
    return pd.DataFrame(
        {
            "change of the": slopes["measure"],
            "from 0 to 1 in": slopes["alpha"].map(WHO),
            "paper": [f"{value:+.1f}" for value in values],
            "ours": [compare.signed(row) for _, row in slopes.iterrows()],
            "sign": beside_paper(slopes, values),
        }
    )


def selected_in_print() -> tuple[pd.DataFrame, str]:
    """The paper's selected points by table and by figure, and how often they are the same."""
    rows = printed.selected()
    pairs = zip(rows["labelled"], rows["found"], strict=True)
    same = sum(f"at {label}" in found for label, found in pairs)
    lost = int(rows["found"].eq("nowhere").sum())
    numbers = zip(rows["mean"], rows["worst"], strict=True)
    shown = pd.DataFrame(
        {
            "data": rows["dataset"].map(DATASETS),
            "Table 2: average / worst": [f"{m:.2f} / {w:.2f}" for m, w in numbers],
            "label in Figure 1": rows["labelled"],
            "Figure 1 at that label": rows["there"],
            "where Table 2's numbers are": rows["found"],
        }
    )
    return shown, (
        f"In {same} of {len(rows)} data sets Table 2 prints the labelled point. Of the others, "
        f"{len(rows) - same - lost} are at another place of the paper, {lost} nowhere else in it."
    )
