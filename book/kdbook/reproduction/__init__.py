"""Published numbers beside recorded ones, with a verdict by rule: the reproduction matrix."""

from kdbook.reproduction.blocks import all_records, block_records
from kdbook.reproduction.claim_pages import claims_html
from kdbook.reproduction.claims import claims_table
from kdbook.reproduction.levels import Level
from kdbook.reproduction.mapping import PAPERS
from kdbook.reproduction.matrix import export, leading, reproduction, summary
from kdbook.reproduction.on_cifar import on_cifar
from kdbook.reproduction.pages import matrix_html
from kdbook.reproduction.printed import Printed
from kdbook.reproduction.questions import AuditError, Question, questions
from kdbook.reproduction.verdicts import Measured, Verdict, judge

__all__ = [
    "PAPERS",
    "AuditError",
    "Level",
    "Measured",
    "Printed",
    "Question",
    "Verdict",
    "all_records",
    "block_records",
    "claims_html",
    "claims_table",
    "export",
    "judge",
    "leading",
    "matrix_html",
    "on_cifar",
    "questions",
    "reproduction",
    "summary",
]
