"""A still picture of every chart, drawn at the build: for pages without scripts, and for print."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from kdlib.files import write_atomically

FOLDER = "_static/charts"
_CHART = re.compile(
    r"<noscript><p>This chart needs JavaScript\. (?P<alt>[^<]*)</p></noscript>"
    r'(?P<data><script type="application/json">(?P<spec>.*?)</script>)',
    re.DOTALL,
)


class Pictures:
    """Draws charts into the site ``html``; what was drawn before comes from ``kept``."""

    def __init__(self, html: Path, kept: Path) -> None:
        self._folder, self._kept = html / FOLDER, kept

    def into_page(self, text: str, root: str) -> str:
        """The page with a picture in every chart; ``root`` leads to the site's first folder."""

        def drawn(match: re.Match[str]) -> str:
            source = f"{root}{FOLDER}/{self._draw(json.loads(match['spec']))}"
            # Lazy and not displayed, it is loaded for print alone (kdlib-charts.css).
            return (
                f'<noscript><img src="{source}" alt="{match["alt"]}" /></noscript>{match["data"]}'
                f'<img class="kdlib-still" src="{source}" alt="" loading="lazy" />'
            )

        return _CHART.sub(drawn, text)

    def _draw(self, spec: dict[str, Any]) -> str:
        name = f"{_digest(spec)}.svg"
        if not (self._kept / name).is_file():
            write_atomically(self._kept / name, _svg(spec).encode())
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_bytes((self._kept / name).read_bytes())
        return name


def _svg(spec: dict[str, Any]) -> str:
    import vl_convert

    return vl_convert.vegalite_to_svg(spec | {"background": "white"})


def _digest(spec: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
