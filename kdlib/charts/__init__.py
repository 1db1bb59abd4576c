"""Charts as plain functions: a tidy data frame in, an Altair chart out.

Every chart has a title, axis titles in words, an alt text (``description``), sliders that need no
kernel where it has any, and one colour a method, the same in the whole book. Accuracies are in
percent. Columns are those of ``kdlib.studies.tables``: what ``with_intervals`` gives can be drawn.

In Jupyter and Colab, Altair's own renderer shows the charts. With ``KDLIB_SITE=1`` in the
environment, importing this package enables a renderer for the built site, which needs no network.
"""

from __future__ import annotations

from kdlib.quick_imports import skip_slow_imports

skip_slow_imports()

from kdlib.charts.ablations import ablation_explorer
from kdlib.charts.adaptive import adaptive_mix_bars, adaptive_mix_explorer
from kdlib.charts.baselines import baseline_scatter, failure_bars
from kdlib.charts.buckets import bucket_explorer, bucket_panels
from kdlib.charts.calibration import class_error_points, panda_explorer
from kdlib.charts.captions import caption
from kdlib.charts.changes import change_bars
from kdlib.charts.class_counts import class_count_explorer
from kdlib.charts.classes import cumulative_gain, paired_differences, per_class_accuracy
from kdlib.charts.gains import class_scatter, gain_explorer
from kdlib.charts.gallery import picture_table
from kdlib.charts.groups import printed_and_measured, threshold_explorer
from kdlib.charts.harm import harm_explorer
from kdlib.charts.imbalance import imbalance_explorer
from kdlib.charts.margins import class_weights, offset_explorer
from kdlib.charts.matrix import printed_and_ours, verdict_bars
from kdlib.charts.multipliers import multiplier_explorer
from kdlib.charts.noise import worst_class_explorer, worst_class_simulation
from kdlib.charts.objective_grid import effective_class_lines, objective_grid
from kdlib.charts.objectives import objective_explorer
from kdlib.charts.pairs import pair_explorer
from kdlib.charts.regularisation import regularisation_explorer
from kdlib.charts.risks import added_risk_curves, risk_parts
from kdlib.charts.rounds import round_explorer
from kdlib.charts.site import enable_site_renderer, in_site
from kdlib.charts.soft_labels import (
    digit_image,
    soft_label_bars,
    soft_label_explorer,
    soft_label_frame,
)
from kdlib.charts.style import METHOD_COLOURS
from kdlib.charts.tails import tail_explorer
from kdlib.charts.temperature import change_by_subgroup, temperature_explorer
from kdlib.charts.trade_offs import trade_off_explorer
from kdlib.charts.trust import trust_estimate_explorer

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
