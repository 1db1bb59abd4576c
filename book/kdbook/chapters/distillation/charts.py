"""Soft labels, target and gradient of one image, recomputed in the page as sliders move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from kdbook.chapters.distillation.pictures import seed_lines as seed_lines
from kdbook.chapters.distillation.pictures import six_images as six_images
from kdbook.charts import caption as caption
from kdbook.charts import per_class_accuracy as per_class_accuracy
from kdbook.charts.pictures import SIDE, digit_image
from kdbook.charts.style import METHOD_COLOURS, WIDTH, describe, require_columns

BAR_COLUMNS = ("label", "class_index", "class_name", "teacher", "target", "student", "gradient")
COLUMNS = ("example", "label", "class_index", "class_name", "teacher_logit", "student_logit")
_GRADIENT_COLOUR = "#8A6D00"
_TARGET_COLOUR = METHOD_COLOURS["distilled"]


def soft_label_frame(
    teacher_logits: Any,
    student_logits: Any,
    labels: Any,
    class_names: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    images: Any = None,
) -> pd.DataFrame:
    """One row for each example and class, ready for ``soft_label_explorer``.

    Args:
        teacher_logits: ``[N, L]``, array or CPU tensor.
        student_logits: ``[N, L]``; zeros for a student that has learnt nothing yet.
        labels: ``[N]`` true classes.
        class_names: ``L`` names.
        names: ``N`` distinct names for the selector; by default the number and the true class.
        images: ``[N, C, H, W]`` uint8 pictures, shown beside the bars.
    """
    teacher, student, true = (np.asarray(x) for x in (teacher_logits, student_logits, labels))
    count, classes = teacher.shape
    default = [f"{row + 1}: a {class_names[label]}" for row, label in enumerate(true)]
    frame = pd.DataFrame(
        {
            "example": np.repeat(list(names or default), classes),
            "label": np.repeat(true, classes),
            "class_index": np.tile(np.arange(classes), count),
            "class_name": np.tile(np.asarray(class_names), count),
            "teacher_logit": teacher.astype(float).ravel(),
            "student_logit": student.astype(float).ravel(),
        }
    )
    if images is not None:
        frame["image"] = np.repeat([digit_image(image) for image in images], classes)
    return frame


def soft_label_explorer(
    frame: pd.DataFrame, *, temperature: float = 1.0, alpha: float = 0.5
) -> alt.HConcatChart | alt.VConcatChart:
    """Bars over the classes: teacher, target, student and gradient, for one chosen example.

    The browser computes everything from the logits: p = softmax(teacher / T), target =
    (1 - alpha) onehot + alpha p, gradient = softmax(student) - target (equation 1, Teacher's pet).

    Args:
        frame: as ``soft_label_frame`` makes it; columns ``COLUMNS`` and perhaps ``image``.
        temperature: where the slider starts, 0.5 to 10.
        alpha: where the slider starts, 0 to 1.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, COLUMNS)
    base = _computed(frame, _sliders(frame, temperature, alpha))
    bars = alt.vconcat(_sentence(base), _panels(base), spacing=10)
    chart = alt.hconcat(_picture(base), bars, spacing=24) if "image" in frame else bars
    return describe(
        chart,
        "What the student is asked to learn",
        "Four bar charts over the classes for one chosen image: the teacher's probabilities at a "
        "temperature, the target that mixes them with the label, the student's probabilities, and "
        "the gradient, which is student minus target. Sliders set temperature and alpha.",
    )


