"""Processes that end with the one that started them. With real processes and real signals."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

CHILD = (
    "import os, sys, time; from kdlib import lifeline\n"
    "lifeline._POLL = 0.05\n"
    "lifeline.end_with(int(sys.argv[1]), politely=sys.argv[2] == 'True')\n"
    "print('up', flush=True)\n"
    "time.sleep(600)"
)
PARENT = (
    "import os, subprocess, sys\n"
    "p = subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid()), sys.argv[2]],"
    " stdout=subprocess.PIPE); p.stdout.readline(); print(p.pid, flush=True); p.wait()"
)


def start(child=CHILD, politely=False):
    """A process with a child that watches it, and the child's number."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, child, str(politely)], stdout=subprocess.PIPE, text=True
    )
    return parent, psutil.Process(int(parent.stdout.readline()))


def is_gone(process, seconds=15):
    """Whether it ends within that time."""
    deadline = time.monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            process.kill()
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_child_ends_with_its_parent_however_that_ends(number):
    parent, child = start()
    parent.send_signal(number)
    parent.wait()
    assert is_gone(child)


def test_a_child_stays_while_its_parent_lives():
    parent, child = start()
    time.sleep(0.4)  # it has looked several times
    assert child.is_running() and child.status() != psutil.STATUS_ZOMBIE
    parent.kill()
    parent.wait()
    assert is_gone(child)


def test_a_child_that_has_others_to_end_is_asked_first(tmp_path):
    said = tmp_path / "said"
    tidy = (
        "import os, pathlib, signal\n"
        f"def end(*_): pathlib.Path({str(said)!r}).write_text('ended'); os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
    )
    parent, child = start(tidy + CHILD, politely=True)
    parent.kill()
    parent.wait()
    assert is_gone(child) and said.read_text() == "ended"


ENDS = (
    "import logging, signal, sys, time, warnings; from kdlib.lifeline import interrupt_at_sigterm\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "interrupt_at_sigterm()\n"
    "try: print('up', flush=True); time.sleep(600)\n"
    "except KeyboardInterrupt as error: name = type(error).__name__\n"
    "logging.error('cut off'); warnings.warn('not closed')\n"
    "signal.raise_signal(signal.SIGTERM); print(name)\n"
)


@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGTERM, "Terminated"), (signal.SIGINT, "KeyboardInterrupt")],
)
def test_a_signal_interrupts_once_and_libraries_say_nothing_of_it(number, name):
    ends = subprocess.Popen(
        [sys.executable, "-c", ENDS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert ends.stdout.readline() == "up\n"
    ends.send_signal(number)
    assert ends.communicate(timeout=15) == (f"{name}\n", "")
    assert ends.returncode == 0


def test_an_ignored_interruption_stays_ignored():
    code = "signal.signal(signal.SIGINT, signal.SIG_IGN); interrupt_at_sigterm()\n"
    asked = "print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    begin = "import signal; from kdlib.lifeline import interrupt_at_sigterm\n"
    said = subprocess.check_output([sys.executable, "-c", begin + code + asked], text=True)
    assert said == "True\n"
