"""``benchmarks/RESULTS.md``: one marked block per script, so that none overwrites another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from readme import ROOT, replace_block

RESULTS = ROOT / "benchmarks" / "RESULTS.md"


def fill_results(name: str, content: str) -> None:
    """Write ``content`` into the block ``name`` of the results.

    Raises:
        ValueError: the file has no such block, or several.
    """
    text = replace_block(RESULTS.read_text(encoding="utf-8"), name, content)
    RESULTS.write_text(text, encoding="utf-8")


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """The rows as a Markdown table; all have the same columns."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row[n] for n in names) + " |" for row in rows)])
