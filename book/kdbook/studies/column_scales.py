"""What the numbers in the columns of our tables can be, so that their intervals keep to it."""

from __future__ import annotations

from kdlib.errors import SettingError
from kdlib.metrics import (
    DIFFERENCE,
    NOT_NEGATIVE,
    PERCENT,
    POINTS,
    SHARE,
    SHARE_DIFFERENCE,
    SIGNED,
    Scale,
)

SCALES = {
    "accuracy": PERCENT,
    "mean": PERCENT,
    "balanced": PERCENT,
    "dev": PERCENT,
    "best_tenth": PERCENT,
    "rarest": PERCENT,
    "first_half": PERCENT,
    "second_half": PERCENT,
    "off_label": PERCENT,
    "off_label_rarest": PERCENT,
    "sample": PERCENT,
    "train_error": PERCENT,
    "repeated": PERCENT,
    "repeated_confident": PERCENT,
    "corrected": PERCENT,
    "belief": PERCENT,
    "belief_fitted": PERCENT,
    "difference": POINTS,
    "gain": POINTS,
    "gap": POINTS,
    "bias": POINTS,
    "mix": SHARE,
    "agreement": SIGNED,
    "correlation": SIGNED,
    "correlation_percent": Scale("a correlation in percent", -100.0, 100.0, resolution=1e-3),
    "margin": SIGNED,
    "log_loss": NOT_NEGATIVE,
    "rarest_log_loss": NOT_NEGATIVE,
    "entropy": NOT_NEGATIVE,
    "calibration_error": NOT_NEGATIVE,
}
"""Scales by column. A difference of anything but percentages needs a scale of its own."""

_PERCENT_STARTS = ("worst_", "class_", "top_", "delta", "validation", "select_")


def scale_of(column: str) -> Scale:
    """The scale of a column, by its name.

    Raises:
        SettingError: the name does not tell.
    """
    if column.startswith(_PERCENT_STARTS):
        return PERCENT
    if column not in SCALES:
        raise SettingError(
            f"column {column!r} does not tell what its numbers can be: give their scale, "
            "one of kdlib.metrics (PERCENT, POINTS, SHARE, FREE, ...)"
        )
    return SCALES[column]


def difference_scale_of(column: str) -> Scale:
    """The scale of differences within that column, by its name.

    Raises:
        SettingError: the name does not tell.
    """
    return {PERCENT: POINTS, SHARE: SHARE_DIFFERENCE}.get(scale_of(column), DIFFERENCE)
