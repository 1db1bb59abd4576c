"""What the two papers print, and what ours says beside it."""

from kdbook.published.beside import Beside, beside_paper, corrected, direction
from kdbook.published.numbers import (
    DATASETS,
    Row,
    printed_difference,
    printed_grid,
    printed_interval,
    published,
    runs_behind,
    standard_error,
)

__all__ = [
    "DATASETS",
    "Beside",
    "Row",
    "beside_paper",
    "corrected",
    "direction",
    "printed_difference",
    "printed_grid",
    "printed_interval",
    "published",
    "runs_behind",
    "standard_error",
]
