"""How charts reach the built site: as data in the page, drawn by ``_static/kdlib-charts.js``.

Altair's own HTML loads Vega from a CDN, once a chart, and knows neither the page's theme nor its
width. The site must work with no network, so there a chart is a ``figure`` with its specification
as JSON, and one script of the site draws all of them.
"""

from __future__ import annotations

import html
import json
import os
from typing import Any

import altair as alt

RENDERER = "kdlib-site"


def in_site() -> bool:
    """Whether outputs are made for the built site (``KDLIB_SITE=1``)."""
    return os.environ.get("KDLIB_SITE") == "1"


def enable_site_renderer() -> None:
    """Make Altair show charts as figures that the site's script draws."""
    alt.renderers.register(RENDERER, _mime_bundle)
    alt.renderers.enable(RENDERER)


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
