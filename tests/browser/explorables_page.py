"""The explorables on pages of their own, with the book's style and no Sphinx."""

import shutil
from pathlib import Path

from kdbook.chapters.where_the_teacher_errs import changed_sides

STATIC = Path(__file__).parents[2] / "_static"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Explorable</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/kdlib-explorables.css">
<link rel="stylesheet" href="_static/explorables/changed-sides.css"></head>
<body style="margin: 0.5rem"><div class="{kind}">{inside}</div>
<script type="module" src="_static/explorables/{script}.mjs"></script></body></html>"""
KINDS = {
    "playground": "kdlib-playground", "who-pays": "kdlib-who-pays", "nothing": "none",
    "changed-sides": "kdlib-sides",
}  # fmt: skip


def write_pages(folder):
    """A page for each explorable, and one that only modules are imported on."""
    shutil.copytree(STATIC, folder / "_static")
    for script, kind in KINDS.items():
        record = f'<script type="application/json">{changed_sides.read_file()}</script>'
        inside = record if script == "changed-sides" else ""
        text = PAGE.format(kind=kind, script=script, inside=inside)
        if script == "nothing":
            text = "<!doctype html><title>Nothing</title><link rel='icon' href='data:,'>"
        (folder / f"{script}.html").write_text(text, encoding="utf-8")


READY = "document.querySelector('[data-ready]') !== null"
QUICK = 0.05  # seconds


def is_quick(page, control):
    """Whether the page answers a click within ``QUICK`` of the time of its own main thread.

    Of the clock another process could take more than that.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy(session)
    control.evaluate("each => each.click()")
    took = _busy(session) - before
    session.detach()
    return 0 < took < QUICK


def _busy(session):
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "TaskDuration")
