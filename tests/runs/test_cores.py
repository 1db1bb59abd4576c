import os
from importlib import import_module

import pytest
from small_runs import one_hot

from kdlib.models import ModelSpec
from kdlib.runs import DataSpec
from kdlib.runs.execute import cores, threads_for, workers_for


def test_a_chapter_keeps_to_its_share_of_the_cores(monkeypatch):
    # joblib heeds this variable only where nobody names a number of workers.
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT")
    assert 1 <= cores() <= os.cpu_count()
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert cores() == 1


@pytest.mark.parametrize("number", [1, 6])
def test_workers_and_threads_stay_within_the_cores(monkeypatch, number):
    monkeypatch.setattr(import_module("kdlib.runs.execute"), "cores", lambda: number)
    assert workers_for([one_hot()] * 1000, "cpu", None) == number
    assert workers_for([one_hot()], "cpu", None) == 1
    large = one_hot().model_copy(
        update={"data": DataSpec(name="cifar100"), "model": ModelSpec(depth=20)}
    )
    assert workers_for([large] * 1000, "cpu", None) == 1
    assert (threads_for(large, 1), threads_for(large, 2)) == (number, max(1, number // 2))
    assert threads_for(one_hot(), 1) == 1
