"""How charts reach a reader without a network: as Vega in a live notebook, as data in the site.

Altair's own HTML loads Vega from a CDN, so without a network JupyterLab shows an error in the place
of a chart. JupyterLab, Notebook 7 and VS Code carry Vega 5, but no Vega-Lite of Altair's version.
So a chart is compiled here, by Altair's own compiler of that very version, and sent as Vega. Newer
Altair compiles for Vega 6, which changed no specification (vega/vega, issue 4032). A test draws
every chart of the book in JupyterLab.

The site knows theme and width, which Altair's HTML does not. There a chart is a ``figure`` with its
specification as JSON, and ``_static/kdlib-charts.js`` draws all of them.
"""

from __future__ import annotations

import html
import json
import os
import sys
from importlib.util import find_spec
from typing import Any

import altair as alt

LIVE = "kdlib-live"
MIME_TYPE = "application/vnd.vega.v5+json"
_SCHEMA = "https://vega.github.io/schema/vega/v5.json"  # a name, which nothing loads


def can_compile() -> bool:
    """Whether the compiler is installed, and the front end is one that draws Vega; Colab is not."""
    return find_spec("vl_convert") is not None and "google.colab" not in sys.modules


def enable_live_renderer() -> None:
    """Make Altair show charts without a network; a renderer that the reader chose is kept."""
    if alt.renderers.active == "default" and can_compile():
        alt.renderers.register(LIVE, mime_bundle)
        alt.renderers.enable(LIVE)


def mime_bundle(spec: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A Vega-Lite ``spec`` as Vega, and its alt text for a front end that draws none."""
    compiled = alt.vegalite_compilers.get()(spec)
    return {
        MIME_TYPE: compiled | {"$schema": _SCHEMA},
        "text/plain": spec.get("description", "A chart."),
    }


SITE = "kdlib-site"


def in_site() -> bool:
    """Whether outputs are made for the built site (``KDLIB_SITE=1``)."""
    return os.environ.get("KDLIB_SITE") == "1"


def enable_site_renderer() -> None:
    """Make Altair show charts as figures that the site's script draws."""
    alt.renderers.register(SITE, _mime_bundle)
    alt.renderers.enable(SITE)


def figure_html(spec: dict[str, Any]) -> str:
    """The ``figure`` for a Vega-Lite ``spec``; its alt text and caption come from the spec."""
    text = spec.get("usermeta", {}).get("kdlib", {}).get("caption", "")
    below = f"<figcaption>{html.escape(text)}</figcaption>" if text else ""
    seen = html.escape(spec.get("description", "A chart."))
    return (
        '<figure class="kdlib-chart"><div class="kdlib-chart-view"></div>'
        f"<noscript><p>This chart needs JavaScript. {seen}</p></noscript>"
        f'<script type="application/json">{_embeddable(spec)}</script>{below}</figure>'
    )


def _mime_bundle(spec: dict[str, Any], **_: Any) -> dict[str, str]:
    return {"text/html": figure_html(spec), "text/plain": spec.get("description", "A chart.")}


def _embeddable(spec: dict[str, Any]) -> str:
    """JSON that no text inside it can end: ``</script>`` and ``<!--`` both need a ``<``."""
    return json.dumps(spec, separators=(",", ":")).replace("<", "\\u003c")
