"""A chapter's charts as its notebook calls them: of its study's tables, or of other frames."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from kdbook.charts.classes import paired_differences, per_class_accuracy
from kdbook.charts.style import caption as captioned
from kdbook.study import Study


class StudyCharts:
    """What ``study.chart`` is. Every chart takes a ``caption``: one sentence that says what to see.

    Whatever is not a method here is a function of the chapter's own ``charts`` module, which takes
    a frame: ``study.chart.pair_explorer(frame, caption="...")``.
    """

    def __init__(self, study: Study, own: ModuleType) -> None:
        self._study, self._own = study, own

    def by_class(self, ratio: float | None = None, *, title: str, caption: str) -> Any:
        """Accuracy by class with intervals over seeds, a line per method.

        Args:
            ratio: long-tail ratio; by default the study's.
            title: of the chart.
            caption: under it.
        """
        lines = self._study.class_lines()
        at = self._study.ratio if ratio is None else ratio
        return captioned(per_class_accuracy(lines[lines["imbalance"] == at], title=title), caption)

    def compare(self, method: str, baseline: str, *, title: str, caption: str) -> Any:
        """One method minus another with intervals, a row per measure; as ``Study.compare``."""
        rows = self._study.compare(method, baseline)
        shown = rows.assign(comparison=rows["measure"])
        return captioned(paired_differences(shown, title=title), caption)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A chart of the chapter's module, with a caption if one is given."""
        make = getattr(self._own, name)

        def drawn(*args: Any, caption: str | None = None, **values: Any) -> Any:
            chart = make(*args, **values)
            return chart if caption is None else captioned(chart, caption)

        return drawn
