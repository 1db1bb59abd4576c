"""The staging folder: a copy of the book, with outputs, that Jupyter Book reads."""

from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from kdbook.press.address import is_settled, read_address
from kdbook.press.errors import PressError
from kdbook.press.formulas import FONTS, STYLE, mathjax_folder
from kdbook.press.notebooks import read_notebook
from kdbook.press.project import CODE, CONFIG, TOC, Project
from kdbook.press.toc import Page
from kdlib.files import write_atomically

# Jupyter Book loads every script below _static on every page, so the big ones lie elsewhere and
# are copied into the site as they are: html/_static/vega and html/_static/mathjax.
OFFLINE = "_offline"
VEGA_BUNDLE = "_static/vega/vega-bundle.js"
MATHJAX = "mathjax/tex-chtml.js"  # a name for Sphinx; the pages do not load it
_VEGA_EXPORTS = "window.vega=vega;window.vegaLite=vegaLite;window.vegaEmbed=vegaEmbed;"
_IGNORED = shutil.ignore_patterns(".*", "__pycache__", CODE)
_NOT_RUN = "```{note}\nThis chapter was not run in this build, so it shows no results.\n```"


def stage(project: Project, profile: str, *, allow_gaps: bool = False) -> Path:
    """Copy the book and its offline assets into a fresh staging folder.

    Args:
        project: The book.
        profile: Names the folder.
        allow_gaps: Do not complain of glued numbers that chapters left out have not made.

    Returns:
        The staging folder.
    """
    staging = project.staging(profile)
    shutil.rmtree(staging, ignore_errors=True)
    shutil.copytree(project.root / "book", staging / "book", ignore=_IGNORED)
    if (project.root / "_static").is_dir():
        shutil.copytree(project.root / "_static", staging / "_static", ignore=_IGNORED)
    shutil.copy2(project.root / TOC, staging / TOC)
    config = yaml.safe_dump(site_config(project.root, allow_gaps), sort_keys=False)
    (staging / CONFIG).write_text(config, encoding="utf-8")
    add_offline_assets(project, staging / OFFLINE)
    return staging


def site_config(root: Path, allow_gaps: bool = False) -> dict[str, Any]:
    """``_config.yml`` as the site needs it: outputs kept, assets local, no dead buttons."""
    config = yaml.safe_load((root / CONFIG).read_text(encoding="utf-8"))
    config.setdefault("execute", {})["execute_notebooks"] = "off"
    sphinx = config.setdefault("sphinx", {}).setdefault("config", {})
    sphinx |= {"html_extra_path": [OFFLINE], "mathjax_path": MATHJAX, "nb_ipywidgets_js": {}}
    if allow_gaps:
        sphinx["suppress_warnings"] = ["myst.domains", "mystnb.glue"]
    return config if is_settled(read_address(root)) else _without_buttons(config)


def _without_buttons(config: dict[str, Any]) -> dict[str, Any]:
    """While the address is a placeholder, a button that needs it would lead nowhere."""
    config.pop("launch_buttons", None)
    config["repository"] = {"url": ""}
    for button in ("use_repository_button", "use_issues_button", "use_edit_page_button"):
        config.setdefault("html", {})[button] = False
    return config


def stage_unrun(page: Page, staging: Path) -> None:
    """Mark a staged chapter that this build does not run."""
    notebook = read_notebook(page.source)
    if notebook is None:
        raise PressError(f"{page.file} is not a notebook")
    note = {"cell_type": "markdown", "id": "not-run", "metadata": {}, "source": _NOT_RUN}
    notebook["cells"].insert(1, note)
    (staging / page.file).write_text(json.dumps(notebook), encoding="utf-8")


def add_offline_assets(project: Project, folder: Path) -> None:
    """Put Vega and the fonts of formulas where pages find them without a network."""
    bundle = folder / VEGA_BUNDLE
    bundle.parent.mkdir(parents=True)
    shutil.copyfile(_vega_bundle(project), bundle)
    shutil.copytree(mathjax_folder() / FONTS, (folder / STYLE).parent / FONTS)


def _vega_bundle(project: Project) -> Path:
    """Vega, Vega-Lite and vega-embed in one script (0.9 MB), made once per vl-convert release."""
    version = metadata.version("vl-convert-python")
    bundle = project.build / "cache" / f"vega-bundle-{version}.js"
    if not bundle.is_file():
        import vl_convert

        # In a function of its own, for its names clash with those of Sphinx's scripts.
        script = vl_convert.javascript_bundle(_VEGA_EXPORTS)
        write_atomically(bundle, f"(() => {{\n{script}\n}})();\n".encode())
    return bundle
