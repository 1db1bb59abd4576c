"""The book's panels: which sliders move which function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from kdbook import charts
from kdbook.chapters.distillation.charts import soft_label_bars
from kdbook.chapters.measuring.charts import worst_class_simulation
from kdbook.chapters.trusting_the_teacher_less.charts import adaptive_mix_bars
from kdbook.widgets.functions import (
    adaptive_mix_at,
    soft_label_table,
    spread_accuracies,
    worst_class_frame,
)
from kdbook.widgets.shell import Slider, panel


def explore_soft_labels(
    teacher_logits: Any,
    student_logits: Any,
    labels: Any,
    class_names: Sequence[str],
    *,
    temperature: float = 3.0,
    alpha: float = 0.5,
    twin: bool = True,
) -> None:
    """Any of N examples under temperature and alpha: soft labels, target, student, gradient.

    Args:
        teacher_logits: ``[N, L]``.
        student_logits: ``[N, L]``.
        labels: ``[N]``.
        class_names: ``L`` names.
        temperature: where its slider starts, 0.1 to 20.
        alpha: where its slider starts, 0 to 1.
        twin: the page holds ``charts.soft_label_explorer``.
    """

    def draw(example: int, temperature: float, alpha: float) -> alt.VConcatChart:
        logits = teacher_logits[example], student_logits[example]
        settings = {"temperature": temperature, "alpha": alpha}
        table = soft_label_table(*logits, int(labels[example]), class_names, **settings)
        return soft_label_bars(table)

    sliders = (
        Slider("example", "Test image", 0, len(labels) - 1, 1, 0),
        Slider("temperature", "Temperature T", 0.1, 20.0, 0.1, temperature),
        Slider("alpha", "Mix α", 0.0, 1.0, 0.01, alpha),
    )
    panel(draw, sliders, twin=twin)


def explore_adaptive_mix(
    logits: Any, labels: Any, *, temperature: float = 1.0, twin: bool = True
) -> None:
    """AdaAlpha's trust in the teacher by class, at any temperature.

    Args:
        logits: the initial teacher's on the dev split, ``[N, L]``.
        labels: ``[N]``.
        temperature: where the slider starts, 0.1 to 20.
        twin: the page holds ``charts.adaptive_mix_explorer``.
    """

    def draw(temperature: float) -> alt.LayerChart:
        return adaptive_mix_bars(adaptive_mix_at(logits, labels, temperature))

    panel(draw, [Slider("temperature", "Temperature T", 0.1, 20.0, 0.1, temperature)], twin=twin)


def explore_groups(
    changes_at: Callable[[int, float, float], pd.DataFrame],
    *,
    depth: int = 20,
    alpha: float = 0.9,
    threshold: float = 0.3,
    twin: bool = True,
) -> None:
    """The change in each group at any depth, alpha and threshold; fits what the store lacks.

    Args:
        changes_at: from depth, alpha and threshold to the frame that
            ``charts.paired_differences`` draws, with a column ``group``.
        depth: of the student's tree, where its slider starts, 1 to 30.
        alpha: where its slider starts, 0.05 to 1.
        threshold: where its slider starts, 0.05 to 0.95.
        twin: the page holds ``charts.threshold_explorer``.
    """

    def draw(depth: int, alpha: float, threshold: float) -> alt.LayerChart:
        frame = changes_at(depth, alpha, threshold).rename(columns={"group": "comparison"})
        title = f"Depth {depth}, α = {alpha:g}, threshold {threshold:g}"
        return charts.paired_differences(frame, title=title)

    sliders = (
        Slider("depth", "Depth of the tree", 1, 30, 1, depth),
        Slider("alpha", "Trust α", 0.05, 1.0, 0.05, alpha),
        Slider("threshold", "Threshold", 0.05, 0.95, 0.01, threshold),
    )
    panel(draw, sliders, twin=twin)


def explore_worst_class_noise(
    *,
    classes: int = 10,
    images: int = 30,
    accuracy: float = 90.0,
    spread: float = 10.0,
    twin: bool = False,
) -> None:
    """The worst estimate when true accuracies differ, simulated and exact.

    Args:
        classes: where its slider starts, 1 to 200.
        images: test images per class, where its slider starts, 5 to 500.
        accuracy: true accuracy of the best class in percent, where its slider starts, 1 to 99.
        spread: how far the worst class truly lies below, in points, 0 to 60.
        twin: the page holds a chart of the same that needs no kernel.
    """

    def draw(classes: int, images: int, accuracy: float, spread: float) -> alt.LayerChart:
        true = spread_accuracies(classes, accuracy, spread)
        return worst_class_simulation(worst_class_frame(true, images), truth=true.min())

    sliders = (
        Slider("classes", "Classes", 1, 200, 1, classes),
        Slider("images", "Test images per class", 5, 500, 5, images),
        Slider("accuracy", "Best true accuracy (%)", 1.0, 99.0, 1.0, accuracy),
        Slider("spread", "Worst lies below by", 0.0, 60.0, 1.0, spread),
    )
    panel(draw, sliders, twin=twin)
