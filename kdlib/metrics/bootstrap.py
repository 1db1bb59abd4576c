"""Intervals over test examples, from the paired bootstrap."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdlib.aligned import IGNORED, check_aligned
from kdlib.errors import SettingError
from kdlib.metrics._inputs import EmptyGroupWarning, Floats, as_array, check_whole
from kdlib.metrics.intervals import Interval, check_confidence

Statistic = Callable[[NDArray[Any], NDArray[Any]], Any]

# So many numbers are gathered at once: about 100 MB with indices, labels and temporaries.
_BLOCK = 1_000_000


def paired_bootstrap(
    statistic: Statistic,
    first: Any,
    second: Any,
    labels: Any,
    *,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of ``statistic(second) - statistic(first)`` over test examples.

    Both models are measured on the same resample each time, so what an example does to both
    cancels. The interval covers the choice of test examples only, not the training seeds.
    For a smooth statistic (a mean, one class's accuracy) coverage is close to nominal. A
    worst-class accuracy is a minimum of noisy numbers: its bootstrap is biased, so read the
    interval as a rough guide.

    Args:
        statistic: Takes what ``first`` holds, and the labels. It either works along the last
            axis as the measures of this package do (all resamples in one call), or gives one
            number for one sample (then it is called for each resample). Wrap one that refuses
            rows: ``np.vectorize(statistic, signature="(n),(n)->()")``.
        first: ``[N]`` or ``[N, ...]`` of the first model: predicted classes, or logits.
        second: The same for the second model, on the same examples.
        labels: ``[N]``; examples labelled -100 are left out, here and of N.
        resamples: How many resamples, at least 1; 2,000 settle the ends of a 95 % interval.
        seed: The same seed gives the same interval.
        confidence: The nominal coverage, in (0, 1).

    Returns:
        The difference on the whole sample as ``mean``, the interval, and N. Resamples where the
        difference is NaN are left out, with an ``EmptyGroupWarning`` that counts them.

    Raises:
        SettingError: Shapes or indexes differ, N is 0, or a setting is out of range.
    """
    check_confidence(confidence)
    check_whole("resamples", resamples)
    one, two, truth = _same_examples(first, second, labels)
    observed = float(statistic(two, truth)) - float(statistic(one, truth))
    differences = _resampled_differences(statistic, one, two, truth, resamples, seed)
    low, high = _percentiles(differences, confidence)
    return Interval(observed, low, high, confidence, len(truth))


def _resampled_differences(
    statistic: Statistic,
    first: NDArray[Any],
    second: NDArray[Any],
    labels: NDArray[Any],
    resamples: int,
    seed: int,
) -> Floats:
    blocks = []
    with warnings.catch_warnings():
        # A resample may miss a rare class. That is counted once, at the end.
        warnings.simplefilter("ignore", EmptyGroupWarning)
        for rows in _index_blocks(first, resamples, seed):
            truth = labels[rows]
            gain = _by_row(statistic, second[rows], truth) - _by_row(statistic, first[rows], truth)
            blocks.append(gain)
    return np.concatenate(blocks)


def _index_blocks(values: NDArray[Any], resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    n = len(values)
    size = max(1, _BLOCK // values.size)
    for start in range(0, resamples, size):
        yield rng.integers(n, size=(min(size, resamples - start), n))


def _by_row(statistic: Statistic, values: NDArray[Any], labels: NDArray[Any]) -> Floats:
    result = np.asarray(statistic(values, labels), dtype=np.float64)
    # The shape alone could fit by chance, for example after a mean over the wrong axis.
    if result.shape == (len(values),) and _same(result[0], statistic(values[0], labels[0])):
        return result
    return np.array([float(statistic(*row)) for row in zip(values, labels, strict=True)])


def _same(one: Any, other: Any) -> bool:
    return bool(np.isclose(float(one), float(other), rtol=1e-9, atol=1e-12, equal_nan=True))


def _percentiles(differences: Floats, confidence: float) -> tuple[float, float]:
    undefined = int(np.isnan(differences).sum())
    if undefined:
        message = f"the statistic is NaN in {undefined} of {len(differences)} resamples: left out"
        warnings.warn(message, EmptyGroupWarning, stacklevel=3)
    if undefined == len(differences):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(differences, [tail, 1 - tail])
    return float(low), float(high)


def _same_examples(first: Any, second: Any, labels: Any) -> tuple[NDArray[Any], ...]:
    given = {"first": first, "second": second, "labels": labels}
    check_aligned(0, **given)
    one, two, truth = (as_array(values, name) for name, values in given.items())
    if truth.ndim != 1 or not truth.size:
        raise SettingError(f"labels has shape {truth.shape}: expected [N] with N at least 1")
    if one.shape != two.shape or one.shape[:1] != truth.shape:
        raise SettingError(
            f"first {one.shape}, second {two.shape} and labels {truth.shape} "
            "are not of the same examples"
        )
    kept = truth != IGNORED
    if not kept.any():
        raise SettingError(f"labels are all {IGNORED}: no example is left")
    return (one, two, truth) if kept.all() else (one[kept], two[kept], truth[kept])
