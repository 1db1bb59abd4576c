"""Where a user's folders lie. A relative path is made absolute where it comes in.

Workers, chapters and callers that change folder would each read a relative one in their own way.
"""

from __future__ import annotations

import os
from pathlib import Path

from kdlib.errors import SettingError

VARIABLES = ("KDLIB_STORE", "KDLIB_DATA")
"""The environment variables that name folders."""


def absolute(path: Path | str, name: str = "path") -> Path:
    """``path`` as it reads in the folder that this process is in now, ``~`` spelled out.

    Args:
        path: as the user wrote it.
        name: of the option or variable, for the message.

    Raises:
        SettingError: it begins with ``~`` and nobody knows the home that is meant.
    """
    spelled = os.path.expanduser(path)
    if spelled.startswith("~"):
        raise SettingError(f"{name} = {str(path)!r}: that home is not known, use an absolute path")
    return Path(os.path.abspath(spelled))


def settle_environment() -> None:
    """Make ``VARIABLES`` absolute, for this process and for those that it starts."""
    for name in VARIABLES:
        value = os.path.expanduser(os.environ.get(name, ""))
        if value and not value.startswith("~"):  # an unknown home is refused where it is used
            os.environ[name] = os.path.abspath(value)


def user_folder(variable: str, name: str) -> Path:
    """The folder that the environment variable names, else ``kdlib/NAME`` in the user's cache.

    Raises:
        SettingError: there is no home, as for an arbitrary user in a container.
    """
    if os.environ.get(variable):
        settle_environment()  # a program may have set it after ``import kdlib``
        return absolute(os.environ[variable], variable)
    cache = user_cache()
    if cache is None:
        raise SettingError(f"this user has no home folder: set {variable} to a folder")
    return cache / name


def user_cache() -> Path | None:
    """``kdlib`` in the user's cache; None where there is no home."""
    from platformdirs import user_cache_path

    try:
        folder = user_cache_path("kdlib")
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None  # older platformdirs leave the ~ as it is
