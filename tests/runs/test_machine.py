"""What is kept of the machine that trained a run, and when runs of several machines mix."""

import json
import warnings

import pytest
import torch
from small_runs import one_hot

from kdlib.runs import Store, execute, machine
from kdlib.runs.machine import MixedMachinesWarning, mixed_machines, warn_of_mixed_machines
from kdlib.runs.run_files import finish, write_json


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two runs of one store."""
    store = Store(tmp_path_factory.mktemp("store"))
    return execute([one_hot(0), one_hot(1)], store=store, jobs=1, progress=False)


@pytest.fixture
def copies(results, tmp_path):
    """Makes copies of the two runs, the second one as if another machine had trained it."""

    def changed(**told):
        store = Store(tmp_path)
        for result, change in zip(results, ({}, told), strict=True):
            folder = store.folder(result.spec)
            folder.mkdir()
            for path in result.folder.iterdir():
                (folder / path.name).write_bytes(path.read_bytes())
            about = result.environment | change
            about = {key: value for key, value in about.items() if value is not None}
            write_json(folder / "environment.json", about)
            finish(folder)
        return list(store.results())

    return changed


@pytest.fixture
def fresh(monkeypatch):
    """As in a process that has not warned yet."""
    monkeypatch.setattr(machine, "_warned", [])


def test_a_run_keeps_its_processor_and_its_threads(results):
    told = results[0].environment
    assert told["threads"] == 1 and told["processor"] == machine.processor()
    assert machine.processor().endswith(torch.backends.cpu.get_cpu_capability())


def test_the_processor_is_told_by_name_and_numbers(tmp_path, monkeypatch):
    lines = ("processor\t: 0", "cpu family\t: 26", "model\t\t: 2", "model name\t: AMD EPYC", "")
    other = ("processor\t: 1", "cpu family\t: 6", "model\t\t: 9", "model name\t: Other")
    (tmp_path / "cpuinfo").write_text("\n".join([*lines, *other]))
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    told = machine.processor.__wrapped__()
    assert told.startswith("AMD EPYC, cpu family 26, model 2, ")
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "nowhere")
    assert machine.processor.__wrapped__()


@pytest.mark.parametrize(
    "told", [{"processor": "another"}, {"threads": 2}, {"device": "NVIDIA H100"}]
)
def test_runs_of_two_kinds_of_machine_are_a_mixture(copies, told, fresh):
    results = copies(**told)
    (kinds,) = mixed_machines(results).values()
    assert len(kinds) == 2
    with pytest.warns(MixedMachinesWarning, match="digits come from 2 kinds of machine"):
        warn_of_mixed_machines(results)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_mixed_machines(results)  # once per process is enough


@pytest.mark.parametrize("told", [{}, {"processor": None}, {"process": 7}])
def test_runs_of_one_kind_and_of_unknown_kind_are_none(copies, told, fresh):
    results = copies(**told)
    assert mixed_machines(results) == {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_mixed_machines(results)


def test_on_a_gpu_the_processor_and_threads_decide_nothing(copies):
    results = copies(device="NVIDIA H100")
    about = results[0].environment | {"device": "NVIDIA H100", "processor": "another"}
    assert machine.kind_of_machine(about) == "NVIDIA H100"


def test_a_store_that_mixes_machines_warns_whoever_asks_for_its_runs(copies, fresh):
    results = copies(processor="another")
    store = Store(results[0].folder.parent)
    with pytest.warns(MixedMachinesWarning, match="another, threads: 1"):
        execute([one_hot(0), one_hot(1)], store=store, progress=False)
    assert json.loads((store.folder(one_hot(0)) / "environment.json").read_text())["processor"]
