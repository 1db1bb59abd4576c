"""Published numbers beside recorded ones, with a verdict by rule: the reproduction matrix."""

from kdlib.audit.matrix import decided_after_holm, export, leading, reproduction, summary
from kdlib.audit.pages import matrix_html
from kdlib.audit.questions import AuditError, Question, questions
from kdlib.audit.verdicts import Measured, Printed, Verdict, judge

__all__ = [
    "AuditError",
    "Measured",
    "Printed",
    "Question",
    "Verdict",
    "decided_after_holm",
    "export",
    "judge",
    "leading",
    "matrix_html",
    "questions",
    "reproduction",
    "summary",
]
