"""What the digits of a printed accuracy say about the test images behind it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from kdlib.errors import SettingError

DECIMALS = 2


def printable(value: float, images: int) -> bool:
    """Whether some whole number of right answers among ``images`` prints as ``value`` percent.

    Two decimals; a half may have been rounded either way.

    Args:
        value: printed percent, 0 to 100.
        images: number of test images, at least 1.

    Raises:
        SettingError: a value out of range.
    """
    if images < 1 or not 0 <= value <= 100:
        raise SettingError(f"value = {value!r}, images = {images!r}: 0 to 100, and 1 or more")
    nearest = round(value * images / 100)
    return any(_prints_as(right, images, value) for right in range(nearest - 1, nearest + 2))


def counts_behind(values: Iterable[float], largest: int = 5000) -> list[int]:
    """Every number of images, up to ``largest``, of which all ``values`` can be accuracies."""
    printed = list(values)
    return [n for n in range(1, largest + 1) if all(printable(value, n) for value in printed)]


def _prints_as(right: int, images: int, value: float) -> bool:
    if not 0 <= right <= images:
        return False
    exact, step = Decimal(100 * right) / images, Decimal(1).scaleb(-DECIMALS)
    printed = Decimal(str(value)).quantize(step)
    return printed in {exact.quantize(step, rule) for rule in (ROUND_HALF_EVEN, ROUND_HALF_UP)}
