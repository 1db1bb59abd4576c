"""Trains the runs of studies: ``python -m kdlib.press.training_process < studies.json``."""

from __future__ import annotations

import json
import sys

from kdlib.errors import KdlibError
from kdlib.runs import execute
from kdlib.studies import study


def main() -> None:
    """Read pairs of study and parameters from standard input; train what the store lacks."""
    specs = []
    try:
        for name, values in json.load(sys.stdin):
            module = study(name)
            specs += module.runs(module.Settings.parse(**values))
        execute(specs)
    except KdlibError as error:
        print(f"  training: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
