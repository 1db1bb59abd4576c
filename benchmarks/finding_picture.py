"""Draw the finding of the README: ``.venv/bin/python benchmarks/finding_picture.py``.

Asks the study ``trusting_the_teacher_less`` for its runs at the quick profile (they are trained
where the store lacks them), writes ``docs/finding.svg``, and writes its numbers into the README.
"""

from __future__ import annotations

import altair as alt
import pandas as pd
from readme import ROOT, fill_readme

from kdbook.charts import METHOD_COLOURS
from kdbook.studies import tables
from kdbook.studies import trusting_the_teacher_less as study
from kdbook.studies.profiles import profile_of
from kdlib.runs import execute

PICTURE = ROOT / "docs" / "finding.svg"
# The worst class is chosen by the test examples that measure it; the rarest classes are not.
PANELS = {
    "mean": "mean of all classes",
    "rarest": "rarest fifth of the classes",
    "worst_1": "worst class",
}
AXIS = "test accuracy (%)"
SHOWN = ("one-hot", "distilled", "AdaAlpha")


def finding(per_seed: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds with 95 % t-intervals, one row a panel, method and temperature.

    Columns: method, temperature, mean, low, high (percent), seeds, panel, name.
    """
    rows = per_seed[per_seed["method"].isin(SHOWN)]
    rows = rows.sort_values(["method", "temperature"], key=_reading_order, kind="stable")
    pieces = [
        tables.with_intervals(rows, metric, ["method", "temperature"]).assign(panel=panel)
        for metric, panel in PANELS.items()
    ]
    table = pd.concat(pieces, ignore_index=True)
    return table.assign(name=[name_of(m, t) for m, t in table[["method", "temperature"]].values])


def _reading_order(column: pd.Series) -> pd.Series:
    return column.map(SHOWN.index) if column.name == "method" else column


def name_of(method: str, temperature: float) -> str:
    """The method, with its temperature where it listens to a teacher."""
    return method if pd.isna(temperature) else f"{method}, T = {temperature:g}"


def picture(table: pd.DataFrame, title: str) -> alt.FacetChart:
    """Dots with intervals and their values, a panel a measure.

    The background is opaque, so that the picture reads on a light and on a dark page.
    """
    base = alt.Chart().encode(y=alt.Y("name:N", sort=None, title=None), color=_colour())
    x = alt.X("mean:Q", title=AXIS, scale=alt.Scale(domain=[0, 100]))
    layers = alt.layer(
        base.mark_rule(strokeWidth=2, clip=True).encode(x=alt.X("low:Q", title=AXIS), x2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(x=x),
        base.mark_text(dy=-11, fontSize=12).encode(
            x="mean:Q", text=alt.Text("mean:Q", format=".0f")
        ),
        data=table,
    ).properties(width=200, height=alt.Step(34))
    columns = alt.Column("panel:N", sort=list(PANELS.values()), title=None)
    chart = layers.facet(column=columns).properties(title=title, background="white", padding=16)
    return chart.configure(font="sans-serif").configure_header(labelFontSize=13)


def _colour() -> alt.Color:
    colours = [METHOD_COLOURS[method] for method in SHOWN]
    return alt.Color("method:N", legend=None, scale=alt.Scale(domain=list(SHOWN), range=colours))


def in_words(table: pd.DataFrame, imbalance: float) -> str:
    """The worst class of each method as a sentence of Markdown."""
    worst = table[table["panel"] == PANELS["worst_1"]]
    numbers = "; ".join(
        f"{row.name} {row.mean:.1f} % ({row.low:.1f} to {row.high:.1f})"
        for row in worst.itertuples()
    )
    return (
        f"Accuracy of the worst class on handwritten digits at imbalance ratio {imbalance:g}, mean "
        f"and 95 % interval over {worst['seeds'].min()} seeds: {numbers}."
    )


def main() -> None:
    """Train what is missing, draw, and fill the README."""
    settings = study.Settings.parse(profile="quick")
    table = finding(study.per_seed(settings, execute(study.runs(settings))))
    imbalance = profile_of(settings).imbalance
    title = f"Long-tailed digits, imbalance ratio {imbalance:g}: mean and 95 % interval over seeds"
    PICTURE.parent.mkdir(exist_ok=True)
    picture(table, title).save(PICTURE)
    fill_readme("finding", in_words(table, imbalance))
    print(table[["panel", "name", "mean", "low", "high", "seeds"]].to_string(index=False))


if __name__ == "__main__":
    main()
