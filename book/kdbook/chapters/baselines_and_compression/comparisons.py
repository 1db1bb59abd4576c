"""Tables of the chapter on baselines: differences, points of a scatter, over-fitting."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kdbook.chapters import baselines_and_compression as study
from kdbook.chapters.baselines_and_compression.post_shift import SHIFT
from kdbook.chapters.baselines_and_compression.printed import printed_points
from kdbook.compare import Pair, compare_corrected, signed, with_holm, with_intervals


def to_distilled(per_seed: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
    """Each baseline minus standard distillation, within seeds.

    Args:
        per_seed: as ``robust_baselines.per_seed`` gives it.
        wanted: from its columns to words.

    Returns:
        As ``corrected.compare_corrected``: in each measure all baselines are one family of tests.
    """
    pairs = [(name, study.DISTILLED) for name in study.baselines()]
    return _compared(per_seed, pairs, wanted)


def to_another_teacher(per_seed: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
    """AdaAlpha and AdaMargin: balanced and robust teachers minus a standard one, within seeds."""
    pairs = [
        (study.adaptive_name(method, teacher), study.adaptive_name(method, None))
        for method in ("AdaAlpha", "AdaMargin")
        for teacher in (0.0, 1.0)
    ]
    return _compared(per_seed, pairs, wanted)


def to_large_teacher(
    settings: study.Settings, per_seed: pd.DataFrame, wanted: Mapping[str, str]
) -> pd.DataFrame:
    """Each compressed student minus its own teacher; the six are one family in each measure."""
    pairs = [
        (
            study.RobustBaselines(settings).cell_name(t, s, labels),
            study.RobustBaselines(settings).large_teacher_name(t),
        )
        for t, s, labels in study.compressed_cells()
    ]
    return _compared(per_seed, pairs, wanted)


def our_points(per_seed: pd.DataFrame, data: str) -> pd.DataFrame:
    """Average against worst class of our baselines, with 95 % t-intervals over seeds.

    The compressed pairs are left out, and so is the robust network without a teacher: it is the
    robust teacher with another seed.

    Returns:
        Columns: data, method, variant, average, worst, and of each its ``_low`` and ``_high``.
    """
    kept = [*study.baselines(), study.DISTILLED, *(f"teacher {t}" for t in ("std", "bal", "rob"))]
    kept.remove(study.ROBUST_ALONE)
    rows = per_seed[per_seed["method"].isin(kept)]
    average, worst = (_side(rows, *names) for names in (("mean", "average"), ("worst_1", "worst")))
    both = average.merge(worst, on="method")
    split = pd.DataFrame([_method_and_variant(name) for name in both["method"]])
    return both.assign(data=data, method=split["method"], variant=split["variant"])


def paper_points() -> pd.DataFrame:
    """The paper's baselines in the columns of ``our_points``, with intervals of its errors."""
    rows = printed_points()
    variant = rows["teacher"].map(_variant)
    is_dro = rows["method"].str.startswith("Group DRO, ")
    variant = variant.where(~is_dro, "on " + rows["method"].str.removeprefix("Group DRO, "))
    method = rows["method"].where(~is_dro, "Group DRO")
    return rows.assign(method=method, variant=variant)


def overfitting(optimism: pd.DataFrame) -> pd.DataFrame:
    """How much more post-shift falls outside its own examples than no shift does.

    Args:
        optimism: as ``post_shift.optimism`` gives it.

    Returns:
        One row per protocol and teacher: protocol, method, mean, low, high (points of the worst
        class), seeds, p, p_holm (over all rows) and ``cell``.
    """
    keys = ["protocol", "method", "seed"]
    gaps = optimism.pivot(index=keys, columns="shift", values="gap")
    rows = (gaps[SHIFT] - gaps["none"]).rename("difference").reset_index()
    found = with_holm(rows, ["protocol", "method"])
    return found.assign(cell=[signed(row) for _, row in found.iterrows()])


def _compared(per_seed: pd.DataFrame, pairs: list[Pair], wanted: Mapping[str, str]) -> pd.DataFrame:
    """All are at one temperature, so that it need not be named."""
    return compare_corrected(per_seed.assign(temperature=float("nan")), pairs, wanted)


def _side(rows: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    found = with_intervals(rows, column, ["method"]).drop(columns="seeds")
    return found.rename(columns={"mean": name, "low": f"{name}_low", "high": f"{name}_high"})


def _method_and_variant(name: str) -> dict[str, str]:
    if name.startswith("teacher "):
        return {"method": "teacher", "variant": _variant(name.removeprefix("teacher "))}
    method, _, variant = name.partition(", ")
    if method == "Group DRO":
        return {"method": method, "variant": f"on {variant}"}
    return {"method": method, "variant": variant or _variant("std")}


def _variant(teacher: str) -> str:
    return {"tdf": "chosen α"}.get(teacher, f"{teacher} teacher")
