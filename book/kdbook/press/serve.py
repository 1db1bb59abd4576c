"""Serves the built pages on this machine only."""

from __future__ import annotations

import errno
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kdbook.press.errors import PressError
from kdlib.errors import SettingError

_HERE = "127.0.0.1"
_LAST_PORT = 65_535


def server(html: Path, port: str) -> ThreadingHTTPServer:
    """A server of the pages in ``html`` that listens already.

    Args:
        html: the folder of the site.
        port: 1 to 65535, as the user wrote it.

    Raises:
        PressError: There is no site, or the port cannot be had.
        SettingError: ``port`` is none.
    """
    if not (port.isdecimal() and 1 <= int(port[:6]) <= _LAST_PORT):
        raise SettingError(f"port = {port!r} is not allowed: integer from 1 to {_LAST_PORT}")
    if not (html / "index.html").is_file():
        raise PressError(f"there is no book in {html} yet: run 'make book' first")
    handler = partial(SimpleHTTPRequestHandler, directory=str(html))
    try:
        return ThreadingHTTPServer((_HERE, int(port)), handler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PressError(f"port {port} is in use: name another one") from error
        raise PressError(f"port {port} cannot be had: {error.strerror}") from error
