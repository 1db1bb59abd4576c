"""Which points with more than one measure are beaten by no other: Pareto's frontier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdlib.errors import SettingError
from kdlib.metrics._inputs import as_floats


def pareto_frontier(points: Any) -> NDArray[np.bool_]:
    """Which points are dominated by no other one; the larger a measure, the better.

    A point dominates another if it is nowhere worse and somewhere better. Equal points do not
    dominate each other, so all of them or none are on the frontier.

    Args:
        points: ``[N, D]``: one row per point, one column per measure, all finite.

    Returns:
        ``[N]``, True where no other point dominates.

    Raises:
        SettingError: another shape, or a value that is not finite.
    """
    values = as_floats(points, "points")
    if values.ndim != 2:
        raise SettingError(f"points has shape {values.shape}: expected one row per point")
    if not np.isfinite(values).all():
        raise SettingError("points holds a value that is not finite: leave such points out")
    nowhere_worse = (values[:, None] >= values[None]).all(axis=2)
    somewhere_better = (values[:, None] > values[None]).any(axis=2)
    return np.asarray(~(nowhere_worse & somewhere_better).any(axis=0))
