"""What the paper prints of its baselines and compressed pairs, as the chapter shows it."""

from __future__ import annotations

import pandas as pd

from kdbook.chapters.baselines_and_compression import compressed_cells, printed
from kdbook.compare import row_of, signed
from kdbook.published import DATASETS, beside_paper, printed_difference, published
from kdbook.robust_families import objective_name

TEACHERS = {"std": "standard", "bal": "balanced", "rob": "robust"}
_METRICS = {"worst_1": "worst class", "mean_accuracy": "average"}
_ADAPTIVE = {"AdaAlpha": "ada_alpha", "AdaMargin": "ada_margin"}
_KINDS = [(method, teacher) for method in _ADAPTIVE for teacher in ("bal", "rob")]
_SETS = ("cifar10_lt", "cifar100_lt")


def main_table() -> pd.DataFrame:
    """The paper's Table 2 on long-tailed CIFAR-10, best worst class first, in percent."""
    rows = published(paper="robust_distillation", table="Table 2", dataset="cifar10_lt")
    wide = rows.pivot(index="method", columns="metric", values="value")
    wide = wide.rename(index=printed.NAMES).sort_values("worst_1", ascending=False)
    shown = wide[list(_METRICS)].rename(columns=_METRICS).map("{:.2f}".format)
    return shown.rename_axis("method")


def beside(other: pd.DataFrame) -> pd.DataFrame:
    """AdaAlpha and AdaMargin with other teachers minus the standard one: printed and ours.

    Args:
        other: as ``comparisons.to_another_teacher`` gives them.
    """
    ours = other[other["measure"] == "worst class"]
    gaps = {data: [_paper_gap(data, *kind) for kind in _KINDS] for data in _SETS}
    columns = {"baseline": [f"{method}, {TEACHERS[teacher]} teacher" for method, teacher in _KINDS]}
    columns |= {
        f"paper: {DATASETS[data]}": [signed(row) for row in rows] for data, rows in gaps.items()
    }
    columns |= {"ours": ours["cell"].to_list()}
    return pd.DataFrame(columns).assign(
        **{"sign, CIFAR-10-LT": beside_paper(ours, gaps["cifar10_lt"])}
    )


def _paper_gap(data: str, method: str, teacher: str) -> dict[str, float]:
    rows = published(paper="robust_distillation", table="Supp Table 4", metric="worst_1")
    own, plain = (
        row_of(rows, dataset=data, method=_ADAPTIVE[method], teacher_objective=one)
        for one in (teacher, "std")
    )
    return printed_difference(own, plain)


def printed_compressed() -> pd.DataFrame:
    """The paper's students of 32 layers by teachers of 56, in percent."""
    rows = published(paper="robust_distillation", table="Supp Table 2", dataset="cifar10_lt")
    labels = rows["validation_labels"].map(
        {"onehot": ", one-hot labels", "teacher": ", teacher labels"}
    )
    students = rows["student_objective"].str.removesuffix("-d").map(TEACHERS)
    shown = rows.assign(measure=rows["metric"].map(_METRICS), student=students + labels.fillna(""))
    wide = shown.pivot(index=["measure", "student"], columns="teacher_objective", values="value")
    wide = wide[list(TEACHERS)].rename(columns={k: f"{v} teacher" for k, v in TEACHERS.items()})
    return wide.map("{:.2f}".format)


def not_trained() -> str:
    """The pairs of the paper's compressed table that this book does not train."""
    cells = published(paper="robust_distillation", table="Supp Table 2", dataset="cifar10_lt")
    done = {
        (objective_name(t), objective_name(s, distilled=True)) for t, s, _ in compressed_cells()
    }
    pairs = zip(cells["teacher_objective"], cells["student_objective"], strict=True)
    asked = list(dict.fromkeys(pairs))
    absent = [" / ".join(pair) for pair in asked if pair not in done]
    return (
        f"**Not trained here**: {len(absent)} of the {len(asked)} pairs of this table "
        f"({', '.join(absent)}), and the compressed trade-offs of supplementary Figure 4."
    )


def imagenet() -> pd.DataFrame:
    """Supplementary Table 6 with measures in words."""
    words = {f"worst_{k}": f"worst {k}" for k in (1, 10, 50, 100)} | {"mean_accuracy": "average"}
    rows = printed.imagenet()
    return rows.assign(measure=rows["measure"].map(words))


def teacher_alone(rows: pd.DataFrame) -> pd.DataFrame:
    """The robust teacher alone beside the best student or shift, by measure.

    Args:
        rows: as ``imagenet`` gives them.
    """
    alone = rows[(rows["student"] == "teacher alone") & (rows["teacher"] == "rob")]
    best = rows[rows["student"] != "teacher alone"].groupby("measure", sort=False)["value"].max()
    own = alone.set_index("measure")["value"]
    both = pd.DataFrame({"robust teacher alone": own, "best with a student or shift": best})
    ahead = [
        "the teacher" if row.iloc[0] > row.iloc[1] else "the other" for _, row in both.iterrows()
    ]
    return both.map("{:.2f}".format).assign(ahead=ahead)


def contradictions(most: int = 12) -> tuple[pd.DataFrame, str]:
    """The numbers of Table 2 that the supplement prints otherwise: the farthest, and how many."""
    found = printed.contradictions()
    far = int((found["z"].abs() > 3).sum())
    metrics = {"worst_1": "worst", "worst_10": "worst ten", "mean_accuracy": "average"}
    rows = found.head(most).replace({"metric": metrics, "data": DATASETS})
    shown = pd.DataFrame(
        {
            "number": rows["data"] + ", " + rows["method"] + ", " + rows["metric"],
            "Table 2": rows["Table 2"].map("{:.2f}".format),
            "supplement": rows["supplement"].map("{:.2f}".format) + " (" + rows["in"] + ")",
            "difference": rows["difference"].map("{:+.2f}".format),
            "in standard errors": rows["z"],
        }
    )
    return shown, (
        f"{len(found)} printed numbers differ, {far} of them by more than three standard errors."
    )
