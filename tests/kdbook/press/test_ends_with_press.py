"""What a killed build leaves running: nothing. With real processes and signals."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from press_cells import code

pytestmark = [pytest.mark.chapters, pytest.mark.slow]
WAITS = code("import time", "open(size, 'w').close()", "time.sleep(600)")


def wait_for(condition, process):
    deadline = time.monotonic() + 200
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def under_way(tiny, tmp_path):
    """A build that runs a chapter, and the processes that it has started."""
    tiny.chapter("one", WAITS)
    up = tmp_path / "up"
    command = (sys.executable, "-m", "kdlib", "book", "build")
    process = subprocess.Popen(
        [*command, "--chapters", "one", "-p", f"size={up}"],
        cwd=tiny.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_for(up.exists, process)
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_chapters_and_kernels_end_with_a_killed_build(under_way, number):
    process, children = under_way
    assert len(children) >= 2  # the chapter's process and its kernel
    process.send_signal(number)
    process.wait()
    assert psutil.wait_procs(children, timeout=20)[1] == []


def test_an_interrupted_build_says_what_is_kept(under_way):
    process, children = under_way
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[0]
    assert process.returncode == 130 and "finished runs are kept" in said
    assert "Traceback" not in said
    assert psutil.wait_procs(children, timeout=20)[1] == []


def test_the_training_ahead_of_the_chapters_ends_with_its_parent(tmp_path):
    store = tmp_path / "store"
    long = {"imbalances": [20], "seeds": 2, "epochs": 10_000, "teacher_epochs": 10_000}
    start_it = (
        "import os, subprocess, sys; "
        "subprocess.run([sys.executable, '-m', 'kdbook.press.training_process', str(os.getpid())],"
        " input=sys.argv[1].encode())"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", start_it, json.dumps([["rare_classes", long]])],
        # With workers, where there are two cores.
        env=os.environ | {"KDLIB_STORE": str(store), "LOKY_MAX_CPU_COUNT": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for(lambda: list(store.glob("*/checkpoint.safetensors")), parent)
    children = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    assert psutil.wait_procs(children, timeout=20)[1] == []
