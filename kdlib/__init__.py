"""kdlib: measure and mend what distillation does to rare classes.

Submodules load on first use, so that ``import kdlib`` is quick: torch is imported only when
something needs it.

These names are public; whatever else can be imported may change without notice:

* ``kdlib.audit``: ``audit``, ``Report``
* ``kdlib.losses``: ``soft_target_loss``, ``teacher_probabilities``, ``adaptive_mix``,
  ``average_margins``, ``margin_log_cost``, ``class_errors``, ``exponentiated_gradient``,
  ``traded_off_log_weights``
* ``kdlib.drop_in``: ``SoftTargetLoss``, ``dev_mix``
* ``kdlib.metrics``: ``Interval``, ``per_class_accuracy``, ``mean_accuracy``,
  ``balanced_accuracy``, ``worst_k``, ``delta_k``, ``group_accuracy``,
  ``class_calibration_error``, ``cumulative_gain``, ``log_loss``, ``margin``,
  ``t_interval``, ``paired_bootstrap``, ``paired_p_value``, ``sign_test``, ``holm``,
  ``pareto_frontier``
* ``kdlib.data``: ``Dataset``, ``Split``, ``load``, ``long_tailed_counts``
* ``kdlib.models``: ``ModelSpec``, ``ImageNetResNet``, ``build``
* ``kdlib.training``: ``train``, ``Outcome``, ``Recipe``, ``StepDecay``, ``CosineDecay``,
  ``PRESETS``, ``LossVectors``, ``ClassMultipliers``, ``MultiplierRule``, ``HeldOut``,
  ``predict_logits``
* ``kdlib.runs``: ``RunSpec``, ``DataSpec``, ``Objective``, ``ConstantMix``, ``AdaptiveMix``,
  ``PriorCost``, ``MarginCost``, ``RobustCost``, ``RunResult``, ``Store``, ``execute``
* ``kdlib.errors``: ``KdlibError``, ``SettingError``
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kdlib.folders import settle_environment

__version__ = "0.1.0"

_SUBMODULES = (
    "audit", "data", "drop_in", "errors", "losses", "metrics", "models", "runs", "training",
)  # fmt: skip
__all__ = ["__version__", *_SUBMODULES]

settle_environment()


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"kdlib.{name}")
    raise AttributeError(f"module 'kdlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
