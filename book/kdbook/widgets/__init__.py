"""Panels with sliders that need a kernel: thin shells over plain functions.

Each ``explore_*`` shows sliders and redraws a chart when one moves. What it draws comes from a
plain function in ``kdbook.widgets.functions``, which is tested without widgets. In the built site
(``KDLIB_SITE=1``) no kernel runs: there a panel is one line that says where it does, and, unless
the page has a twin of it that needs no kernel, the chart as it starts.

``explore`` is the panel of every chapter that trains; a notebook calls it as ``study.explore()``.
"""

from __future__ import annotations

from kdbook.widgets.exploring import explore
from kdbook.widgets.functions import (
    adaptive_mix_at,
    soft_label_table,
    spread_accuracies,
    worst_class_frame,
)
from kdbook.widgets.panels import (
    explore_adaptive_mix,
    explore_groups,
    explore_soft_labels,
    explore_worst_class_noise,
)
from kdbook.widgets.shell import Choice, Slider, panel

__all__ = [
    "Choice",
    "Slider",
    "adaptive_mix_at",
    "explore",
    "explore_adaptive_mix",
    "explore_groups",
    "explore_soft_labels",
    "explore_worst_class_noise",
    "panel",
    "soft_label_table",
    "spread_accuracies",
    "worst_class_frame",
]
