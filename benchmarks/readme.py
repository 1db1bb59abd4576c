"""Marked blocks of README.md that a command fills, so that no number there is typed by hand."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def replace_block(text: str, name: str, content: str) -> str:
    """``text`` with ``content`` between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises:
        ValueError: ``text`` has no such block, or several.
    """
    block = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.S)
    found = len(block.findall(text))
    if found != 1:
        raise ValueError(f"{found} blocks are marked {name!r}: exactly 1 is needed")
    return block.sub(lambda match: f"{match[1]}{content.strip()}\n{match[2]}", text)


def fill_readme(name: str, content: str, readme: Path = README) -> None:
    """Write ``content`` into the block ``name`` of the README."""
    text = replace_block(readme.read_text(encoding="utf-8"), name, content)
    readme.write_text(text, encoding="utf-8")
