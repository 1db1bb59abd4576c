"""Charts as plain functions: a tidy data frame in, an Altair chart out.

Every chart has a title, axis titles in words, an alt text (``description``), sliders that need no
kernel where it has any, and one colour a method, the same in the whole book. Accuracies are in
percent. Columns are those of ``kdbook.tables``: what ``with_intervals`` gives can be drawn.

Importing this package enables a renderer that needs no network: one for live notebooks, or with
``KDLIB_SITE=1`` in the environment one for the built site. On Colab, Altair's own stays.
"""

from __future__ import annotations

from kdbook.quick_imports import skip_slow_imports

skip_slow_imports()

from kdbook.charts.ablations import ablation_explorer
from kdbook.charts.adaptive import adaptive_mix_bars, adaptive_mix_explorer
from kdbook.charts.baselines import baseline_scatter, failure_bars
from kdbook.charts.buckets import bucket_explorer, bucket_panels
from kdbook.charts.calibration import class_error_points, panda_explorer
from kdbook.charts.captions import caption
from kdbook.charts.changes import change_bars
from kdbook.charts.class_counts import class_count_explorer
from kdbook.charts.classes import cumulative_gain, paired_differences, per_class_accuracy
from kdbook.charts.gains import class_scatter, gain_explorer
from kdbook.charts.gallery import picture_table
from kdbook.charts.groups import printed_and_measured, threshold_explorer
from kdbook.charts.harm import harm_explorer
from kdbook.charts.imbalance import imbalance_explorer
from kdbook.charts.live import enable_live_renderer
from kdbook.charts.margins import class_weights, offset_explorer
from kdbook.charts.matrix import printed_and_ours, verdict_bars
from kdbook.charts.multipliers import multiplier_explorer
from kdbook.charts.noise import worst_class_explorer, worst_class_simulation
from kdbook.charts.objective_grid import effective_class_lines, objective_grid
from kdbook.charts.objectives import objective_explorer
from kdbook.charts.pairs import pair_explorer
from kdbook.charts.regularisation import regularisation_explorer
from kdbook.charts.risks import added_risk_curves, risk_parts
from kdbook.charts.rounds import round_explorer
from kdbook.charts.site import enable_site_renderer, in_site
from kdbook.charts.soft_labels import (
    digit_image,
    soft_label_bars,
    soft_label_explorer,
    soft_label_frame,
)
from kdbook.charts.style import METHOD_COLOURS
from kdbook.charts.tails import tail_explorer
from kdbook.charts.teacher_length import teacher_length_panels
from kdbook.charts.temperature import change_by_subgroup, temperature_explorer
from kdbook.charts.trade_offs import trade_off_explorer
from kdbook.charts.trust import trust_estimate_explorer

__all__ = [
    "METHOD_COLOURS",
    "ablation_explorer",
    "adaptive_mix_bars",
    "adaptive_mix_explorer",
    "added_risk_curves",
    "baseline_scatter",
    "bucket_explorer",
    "bucket_panels",
    "caption",
    "change_bars",
    "change_by_subgroup",
    "class_count_explorer",
    "class_error_points",
    "class_scatter",
    "class_weights",
    "cumulative_gain",
    "digit_image",
    "effective_class_lines",
    "enable_live_renderer",
    "enable_site_renderer",
    "failure_bars",
    "gain_explorer",
    "harm_explorer",
    "imbalance_explorer",
    "in_site",
    "multiplier_explorer",
    "objective_explorer",
    "objective_grid",
    "offset_explorer",
    "pair_explorer",
    "paired_differences",
    "panda_explorer",
    "per_class_accuracy",
    "picture_table",
    "printed_and_measured",
    "printed_and_ours",
    "regularisation_explorer",
    "risk_parts",
    "round_explorer",
    "soft_label_bars",
    "soft_label_explorer",
    "soft_label_frame",
    "tail_explorer",
    "teacher_length_panels",
    "temperature_explorer",
    "threshold_explorer",
    "trade_off_explorer",
    "trust_estimate_explorer",
    "verdict_bars",
    "worst_class_explorer",
    "worst_class_simulation",
]

if in_site():
    enable_site_renderer()
else:
    enable_live_renderer()
