"""Recorded tables held against the store: recomputed from logits, and traced to their runs."""

from __future__ import annotations

from kdbook.verification.checked import Checked, Difference
from kdbook.verification.recorded import check_block, check_record
from kdbook.verification.shelves import Shelves
from kdbook.verification.tracing import trace_block, trace_record

__all__ = [
    "Checked",
    "Difference",
    "Shelves",
    "check_block",
    "check_record",
    "trace_block",
    "trace_record",
]
