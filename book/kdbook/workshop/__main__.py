"""Writes the plans into the page for teachers: ``.venv/bin/python -m kdbook.workshop``."""

from __future__ import annotations

import re
from pathlib import Path

from kdbook.press.project import find_project
from kdbook.workshop.make import UNITS
from kdbook.workshop.plans import in_markdown
from kdbook.workshop.units import read_units

PAGE = Path("book") / "workshop.md"
_BLOCK = re.compile(r"(<!-- plans -->\n).*(\n<!-- /plans -->)", re.DOTALL)


def with_plans(text: str, plans: str) -> str:
    """``text`` with ``plans`` between its marks."""
    return _BLOCK.sub(lambda match: f"{match[1]}{plans}{match[2]}", text)


def main() -> None:
    """Write them."""
    root = find_project().root
    page = root / PAGE
    page.write_text(
        with_plans(page.read_text(encoding="utf-8"), in_markdown(read_units(root / UNITS))),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
