"""Kills and races, with real processes."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from small_runs import distilled, one_hot, recipe

from kdlib.errors import KdlibError
from kdlib.locks import held_if_free
from kdlib.runs import Store, execute
from kdlib.runs.run_files import CHECKPOINT

EPOCHS = 13  # of a student that is killed after 11; its teacher is trained before, for two
STUDENT = distilled().model_copy(update={"recipe": recipe(EPOCHS)})

SCRIPT = """
import logging, os, signal, sys
sys.path.insert(0, {here!r})
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
from test_faults import STUDENT, Store, execute
from kdlib.training.keeper import Keeper

def save_or_die(keeper, history, save=Keeper.save):
    save(keeper, history)
    if len(history) == {killed_after}:
        os.kill(os.getpid(), signal.SIGKILL)

Keeper.save = save_or_die
print("ready", flush=True)
sys.stdin.readline()
execute([STUDENT], store=Store({root!r}), jobs=1, progress=False)
"""


def start(root: Path, killed_after: int = 0) -> subprocess.Popen:
    """A process that is ready to train the student; it begins with its next line of input."""
    script = SCRIPT.format(
        here=str(Path(__file__).parent), root=str(root), killed_after=killed_after
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", script], **pipes, text=True)


def wait_for(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_and_started_again_gives_the_same_bits(tmp_path):
    killed, whole = Store(tmp_path / "killed"), Store(tmp_path / "whole")
    process = start(killed.root, killed_after=11)
    process.communicate("\n")
    assert process.returncode == -signal.SIGKILL
    checkpoint = killed.folder(STUDENT) / CHECKPOINT
    assert checkpoint.exists() and killed.get(STUDENT) is None

    for store in (killed, whole):
        execute([STUDENT], store=store, jobs=1, progress=False)
    for name in ("weights.safetensors", "logits.safetensors", "per_class.csv", "history.csv"):
        files = [store.folder(STUDENT) / name for store in (killed, whole)]
        assert files[0].read_bytes() == files[1].read_bytes(), name
    assert not checkpoint.exists()
    resumed = killed.finished(STUDENT).environment
    assert resumed["process"] == os.getpid() != process.pid


@pytest.mark.slow
def test_two_processes_that_want_the_same_run_train_it_once(tmp_path):
    processes = [start(tmp_path) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = "".join(process.communicate()[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert said.count("training ") == 2, said  # the teacher and the student


@pytest.mark.slow
def test_worker_processes_give_the_same_bits_as_one(tmp_path):
    specs = [one_hot(seed) for seed in range(3)]
    alone = execute(specs, store=Store(tmp_path / "alone"), jobs=1, progress=False)
    together = execute(specs, store=Store(tmp_path / "together"), jobs=2, progress=False)
    for first, second in zip(alone, together, strict=True):
        name = "weights.safetensors"
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


@pytest.mark.slow
def test_a_user_error_in_a_worker_arrives_as_one_line(tmp_path):
    specs = [one_hot(seed) for seed in range(2)]
    for spec in specs:
        (tmp_path / spec.id).write_text("a file where the run's folder belongs")
    with pytest.raises(KdlibError, match="cannot be kept") as error:
        execute(specs, store=Store(tmp_path), jobs=2, progress=False)
    assert "\n" not in str(error.value)


@contextmanager
def study_under_way(root, number, *, group=False):
    """Sends a signal to a study that trains in two workers; gives its workers and what it says."""
    long = (
        "--set",
        "imbalances=[20]",
        "--seeds",
        "2",
        "--set",
        "epochs=10000",
        "--set",
        "teacher_epochs=10000",
    )
    command = (sys.executable, "-m", "kdlib", "study", "run", "rare_classes", *long)
    process = subprocess.Popen(
        [*command, "--jobs", "2", "--store", root],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    children = []
    try:
        wait_for(lambda: len(list(root.glob("*/checkpoint.safetensors"))) == 2 or process.poll())
        children = psutil.Process(process.pid).children(recursive=True)
        (os.killpg if group else os.kill)(process.pid, number)
        said = process.communicate(timeout=60)[1]
        yield children, said, process.returncode
    finally:
        for one in [process, *children]:
            with suppress(psutil.NoSuchProcess):
                one.kill()


@pytest.mark.slow
def test_workers_end_with_a_killed_study_and_their_locks_are_free(tmp_path):
    with study_under_way(tmp_path, signal.SIGKILL) as (children, _, code):
        assert code == -signal.SIGKILL and len(children) >= 2
        assert psutil.wait_procs(children, timeout=15)[1] == []
    locks = list((tmp_path / "locks").iterdir())
    assert locks
    for lock in locks:
        with held_if_free(lock) as free:
            assert free


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGTERM, True)]
)
def test_a_study_that_is_stopped_says_so_in_one_line_and_no_more(tmp_path, number, group):
    with study_under_way(tmp_path, number, group=group) as (children, said, code):
        assert psutil.wait_procs(children, timeout=15)[1] == []
    assert code == 128 + number
    lines = [line for line in said.splitlines() if line and not line.startswith("training:")]
    assert lines == ["stopped: finished runs are kept; the same command goes on"]


LEAK = """
from joblib.externals.loky.backend import resource_tracker
from kdlib.runs.side_by_side import in_processes
assert sorted(in_processes(abs, [(-1,), (-2,)], jobs=2)) == [(0, 1), (1, 2)]
resource_tracker.register("/loky-gone", "semlock")
"""


@pytest.mark.slow
def test_what_a_cut_off_program_leaves_to_the_tracker_is_tidied_up_in_silence():
    done = subprocess.run([sys.executable, "-c", LEAK], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
