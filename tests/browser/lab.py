"""JupyterLab on this machine, as `make lab` starts it, and a notebook open in it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

TOKEN = "only-for-tests"
PATIENCE = 120_000  # milliseconds; a start beside other work takes long
SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden)"
PAINTED = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def code_cell(source, outputs=()):
    return {"cell_type": "code", "id": f"c{abs(hash(source)) % 10**8}", "metadata": {},
            "execution_count": None, "outputs": list(outputs), "source": source}  # fmt: skip


def write_notebook(path, cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4}
    path.write_text(json.dumps(content | {"nbformat_minor": 5}))


@contextmanager
def running_lab(folder):
    """The address of a JupyterLab that shows the notebooks in ``folder`` and knows no user."""
    port = _free_port()
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    options += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    own = {name: str(folder / ".own") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR",
           "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")}  # fmt: skip
    with (folder / "lab.log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        process = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api?token={TOKEN}", process)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait_for(url, process):
    ends = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < ends and process.poll() is None:
        try:
            urllib.request.urlopen(url).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("JupyterLab did not start: see lab.log")


class Notebook:
    """A notebook in JupyterLab, in a browser that reaches no other machine."""

    def __init__(self, page, address, name):
        self.page, self.blocked = page, []
        page.set_default_timeout(PATIENCE)
        self.own = (address, address.replace("http", "ws"), "data:", "blob:")
        page.route("**/*", self._let_through)
        page.goto(f"{address}/lab/tree/{name}?reset&token={TOKEN}")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()

    def _let_through(self, route):
        if route.request.url.startswith(self.own):
            route.continue_()
        else:
            self.blocked.append(route.request.url)
            route.abort()

    def run_all(self):
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def cell(self, number):
        return self.page.locator(f"{SHOWN} .jp-CodeCell").nth(number)

    def charts(self, cell, count=1):
        """The canvases in the outputs of a cell, once there are ``count``."""
        found = self.cell(cell).locator("canvas")
        found.nth(count - 1).wait_for()
        return found

    def picture(self, cell):
        return self.charts(cell).first.evaluate("canvas => canvas.toDataURL()")

    def colours(self, cell, place=0):
        """How many colours a chart shows; a blank one has one or two."""
        return self.charts(cell).nth(place).evaluate(PAINTED)

    def wait_for_another_picture(self, cell, before):
        for _ in range(PATIENCE // 100):
            if self.picture(cell) != before:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the chart of cell {cell} did not change")


@contextmanager
def opened_notebook(browser, address, name):
    context = browser.new_context(viewport={"width": 1280, "height": 2400})
    try:
        yield Notebook(context.new_page(), address, name)
    finally:
        context.close()
