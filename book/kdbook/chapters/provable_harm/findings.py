"""What the formulas and the simulation say, for the page: sentences by rule, tables, curves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.provable_harm import ProvableHarm, Settings, ridge
from kdbook.chapters.provable_harm.explorer import LEAST
from kdbook.compare import Row
from kdbook.tables import shown

PAIRED, RISK = "distilled − one-hot", "excess risk"
SIZES = np.geomspace(1, 1000, 121)


def in_short(study: ProvableHarm, both: pd.DataFrame) -> str:
    """The answer in two sentences; ``both`` is of ``study.beside``."""
    rows = both[(both["method"] == PAIRED) & (both["measure"] == RISK)]
    own, (many, few) = study.settings, study.settings.sizes
    lost, kept = (compare.row_of(rows, group=name) for name in ("minority", "majority"))
    return (
        f"**In short.** Distilling a ridge regression shrinks every direction once more, and it "
        f"harms exactly the groups that this takes further from the shrinkage that suits their "
        f"noise. At λ = {own.ridge_lambda:g} and σ/β = {own.sigma / own.beta:g} the simulated "
        f"excess risk of a group of {few} changes by {_span(lost)} (95 % over "
        f"{int(rows['seeds'].max())} seeds), and that of a group of {many} by "
        f"{kept['mean']:+.5f}."
    )


def headline(study: ProvableHarm) -> str:
    """The title of the map: what one round does to both groups where its sliders start."""
    own = study.settings
    added = ridge.added_risk(
        np.array(own.sizes), own.ridge_lambda, 1, own.sigma / own.beta, alpha=own.alpha
    )
    many, few = map(_paid, added)
    return (
        f"One round of distillation: a group of {own.n_minority} {few}, "
        f"a group of {own.n_majority} {many}"
    )


def _paid(added: float) -> str:
    """As the map's sentences say it."""
    size = "next to nothing" if abs(added) < LEAST else f"{abs(added):.2g} β²"
    return f"{'pays' if added > 0 else 'gains'} {size}"


def added_said() -> str:
    """What one round without noise adds to bias² for a group of 500 and one of 5, at λ = 1."""
    many, few = ridge.added_risk(np.array([500, 5]), 1, 1, 0)
    return f"{many:.1e} and {few:.3f}, which is {few / many:,.0f} times as much."


def costs(series: Iterable[tuple[str, dict[str, Any]]]) -> pd.DataFrame:
    """What distillation adds at λ = 10 by group size: columns size, added, series.

    Args:
        series: a name each, and ``sigma``, ``alpha`` or ``rounds`` of ``ridge.added_risk``.
    """
    frames = [
        pd.DataFrame(
            {"size": SIZES, "added": ridge.added_risk(SIZES, 10, 1, sigma, **how), "series": name}
        )
        for name, (sigma, how) in ((n, _parted(h)) for n, h in series)
    ]
    return pd.concat(frames)


