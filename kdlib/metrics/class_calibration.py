"""Calibration of a teacher by class, as "Robust distillation" needs it (Theorem 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from kdlib.aligned import check_aligned, check_class_order
from kdlib.errors import SettingError
from kdlib.metrics._inputs import Floats, as_floats

_ROUNDING = 1e-6


def class_calibration_error(teacher: Any, truth: Any, mass: Any | None = None) -> Floats:
    """How far a teacher's probabilities are from the true ones, class by class, up to scale.

    It is ``E_x |p_y(x) / E[p_y] - eta_y(x) / pi_y|``, the calibration term of Theorem 2. It is 0
    wherever ``p_y`` is a multiple of ``eta_y``, and at most 2.

    Args:
        teacher: the teacher's probabilities ``[N, L]``.
        truth: the true class probabilities eta ``[N, L]`` at the same points.
        mass: weight of each point ``[N]``, at least 0, not all 0; None: all the same.

    Returns:
        ``[L]``. NaN for a class to which teacher or truth gives no probability anywhere.

    Raises:
        SettingError: the shapes or indexes do not fit, or a probability or weight is negative or
            not finite.
    """
    check_aligned(0, teacher=teacher, truth=truth, mass=mass)
    check_class_order(-1, teacher=teacher, truth=truth)
    p, eta = as_floats(teacher, "teacher"), as_floats(truth, "truth")
    _check_same_shape(p, eta)
    _check_probabilities(teacher=p, truth=eta)
    weight = point_mass(mass, len(p))
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.abs(p / (weight @ p) - eta / (weight @ eta))
    return np.asarray(weight @ gap)


def class_risks(probs: Any, losses: Any, mass: Any | None = None) -> Floats:
    """``phi_y = E[p_y(x) loss(y, f(x))] / E[p_y]``, the risk of each class (equations 3 and 7).

    Args:
        probs: class probabilities ``[N, L]``: of the teacher, or the true ones.
        losses: of a scorer at each point for each label, ``[N, L]``; infinite ones count 0 where
            the probability is 0.
        mass: weight of each point ``[N]``; None: all the same.

    Returns:
        ``[L]``. Its maximum is the robust risk.

    Raises:
        SettingError: the shapes or indexes do not fit, or a probability or weight is negative or
            not finite.
    """
    check_aligned(0, probs=probs, losses=losses, mass=mass)
    check_class_order(-1, probs=probs, losses=losses)
    p, loss = as_floats(probs, "probs"), as_floats(losses, "losses")
    _check_same_shape(p, loss)
    _check_probabilities(probs=p)
    weight = point_mass(mass, len(p))
    asked = np.where((p == 0) & np.isinf(loss), 0.0, loss)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weight @ (p * asked) / (weight @ p))


def point_mass(mass: Any | None, size: int) -> Floats:
    """Weights ``[N]`` that sum to 1.

    Raises:
        SettingError: another length, a weight that is negative or not finite, or none above 0.
    """
    if mass is None:
        return np.full(size, 1 / size)
    weight = as_floats(mass, "mass")
    if weight.shape != (size,):
        raise SettingError(f"mass has shape {weight.shape}: expected ({size},)")
    if not ((weight >= 0) & np.isfinite(weight)).all() or weight.sum() <= 0:
        raise SettingError("mass must be at least 0 everywhere and above 0 somewhere, and finite")
    return np.asarray(weight / weight.sum())


def _check_same_shape(one: Floats, two: Floats) -> None:
    if one.ndim != 2 or one.shape != two.shape:
        raise SettingError(f"shapes {one.shape} and {two.shape}: expected the same [N, L]")


def _check_probabilities(**tables: Floats) -> None:
    """A broken teacher must not become a plausible number. Rows may have any scale by class."""
    for name, probs in tables.items():
        bad = probs[~((probs >= -_ROUNDING) & np.isfinite(probs))]
        if bad.size:
            raise SettingError(f"{name} holds {bad[0]:g}: probabilities are finite and at least 0")
