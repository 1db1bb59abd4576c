"""Intervals over independent repeats, usually seeds: of their mean, and of a number yet to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit  # the t quantile; scipy.stats takes a second to import

from kdlib.errors import SettingError
from kdlib.metrics._inputs import check_share, check_whole
from kdlib.metrics.scales import FREE, Scale
from kdlib.metrics.spread import FEWEST_REPEATS, as_repeats, spread


@dataclass(frozen=True)
class Interval:
    """An estimate with the interval around it.

    Attributes:
        mean: The estimate.
        low: Lower end; NaN where the data cannot give one.
        high: Upper end; NaN where the data cannot give one.
        confidence: The nominal coverage, in (0, 1).
        n: The number of seeds or of examples behind it.
    """

    mean: float
    low: float
    high: float
    confidence: float
    n: int


def t_interval(values: Any, confidence: float = 0.95, scale: Scale = FREE) -> Interval:
    """Student's t interval for the mean over independent repeats, usually seeds.

    Args:
        values: One number per repeat, ``[n]`` with n at least 1. A NaN makes the result NaN.
        confidence: The nominal coverage, in (0, 1).
        scale: What the values can be; the interval keeps its bounds. That of a level such as an
            accuracy is taken on the logit scale, which covers better near a bound; where a step of
            a coarse grid stands for the spread, it never goes further than the values do. That of a
            difference is cut, so that it leaves out zero exactly where ``paired_p_value`` says so.

    Returns:
        The mean and its interval. Both ends are NaN where nothing tells the spread: for fewer than
        three repeats, and where all are equal. It is never a point.

    Raises:
        SettingError: There are no values, one is out of bounds, or ``confidence`` is out of range.
    """
    check_confidence(confidence)
    numbers = as_repeats("values", values)
    scale.check(numbers)
    n, mean = len(numbers), float(numbers.mean())
    seen = spread(numbers, scale)
    if np.isnan(seen):
        return Interval(mean, np.nan, np.nan, confidence, n)
    factor = _quantile(n - 1, confidence) / np.sqrt(n)
    low, high = _ends(mean, factor * seen, factor * float(numbers.std(ddof=1)), scale)
    return Interval(mean, low, high, confidence, n)


def _ends(mean: float, half: float, own: float, scale: Scale) -> tuple[float, float]:
    """The bent interval of ``half``; less of it where a step of the grid leads beyond a bound.

    An error beyond the nearest bound bends to several units of the logit. Where it is the values'
    own spread (``own``), that keeps coverage; where it is a step of the grid, it means nothing: of
    ten seeds on 45 images, nine at 100 % and one at 97.8 %, the interval began at 26 %. There it is
    what the bend by the own spread and the straight interval by the step cover together.
    """
    if own < half and min(mean - scale.low, scale.high - mean) < half:
        ends = scale.cut(mean, half), scale.bend(mean, own)
        return min(low for low, _ in ends), max(high for _, high in ends)
    return scale.bend(mean, half)


def prediction_interval(
    values: Any,
    confidence: float = 0.95,
    scale: Scale = FREE,
    *,
    runs: int = 1,
    error: float | None = None,
) -> Interval:
    """Where another's number should fall, if it came about as ours did.

    A printed number has noise of its own, so the interval of our mean is too narrow for it. Of a
    single run the interval is the mean plus and minus t s sqrt(1 + 1/n), of a mean of k runs t s
    sqrt(1/k + 1/n). Where its standard error u is printed, both are used: t sqrt(s^2 / n + u^2),
    with the degrees of freedom of Welch and Satterthwaite.

    Args:
        values: One number per repeat of ours, ``[n]``.
        confidence: The nominal coverage, in (0, 1).
        scale: What the values can be. The interval is cut at its bounds, on which a run may lie.
        runs: Of how many runs the printed number is the mean.
        error: Its printed standard error; needs two runs or more.

    Returns:
        Our mean and that interval. Both ends are NaN where ``t_interval`` has none.

    Raises:
        SettingError: As for ``t_interval``, or ``runs`` or ``error`` is out of range.
    """
    check_confidence(confidence)
    _check_printed(runs, error)
    numbers = as_repeats("values", values)
    scale.check(numbers)
    n, mean = len(numbers), float(numbers.mean())
    seen = spread(numbers, scale)
    if np.isnan(seen):
        return Interval(mean, np.nan, np.nan, confidence, n)
    ours = seen**2 / n
    theirs = seen**2 / runs if error is None else error**2
    freedom = float(n - 1)
    if error:
        freedom = (ours + theirs) ** 2 / (ours**2 / (n - 1) + theirs**2 / (runs - 1))
    half = float(_quantile(freedom, confidence) * np.sqrt(ours + theirs))
    return Interval(mean, *scale.cut(mean, half), confidence, n)


def error_interval(
    mean: float, error: float, runs: int, confidence: float = 0.95, scale: Scale = FREE
) -> Interval:
    """Student's t interval from a mean and its standard error, as papers print them.

    Args:
        mean: Of the runs.
        error: The standard error of that mean; NaN where none is known.
        runs: How many, at least 1.
        confidence: The nominal coverage, in (0, 1).
        scale: What the mean can be; the interval keeps its bounds, as that of ``t_interval``.

    Returns:
        The mean and its interval. Both ends are NaN for fewer than three runs, or where the error
        is NaN or 0.

    Raises:
        SettingError: A value is out of range or of bounds.
    """
    check_confidence(confidence)
    check_whole("runs", runs)
    scale.check(np.array([mean]))
    if error < 0:
        raise SettingError(f"error = {error!r} is not allowed: 0 or more")
    if runs < FEWEST_REPEATS or not error > 0:
        return Interval(mean, np.nan, np.nan, confidence, runs)
    half = _quantile(runs - 1, confidence) * error
    return Interval(mean, *scale.bend(mean, half), confidence, runs)


def check_confidence(confidence: float) -> None:
    """``SettingError`` unless it lies between 0 and 1."""
    check_share("confidence", confidence, with_one=False)


def _quantile(freedom: float, confidence: float) -> float:
    return float(stdtrit(freedom, (1 + confidence) / 2))


def _check_printed(runs: int, error: float | None) -> None:
    check_whole("runs", runs)
    if error is None:
        return
    if not 0 <= error < np.inf:
        raise SettingError(f"error = {error!r} is not allowed: 0 or more")
    if error and runs == 1:
        raise SettingError("error is given with runs = 1: a single run has no standard error")
