"""``kdlib audit``: the report and the gate, from files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kdlib.errors import KdlibError, SettingError
from kdlib.options import FILE

if TYPE_CHECKING:
    from kdlib.audit import GateResult, Report

WRONG_INPUT = 3
"""The exit code of wrong input or usage: 1 and 2 are answers of the gate."""
_ROLES = ("one_hot", "teacher", "baseline")


class _Command(click.Command):
    """A command whose own mistakes never look like an answer of the gate."""

    def make_context(self, *values: Any, **named: Any) -> click.Context:
        try:
            return super().make_context(*values, **named)
        except click.UsageError as error:
            raise _as_wrong_input(error) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KdlibError, OSError) as error:
            if isinstance(error, OSError) and error.filename is None:  # a closed pipe
                raise
            raise _as_wrong_input(click.ClickException(str(error))) from error


def _as_wrong_input(error: click.ClickException) -> click.ClickException:
    vars(error)["exit_code"] = WRONG_INPUT
    return error


@click.command(cls=_Command)
@click.argument("data", type=str, required=False)
@click.option("--labels", metavar="FILE[:FIELD]", help="True classes, 0 to L-1.")
@click.option("--student", multiple=True, metavar="FILE[:FIELD]",
              help="Scores [N, L] of the distilled student; again for each seed.")  # fmt: skip
@click.option("--one-hot", multiple=True, metavar="FILE[:FIELD]",
              help="Of a student of the labels alone; again for each seed.")  # fmt: skip
@click.option("--teacher", multiple=True, metavar="FILE[:FIELD]", help="Of the teacher.")
@click.option("--baseline", multiple=True, metavar="FILE[:FIELD]",
              help="Of any other model to compare with, such as the old release.")  # fmt: skip
@click.option("--groups", metavar="FILE", help="Columns of groups, one row per example.")
@click.option("--cross", multiple=True, metavar="COLUMN,COLUMN",
              help="Columns whose combinations are groups too; may be repeated.")  # fmt: skip
@click.option("--class-names", metavar="FILE", help="A .txt file, a name per line; or FILE:FIELD.")
@click.option("--train-counts", metavar="FILE[:FIELD]", help="Training examples of each class.")
@click.option("--dev-labels", metavar="FILE[:FIELD]", help="Labels of dev examples.")
@click.option("--dev-teacher", metavar="FILE[:FIELD]", help="The teacher's scores on them.")
@click.option("--scores", default="auto", show_default=True,
              type=click.Choice(["auto", "logits", "probabilities"]))  # fmt: skip
@click.option("--confidence", type=float, default=0.95, show_default=True)
@click.option("--tolerance", type=float, default=1.0, show_default=True,
              help="Loss in points that the finding calls none.")  # fmt: skip
@click.option("--gate", "limits", multiple=True, metavar="LIMIT",
              help="Such as worst-class:-1.0 or group=sex=Female:-2; may be repeated.")  # fmt: skip
@click.option("--limits", "limit_file", type=FILE, help="A TOML file with more limits.")
@click.option("--undecided", type=click.Choice(["2", "0", "1"]), default="2", show_default=True,
              help="The exit code where the data cannot tell.")  # fmt: skip
@click.option("--html", type=FILE, help="Write the report as one page.")
@click.option("--json", "json_path", type=FILE, help="Write the report as JSON.")
@click.option("--junit", type=FILE, help="Write the gate as a JUnit file.")
def audit(data: str | None, **options: Any) -> None:
    """Does the student harm classes or groups, and how sure is that?

    DATA is a file with the fields labels, student, and one_hot, teacher or baseline (.npz,
    safetensors), or a table (.csv, .parquet) with the column labels and the columns student_0,
    student_1, ...; options name other files (.npy too). Scores are logits or probabilities. Nothing
    is unpickled.

    With --gate or --limits the exit code is 0 where a loss beyond the limits is excluded, 1 where
    it is established, 2 where the data cannot tell; 3 says that the input is wrong.
    """
    if options["junit"] and not (options["limits"] or options["limit_file"]):
        raise SettingError("--junit needs a gate: add --gate or --limits")
    report = _report(data, options)
    gate = None
    if options["limits"] or options["limit_file"]:
        gate = report.gate(*options["limits"], file=options["limit_file"])
    click.echo(report.text())
    _write(report, gate, options)
    if gate is not None:
        click.echo(gate.text())
        raise SystemExit(_exit_code(gate, int(options["undecided"])))


def _exit_code(gate: GateResult, undecided: int) -> int:
    return undecided if gate.status == "cannot tell" else gate.exit_code


def _write(report: Report, gate: GateResult | None, options: dict[str, Any]) -> None:
    from kdlib.audit.exports import junit_of
    from kdlib.files import write_atomically

    if options["html"]:
        report.html(options["html"], gate)
    if options["json_path"]:
        report.json(options["json_path"], gate)
    if options["junit"] and gate is not None:
        write_atomically(options["junit"], junit_of(gate, options["undecided"] != "0").encode())


def _report(data: str | None, options: dict[str, Any]) -> Report:
    from kdlib.audit.from_files import audit_files

    named = {role: list(options[role]) for role in ("student", *_ROLES)}
    single = ("labels", "groups", "class_names", "train_counts", "dev_labels", "dev_teacher")
    named |= {role: [options[role]] for role in single if options[role]}
    return audit_files(
        data,
        {role: texts for role, texts in named.items() if texts},
        cross=[_columns(text) for text in options["cross"]],
        scores=options["scores"],
        confidence=options["confidence"],
        tolerance=options["tolerance"],
    )


def _columns(text: str) -> Sequence[str]:
    return [name.strip() for name in text.split(",")]
