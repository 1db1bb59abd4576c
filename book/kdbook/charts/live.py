"""How charts reach a live notebook: as Vega, which the notebook draws with what it has on board.

Altair's own HTML loads Vega from a CDN, so without a network JupyterLab shows an error in the place
of a chart. JupyterLab, Notebook 7 and VS Code carry Vega 5, but no Vega-Lite of Altair's version.
So a chart is compiled here, by Altair's own compiler of that very version, and sent as Vega. Newer
Altair compiles for Vega 6, which changed no specification (vega/vega, issue 4032). A test draws
every chart of the book in JupyterLab.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import altair as alt

RENDERER = "kdlib-live"
MIME_TYPE = "application/vnd.vega.v5+json"
_SCHEMA = "https://vega.github.io/schema/vega/v5.json"  # a name, which nothing loads


def can_compile() -> bool:
    """Whether the compiler is installed, and the front end is one that draws Vega; Colab is not."""
    return find_spec("vl_convert") is not None and "google.colab" not in sys.modules


def enable_live_renderer() -> None:
    """Make Altair show charts without a network; a renderer that the reader chose is kept."""
    if alt.renderers.active == "default" and can_compile():
        alt.renderers.register(RENDERER, mime_bundle)
        alt.renderers.enable(RENDERER)


def mime_bundle(spec: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A Vega-Lite ``spec`` as Vega, and its alt text for a front end that draws none."""
    compiled = alt.vegalite_compilers.get()(spec)
    return {
        MIME_TYPE: compiled | {"$schema": _SCHEMA},
        "text/plain": spec.get("description", "A chart."),
    }
