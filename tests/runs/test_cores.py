import os
import subprocess
import sys

from small_runs import one_hot

from kdlib.runs.execute import cores, default_jobs, threads_for

CODE = "from kdlib.runs.execute import cores; print(cores())"


def test_a_chapter_keeps_to_its_share_of_the_cores():
    # joblib heeds this variable only where nobody names a number of workers.
    shared = os.environ | {"LOKY_MAX_CPU_COUNT": "1"}
    run = subprocess.run([sys.executable, "-c", CODE], env=shared, capture_output=True, text=True)
    assert run.stdout.strip() == "1", run.stderr


def test_workers_and_threads_stay_within_the_cores():
    assert 1 <= cores() <= os.cpu_count()
    assert default_jobs([one_hot()] * 1000, "cpu") == cores()
    assert default_jobs([one_hot()], "cpu") == 1
    assert default_jobs([one_hot()] * 1000, "cuda") == 1
    assert threads_for(one_hot(), 1) == 1