def _parted(how: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    return how.get("sigma", 0.0), {k: v for k, v in how.items() if k != "sigma"}


def band_table(ridge_lambda: float = 6.0, optimal: float = 10.0) -> Styler:
    """A world in which the mean gains and the minority loses: groups of 50 and 2."""
    sizes = np.array([50, 2])
    risks = pd.DataFrame(
        {
            name: ridge.group_risk(sizes, ridge_lambda, 1, optimal**0.5, rounds=rounds).excess
            for name, rounds in (("one-hot", 0), ("distilled", 1))
        },
        pd.Index(["majority, n = 50", "minority, n = 2"], name="group"),
    )
    risks.loc["mean over examples"] = np.average(risks, axis=0, weights=sizes)
    risks["change"] = risks["distilled"] - risks["one-hot"]
    cells = risks.map("{:.4f}".format).assign(change=risks["change"].map("{:+.4f}".format))
    return shown(cells, f"Excess risk / β² at λ = {ridge_lambda:g} and λ* = {optimal:g}.")


def beside_table(both: pd.DataFrame) -> Styler:
    """The paired differences: formula and simulation."""
    rows = both[both["method"] == PAIRED]
    spans = [_span(row) for _, row in rows.iterrows()]
    table = rows[["group", "measure"]].assign(
        formula=rows["formula"].map("{:+.3g}".format), simulated=spans
    )
    return shown(table, "Distilled minus one-hot, with 95 % intervals over seeds.")


def tuned(study: ProvableHarm) -> pd.DataFrame:
    """Each student at the λ that is best for it, at two noise levels: risks over β²."""
    rows = {
        (f"{world.sigma / world.beta:g}", name): _tuned(study.at(world), rounds)
        for world in (study.settings, _noisier(study.settings))
        for name, rounds in (("one-hot", 0), ("distilled", study.settings.rounds))
    }
    return pd.DataFrame(rows, ["tuned λ", "majority", "minority"]).T.rename_axis(["σ/β", "student"])


def tuned_table(study: ProvableHarm) -> Styler:
    """``tuned`` in words."""
    return shown(tuned(study).map("{:.4g}".format), "Excess risk / β² at the best λ of each.")


def tuned_said(study: ProvableHarm) -> str:
    """How much of the minority's harm is left where each student has its own λ."""
    exact = study.closed_form().query("measure == 'excess risk' and group == 'minority'")
    kept, best = exact["value"].to_numpy(), tuned(study)["minority"].to_numpy()
    own, noisy = study.settings, _noisier(study.settings)
    return (
        f"At σ/β = {own.sigma / own.beta:g} distillation changes the minority's excess risk by "
        f"{kept[1] / kept[0] - 1:+.1%} at the teacher's λ, and by {best[1] / best[0] - 1:+.1%} "
        "where "
        f"each student has its own λ ({best[3] / best[2] - 1:+.1%} at σ/β = "
        f"{noisy.sigma / noisy.beta:g})."
    )


def rounds_table() -> Styler:
    """Who is harmed after one, two and three rounds in a world where the order turns."""
    sizes = {"1 example": 1, "10 million": 10**7}
    harmed = {
        f"{k} round{'s' if k > 1 else ''}": ridge.harms(
            np.array(list(sizes.values())), 480, 1, 1000**0.5, rounds=k
        )
        for k in (1, 2, 3)
    }
    table = pd.DataFrame(harmed, pd.Index(list(sizes), name="group"))
    return shown(table.replace({True: "harmed", False: "gains"}), "At λ = 480 and λ* = 1000.")


def angles(study: ProvableHarm) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What distillation adds by the cosine of the groups: exact lines, and simulated points."""
    own = study.settings
    exact = study.by_cosine(np.linspace(-0.95, 0.95, 77)).rename(columns={"group": "series"})
    exact["added"] /= own.beta**2
    worlds = [
        own.model_copy(update={"cosine": c, "draws": 50}) for c in (-0.9, -0.6, -0.3, 0.3, 0.6, 0.9)
    ]
    checks = [
        study.at(one).beside(study.at(one).compute()).assign(cosine=one.cosine) for one in worlds
    ]
    points = pd.concat(checks).query("method == @PAIRED and measure == @RISK")
    points = points.rename(columns={"group": "series"})
    points[["mean", "low", "high"]] /= own.beta**2
    return exact, points


def angles_said(exact: pd.DataFrame) -> str:
    """What is added to the minority's risk at three angles; ``exact`` is of ``angles``."""
    rows = exact[exact["series"] == "minority"].set_index("cosine")["added"]
    at = [(c, rows.iloc[np.abs(rows.index - c).argmin()]) for c in (-0.9, 0.0, 0.9)]
    three = ", ".join(f"{added:+.3f} at c = {c:g}" for c, added in at)
    return f"What it adds to the minority's risk / β²: {three}."


def outvoted_table(study: ProvableHarm) -> Styler:
    """The exception: a minority that the majority has outvoted."""
    world = Settings(n_majority=50, n_minority=2, ridge_lambda=6, sigma=0, cosine=-0.95)
    rows = study.at(world).closed_form()
    rows = rows[(rows["measure"] == RISK) & (rows["group"] == "minority")]
    values = rows.set_index("method")["value"]
    assert values["one-hot"] > 1  # worse than predicting 0
    table = values.map("{:.3f}".format).to_frame("minority's excess risk / β²")
    return shown(table, "Groups of 50 and 2, λ = 6, c = -0.95, no noise.")


def _tuned(study: ProvableHarm, rounds: int) -> list[float]:
    lam = study.best_lambda(rounds=rounds)
    return [lam, *study.risks(lam, rounds=rounds).excess / study.settings.beta**2]


def _noisier(own: Settings) -> Settings:
    return own.model_copy(update={"sigma": own.sigma + 2.5 * own.beta})


def _span(row: Row) -> str:
    if np.isnan(row["low"]):
        return f"{row['mean']:+.2g}"
    return f"{row['mean']:+.2g} ({row['low']:+.2g} to {row['high']:+.2g})"
