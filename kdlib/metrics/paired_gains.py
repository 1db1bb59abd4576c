"""Gains of one model over another by class or group, on the same examples: many at once.

Few examples of a group change from right to wrong or back, and often none does, so that a plain
standard error is too small or zero. So examples are made up, one half gained and one half lost, as
Agresti and Min (2005) and Bonett and Price (2012) do for paired proportions: two for a test, and
z^2 (3.84 at 95 %) for an interval, which then is about Wilson's where nothing changed. With several
trainings (seeds) the table of differences, made-up examples included, goes through the crossed
random-effects model of ``kdlib.metrics.crossed``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import bdtr, bdtrc, ndtri, stdtr, stdtrit  # scipy.stats takes a second to import

from kdlib.errors import SettingError
from kdlib.metrics._inputs import Floats, Integers, as_array, check_whole
from kdlib.metrics.crossed import pooled_error
from kdlib.metrics.intervals import check_confidence
from kdlib.metrics.spread import FEWEST_REPEATS

_IN_TESTS = 2.0


@dataclass(frozen=True)
class PairedGains:
    """Gains by group, with their intervals and tests.

    Attributes:
        seeds: The number of trainings, S.
        count: Examples of each group, ``[G]``.
        mean: The mean difference in each group, ``[G]``, from -1 to 1; NaN without examples.
        low: Lower end of the interval; NaN without examples.
        high: Upper end.
        gained: Examples with a mean difference above 0, ``[G]``.
        lost: Examples with one below 0.
        by_seed: The mean difference in each group by training, ``[S, G]``.
    """

    seeds: int
    count: Integers
    mean: Floats
    low: Floats
    high: Floats
    gained: Integers
    lost: Integers
    by_seed: Floats
    _error: Floats
    _freedom: Floats

    @property
    def p_value(self) -> Floats:
        """Two-sided p-value of each group that its gain is zero; NaN without examples."""
        return np.minimum(1.0, 2 * np.minimum(self.p_below(0.0), self.p_above(0.0)))

    def p_below(self, limit: Any) -> Floats:
        """One-sided p-value of each group; a small one says that the gain is below ``limit``.

        It is the larger of the t-test's and of an exact one: the sign test where the limit is 0,
        else the binomial test that holds where changes go one way only. With one training the
        sign test stands alone.
        """
        return self._p_value(limit, -1.0)

    def p_above(self, limit: Any) -> Floats:
        """One-sided p-value of each group; a small one says that the gain is above ``limit``."""
        return self._p_value(limit, 1.0)

    def _p_value(self, limit: Any, sign: float) -> Floats:
        at = np.broadcast_to(np.asarray(limit, np.float64), self.mean.shape)
        # The made-up examples have the limit for their mean, so that they speak for neither side.
        gap = (at - self.mean) * self.count / (self.count + _IN_TESTS)
        by_t = stdtr(self._freedom, sign * gap / self._error)
        won, against = (self.gained, self.lost) if sign > 0 else (self.lost, self.gained)
        signs = bdtr(against, won + against, 0.5)
        tail = self._one_way(at, sign)
        both = np.where(at == 0, signs if self.seeds == 1 else np.maximum(by_t, signs), by_t)
        return np.where(self.count > 0, np.maximum(both, tail), np.nan)

    def _one_way(self, limit: Floats, sign: float) -> Floats:
        """The binomial tail where all changes go the way of the limit; 0 for a limit of 0."""
        direction = np.sign(limit)
        net = np.round(direction * self.mean * self.count, 6)
        few, many = np.floor(net), np.ceil(net)
        size = np.minimum(np.abs(limit), 1.0)
        above = np.where(few > 0, bdtrc(few - 1, self.count, size), 1.0)
        below = np.where(many >= 0, bdtr(np.maximum(many, 0), self.count, size), 0.0)
        return np.where(direction == 0, 0.0, np.where(direction == sign, above, below))


def paired_gains(
    differences: Any, groups: Any, num_groups: int, confidence: float = 0.95
) -> PairedGains:
    """The mean difference in each group, over examples, or over examples and trainings.

    Args:
        differences: ``[N]``, or ``[S, N]`` for S trainings: of each example, right (1) or wrong
            (0) of one model minus the same of another. S is 1, or 3 and more.
        groups: The group of each example ``[N]``, from 0 to ``num_groups - 1``; a negative one
            leaves the example out.
        num_groups: G, at least 1.
        confidence: The nominal coverage, in (0, 1).

    Returns:
        Gains with intervals. With one training they cover the choice of examples only; with three
        and more that of the trainings too.

    Raises:
        SettingError: A shape does not fit, a difference is outside [-1, 1], there are two
            trainings, or a setting is out of range.
    """
    check_confidence(confidence)
    check_whole("num_groups", num_groups)
    table, codes = _fitting(differences, groups, num_groups)
    sums = _Sums.of(table, codes, num_groups)
    z = float(ndtri((1 + confidence) / 2))
    centre, error, freedom = sums.pooled(z**2)
    half = stdtrit(freedom, (1 + confidence) / 2) * error
    empty = np.where(sums.count > 0, 1.0, np.nan)
    return PairedGains(
        len(table),
        sums.count,
        sums.mean,
        np.minimum(np.maximum(centre - half, -1.0), sums.mean) * empty,
        np.maximum(np.minimum(centre + half, 1.0), sums.mean) * empty,
        sums.gained,
        sums.lost,
        sums.by_seed,
        *sums.pooled(_IN_TESTS)[1:],
    )


def joined(parts: Sequence[PairedGains]) -> PairedGains:
    """Gains of groups that overlap, one part after the other; all of the same trainings."""
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=-1)
        for field in fields(PairedGains)
        if field.name != "seeds"
    }
    return PairedGains(parts[0].seeds, **columns)


@dataclass(frozen=True)
class _Sums:
    """What the mean squares of each group's table follow from."""

    count: Integers
    by_seed: Floats  # mean differences, [S, G]
    of_people: Floats  # sum of the squares of each example's mean difference
    of_all: Floats  # sum of the squares of all differences
    gained: Integers
    lost: Integers

    @classmethod
    def of(cls, table: Any, codes: Integers, size: int) -> _Sums:
        kept = codes >= 0
        if not kept.all():
            table, codes = table[:, kept], codes[kept]
        count = np.bincount(codes, minlength=size)
        people = table.mean(axis=0, dtype=np.float64)
        total = np.stack([np.bincount(codes, row, minlength=size) for row in table])
        squares = np.square(table, dtype=np.float64).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            by_seed = total / count
        return cls(
            count,
            by_seed,
            np.bincount(codes, people**2, minlength=size).astype(np.float64),
            np.bincount(codes, squares, minlength=size).astype(np.float64),
            np.bincount(codes[people > 0], minlength=size),
            np.bincount(codes[people < 0], minlength=size),
        )

    @property
    def mean(self) -> Floats:
        return np.asarray(self.by_seed.mean(axis=0))

    def pooled(self, made_up: float) -> tuple[Any, Any, Any]:
        """Mean, its standard error and degrees of freedom, with so many examples made up."""
        seeds, people = len(self.by_seed), self.count + made_up
        by_seed = np.nan_to_num(self.by_seed) * self.count / people
        mean = by_seed.mean(axis=0)
        of_seeds = people * np.square(by_seed - mean).sum(axis=0)
        of_people = seeds * (self.of_people + made_up - people * mean**2)
        rest = self.of_all + seeds * (made_up - people * mean**2) - of_seeds - of_people
        if seeds == 1:
            return mean, np.sqrt(of_people / ((people - 1) * people)), people - 1
        error, freedom = pooled_error(of_seeds, of_people, np.maximum(rest, 0.0), seeds, people)
        return mean, error, freedom


def _fitting(differences: Any, groups: Any, num_groups: int) -> tuple[Any, Integers]:
    table, codes = as_array(differences, "differences"), as_array(groups, "groups")
    table = table[None] if table.ndim == 1 else table
    if table.ndim != 2 or not len(table) or codes.shape != table.shape[1:]:
        raise SettingError(
            f"differences {table.shape} and groups {codes.shape} are not of the same examples"
        )
    if 1 < len(table) < FEWEST_REPEATS:
        raise SettingError(
            f"differences are of {len(table)} trainings: "
            f"allowed are 1, or {FEWEST_REPEATS} and more"
        )
    if table.size and not (np.abs(table) <= 1).all():
        raise SettingError("differences are outside of -1 to 1")
    if codes.size and (codes.dtype.kind not in "iu" or codes.max() >= num_groups):
        raise SettingError(f"groups hold other than whole numbers below {num_groups}")
    return table, codes.astype(np.int64, copy=False)
