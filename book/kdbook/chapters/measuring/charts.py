"""How far the worst of several estimated accuracies falls below the true one."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.style import METHOD_COLOURS, WIDTH, describe, require_columns
from kdlib.errors import SettingError

SIMULATION_COLUMNS = ("estimate", "probability", "source")
MOST_IMAGES = 500
_SIMULATED = "The worst estimate: simulated (bars) and exact (rings)"
_ONE, _WORST = "one class", "worst of all classes"


def worst_class_explorer(
    *, classes: int = 10, images: int = 30, accuracy: float = 90.0
) -> alt.LayerChart:
    """The exact distribution of the worst estimated accuracy when all true ones are equal.

    The browser computes it: with S(k) the chance of k or more right answers in n images,
    the worst of L classes has exactly k with chance S(k)^L - S(k+1)^L.

    Args:
        classes: L, where the slider starts, 1 to 100.
        images: n, test images per class, where the slider starts, 5 to 500.
        accuracy: the true accuracy of every class, in percent, where the slider starts, 50 to 99.

    Raises:
        SettingError: a value outside its range.
    """
    for name, value, low, high in (
        ("classes", classes, 1, 100), ("images", images, 5, MOST_IMAGES),
        ("accuracy", accuracy, 50, 99),
    ):  # fmt: skip
        if not low <= value <= high:
            raise SettingError(f"{name} = {value!r} is not allowed: from {low} to {high}")
    base = _distribution(_sliders(classes, images, accuracy))
    chart = alt.layer(_steps(base), *_marks(base)).properties(width=WIDTH, height=240)
    return describe(
        chart,
        "Every class is equally good. How bad does the worst look?",
        "Two distributions of an estimated accuracy: of one class, and of the worst of all "
        "classes. Sliders set the images per class, the number of classes and the true accuracy.",
    )


def _sliders(classes: int, images: int, accuracy: float) -> list[alt.Parameter]:
    few = alt.binding_range(min=5, max=MOST_IMAGES, step=5, name="Test images per class ")
    many = alt.binding_range(min=1, max=100, step=1, name="Classes ")
    good = alt.binding_range(min=50, max=99, step=1, name="True accuracy (%) ")
    return [
        alt.param("images", value=images, bind=few),
        alt.param("classes", value=classes, bind=many),
        alt.param("percent", value=accuracy, bind=good),
    ]


def _distribution(sliders: list[alt.Parameter]) -> alt.Chart:
    """Rows k = 0..n with the chances of one class and of the worst.

    The binomial's logarithm is a running sum of log-ratios, so nothing overflows at n = 500.
    """
    growth = "log((images - datum.k + 1) / datum.k) + log(percent / (100 - percent))"
    return (
        alt.Chart(alt.sequence(0, MOST_IMAGES + 1, 1, as_="k"))
        .add_params(*sliders)
        .transform_filter("datum.k <= images")
        .transform_calculate(growth=f"datum.k === 0 ? images * log(1 - percent / 100) : {growth}")
        .transform_window(log_chance="sum(growth)", frame=[None, 0])
        .transform_calculate(one="exp(datum.log_chance)")
        .transform_window(at_least="sum(one)", frame=[0, None])
        .transform_calculate(
            worst="pow(datum.at_least, classes) - pow(max(0, datum.at_least - datum.one), classes)"
        )
        .transform_calculate(
            estimate="100 * datum.k / images",
            low="max(0, 100 * (datum.k - 0.5) / images)",
            high="min(100, 100 * (datum.k + 0.5) / images)",
            share="100 * datum.worst * datum.k / images",
        )
        .transform_joinaggregate(expected="sum(share)")
    )


def _steps(base: alt.Chart) -> alt.Chart:
    fold = base.transform_filter("datum.one > 1e-5 || datum.worst > 1e-5").transform_fold(
        ["one", "worst"], as_=["which", "chance"]
    )
    named = fold.transform_calculate(which=f"datum.which === 'one' ? '{_ONE}' : '{_WORST}'")
    colours = alt.Scale(domain=[_ONE, _WORST], range=["#7F7F7F", METHOD_COLOURS["distilled"]])
    axis = alt.Axis(title="estimated accuracy (%)", tickCount=6)
    return named.mark_bar(opacity=0.6, binSpacing=0).encode(
        x=alt.X("low:Q", scale=alt.Scale(domain=[0, 100]), axis=axis),
        x2="high:Q",
        y=alt.Y("chance:Q", stack=None, title="probability"),
        y2=alt.datum(0),
        color=alt.Color("which:N", scale=colours, title=None, legend=alt.Legend(orient="bottom")),
        tooltip=["which:N", alt.Tooltip("estimate:Q", format=".1f"), "chance:Q"],
    )


def _marks(base: alt.Chart) -> list[alt.Chart]:
    """Dashed rules at the true accuracy and at the mean of the worst estimate, with the numbers."""
    once = base.transform_filter("datum.k === 0")
    words = (
        "'true: ' + format(percent, '.0f') + ' %, worst on average: ' "
        "+ format(datum.expected, '.1f') + ' %'"
    )
    truth = once.transform_calculate(at="percent").mark_rule(strokeWidth=2)
    expected = once.mark_rule(strokeDash=[5, 3], strokeWidth=2, color=METHOD_COLOURS["distilled"])
    text = once.transform_calculate(words=words).mark_text(
        align="left", baseline="bottom", fontSize=13
    )
    return [
        truth.encode(x="at:Q"),
        expected.encode(x="expected:Q"),
        text.encode(text="words:N", x=alt.value(0), y=alt.value(-6)),
    ]


def worst_class_simulation(
    frame: pd.DataFrame, *, truth: float, title: str = _SIMULATED
) -> alt.LayerChart:
    """A simulated distribution of the worst estimate as bars, the exact one as points.

    Args:
        frame: one row per value and source: ``estimate`` (percent), ``probability``, ``source``
            (``simulated`` or ``exact``).
        truth: the true accuracy of the worst class in percent.
        title: of the chart.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, SIMULATION_COLUMNS)
    axis = alt.Axis(title="estimated accuracy of the worst class (%)", grid=False)
    base = alt.Chart(frame).encode(
        x=alt.X("estimate:Q", axis=axis),
        y=alt.Y("probability:Q", title="probability"),
        tooltip=["source:N", alt.Tooltip("estimate:Q", format=".1f"), "probability:Q"],
    )
    simulated = base.transform_filter("datum.source === 'simulated'").mark_bar(
        size=8, color=METHOD_COLOURS["distilled"], opacity=0.6
    )
    exact = base.transform_filter("datum.source === 'exact'").mark_point(
        color="#0072B2", size=50, opacity=1, strokeWidth=2
    )
    rule = alt.Chart(pd.DataFrame({"truth": [truth]})).mark_rule(strokeWidth=2)
    chart = alt.layer(simulated, exact, rule.encode(x="truth:Q"))
    return describe(
        chart.properties(width=WIDTH, height=220),
        title,
        f"Distribution of the worst estimated accuracy; the true one is {truth:.0f} percent. "
        "Simulated bars and exact rings agree, and both lie mostly below the true value.",
    )
