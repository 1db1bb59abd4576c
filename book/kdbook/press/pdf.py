"""The whole book as one PDF: each page printed by Chromium, then joined under bookmarks."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdbook.press.errors import PressError
from kdbook.press.toc import Page

if TYPE_CHECKING:
    from pypdf import PdfWriter

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_MARGINS = {"top": "16mm", "bottom": "18mm", "left": "14mm", "right": "14mm"}
_READY = """async () => {
  const folded = document.querySelectorAll("details:not(.hide, .kdlib-matrix *)");
  folded.forEach(part => { part.open = true; });
  await document.fonts.ready;
  await globalThis.kdlibCharts?.drawAll();
  const shown = [...document.images].filter(image => image.getClientRects().length > 0);
  shown.forEach(image => { image.loading = "eager"; });
  await Promise.all(shown.map(image => image.decode().catch(() => {})));
}"""
_FOOT = (
    '<div style="width: 100%; padding: 0 14mm; font: 8px sans-serif; display: flex; '
    'justify-content: space-between"><span>{title}</span><span class="pageNumber"></span></div>'
)
_CONTENTS = """<!doctype html><html lang="en"><title>Contents</title><style>
body {{ font: 11pt/1.6 sans-serif }} li {{ display: flex; justify-content: space-between }}
ol {{ padding: 0 }} a {{ color: inherit; text-decoration: none }}</style>
<h1>{book}</h1><ol>{lines}</ol></html>"""


def make_pdf(
    html: Path, pages: Sequence[Page], target: Path, say: Callable[[str], None] = print
) -> int:
    """Print ``pages`` of the built site ``html`` into one file, but hidden code unfolded.

    A link to another page of the book leads to where that page begins in the file.

    Args:
        html: the finished site.
        pages: which pages, in order.
        target: the file to write.
        say: takes a line of progress.

    Returns:
        How many sheets the file has.

    Raises:
        PressError: There is no site, Chromium, Playwright or pypdf.
    """
    _check(html, pages)
    with _served(html) as base, _browser() as browser:
        printed = []
        for page in pages:
            printed.append(_print(browser, f"{base}/{page.path}.html"))
            say(f"  {page.name}: printed")
        first = _starts(printed)
        contents = _contents(browser, base, pages, printed, first)
        writer = _joined(contents, printed)
    _lead_inside(writer, base, {page.path: start for page, start in zip(pages, first, strict=True)})
    writer.write(target)
    return len(writer.pages)


def _check(html: Path, pages: Sequence[Page]) -> None:
    missing = [page.path for page in pages if not (html / f"{page.path}.html").is_file()]
    if missing:
        raise PressError(f"there is no page {missing[0]} in {html}: run 'make book' first")


@contextmanager
def _served(html: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def _browser() -> Iterator[Any]:
    try:
        import pypdf  # noqa: F401
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise PressError(f"{error.name} is missing: pip install 'kdlib[dev]'") from None
    names = [os.environ.get("KDLIB_CHROMIUM"), *BROWSERS]
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        raise PressError("no Chromium found: install it, or name it with KDLIB_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


def _print(browser: Any, url: str) -> tuple[str, bytes]:
    """Title and sheets of one page, once its charts are drawn."""
    # As wide as a sheet, so that charts are drawn to fit it.
    context = browser.new_context(viewport={"width": 720, "height": 1000}, color_scheme="light")
    page = context.new_page()
    page.goto(url, wait_until="load")
    page.emulate_media(media="print")
    page.evaluate(_READY)
    title = page.locator("h1").first.inner_text().strip("#\n ")
    sheets = _sheets(page, title)
    context.close()
    return title, sheets


def _sheets(page: Any, title: str) -> bytes:
    return page.pdf(
        format="A4", margin=_MARGINS, outline=True, tagged=True, print_background=True,
        display_header_footer=True, header_template="<span></span>",
        footer_template=_FOOT.format(title=escape(title)),
    )  # fmt: skip


def _starts(printed: Sequence[tuple[str, bytes]]) -> list[int]:
    """On which sheet each page begins, counted from 0; sheet 0 holds the contents."""
    from pypdf import PdfReader

    starts, place = [], 1
    for _, sheets in printed:
        starts.append(place)
        place += len(PdfReader(BytesIO(sheets)).pages)
    return starts


def _contents(
    browser: Any, base: str, pages: Sequence[Page], printed: Sequence[tuple[str, bytes]],
    first: Sequence[int],
) -> bytes:  # fmt: skip
    lines = [
        f'<li><a href="{base}/{page.path}.html">{escape(title)}</a><span>{start + 1}</span></li>'
        for page, (title, _), start in zip(pages, printed, first, strict=True)
    ]
    page = browser.new_page()
    page.set_content(_CONTENTS.format(book="Contents", lines="".join(lines)))
    sheets = _sheets(page, "Contents")
    page.close()
    return sheets


def _joined(contents: bytes, printed: Sequence[tuple[str, bytes]]) -> PdfWriter:
    from pypdf import PdfWriter

    writer = PdfWriter()
    for title, sheets in [("Contents", contents), *printed]:
        writer.append(BytesIO(sheets), outline_item=title)
    writer.add_metadata({"/Title": printed[0][0]})
    writer.compress_identical_objects()
    return writer


def _lead_inside(writer: PdfWriter, base: str, starts: dict[str, int]) -> None:
    """Turn links to pages of the site into links to sheets of this file."""
    from pypdf.generic import ArrayObject, NameObject, NullObject

    address = re.compile(re.escape(base) + r"/(?P<path>[^#?]*)\.html")
    for sheet in writer.pages:
        for one in sheet.annotations or []:
            link = one.get_object()
            found = address.match(str(link.get("/A", {}).get("/URI", "")))
            if found is None:
                continue
            del link["/A"]
            if found["path"] in starts:
                place = writer.pages[starts[found["path"]]].indirect_reference
                fit = [place, NameObject("/XYZ"), NullObject(), NullObject(), NullObject()]
                link[NameObject("/Dest")] = ArrayObject(fit)
