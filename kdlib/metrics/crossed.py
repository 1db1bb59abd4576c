"""Differences seen on the same people by several trainings: both are samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit  # scipy.stats takes a second to import

from kdlib.errors import SettingError
from kdlib.metrics._inputs import Floats, as_floats
from kdlib.metrics.intervals import Interval, check_confidence
from kdlib.metrics.scales import FREE, Scale
from kdlib.metrics.spread import FEWEST_REPEATS


@dataclass(frozen=True)
class CrossedInterval(Interval):
    """An ``Interval`` whose ``n`` is the number of people.

    Attributes:
        seeds: The number of trainings.
        p_value: Two-sided, that the mean difference is zero; NaN where there is no interval.
    """

    seeds: int
    p_value: float


def crossed_interval(
    differences: Any, confidence: float = 0.95, scale: Scale = FREE
) -> CrossedInterval:
    """Interval for a mean difference over new people AND new trainings.

    The differences form a table: one row per training (seed), one column per person, and both are
    random samples. In the crossed random-effects model d_si = mu + seed_s + person_i + e_si the
    variance of the mean is (MS_people + MS_seeds - MS_rest) / (n S), with the mean squares of a
    two-way analysis of variance, and Satterthwaite's degrees of freedom, at least those of the
    smaller sample (Clark, 1973, calls the test quasi-F). Where the sum falls below MS_people or
    MS_seeds, the larger of them is taken: the standard error is never smaller than that over
    people alone or over seeds alone.

    Args:
        differences: ``[S, n]``, for example right (1) or wrong (0) of one model minus the same of
            another; S and n at least 1.
        confidence: The nominal coverage, in (0, 1).
        scale: What the differences can be; the interval is cut at its bounds.

    Returns:
        Mean, interval and p-value. With fewer than two people or three seeds, or where all
        differences are equal, nothing tells the spread: ends and p-value are NaN. The interval
        rests on the t distribution: with a few people who changed it is a rough guide.

    Raises:
        SettingError: ``differences`` is no such table, one is out of bounds, or ``confidence`` is
            out of range.
    """
    check_confidence(confidence)
    table = as_floats(differences, "differences")
    if table.ndim != 2 or not table.size:
        raise SettingError(f"differences has shape {table.shape}: expected [seeds, people]")
    scale.check(table)
    seeds, people = table.shape
    mean = float(table.mean())
    error, freedom = _standard_error(table)
    if not error > 0:
        return CrossedInterval(mean, np.nan, np.nan, confidence, people, seeds, np.nan)
    half = stdtrit(freedom, (1 + confidence) / 2) * error
    p_value = float(2 * stdtr(freedom, -abs(mean) / error))
    low, high = scale.cut(mean, float(half))
    return CrossedInterval(mean, low, high, confidence, people, seeds, p_value)


def pooled_error(
    of_seeds: Any, of_people: Any, of_rest: Any, seeds: int, people: Any
) -> tuple[Any, Any]:
    """Standard error of the grand mean of crossed tables, and its degrees of freedom.

    Args:
        of_seeds: Sum of squares of the seeds, of one table or of each of many.
        of_people: The same of the people.
        of_rest: The same of what is left.
        seeds: S, at least 2.
        people: n, above 1, of each table.

    Returns:
        Both of the shape of the sums; where all sums are 0 the error is 0.
    """
    free = seeds - 1, people - 1, (seeds - 1) * (people - 1)
    parts = [(total / n, n) for total, n in zip((of_seeds, of_people, of_rest), free, strict=True)]
    (seed_square, _), (person_square, _), (rest, _) = parts
    largest = np.maximum(seed_square + person_square - rest, np.maximum(seed_square, person_square))
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = largest**2 / sum(square**2 / n for square, n in parts)
    return np.sqrt(largest / (people * seeds)), np.maximum(freedom, np.minimum(*free[:2]))


def _standard_error(table: Floats) -> tuple[float, float]:
    """Of the grand mean, with its degrees of freedom; NaN where a sample is too small."""
    seeds, people = table.shape
    if seeds < FEWEST_REPEATS or people < 2:
        return np.nan, np.nan
    error, freedom = pooled_error(*_sums_of_squares(table), seeds, people)
    return float(error), float(freedom)


def _sums_of_squares(table: Floats) -> tuple[float, float, float]:
    """Of seeds, of people and of the rest."""
    seeds, people = table.shape
    centred = table - table.mean()
    by_seed, by_person = centred.mean(axis=1), centred.mean(axis=0)
    rest = centred - by_seed[:, None] - by_person
    sums = people * (by_seed**2).sum(), seeds * (by_person**2).sum(), (rest**2).sum()
    return float(sums[0]), float(sums[1]), float(sums[2])
