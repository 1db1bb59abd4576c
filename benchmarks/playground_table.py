"""What the playground shows first, as a table: ``.venv/bin/python benchmarks/playground_table.py``.

Trains ten seeds in headless Chromium, with the modules that the page itself loads, and fills the
marked block of ``book/playground.md``: the text for print and for where no script runs.
"""

from __future__ import annotations

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from readme import ROOT, fill_readme

PAGE = ROOT / "book" / "playground.md"
SEEDS = 10
SETTINGS = {"ratio": 20, "temperature": 3, "alpha": 1, "teacherEpochs": 40}
MEASURES = {"rarest": "rarest fifth", "worst": "worst class", "mean": "mean"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TRAIN = """async ([folder, settings, seeds]) => {
  const from = (name) => import(`${folder}/${name}.mjs`);
  const [{ digitsTask }, { trial, METHODS }, { summarise }] =
    await Promise.all(["digits", "trial", "summary"].map(from));
  const task = digitsTask(await (await fetch(`${folder}/digits.json`)).json());
  const found = Object.fromEntries(METHODS.map((method) => [method, []]));
  for (let seed = 0; seed < seeds; seed++) {
    const { right, tested } = await trial(task, settings, seed, { pause: async () => {} });
    for (const name of METHODS) found[name].push(right[name].map((n, k) => (100 * n) / tested[k]));
  }
  return summarise(found).measures;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def trained_on(page: Any, folder: str) -> dict[str, dict[str, Any]]:
    """By measure and method: ``level`` and ``change``, each with mean, low and high.

    Args:
        page: of a server that has the modules.
        folder: where it has them, from the root.
    """
    return page.evaluate(TRAIN, [folder, SETTINGS, SEEDS])


def trained() -> dict[str, dict[str, Any]]:
    """As ``trained_on``, in a browser of its own."""
    from playwright.sync_api import sync_playwright

    names = [os.environ.get("KDLIB_CHROMIUM"), *BROWSERS]
    chromium = next((path for name in names if name and (path := shutil.which(name))), None)
    handler = partial(_Quiet, directory=str(ROOT / "_static"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/logo.svg")
        found = trained_on(page, "/explorables")
        browser.close()
    server.shutdown()
    return found


def table(measures: dict[str, dict[str, Any]]) -> str:
    """A Markdown table: a row per student, a column per measure."""
    methods = list(measures["mean"])
    lines = [
        "| student | " + " | ".join(MEASURES.values()) + " |",
        "|---" * (1 + len(MEASURES)) + "|",
        *(_row(method, measures) for method in methods),
    ]
    about = (
        f"Accuracy in percent, mean of {SEEDS} seeds at ratio 20, T = 3, α = 1 and a teacher of 40 "
        "epochs; in brackets the 95 % interval of the paired change against the one-hot student."
    )
    return "\n".join([*lines, "", about])


def in_short(measures: dict[str, dict[str, Any]]) -> str:
    """The answer in one sentence."""
    costs, gives = (measures["rarest"][name]["change"] for name in ("distilled", "AdaAlpha"))
    return (
        f"In ten runs, copying such a teacher changes the accuracy on the two rarest digits by "
        f"{_points(costs)}, and trusting it class by class by {_points(gives)}."
    )


def _points(change: dict[str, float]) -> str:
    return f"{change['mean']:+.1f} points ({change['low']:+.1f} to {change['high']:+.1f})"


def _row(method: str, measures: dict[str, dict[str, Any]]) -> str:
    cells = [_cell(measures[name][method]) for name in MEASURES]
    return f"| {method} | " + " | ".join(cells) + " |"


def _cell(found: dict[str, Any]) -> str:
    level, change = found["level"]["mean"], found["change"]
    return f"{level:.1f}" + (f" ({change['low']:+.1f} to {change['high']:+.1f})" if change else "")


def main() -> None:
    """Train, and fill the page."""
    measures = trained()
    fill_readme("in short", in_short(measures), PAGE)
    fill_readme("playground", table(measures), PAGE)
    print(f"{in_short(measures)}\n\n{table(measures)}")


if __name__ == "__main__":
    main()
