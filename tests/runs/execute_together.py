"""``torchrun execute_together.py STORE OUT``: train a robust teacher's student in all processes.

Writes into OUT what each process wrote in the store, and the test logits that it got back. At last
each process is the command ``kdlib store where``.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from small_runs import robust_student

from kdlib import cli
from kdlib.errors import KdlibError
from kdlib.runs import Store, execute


def main(root, out):
    rank, touched = os.environ["RANK"], []

    def note(event, arguments):
        """An audit hook: files and folders below the store that this process makes or changes."""
        if event == "open":
            changes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        else:
            changes = event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.truncate")
        if changes and str(arguments[0]).startswith(root):
            touched.append(f"{event} {arguments[0]}")

    sys.addaudithook(note)
    (result,) = execute([robust_student()], store=Store(root), device="cpu")
    np.save(out / f"logits-{rank}.npy", result.logits("test"))
    (out / f"touched-{rank}.json").write_text(json.dumps(touched))
    try:
        execute([robust_student().parents()[0], robust_student()], store=Store(root), jobs=2)
        other = robust_student().model_copy(update={"seed": 1})
        execute([other], store=Store(root), device="cpu", jobs=2)
    except KdlibError as error:
        (out / f"refused-{rank}").write_text(str(error))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
    sys.argv = ["kdlib", "store", "where", "--store", sys.argv[1]]
    cli.main()
