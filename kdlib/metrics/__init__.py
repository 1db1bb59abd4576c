"""Measures by class and by group, and intervals that say how sure they are.

Everything takes NumPy arrays, lists, tables or torch tensors and gives NumPy or pandas. The
measures of ``per_class`` and ``examples`` work along the last axis: rows of predictions (one per
seed, or one per bootstrap resample) give rows of results. A class or group without examples is NaN,
with an ``EmptyGroupWarning`` that names it, and never 0. Examples labelled -100 are left out.
Tables with an index go together only where they share it.
"""

from kdlib.metrics._inputs import EmptyGroupWarning
from kdlib.metrics.bootstrap import paired_bootstrap
from kdlib.metrics.class_calibration import class_calibration_error, class_risks, point_mass
from kdlib.metrics.corrections import holm, paired_p_value, sign_test
from kdlib.metrics.crossed import CrossedInterval, crossed_interval
from kdlib.metrics.examples import class_means, log_loss, margin
from kdlib.metrics.groups import group_accuracy
from kdlib.metrics.intervals import Interval, error_interval, prediction_interval, t_interval
from kdlib.metrics.paired_gains import PairedGains, paired_gains
from kdlib.metrics.pareto import pareto_frontier
from kdlib.metrics.per_class import (
    balanced_accuracy,
    bucket_means,
    cumulative_gain,
    delta_k,
    mean_accuracy,
    per_class_accuracy,
    summary,
    top_fraction,
    worst_k,
)
from kdlib.metrics.scales import (
    DIFFERENCE,
    FREE,
    NOT_NEGATIVE,
    PERCENT,
    POINTS,
    SHARE,
    SHARE_DIFFERENCE,
    SIGNED,
    Scale,
)
from kdlib.metrics.spread import FEWEST_REPEATS

__all__ = [
    "Interval",
    "balanced_accuracy",
    "class_calibration_error",
    "cumulative_gain",
    "delta_k",
    "group_accuracy",
    "holm",
    "log_loss",
    "margin",
    "mean_accuracy",
    "paired_bootstrap",
    "paired_p_value",
    "pareto_frontier",
    "per_class_accuracy",
    "sign_test",
    "t_interval",
    "worst_k",
]
