"""Audit your own model: does the student harm classes or groups, how sure is that, what to try?

From predictions alone: ``kdlib.audit(labels, student, one_hot=...)`` gives a ``Report``. The
package can be called as its function ``audit``.
"""

import sys
from types import ModuleType
from typing import Any

from kdlib.audit.gate import Check, GateResult
from kdlib.audit.limits import Limit, parse_limit, read_limits
from kdlib.audit.report import Report
from kdlib.audit.run import audit

__all__ = ["Report", "audit"]


class _Callable(ModuleType):
    """This package, which can also be called."""

    def __call__(self, *values: Any, **named: Any) -> Report:
        return audit(*values, **named)


sys.modules[__name__].__class__ = _Callable
