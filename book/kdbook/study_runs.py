"""Which runs a study asks for: what ``kdlib store export --study`` is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kdbook.options import asked_for
from kdlib.errors import SettingError

if TYPE_CHECKING:
    from kdlib.runs import RunSpec


def study_runs(name: str, profile: str, values: Sequence[str] = ()) -> list[RunSpec]:
    """The runs of a study at a profile; ``values`` are further settings, as ``NAME=VALUE``.

    Raises:
        SettingError: an unknown study or setting, or a study that trains no networks.
    """
    asked = asked_for(name, profile, None, values)
    if not asked.trains:
        raise SettingError(f"study {name!r} trains no networks: it has no runs")
    return asked.runs()
