"""How many trainings run at once."""

from importlib import import_module

import pytest
from small_runs import one_hot

from kdlib.errors import SettingError

executing = import_module("kdlib.runs.execute")
SPECS = [one_hot(seed) for seed in range(3)]


def test_a_gpu_trains_one_after_the_other():
    assert executing.workers_for(SPECS, "cuda", None) == 1
    assert executing.workers_for(SPECS, "cuda", 8) == 1


def test_a_cpu_takes_as_many_as_asked():
    assert executing.workers_for(SPECS, "cpu", 2) == 2


def test_torchrun_takes_no_jobs(monkeypatch):
    monkeypatch.setattr(executing.processes, "count", lambda: 2)
    assert executing.workers_for(SPECS, "cpu", None) == 1
    with pytest.raises(SettingError, match="jobs = 4 is not allowed under torchrun"):
        executing.workers_for(SPECS, "cpu", 4)


@pytest.mark.parametrize("jobs", [0, -1])
def test_fewer_than_one_job_is_refused(jobs):
    with pytest.raises(SettingError, match=f"jobs = {jobs} is not allowed: at least 1"):
        executing.workers_for(SPECS, "cpu", jobs)
