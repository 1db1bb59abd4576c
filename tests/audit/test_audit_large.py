"""Many examples of a hundred classes, in bounds of memory and time."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

EXAMPLES, CLASSES, REPEATED = 200_000, 100, 10
GIGABYTES, SECONDS = 1, 12
"""A fifth of 4 GB and a minute, which a million examples may take; packages take 0.2 GB of it."""
CODE = """
import json, resource, sys
from kdlib.audit.from_files import audit_files
report = audit_files(sys.argv[1], {})
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "gigabytes": used.ru_maxrss / 1e6,
    "seconds": used.ru_utime + used.ru_stime,
    "examples": report.examples,
    "student": report.overall["student"][0],
}))
"""


def write_npz(path):
    """Logits in half precision, written a block at a time."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, EXAMPLES)
    tables = {}
    for role in ("student", "one_hot"):
        table = np.empty((EXAMPLES, CLASSES), np.float16)
        for rows in np.array_split(np.arange(EXAMPLES), 20):
            table[rows] = rng.standard_normal((len(rows), CLASSES), np.float32)
            table[rows, labels[rows]] += 3
        tables[role] = table
    right = np.mean(tables["student"].argmax(axis=1) == labels)
    np.savez(path, labels=labels, **tables)
    return 100 * right


def write_csv(path):
    """The same rows of text ten times, of three models."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, EXAMPLES // REPEATED)
    frame = pd.DataFrame({"labels": labels})
    for role in ("student", "one_hot", "teacher"):
        scores = rng.standard_normal((len(labels), CLASSES)) + 3 * np.eye(CLASSES)[labels]
        names = [f"{role}_{number}" for number in range(CLASSES)]
        frame = pd.concat([frame, pd.DataFrame(scores.round(4), columns=names)], axis=1)
    header, rows = frame.to_csv(index=False).split("\n", 1)
    with path.open("w") as stream:
        stream.write(header + "\n")
        for _ in range(REPEATED):
            stream.write(rows)
    chosen = frame.filter(like="student_").to_numpy().argmax(axis=1)
    return 100 * np.mean(chosen == labels)


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_npz, write_csv])
def test_memory_and_time_of_many_examples_are_bounded(tmp_path, write):
    path = tmp_path / f"large.{write.__name__.removeprefix('write_')}"
    expected = write(path)
    command = [sys.executable, "-c", CODE, str(path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    path.unlink()
    assert found["examples"] == EXAMPLES
    assert found["student"] == pytest.approx(expected)
    assert found["gigabytes"] < GIGABYTES
    assert found["seconds"] < SECONDS  # of the processor, so that a busy machine counts no more
