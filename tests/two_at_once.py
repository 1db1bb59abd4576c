"""Start what a test asks two processes to do."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def started_torchrun(*command, beside=ROOT):
    """Two processes of ``command``, which may import from the folder ``beside``; just started."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = [str(beside), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, *launcher, *map(str, command)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def torchrun(*command, beside=ROOT):
    """What two processes of ``command`` printed, after they have ended well."""
    with started_torchrun(*command, beside=beside) as process:
        try:
            said, complained = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 0, complained
    return said
