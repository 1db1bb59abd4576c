"""The worked example of Slurm, against a real Slurm of one node."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from one_node_slurm import one_node_slurm, reason_without_slurm

pytest.importorskip("dask_jobqueue", reason="NO SLURM: dask-jobqueue is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(reason_without_slurm()), reason=str(reason_without_slurm())),
]
EXAMPLE = Path(__file__).parents[2] / "examples/slurm.py"


def test_a_study_is_trained_by_jobs_of_slurm(tmp_path):
    (tmp_path / "slurm").mkdir()
    small = ("-p", "epochs=2", "-p", "teacher_epochs=2", "--device", "cpu", "--yes")
    study = ("first_principles", *small, "--store", tmp_path / "store", "--out", tmp_path / "out")
    reproduce = "from kdbook.reproduce_command import reproduce; reproduce()"
    command = [sys.executable, "-c", reproduce, *map(str, study)]
    options = ["--jobs", "2", "--memory", "1GB", "--walltime", "00:10:00", "--partition", "main"]
    with one_node_slurm(tmp_path / "slurm") as environment:
        done = subprocess.run(
            [sys.executable, EXAMPLE, *options, "--", *command],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "out/summary.json").read_text())
    assert told["runs"]["trained"] == 3 and told["runs"]["failed"] == []
    logs = list((tmp_path / "slurm-logs").iterdir())
    assert len(logs) >= 2  # one for each job
