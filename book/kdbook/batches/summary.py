"""What a batch came to, as ``summary.json`` for programs and ``summary.html`` for people."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from kdbook.batches.items import Item
from kdbook.batches.page import page
from kdbook.batches.plan import Plan
from kdbook.batches.work import Worked
from kdlib import __version__
from kdlib.files import write_atomically
from kdlib.runs import RunSpec
from kdlib.runs.machine import checkout_commit

FORMAT = 1


@dataclass(frozen=True)
class Drawing:
    """A chart of the summary: of which study, over which parameter."""

    study: str
    parameter: str
    svg: str


def summary(
    command: str, plan: Plan, worked: Worked, numbers: pd.DataFrame, started: datetime, out: Path
) -> dict[str, Any]:
    """What ``summary.json`` holds.

    Args:
        command: that was called.
        plan: what it meant to do.
        worked: what became of it.
        numbers: of ``kdbook.batches.numbers.numbers``.
        started: when.
        out: the folder that notebooks are named from.
    """
    return {
        "format": FORMAT,
        "command": command,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        "kdlib": __version__,
        "commit": checkout_commit(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "how": plan.how,
        "store": str(plan.store.root),
        "runs": _runs(plan, worked),
        "items": [_item(item, worked, out) for item in plan.items],
        "numbers": json.loads(numbers.to_json(orient="records", double_precision=6)),
    }


def _runs(plan: Plan, worked: Worked) -> dict[str, Any]:
    missing, failed = plan.missing, worked.failed_runs
    results = [plan.store.look(spec) for spec in plan.runs]
    diverged = [found.spec for found in results if found and found.status == "diverged"]
    return {
        "needed": len(plan.runs),
        "there": len({*plan.runs} - {*missing}),
        "trained": len(missing) - len(failed),
        "failed": [_run(spec) | {"why": why} for spec, why in failed.items()],
        "diverged": [_run(spec) for spec in diverged],
    }


def _run(spec: RunSpec) -> dict[str, str]:
    return {"run": spec.id, "what": spec.label()}


def _item(item: Item, worked: Worked, out: Path) -> dict[str, Any]:
    fate = worked.fates[item]
    notebook = fate.notebook and fate.notebook.relative_to(out).as_posix()
    return {
        "name": item.name,
        "kind": "study" if item.page is None else "chapter",
        "study": item.study,
        "profile": item.profile,
        "parameters": item.point,
        "runs": len(item.runs),
        "status": fate.status,
        "seconds": round(fate.seconds, 1),
        "why": fate.why,
        "notebook": notebook,
    }


def write_summary(out: Path, about: dict[str, Any], drawings: Sequence[Drawing]) -> Path:
    """Write ``summary.json``, the charts and ``summary.html`` below ``out``; returns the last."""
    charts = []
    for drawing in drawings:
        name = f"charts/{drawing.study}-{drawing.parameter}.svg"
        write_atomically(out / name, drawing.svg.encode())
        charts.append({"study": drawing.study, "parameter": drawing.parameter, "file": name})
    told = about | {"charts": charts}
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(out / "summary.json", f"{text}\n".encode())
    html = out / "summary.html"
    write_atomically(html, page(told, [drawing.svg for drawing in drawings]).encode())
    return html
