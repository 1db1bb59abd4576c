"""What a chapter shows before its laboratory: its claims on CIFAR, as a table and in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from IPython.display import HTML

from kdbook.compare import LEVEL, p_said
from kdbook.reproduction import words
from kdbook.reproduction.by_chapter import Beside, beside_cifar
from kdbook.reproduction.claim_pages import cards, effect
from kdbook.reproduction.lines import Line
from kdbook.reproduction.pages import small
from kdbook.reproduction.verdicts import Verdict

CAPTION = "The paper's own data first, in points of accuracy"
_BRACKETS = (
    "In brackets stands, on the paper's data, the range in which its number should fall if it came "
    "about as ours did (95 % prediction interval), and on digits the 95 % interval of our mean. "
    "What is decided is so after correction for all claims of both papers."
)
_COUNT = ("none", "one", "two", "three", "four", "five")
_FARED = {
    Verdict.AGREES: ("comes out as in the paper", "come out as in the paper"),
    Verdict.DIFFERS: ("comes out otherwise", "come out otherwise"),
    Verdict.UNDECIDED: ("is undecided", "are undecided"),
    Verdict.ON_THE_FLOOR: ("is on the floor", "are on the floor"),
    Verdict.NOT_RUN: ("has not been run", "have not been run"),
}
_AS_IN_PAPER = (Verdict.SAME_SIGN, Verdict.CONSISTENT, Verdict.BOTH_DIVERGE)
_WHY = {
    Verdict.ON_THE_FLOOR: "; on CIFAR the worst classes score zero whatever is done",
    Verdict.NOT_RUN: "",
    Verdict.UNDECIDED: "; on CIFAR the seeds do not decide it",
}


def on_cifar(chapter: str) -> HTML:
    """The chapter's claims on the paper's own data, ours beside them, and what that comes to.

    Args:
        chapter: the name of its page, e.g. ``rare_classes``.

    Raises:
        SettingError: the chapter claims nothing about CIFAR.
    """
    rows = beside_cifar(chapter)
    cifar, digits = (_shared(rows, name) for name in ("on_cifar", "on_digits"))
    columns = ["The paper claims", "Printed", f"{_data(rows)}, here", "Digits, here"]
    cells = [_cells(row, cifar, digits) for row in rows]
    heads = dict(zip(columns[2:], (cifar, digits), strict=True))
    table = cards(CAPTION, columns, cells, under=heads)
    return HTML(f"{table}<p>{escape(said(rows))}</p>{_folded(rows)}")


def _data(rows: Sequence[Beside]) -> str:
    names = {words.DATASETS[row.claim.where["dataset"]] for row in rows}
    return names.pop() if len(names) == 1 else "CIFAR"


def _shared(rows: Iterable[Beside], side: str) -> str:
    """The setting that all measured rows of one side share; nothing where they differ."""
    lines: list[Line] = [line for row in rows if (line := getattr(row, side)) is not None]
    settings = {_setting(line) for line in lines}
    return settings.pop() if len(settings) == 1 else ""


def said(rows: Sequence[Beside]) -> str:
    """How the claims fare on CIFAR, and where digits say more, less or otherwise."""
    laboratory = [*_opposed(rows), *_only_digits(rows), *_only_cifar(rows)]
    return " ".join([_fared(rows), *_at_another_length(rows), *laboratory])


def _at_another_length(rows: Iterable[Beside]) -> list[str]:
    """The same claims where training took longer or shorter, with 95 % intervals of our mean."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.other_length is not None:
            said = f"“{row.claim.text}” {words.ours(row.other_length)}"
            length = next(
                part for part in _setting(row.other_length).split(", ") if "epochs" in part
            )
            found.setdefault(length, []).append(said)
    return [f"At {length}: {'; '.join(each)}." for length, each in found.items()]


def _fared(rows: Sequence[Beside]) -> str:
    counts = Counter(map(_how, rows))
    if len(counts) == 1:
        subject = "this claim" if len(rows) == 1 else f"these {_COUNT[len(rows)]} claims"
        return f"On CIFAR itself {subject} {_FARED[_how(rows[0])][len(rows) > 1]}."
    parts = [f"{_COUNT[count]} {_FARED[how][count > 1]}" for how, count in counts.items()]
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"On CIFAR itself, of these {_COUNT[len(rows)]} claims {listed}."


