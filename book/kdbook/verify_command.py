"""``kdlib verify``: recorded tables made again from stored logits, and traced to their runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kdlib.errors import SettingError
from kdlib.names import choices
from kdlib.options import FILE, FOLDER

if TYPE_CHECKING:
    import pandas as pd

    from kdbook.verification import Checked, Shelves

_SHORT = ["record", "line", "run", "commit", "torch", "device", "source", "what"]


@click.command()
@click.argument("names", nargs=-1, metavar="[RECORD]...")
@click.option(
    "--trace", "traces", is_flag=True, help="Say where each recorded row comes from instead."
)
@click.option("--out", type=FILE, help="With --trace: write all of it, as CSV.")
@click.option(
    "--into", "folder", type=FOLDER, show_default="book/results", help="The folder of records."
)
@click.option(
    "--store", "roots", type=FOLDER, multiple=True,
    help="A store to look in; may be repeated  [default: KDLIB_STORE, else the user's cache]",
)  # fmt: skip
def verify(
    names: tuple[str, ...], traces: bool, out: Path | None, folder: Path | None,
    roots: tuple[Path, ...],
) -> None:  # fmt: skip
    """Make recorded tables again from the stored logits; say what differs, and what is missing.

    RECORD is the name of a CSV in book/results, or its beginning; all records where none is named.
    Trains nothing and changes nothing. Ends with 1 where a number differs.
    """
    from kdbook.places import records_folder
    from kdbook.verification import Shelves

    if out is not None and not traces:
        raise SettingError("--out writes what --trace finds: add --trace")
    paths = _chosen(records_folder(folder), names)
    shelves = Shelves(roots)
    if traces:
        _show_trace(paths, shelves, out)
        return
    _report([checked for path in paths for checked in _said(path, shelves)], shelves)


def _chosen(folder: Path, names: Sequence[str]) -> list[Path]:
    """The records' CSV files, those of evidence last."""
    from kdbook.evidence.blocks import BLOCKS

    blocks = [folder / "evidence" / f"block-{name}.csv" for name in BLOCKS]
    there = [*sorted(folder.glob("*.csv")), *(path for path in blocks if path.is_file())]
    for name in names:
        if not any(path.stem.startswith(name) for path in there):
            known = choices(name, (path.stem for path in there))
            raise SettingError(f"record {name!r} is not in {folder}: {known}")
    return [path for path in there if not names or path.stem.startswith(tuple(names))]


def _said(path: Path, shelves: Shelves) -> Iterator[Checked]:
    for checked in _checked(path, shelves):
        for line in checked.lines():
            click.echo(line)
        yield checked


def _checked(path: Path, shelves: Shelves) -> list[Checked]:
    from kdbook.evidence.blocks import BLOCKS
    from kdbook.evidence.records import read_block
    from kdbook.records import RecordError, read_record
    from kdbook.verification import Checked, check_block, check_record

    if path.parent.name != "evidence":
        try:
            return [check_record(read_record(path), shelves)]
        except RecordError as error:
            return [Checked(path.stem, 0, because=str(error), malformed=True)]
    name = path.stem.removeprefix("block-")
    found = read_block(path.parent, name)
    return check_block(BLOCKS[name], found, shelves) if found else []


def _report(found: Sequence[Checked], shelves: Shelves) -> None:
    rows, agree = sum(each.rows for each in found), sum(each.agree for each in found)
    differ = sum(each.differing for each in found)
    click.echo(
        f"{len(found)} tables, {rows:,} rows: {agree:,} agree, {differ:,} differ, "
        f"{rows - agree - differ:,} cannot be verified from {shelves}"
    )
    if any(each.is_wrong for each in found):
        raise SystemExit(1)


def _show_trace(paths: Sequence[Path], shelves: Shelves, out: Path | None) -> None:
    import pandas as pd

    from kdlib.files import write_atomically

    table = pd.concat([_trace(path, shelves) for path in paths], ignore_index=True).fillna("")
    if out is None:
        click.echo(table.reindex(columns=_SHORT, fill_value="").to_string(index=False))
        return
    write_atomically(out, table.to_csv(index=False, lineterminator="\n").encode())
    click.echo(f"{out}: {len(table):,} rows of {len(paths)} records")


def _trace(path: Path, shelves: Shelves) -> pd.DataFrame:
    from kdbook.evidence.blocks import BLOCKS
    from kdbook.evidence.records import read_block
    from kdbook.records import read_record
    from kdbook.verification import trace_block, trace_record

    if path.parent.name != "evidence":
        return trace_record(read_record(path), shelves)
    name = path.stem.removeprefix("block-")
    found = read_block(path.parent, name)
    assert found is not None, "the file was listed just now"
    return trace_block(BLOCKS[name], found[0], found[2], shelves)
