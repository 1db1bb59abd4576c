"""Published numbers beside recorded ones, with a verdict by rule: the reproduction matrix."""

from kdbook.reproduction.matrix import decided_after_holm, export, leading, reproduction, summary
from kdbook.reproduction.pages import matrix_html
from kdbook.reproduction.questions import AuditError, Question, questions
from kdbook.reproduction.verdicts import Measured, Printed, Verdict, judge

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
