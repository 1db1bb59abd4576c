"""The report for machines: JSON, and JUnit's XML, which release pipelines read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

import kdlib
from kdlib.audit.gate import GateResult

if TYPE_CHECKING:
    from kdlib.audit.findings import Findings

FRAMES = ("overall", "by_class", "by_group", "cumulative", "buckets", "confident_errors")
WORDS = ("finding", "advice", "notes", "baseline", "order", "confidence", "examples", "seeds")


def as_dict(report: Findings, gate: GateResult | None = None) -> dict[str, Any]:
    """Everything in plain Python; None stands for NaN."""
    found: dict[str, Any] = {"kdlib": kdlib.__version__}
    found |= {name: getattr(report, name) for name in WORDS}
    found |= {name: _records(getattr(report, name)) for name in FRAMES}
    found["weights"] = None if report.weights is None else report.weights.tolist()
    found["gate"] = None if gate is None else gate_dict(gate)
    return found


def gate_dict(gate: GateResult) -> dict[str, Any]:
    """What the gate says, in plain Python."""
    checks = [
        {"limit": str(check.limit), "status": check.status, "words": check.words}
        for check in gate.checks
    ]
    return {"status": gate.status, "exit_code": gate.exit_code, "checks": checks}


def json_of(report: Findings, gate: GateResult | None = None) -> str:
    """The report as JSON without NaN: a line for each part, which is written fast."""
    parts = as_dict(report, gate).items()  # json writes what it indents in Python, value by value
    lines = [f"{json.dumps(name)}: {json.dumps(part, allow_nan=False)}" for name, part in parts]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    columns = {str(name): _plain(frame[name]) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(column: pd.Series) -> list[Any]:
    if column.dtype.kind != "f":
        return list(column.tolist())
    return list(column.astype(object).where(np.isfinite(column), None))


def junit_of(gate: GateResult, fails_undecided: bool = True) -> str:
    """JUnit's XML, one test case a limit.

    Args:
        gate: what was found.
        fails_undecided: whether a limit of which the data cannot tell is a failure, else skipped.
    """
    bad = {"harm", "cannot tell"} if fails_undecided else {"harm"}
    failures = sum(check.status in bad for check in gate.checks)
    skipped = sum(check.status not in (*bad, "fine") for check in gate.checks)
    suite = ElementTree.Element(
        "testsuite",
        name="kdlib audit",
        tests=str(len(gate.checks)),
        failures=str(failures),
        errors="0",
        skipped=str(skipped),
    )
    for check in gate.checks:
        case = ElementTree.SubElement(
            suite, "testcase", classname="kdlib.audit", name=str(check.limit)
        )
        if check.status != "fine":
            kind = "failure" if check.status in bad else "skipped"
            ElementTree.SubElement(case, kind, message=f"{check.status}: {check.words}")
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    ElementTree.indent(whole)
    return ElementTree.tostring(whole, "unicode", xml_declaration=True) + "\n"
