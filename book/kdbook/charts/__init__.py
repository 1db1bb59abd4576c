"""What the charts of the chapters share: the grammar of methods, classes, intervals and changes.

A chapter's own charts lie in its room, in ``charts.py``. All are plain functions: a tidy data frame
in, an Altair chart out. Every chart has a title, axis titles in words, an alt text
(``description``), sliders that need no kernel where it has any, and one colour per method, the same
in the whole book. Accuracies are in percent. Columns are those of ``kdbook.tables``: what
``kdbook.compare.with_intervals`` gives can be drawn.

Importing this package enables a renderer that needs no network: one for live notebooks, or with
``KDLIB_SITE=1`` in the environment one for the built site. On Colab, Altair's own stays. It also
enables a theme, so that no two numbers of an axis run into each other.
"""

from __future__ import annotations

from kdbook.quick_imports import skip_slow_imports

skip_slow_imports()

from kdbook.charts.classes import (
    change_bars,
    change_by_class,
    paired_differences,
    per_class_accuracy,
)
from kdbook.charts.renderers import enable_live_renderer, enable_site_renderer, in_site
from kdbook.charts.style import METHOD_COLOURS, caption, enable_theme

__all__ = [
    "METHOD_COLOURS",
    "caption",
    "change_bars",
    "change_by_class",
    "enable_live_renderer",
    "enable_site_renderer",
    "in_site",
    "paired_differences",
    "per_class_accuracy",
]

enable_theme()
if in_site():
    enable_site_renderer()
else:
    enable_live_renderer()
