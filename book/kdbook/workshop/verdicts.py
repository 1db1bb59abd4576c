"""Says of a function that a reader wrote whether it is right and, where it is not, why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

Answer = Callable[..., Any]
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5
"""What may differ: readers compute in float32."""


class NotYet(AssertionError):
    """An answer that is not right yet. A notebook shows the message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


@dataclass(frozen=True)
class Check:
    """The check of one function; call it with the reader's.

    Attributes:
        name: of the function.
        right: one that is right.
        examples: arguments to try it on.
        mistakes: from what to say to a function that makes this mistake.
        axes: what an entry of the result belongs to, a word per axis.
    """

    name: str
    right: Answer
    examples: Sequence[tuple[Any, ...]]
    mistakes: Mapping[str, Answer]
    axes: tuple[str, ...] = ()

    def __call__(self, answer: Answer) -> None:
        """Say that ``answer`` is right.

        Raises:
            NotYet: it is not; one line that says where it differs and, for a mistake that many
                make, what to ask oneself.
        """
        expected, found = self._results(self.right), [self._given(answer, e) for e in self.examples]
        if not _equal(found, expected):
            raise NotYet(f"{self.name} {self._where(found, expected)}{self._why(found)}")
        print(f"Right: {self.name} agrees with the library on {len(expected)} examples.")

    def common_mistakes(self) -> str:
        """What the check knows of, as Markdown."""
        listed = "\n".join(f"* {hint}" for hint in self.mistakes)
        return f"Common mistakes in `{self.name}`, as the check asks after them:\n\n{listed}"

    def _results(self, function: Answer) -> list[np.ndarray]:
        return [_numbers(function(*deepcopy(example))) for example in self.examples]

    def _given(self, answer: Answer, example: tuple[Any, ...]) -> np.ndarray:
        try:
            result = answer(*deepcopy(example))
        except NotImplementedError as error:
            raise NotYet(str(error)) from None
        except Exception as error:
            raise NotYet(f"{self.name} stops with {type(error).__name__}: {error}") from error
        if result is None:
            raise NotYet(f"{self.name} returns nothing: does it end with return?")
        try:
            return _numbers(result)
        except (TypeError, ValueError):
            kind = type(result).__name__
            raise NotYet(f"{self.name} returns {kind}, which holds no numbers") from None

    def _where(self, found: list[np.ndarray], expected: list[np.ndarray]) -> str:
        """What differs first, e.g. ``differs for class 9: -0.1 instead of 0``."""
        pairs = zip(found, expected, strict=True)
        given, wanted = next(pair for pair in pairs if not _equal([pair[0]], [pair[1]]))
        if given.shape != wanted.shape:
            return f"gives shape {given.shape} instead of {wanted.shape}"
        place = tuple(np.argwhere(~_close(given, wanted))[0])
        words = ", ".join(f"{axis} {i}" for axis, i in zip(self.axes, place, strict=False))
        where = f"differs for {words}" if words else "differs"
        return f"{where}: {given[place]:.4g} instead of {wanted[place]:.4g}"

    def _why(self, found: list[np.ndarray]) -> str:
        for hint, mistake in self.mistakes.items():
            if _equal(found, self._results(mistake)):
                return f": {hint}"
        return ""


def _numbers(result: Any) -> np.ndarray:
    detached = result.detach() if hasattr(result, "detach") else result
    return np.asarray(detached, dtype=np.float64)


def _equal(found: list[np.ndarray], expected: list[np.ndarray]) -> bool:
    pairs = zip(found, expected, strict=True)
    return all(a.shape == b.shape and _close(a, b).all() for a, b in pairs)


def _close(given: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.isclose(given, wanted, rtol=_RELATIVE, atol=_ABSOLUTE)
