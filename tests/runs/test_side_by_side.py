"""Threads that train side by side, here without streams: the same bits, each run once."""

import threading
from importlib import import_module

import pytest
import torch
from safetensors.torch import load_file
from small_runs import distilled, one_hot

from kdlib.errors import SettingError
from kdlib.runs import Store, execute
from kdlib.runs.side_by_side import on_streams
from kdlib.runs.train_one import train_one
from kdlib.training import steps


def weights(spec, store):
    return load_file(store.folder(spec) / "weights.safetensors")


@pytest.mark.parametrize("step", ["eager", "captured"])
def test_threads_train_to_the_bits_of_one_after_the_other(tmp_path, monkeypatch, step):
    monkeypatch.setattr(steps, "chosen_step", lambda job, asked: step)
    specs = [one_hot(seed) for seed in range(3)] + [distilled(seed) for seed in range(3)]
    alone, together = Store(tmp_path / "alone"), Store(tmp_path / "together")
    execute(specs, store=alone, jobs=1, progress=False)
    execute({spec.teacher for spec in specs if spec.teacher}, store=together, progress=False)

    def train(stack):
        train_one(stack[0], together, device="cpu", threads=1)

    assert sum(on_streams([[spec] for spec in specs], train, "cpu", 4)) == len(specs)
    for spec in specs:
        pairs = zip(weights(spec, alone).items(), weights(spec, together).items(), strict=True)
        assert all(a == b and torch.equal(one, two) for (a, one), (b, two) in pairs)


def test_as_many_train_at_once_as_there_are_jobs_and_an_error_ends_it():
    both, started = threading.Barrier(2, timeout=60), []

    def train(stack):
        started.append(stack[0])
        if len(started) <= 2:
            both.wait()
            raise SettingError(f"run {stack[0]} failed")

    with pytest.raises(SettingError, match="failed"):
        list(on_streams([[number] for number in range(50)], train, "cpu", 2))
    assert len(started) < 50


def test_execute_takes_threads_on_a_gpu(tmp_path, monkeypatch):
    executing, store = import_module("kdlib.runs.execute"), Store(tmp_path)
    specs = [one_hot(seed) for seed in range(2)]

    def trained_here(stacks, train, device, jobs):
        assert (device, jobs) == ("cuda", 2)
        for [spec] in stacks:
            train_one(spec, store, device="cpu", threads=1)
            yield 1

    monkeypatch.setattr(executing, "chosen_device", lambda device: "cuda")
    monkeypatch.setattr(executing.processes, "join", lambda device: None)
    monkeypatch.setattr(executing, "on_streams", trained_here)
    found = execute(specs, store=store, jobs=2, progress=False)
    assert [result.spec for result in found] == specs
