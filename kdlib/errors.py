"""The errors that kdlib raises on purpose: each message is one line that says what to do."""

__all__ = ["KdlibError", "SettingError"]


class KdlibError(Exception):
    """Base of all errors that a user can mend. The message is one line."""


class SettingError(KdlibError, ValueError):
    """A value is outside its allowed range, of the wrong type, or of an unknown name."""


class DataError(KdlibError):
    """A data file is missing, truncated or altered."""


class StoreError(KdlibError):
    """A folder of the run store cannot be read or written."""
