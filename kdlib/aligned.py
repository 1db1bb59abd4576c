"""What lies beside each other: tables that carry an index, and labels that leave an example out.

A table is refused where taking it by position could mix up its rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kdlib.errors import SettingError

IGNORED = -100
"""The label of an example that is left out, as in torch's own losses."""


def is_table(values: object) -> bool:
    """Whether it is a pandas Series or DataFrame; pandas need not be imported to ask."""
    return hasattr(values, "iloc") and hasattr(values, "axes")


def check_aligned(axis: int, **tables: Any) -> None:
    """Refuse tables whose rows may come in another order than those beside them.

    An index that counts 0, 1, 2, ... says no more than the position does, and an array has none.
    Any other index names the rows: then everything beside it must carry the same index.

    Args:
        axis: along which they are of the same examples or classes; from the end where negative.
        tables: by name; None stands for what is not there.

    Raises:
        SettingError: an index that others do not share.
    """
    given = {name: _index(values, axis) for name, values in tables.items() if values is not None}
    named = [name for name, index in given.items() if index is not None and not _counts(index)]
    for name, index in given.items() if named else ():
        if index is None or not given[named[0]].equals(index):
            raise SettingError(
                f"{named[0]} has an index that {name} does not share: bring both into one order, "
                "or pass to_numpy() of both to go by position"
            )


def check_class_order(axis: int, **tables: Any) -> None:
    """Refuse tables whose columns, or rows, number the classes otherwise than 0, 1, 2, ...

    Args:
        axis: of the classes, from the end where negative.
        tables: by name; None stands for what is not there. Classes that have names go by position.

    Raises:
        SettingError: such numbers, or names that the tables do not share.
    """
    for name, values in tables.items():
        index = _index(values, axis)
        if index is not None and index.dtype.kind in "iuf" and not _counts(index):
            order = ", ".join(map(str, index[:5]))
            raise SettingError(f"{name} has classes in the order {order}: expected 0, 1, 2, ...")
    check_aligned(axis, **{name: values for name, values in tables.items() if is_table(values)})


def _index(values: object, axis: int) -> Any:
    if not is_table(values):
        return None
    axes = values.axes  # type: ignore[attr-defined]
    return axes[axis] if -len(axes) <= axis < len(axes) else None


def _counts(index: Any) -> bool:
    return np.array_equal(index.to_numpy(), np.arange(len(index)))
