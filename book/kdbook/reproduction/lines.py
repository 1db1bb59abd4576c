"""From a question and the records to lines: one per record that answers, or one that says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kdbook.chapters import STUDIES
from kdbook.records import Record
from kdbook.reproduction.blocks import WHERE
from kdbook.reproduction.levels import Level, apart, level, one_teacher, ratio
from kdbook.reproduction.mapping import BLOCKS
from kdbook.reproduction.ours import Found, answer
from kdbook.reproduction.printed import Printed
from kdbook.reproduction.questions import Question
from kdbook.reproduction.verdicts import Measured, Verdict, judge
from kdlib.metrics import (
    FEWEST_REPEATS,
    holm,
    paired_p_value,
    prediction_interval,
    t_interval,
)

PROFILE_ORDER = ("paper", "standard", "quick")
NO_STUDY = "no study of it yet"
NOT_RECORDED = "no record of the study"
_LEVELS = list(Level)
Line = dict[str, Any]


def lines_of(asked: Sequence[Question], records: Sequence[Record]) -> list[Line]:
    """The lines of all questions, judged with p-values that are corrected for all of them.

    One line of each question is ``leading``: the one whose record comes closest to the paper's
    setting.
    """
    each = [line for question in asked for line in _of_one(question, records)]
    corrected = _corrected([line for line in each if "measurement" in line])
    return [_judged(line, corrected) for line in each]


def _of_one(question: Question, records: Sequence[Record]) -> list[Line]:
    why = _unanswerable(question)
    if why:
        return [_not_run(question, why)]
    mine = _closest_first(question, [r for r in records if r.about.study in question.studies])
    if not mine:
        return [_not_run(question, NOT_RECORDED)]
    answers = [(record, answer(question, record)) for record in mine]
    lines = [_line(question, r, a) for r, a in answers if isinstance(a, Found)]
    if not lines:
        return [_not_run(question, next(a for _, a in answers if isinstance(a, str)))]
    lines = _once_per_experiment(lines)
    # The first of equals. Fewer than three seeds decide nothing.
    first = min(lines, key=lambda line: (_place(line), line["seeds"] < FEWEST_REPEATS))
    return [line | {"leading": line is first} for line in lines]


def _once_per_experiment(lines: Sequence[Line]) -> list[Line]:
    """What two machines have trained answers once, from the first that has enough seeds.

    To look twice at one experiment would make the correction of all others stricter.
    """
    first: dict[str, Line] = {}
    for line in sorted(lines, key=lambda line: line["seeds"] < FEWEST_REPEATS):
        first.setdefault(line["experiment"], line)
    return [line for line in lines if first[line["experiment"]] is line]


def _unanswerable(question: Question) -> str:
    if question.unavailable:
        return f"no access to {question.unavailable}"
    known = {*STUDIES, BLOCKS}
    return question.unanswerable or ("" if known & set(question.studies) else NO_STUDY)


def _place(line: Line) -> int:
    return _LEVELS.index(line["evidence"])


def _closest_first(question: Question, records: Iterable[Record]) -> list[Record]:
    def distance(record: Record) -> tuple[Any, ...]:
        about = record.about
        near = _LEVELS.index(level(question, record))
        other_teachers = question.one_teacher not in (None, one_teacher(record))
        profile = PROFILE_ORDER.index(about.profile)
        place = question.studies.index(about.study)
        changes = len(about.conditions.keys() - {WHERE})
        apart = (near, profile, other_teachers, place, changes, WHERE not in about.conditions)
        return *apart, -len(about.seeds), record.name

    return sorted(records, key=distance)


def _not_run(question: Question, because: str) -> Line:
    return _start(question) | {
        "verdict": Verdict.NOT_RUN.value,
        "because": because,
        "leading": True,
    }


def _start(question: Question) -> Line:
    printed = question.printed
    return {
        "number": question.number,
        "compared": printed.value,
        "compared_low": printed.low,
        "compared_high": printed.high,
        "is_difference": printed.is_difference,
        "against": question.against,
        "evidence": "",
        "apart": "",
    }


def _line(question: Question, record: Record, found: Found) -> Line:
    about, near = record.about, level(question, record)
    differs = [] if near is Level.MECHANISM else apart(question, record)
    fitted = question.setting.fitted if question.setting is not None else ""
    return _start(question) | {
        "record": record.name,
        "experiment": repr((about.study, about.profile, sorted(_but_where(about.settings)))),
        "study": about.study,
        "trained_on": about.dataset,
        "measurement": _measurement(question, record),
        "profile": about.profile,
        "setting": _setting(question, record),
        "device": about.device,
        "evidence": near,
        "apart": "; ".join(differs),
        "sizes": near is not Level.MECHANISM and set(differs) <= {fitted},
        **_measured(question.printed, found),
        "printed_number": question.printed,
    }


def _but_where(settings: dict[str, Any]) -> list[tuple[str, str]]:
    return [(key, repr(value)) for key, value in settings.items() if key != WHERE]


def _measured(printed: Printed, found: Found) -> Line:
    """Mean, intervals and p-value; nothing of no seeds."""
    if not found.values.size:
        return {"seeds": 0, "diverged": found.diverged, "on_floor": False}
    values, scale = found.values, printed.scale
    interval = t_interval(values, scale=scale)
    error = None if np.isnan(printed.error) or printed.runs == 1 else printed.error
    expected = prediction_interval(values, scale=scale, runs=printed.runs, error=error)
    return {
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "predicted_low": expected.low,
        "predicted_high": expected.high,
        "seeds": interval.n,
        "diverged": found.diverged,
        "on_floor": found.on_floor,
        "p": paired_p_value(values, scale) if printed.is_difference else np.nan,
    }


def _measurement(question: Question, record: Record) -> str:
    """A name of what was measured: several printed numbers may ask for the same."""
    of = (question.method, question.baseline, question.measure, question.subgroup, question.only)
    return repr((record.name, ratio(question, record), *of))


def _corrected(lines: Sequence[Line]) -> dict[str, float]:
    """By measurement the p-value corrected for all that may have a verdict, each counted once."""
    decides = [line for line in lines if line["evidence"] is not Level.MECHANISM]
    p = {line["measurement"]: line.get("p", np.nan) for line in decides}
    tested = {name: value for name, value in p.items() if not np.isnan(value)}
    return dict(zip(tested, holm(list(tested.values())), strict=True))


def _judged(line: Line, corrected: dict[str, float]) -> Line:
    if "measurement" not in line:
        return line
    p = corrected.get(line["measurement"], np.nan)
    fields = {name: line[name] for name in Measured.__dataclass_fields__ if name in line}
    measured = Measured(level=line["evidence"], **(fields | {"p": p}))
    verdict, because = judge(line["printed_number"], measured)
    kept = {name: value for name, value in line.items() if name != "printed_number"}
    predicted = measured.predicts(line["printed_number"]) if measured.sizes else None
    words = {"verdict": verdict.value, "because": because, "evidence": measured.level.value}
    return kept | {"p_holm": p, "predicted": predicted} | words


def _setting(question: Question, record: Record) -> str:
    about, at = record.about, ratio(question, record)
    tail = [] if at is None else [f"ratio {at:g}"]
    recipe = about.recipe_at(at)
    epochs = [f"{recipe['epochs']} epochs"] if "epochs" in recipe else []
    teachers = {None: [], True: ["one teacher"], False: ["a teacher per seed"]}
    known = None if question.one_teacher is None else one_teacher(record)
    return ", ".join([about.dataset, *tail, about.model, *epochs, *teachers[known]])