def _how(row: Beside) -> Verdict:
    return Verdict.AGREES if row.verdict in _AS_IN_PAPER else row.verdict


def alone(rows: Iterable[Beside]) -> list[str]:
    """What tests by themselves would decide, and tests of all claims do not."""
    found = [
        f"“{row.claim.text}” ({_p(_p_alone(row))})"
        for row in rows
        if _how(row) == Verdict.UNDECIDED and _p_alone(row) <= LEVEL
    ]
    if not found:
        return []
    open_ = "it" if len(found) == 1 else "them"
    return [
        f"Tested by itself, {' and '.join(found)} would be decided; the correction for all claims "
        f"of both papers leaves {open_} open."
    ]


def _p_alone(row: Beside) -> float:
    """Of its test on CIFAR, not corrected; NaN where it has none (diverged runs)."""
    return float((row.on_cifar or {}).get("p", np.nan))


def _p(value: float) -> str:
    said = p_said(value)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def _opposed(rows: Iterable[Beside]) -> list[str]:
    found = [row for row in rows if row.sign and row.sign == -row.sign_on_cifar]
    return [f"Digits say the opposite of CIFAR about {_named(found)}."] if found else []


def _only_digits(rows: Iterable[Beside]) -> list[str]:
    """What the laboratory decides and CIFAR does not."""
    found: dict[tuple[str, str], list[Beside]] = {}
    for row in rows:
        if row.sign and not row.sign_on_cifar and row.as_printed:
            verb = "agree with" if row.sign == row.as_printed else "contradict"
            found.setdefault((verb, _why(row)), []).append(row)
    return [f"Digits clearly {verb} {_named(each)}{why}." for (verb, why), each in found.items()]


def _why(row: Beside) -> str:
    return "" if _p_alone(row) <= LEVEL else _WHY.get(_how(row), "")


def _only_cifar(rows: Iterable[Beside]) -> list[str]:
    found = [r for r in rows if r.sign_on_cifar and r.as_printed and r.on_digits and not r.sign]
    return [f"CIFAR decides {_named(found)}, and digits do not."] if found else []


def _named(rows: Iterable[Beside]) -> str:
    return " and ".join(f"“{row.claim.text}”" for row in rows)


def _cells(row: Beside, cifar: str, digits: str) -> list[str]:
    """One row; ``cifar`` and ``digits`` are settings that stand in the heading already."""
    claim, ours, lab = row.claim, row.on_cifar, row.on_digits
    where = f"{claim.where['table']}, {words.DATASETS[claim.where['dataset']]}"
    measured = "not run"
    if ours is not None:
        verdict = f" <b>{escape(ours['verdict'])}</b>"
        measured = escape(words.predicted(ours)) + verdict + _own_setting(ours, cifar)
    told = "not run" if lab is None else escape(words.ours(lab)) + _own_setting(lab, digits)
    return [escape(claim.text) + small(where), effect(row.compared), measured, told]


def _own_setting(line: Line, shared: str) -> str:
    """On a phone the headings are hidden, so there each cell says it."""
    said = small(_setting(line))
    return said.replace("<small>", '<small class="narrow">') if shared else said


def _setting(line: Line) -> str:
    """Without the name of the data set, which heads the column."""
    return str(line["setting"]).partition(", ")[2]


def _folded(rows: Sequence[Beside]) -> str:
    """What the brackets say, and what our trainings on CIFAR do otherwise than the paper's."""
    each = [row.on_cifar["apart"] for row in rows if row.on_cifar and row.on_cifar["apart"]]
    items = "".join(f"<li>{escape(apart)}</li>" for apart in dict.fromkeys(each))
    head = "What the brackets say" + (", and what these trainings do otherwise" if items else "")
    listed = f"<ul>{items}</ul>" if items else ""
    told = escape(" ".join([_BRACKETS, *alone(rows)]))
    return f"<details><summary>{head}</summary><p>{told}</p>{listed}</details>"
