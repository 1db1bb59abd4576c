"""What a teacher says of six images, drawn with the images; and each seed's two students."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd
import torch

from kdbook.charts.style import METHOD_COLOURS, describe, require_columns

if TYPE_CHECKING:
    from kdbook.chapters.distillation import FirstPrinciples
    from kdlib.runs import RunResult

TEMPERATURES = (1.0, 3.0)
_SIDE = 78
_COLUMNS = ("example", "label", "class_index", "class_name", "teacher_logit", "image")
_SEED_COLUMNS = ("seed", "method", "measure", "accuracy")


def six(
    study: FirstPrinciples, teacher: RunResult, student: RunResult
) -> tuple[np.ndarray, pd.DataFrame]:
    """Positions of up to six telling test images, and their rows of ``soft_label_frame``."""
    from kdbook.chapters.distillation import telling_examples

    logits, labels = teacher.logits("test"), teacher.labels("test")
    rows = telling_examples(logits, labels)
    chosen = logits[rows], student.logits("test")[rows], labels[rows]
    images = study.data.test.images[torch.from_numpy(rows)]
    return rows, study.chart.soft_label_frame(*chosen, study.class_names, images=images)


def told(frame: pd.DataFrame, temperatures: tuple[float, ...] = TEMPERATURES) -> pd.DataFrame:
    """The teacher's probabilities of every image and class at some temperatures.

    Args:
        frame: as ``soft_label_frame`` makes it.
        temperatures: of the softmax.

    Returns:
        ``frame`` once per temperature, with ``temperature`` (in words), ``probability``, and
        ``guess``, the name of the likeliest class.
    """
    return pd.concat([_told_at(frame, t) for t in temperatures], ignore_index=True)


def six_images(rows: pd.DataFrame) -> alt.HConcatChart:
    """Images side by side, and below each what the teacher says of it.

    Args:
        rows: as ``told`` gives them, with a column ``image``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(rows, (*_COLUMNS, "temperature", "probability", "guess"))
    examples = list(dict.fromkeys(rows["example"]))
    columns = [
        _one_image(rows[rows["example"] == name], place == 0) for place, name in enumerate(examples)
    ]
    chart = alt.hconcat(*columns, spacing=10).resolve_scale(color="shared")
    return describe(chart, headline(rows), _six_in_words(rows))


def headline(rows: pd.DataFrame) -> str:
    """The title: what the teacher says of the image on which it errs most surely."""
    own = rows[rows["example"] == rows["example"].iloc[0]]
    top = own.loc[own.groupby("temperature", sort=False)["probability"].idxmax()]
    first, *later = [(row["temperature"], row["probability"]) for _, row in top.iterrows()]
    label = own.loc[own["class_index"] == own["label"], "class_name"].iloc[0]
    said = (
        f"Shown {_a(label)}, the teacher is {_percent(first[1])} sure of {_a(top['guess'].iloc[0])}"
    )
    return said + "".join(f"; asked at {words}, {_percent(share)}" for words, share in later)


def _a(name: str) -> str:
    """A noun or a digit with its article."""
    return f"an {name}" if name[0] in "aeiou8" else f"a {name}"


def _percent(share: float) -> str:
    """Nearly all is not all."""
    return f"{100 * share:.0f} %" if share < 0.995 else "over 99 %"


def _told_at(frame: pd.DataFrame, temperature: float) -> pd.DataFrame:
    scaled = frame["teacher_logit"] / temperature
    grown = (scaled - scaled.groupby(frame["example"]).transform("max")).map(np.exp)
    share = grown / grown.groupby(frame["example"]).transform("sum")
    top = share.groupby(frame["example"]).transform("idxmax")
    guess = frame["class_name"].loc[top].to_numpy()
    return frame.assign(temperature=f"T = {temperature:g}", probability=share, guess=guess)


