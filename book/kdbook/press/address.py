"""The repository's address: kept in ``_config.yml``, and written from there into every chapter."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from kdbook.press.errors import PressError
from kdbook.press.project import CONFIG
from kdbook.press.toc import Page, read_pages
from kdlib.errors import SettingError

PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"
COLAB_TAG = "colab-setup"
_ADDRESS = re.compile(r"https://[\w.-]+/[\w.-]+/[\w.-]+")
_CONFIG_LINE = re.compile(
    r"(?m)^(repository\s*:[^\n]*\n(?:[ \t]+[^\n]*\n)*?[ \t]+url\s*:[ \t]*)\S+"
)


def read_address(root: Path) -> str:
    """The address that ``_config.yml`` names."""
    config = yaml.safe_load((root / CONFIG).read_text(encoding="utf-8")) or {}
    address = (config.get("repository") or {}).get("url")
    if not address:
        raise PressError(f"{CONFIG} names no repository.url")
    return str(address)


def is_settled(address: str) -> bool:
    """Whether a real address has replaced the placeholder."""
    return address != PLACEHOLDER


def colab_cell_source(address: str) -> str:
    """The code that gets kdlib and kdbook where they are missing, and sets Colab up.

    It installs no dependency, so that nothing already loaded is upgraded; ``kdbook.colab`` then
    installs what is missing.
    """
    return (
        "from importlib.util import find_spec\n\n"
        'if find_spec("kdlib") is None:\n'
        f'    %pip install -q --no-deps "kdlib @ git+{address}"\n\n'
        "from kdbook.colab import set_up\n\n"
        "set_up(store_on_drive=False)"
    )


def colab_cell(address: str) -> dict[str, Any]:
    """The install cell as a notebook holds it; the site leaves it out."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": COLAB_TAG,
        "metadata": {"tags": [COLAB_TAG, "remove-cell"]},
        "outputs": [],
        "source": colab_cell_source(address).splitlines(keepends=True),
    }


def set_address(root: Path, address: str) -> list[Path]:
    """Write ``address`` into ``_config.yml`` and into the install cell of every chapter.

    Returns:
        The files that changed.

    Raises:
        SettingError: ``address`` is not of the form ``https://HOST/OWNER/NAME``.
    """
    address = address.rstrip("/").removesuffix(".git")
    if not _ADDRESS.fullmatch(address):
        raise SettingError(f"address = {address!r} is not allowed: use https://HOST/OWNER/NAME")
    chapters = [page.source for page in read_pages(root) if page.runs]
    changed = [_rewrite_chapter(chapter, address) for chapter in chapters]
    changed.append(_rewrite_config(root / CONFIG, address))
    return [path for path in changed if path is not None]


def _rewrite_config(config: Path, address: str) -> Path | None:
    text = config.read_text(encoding="utf-8")
    new, count = _CONFIG_LINE.subn(lambda match: match[1] + address, text, count=1)
    if not count:
        raise PressError(f"{config} has no line 'url:' below 'repository:'")
    return _write_if_new(config, text, new)


def _rewrite_chapter(chapter: Path, address: str) -> Path | None:
    text = chapter.read_text(encoding="utf-8")
    notebook = json.loads(text)
    for cell in _install_cells(notebook):
        cell["source"] = colab_cell_source(address).splitlines(keepends=True)
    return _write_if_new(chapter, text, notebook_text(notebook))


def _write_if_new(path: Path, old: str, new: str) -> Path | None:
    if new == old:
        return None
    path.write_text(new, encoding="utf-8")
    return path


def notebook_text(notebook: dict[str, Any]) -> str:
    """A notebook laid out as JupyterLab does; the order of its keys stays, so diffs are small."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def disagreements(root: Path) -> list[str]:
    """One line for each chapter whose install cell is not the one that ``_config.yml`` implies."""
    wanted = colab_cell_source(read_address(root))
    complaints = (_complaint(page, wanted) for page in read_pages(root) if page.runs)
    return [complaint for complaint in complaints if complaint]


def _complaint(page: Page, wanted: str) -> str | None:
    cells = _install_cells(json.loads(page.source.read_text(encoding="utf-8")))
    if len(cells) != 1:
        return f"{page.path}: {len(cells)} cells are tagged {COLAB_TAG}, wanted is 1"
    if "".join(cells[0]["source"]) != wanted:
        return f"{page.path}: the cell tagged {COLAB_TAG} is not what `kdlib book address` writes"
    return None


def _install_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if COLAB_TAG in c.get("metadata", {}).get("tags", [])]
