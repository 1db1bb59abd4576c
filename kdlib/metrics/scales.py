"""What a number can be at all: the bounds that its intervals keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdlib.errors import SettingError
from kdlib.metrics._inputs import Floats

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Scale:
    """The bounds of a number, and how finely it is known.

    Attributes:
        name: In words, for messages.
        low: Nothing lies below; may be infinite.
        high: Nothing lies above; may be infinite.
        resolution: Values that are at most so far apart are the same number, rounded.
        is_difference: Whether it is a difference of two such numbers. It lies far from its bounds
            and to both sides of zero, so its intervals are not bent, only cut.
    """

    name: str
    low: float = -np.inf
    high: float = np.inf
    resolution: float = 0.0
    is_difference: bool = False

    def check(self, values: Floats) -> None:
        """Refuse values out of bounds; rounding may pass them by a hair.

        Raises:
            SettingError: Names the first such value.
        """
        slack = self.resolution + _ROUNDING
        outside = values[(values < self.low - slack) | (values > self.high + slack)]
        if outside.size:
            raise SettingError(
                f"values holds {outside[0]:g}: {self.name} lies from {self.low:g} to {self.high:g}"
            )

    def are_equal(self, values: Floats) -> bool:
        """Whether the values are one number, up to rounding."""
        rounding = max(self.resolution, _ROUNDING * float(np.abs(values).max()))
        return bool(np.ptp(values) <= rounding)

    def cut(self, mean: float, half: float) -> tuple[float, float]:
        """``mean`` plus and minus ``half``, cut at the bounds: what lies beyond cannot be true."""
        return max(mean - half, self.low), min(mean + half, self.high)

    def bend(self, mean: float, half: float) -> tuple[float, float]:
        """The interval of a mean, made symmetric where the bounds are far and kept inside of them.

        It is taken on the scale of the logit, log((m - low) / (high - m)), or of log(m - low)
        where nothing bounds m above, with the error that the delta method gives there.
        """
        below, above = mean - self.low, self.high - mean
        if self.is_difference or np.isinf(self.low) or min(below, above) <= 0:
            return self.cut(mean, half)
        if np.isinf(above):
            factor = np.exp(-half / below)
            return float(self.low + below * factor), float(self.low + below / factor)
        width = self.high - self.low
        factor = np.exp(-half * width / (below * above))
        return (
            float(self.low + width * below * factor / (below * factor + above)),
            float(self.low + width * below / (below + above * factor)),
        )


FREE = Scale("a number")
PERCENT = Scale("a percentage", 0.0, 100.0, resolution=1e-3)
POINTS = Scale("a difference of percentages", -100.0, 100.0, resolution=1e-3, is_difference=True)
SHARE = Scale("a share", 0.0, 1.0, resolution=1e-5)
SHARE_DIFFERENCE = Scale("a difference of shares", -1.0, 1.0, resolution=1e-5, is_difference=True)
SIGNED = Scale("a margin or a correlation", -1.0, 1.0, resolution=1e-5)
DIFFERENCE = Scale("a difference", is_difference=True)
NOT_NEGATIVE = Scale("a number that is not negative", 0.0)
