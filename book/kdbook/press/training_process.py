"""Trains the runs of studies: ``python -m kdbook.press.training_process PARENT < studies.json``."""

from __future__ import annotations

import json
import sys

from kdbook.chapters import study
from kdbook.shelf import lacking
from kdlib.errors import KdlibError
from kdlib.lifeline import end_with, interrupt_at_sigterm
from kdlib.options import exit_code
from kdlib.runs import RunSpec, execute


def main() -> None:
    """Train what studies, named with parameters on standard input, lack in shelf and store."""
    specs: list[RunSpec] = []
    try:
        for name, values in json.load(sys.stdin):
            asked = study(name).parse(**values)
            specs += asked.runs() if asked.trains else []
        execute(lacking(specs))
    except KdlibError as error:
        print(f"  training: {error}", file=sys.stderr)
    except KeyboardInterrupt as interruption:
        sys.exit(exit_code(interruption))


if __name__ == "__main__":
    interrupt_at_sigterm()
    end_with(int(sys.argv[1]), politely=True)  # the press: when that ends, so does this
    main()
