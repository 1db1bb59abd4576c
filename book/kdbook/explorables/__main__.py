"""Writes the files that the explorables read: ``.venv/bin/python -m kdbook.explorables``.

Trains nothing: the front page's figure rests on the record of the study ``who_pays``.
"""

from __future__ import annotations

from pathlib import Path

from kdbook.explorables.digits import digits_file
from kdbook.explorables.who_pays import default_picture, tail_picture, who_pays_file
from kdbook.places import folder_to_record
from kdbook.records import book_record
from kdlib.files import write_atomically

FOLDER = Path("_static") / "explorables"


def main() -> None:
    """Write them into the checkout."""
    folder = folder_to_record().parents[1] / FOLDER
    record = book_record("who_pays", "quick")
    write_atomically(folder / "digits.json", digits_file().encode())
    write_atomically(folder / "who-pays.json", who_pays_file(record).encode())
    write_atomically(folder / "who-pays.png", tail_picture())
    default_picture(record).save(folder / "who-pays.svg")
    print(f"wrote {folder}")


if __name__ == "__main__":
    main()
