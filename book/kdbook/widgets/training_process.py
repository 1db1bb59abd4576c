"""Trains runs for a panel: ``python -m kdbook.widgets.training_process PARENT < specs.json``."""

from __future__ import annotations

import json
import sys

from kdlib.errors import KdlibError
from kdlib.lifeline import end_with
from kdlib.runs import RunSpec, execute


def main() -> None:
    """Read the canonical forms of specs from standard input; train what the store lacks."""
    try:
        specs = [RunSpec.model_validate_json(text) for text in json.load(sys.stdin)]
        execute(specs, progress=False)
    except KdlibError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    end_with(int(sys.argv[1]))  # the kernel: when that ends, so does this
    main()