def _one_image(rows: pd.DataFrame, first: bool) -> alt.VConcatChart:
    label = rows.loc[rows["class_index"] == rows["label"], "class_name"].iloc[0]
    words = [f"{_a(label)}, taken", f"for {_a(rows['guess'].iloc[0])}"]
    one = alt.Chart(rows.head(1))
    image = one.mark_image(width=_SIDE, height=_SIDE, align="left", baseline="top").encode(
        url="image:N", x=alt.value(0), y=alt.value(0)
    )
    name = alt.TitleParams(words, anchor="start", fontSize=12, fontWeight="normal")
    picture = image.properties(width=_SIDE, height=_SIDE, title=name)
    return alt.vconcat(picture, _bars(rows, first), spacing=8)


def _bars(rows: pd.DataFrame, first: bool) -> alt.Chart:
    """Two bars per class, one per temperature; the true class is solid."""
    heats = list(dict.fromkeys(rows["temperature"]))
    scale = alt.Scale(domain=heats, range=[METHOD_COLOURS["teacher"], METHOD_COLOURS["distilled"]])
    legend = alt.Legend(orient="top", title="teacher's probabilities at") if first else None
    axis = alt.Axis(title="class" if first else None, labels=first, ticks=False, domain=False)
    solid = alt.condition("datum.class_index === datum.label", alt.value(1), alt.value(0.6))
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            y=alt.Y("class_name:N", sort=alt.EncodingSortField("class_index"), axis=axis),
            yOffset=alt.YOffset("temperature:N", sort=heats),
            x=alt.X(
                "probability:Q",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(title=None, values=[0, 1], format="%", labelFlush=True),
            ),
            color=alt.Color("temperature:N", scale=scale, legend=legend),
            opacity=solid,
            tooltip=[
                "class_name:N", "temperature:N", alt.Tooltip("probability:Q", format=".3f")
            ],
        )
        .properties(width=_SIDE, height=170)
    )  # fmt: skip


def _six_in_words(rows: pd.DataFrame) -> str:
    own = rows[rows["class_name"] == rows["guess"]]
    said = [
        f"{row.example}, {row.temperature}: {row.probability:.0%} for {row.guess}"
        for row in own.itertuples()
    ]
    return f"Images with the teacher's probabilities of every class. {'; '.join(said)}."


def seed_lines(rows: pd.DataFrame, *, title: str) -> alt.HConcatChart:
    """A line per seed from its one-hot to its distilled student, a panel per measure.

    Args:
        rows: ``seed``, ``method`` (in the order of the axis), ``measure`` (words), ``accuracy``
            (percent).
        title: of the chart.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(rows, _SEED_COLUMNS)
    measures = list(dict.fromkeys(rows["measure"]))
    panels = [_seeds_of(rows[rows["measure"] == name], name) for name in measures]
    means = rows.groupby(["measure", "method"], sort=False)["accuracy"].mean()
    named = means.reset_index().itertuples()
    said = "; ".join(f"{row.measure}, {row.method}: {row.accuracy:.1f}" for row in named)
    words = f"Lines of {rows['seed'].nunique()} seeds. Mean accuracy in percent: {said}."
    return describe(alt.hconcat(*panels, spacing=30), title, words)


def _seeds_of(rows: pd.DataFrame, measure: str) -> alt.LayerChart:
    methods = list(dict.fromkeys(rows["method"]))
    x = alt.X("method:N", sort=methods, axis=alt.Axis(title=None, labelAngle=0))
    y = alt.Y("accuracy:Q", scale=alt.Scale(domain=[0, 100])).title("accuracy (%)")
    base = alt.Chart(rows).encode(x=x)
    tips = ["seed:O", "method:N", alt.Tooltip("accuracy:Q", format=".1f")]
    colours = alt.Scale(domain=methods, range=[METHOD_COLOURS[name] for name in methods])
    colour = alt.Color("method:N", scale=colours, legend=None)
    return alt.layer(
        base.mark_line(strokeWidth=1, opacity=0.6, color=METHOD_COLOURS["teacher"]).encode(
            y=y, detail="seed:O"
        ),
        base.mark_point(filled=True, size=45, opacity=1).encode(y=y, color=colour, tooltip=tips),
        base.mark_tick(thickness=3, size=44).encode(y=alt.Y("mean(accuracy):Q"), color=colour),
    ).properties(width=220, height=200, title=alt.TitleParams(measure, anchor="middle"))