def soft_label_bars(frame: pd.DataFrame) -> alt.VConcatChart:
    """The same four panels for numbers that are computed already; nothing to move.

    Args:
        frame: one row per class: ``BAR_COLUMNS``. ``label`` is the true class in every row;
            ``class_index`` orders the classes; the other numbers are probabilities.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, BAR_COLUMNS)
    return describe(
        _panels(alt.Chart(frame)),
        "What the student is asked to learn",
        "Four bar charts over the classes for one image: the teacher's probabilities, the target, "
        "the student's probabilities, and the gradient.",
    )


def _sliders(frame: pd.DataFrame, temperature: float, alpha: float) -> list[alt.Parameter]:
    examples = list(dict.fromkeys(frame["example"]))
    hot = alt.binding_range(min=0.5, max=10, step=0.5, name="Temperature T ")
    mixed = alt.binding_range(min=0, max=1, step=0.05, name="Mix α ")
    chosen = alt.binding_select(options=examples, name="Image ")
    return [
        alt.param("temperature", value=temperature, bind=hot),
        alt.param("alpha", value=alpha, bind=mixed),
        alt.param("example", value=examples[0], bind=chosen),
    ]


def _computed(frame: pd.DataFrame, sliders: list[alt.Parameter]) -> alt.Chart:
    """A chart whose rows carry the probabilities: logits are shifted by their maximum first."""
    return (
        alt.Chart(frame)
        .add_params(*sliders)
        .transform_filter("datum.example === example")
        .transform_joinaggregate(t_top="max(teacher_logit)", s_top="max(student_logit)")
        .transform_calculate(
            t_exp="exp((datum.teacher_logit - datum.t_top) / temperature)",
            s_exp="exp(datum.student_logit - datum.s_top)",
        )
        .transform_joinaggregate(t_sum="sum(t_exp)", s_sum="sum(s_exp)")
        .transform_calculate(
            teacher="datum.t_exp / datum.t_sum", student="datum.s_exp / datum.s_sum"
        )
        .transform_calculate(
            target="(1 - alpha) * (datum.class_index === datum.label) + alpha * datum.teacher"
        )
        .transform_calculate(gradient="datum.student - datum.target")
    )


def _sentence(base: alt.Chart) -> alt.Chart:
    """What the target says of the true class and what the step does there, rewritten at a move."""
    words = (
        "'True class, ' + datum.class_name + ': target ' + format(datum.target, '.0%')"
        " + ', student ' + format(datum.student, '.0%') + ',\\nso the step pushes it '"
        " + (datum.gradient < 0 ? 'up' : 'down')"
    )
    true = base.transform_filter("datum.class_index === datum.label")
    text = true.transform_calculate(words=words).mark_text(
        align="left", baseline="top", fontSize=13, lineBreak="\n"
    )
    return text.encode(text="words:N", x=alt.value(0), y=alt.value(0)).properties(
        width=WIDTH - 140, height=32
    )


def _panels(base: alt.Chart) -> alt.VConcatChart:
    teacher, student = METHOD_COLOURS["teacher"], METHOD_COLOURS["one-hot"]
    return alt.vconcat(
        _bars(base, "teacher", "Teacher's soft labels p", teacher),
        _bars(base, "target", "Target: (1 − α) one-hot + α p", _TARGET_COLOUR),
        _bars(base, "student", "Student's probabilities", student),
        _bars(base, "gradient", "Gradient: student − target", _GRADIENT_COLOUR, lowest=-1),
        spacing=10,
    )


def _bars(
    base: alt.Chart, field: str, title: str, colour: str, lowest: int = 0
) -> alt.Chart | alt.LayerChart:
    """One panel; the solid bar is the true class. Only the last panel names the classes."""
    last = field == "gradient"
    axis = alt.Axis(
        title="class" if last else None, labels=last, ticks=False, labelAngle=0, labelOverlap=True
    )
    order = alt.EncodingSortField("class_index")
    solid = alt.condition("datum.class_index === datum.label", alt.value(1), alt.value(0.5))
    return (
        base.mark_bar(color=colour)
        .encode(
            x=alt.X("class_name:N", sort=order, axis=axis),
            y=alt.Y(
                f"{field}:Q",
                scale=alt.Scale(domain=[lowest, 1]),
                axis=alt.Axis(title=None, tickCount=3),
            ),
            opacity=solid,
            tooltip=["class_name:N", alt.Tooltip(f"{field}:Q", format=".3f")],
        )
        .properties(width=WIDTH - 140, height=70, title=alt.TitleParams(title, anchor="start"))
    )


def _picture(base: alt.Chart) -> alt.LayerChart:
    """The image, its label and what the teacher takes it for."""
    likeliest = base.transform_filter("datum.teacher_logit === datum.t_top")
    image = likeliest.mark_image(width=SIDE, height=SIDE, align="left", baseline="top")
    words = likeliest.transform_calculate(
        taken="'teacher: ' + datum.class_name + ' (' + format(datum.teacher, '.0%') + ')'"
    ).mark_text(align="left", baseline="top", fontSize=13)
    return alt.layer(
        image.encode(url="image:N", x=alt.value(0), y=alt.value(0)),
        words.encode(text="taken:N", x=alt.value(0), y=alt.value(SIDE + 8)),
    ).properties(width=SIDE + 20, height=SIDE + 26)
