"""Serving the pages: one clear line where it cannot be."""

import threading
import urllib.request

import pytest

from kdbook.press.errors import PressError
from kdbook.press.serve import server
from kdlib.errors import SettingError


@pytest.fixture
def html(tmp_path):
    (tmp_path / "index.html").write_text("the first page")
    return tmp_path


@pytest.fixture
def listening(html):
    """A server at a port that was free."""
    for port in range(20_000, 60_000, 7):
        try:
            found = server(html, str(port))
        except PressError:
            continue
        with found:
            yield found
        return


def test_the_pages_are_served_on_this_machine_only(listening):
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{listening.server_port}/"
        assert urllib.request.urlopen(address, timeout=10).read() == b"the first page"
        assert listening.server_address[0] == "127.0.0.1"
    finally:
        listening.shutdown()
        thread.join()


def test_a_port_in_use_is_one_line(html, listening):
    port = str(listening.server_port)
    with pytest.raises(PressError, match=f"port {port} is in use: name another one"):
        server(html, port)


@pytest.mark.parametrize("port", ["0", "65536", "70000", "-1", "8000.0", "", "http", "9" * 30])
def test_what_is_no_port_is_refused(html, port):
    with pytest.raises(SettingError, match="is not allowed: integer from 1 to 65535"):
        server(html, port)


def test_a_book_that_was_not_built_is_not_served(tmp_path):
    with pytest.raises(PressError, match="run 'make book' first"):
        server(tmp_path, "8000")
