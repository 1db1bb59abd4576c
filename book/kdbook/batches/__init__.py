"""Batches: chapters and studies over a grid of parameters, planned, run and summed up."""

from __future__ import annotations

from kdbook.batches.grid import Grid, parse_grid
from kdbook.batches.items import Item, chosen_items
from kdbook.batches.plan import Plan, make_plan
from kdbook.batches.summary import write_summary
from kdbook.batches.work import Fate, Worked, run_batch

__all__ = [
    "Fate",
    "Grid",
    "Item",
    "Plan",
    "Worked",
    "chosen_items",
    "make_plan",
    "parse_grid",
    "run_batch",
    "write_summary",
]
