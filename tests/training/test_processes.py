"""Two processes of ``torchrun`` train as one does, on the same batches."""

import json
import time
from pathlib import Path

import psutil
import pytest
import torch
from made_images import write_imagenet
from safetensors.torch import load_file
from small_training import results
from two_at_once import started_torchrun, torchrun
from two_processes import exact_step, from_files, resident, uneven, with_multipliers

from kdlib.data.cores import cores
from kdlib.runs.train_one import torch_threads
from kdlib.training import processes

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_imagenet(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def out(tmp_path_factory, images):
    """What two processes came to."""
    folder = tmp_path_factory.mktemp("together")
    torchrun(HERE / "two_processes.py", folder, images, beside=HERE)
    return folder


def check_close(out, name, model, outcome, *, rtol=1e-4, atol=1e-5):
    """Both processes have one result; it is that of ``model``, up to rounding."""
    first, second = (load_file(out / f"{name}-{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[key], second[key]) for key in first)
    state = {key: tensor.contiguous() for key, tensor in model.state_dict().items()}
    torch.testing.assert_close(first, state, rtol=rtol, atol=atol)
    for rank in (0, 1):
        history = json.loads((out / f"{name}-{rank}.json").read_text())
        assert history == [pytest.approx(record, rel=rtol) for record in results(outcome)]


@pytest.mark.slow
def test_gradients_and_batch_statistics_are_those_of_the_whole_batch(out):
    expected = exact_step()
    for rank in (0, 1):
        found = load_file(out / f"exact-{rank}.safetensors")
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_two_processes_equal_one_on_images_in_memory(out):
    with torch_threads(1):
        check_close(out, "resident", *resident())


@pytest.mark.slow
def test_two_processes_equal_one_on_an_image_folder(out, images):
    with torch_threads(1):
        check_close(out, "files", *from_files(images))


@pytest.mark.slow
@pytest.mark.parametrize("measured_on", ["held_out", "training"])
def test_class_multipliers_move_as_in_one_process(out, measured_on):
    with torch_threads(1):
        model, outcome = with_multipliers(measured_on)
    check_close(out, measured_on, model, outcome)
    for rank in (0, 1):
        path = load_file(out / f"path-{measured_on}-{rank}.safetensors")
        assert len(path["steps"]) == 12
        torch.testing.assert_close(path, outcome.multipliers, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_two_processes_resume_what_two_began(out):
    with torch_threads(1):
        check_close(out, "resumed", *resident())
    assert not (out / "1.checkpoint").exists()  # the second process writes none


@pytest.mark.slow
def test_one_process_resumes_what_two_began(out, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    checkpoint.write_bytes((out / "kept").read_bytes())
    epochs = []
    with torch_threads(1):
        model, outcome = resident(
            checkpoint=checkpoint, checkpoint_every=2, on_epoch=lambda r: epochs.append(r["epoch"])
        )
    assert epochs == [5, 6]
    check_close(out, "resident", model, outcome)


@pytest.mark.slow
def test_a_batch_without_an_example_for_each_is_refused(out):
    for rank in (0, 1):
        complaint = (out / f"refused-{rank}").read_text()
        assert complaint == "a batch of 1 examples is too small for 2 processes"


@pytest.mark.slow
def test_parts_that_differ_in_size_count_by_it(out):
    with torch_threads(1):
        check_close(out, "uneven", *uneven())


def test_one_process_does_nothing_about_it():
    processes.join("cpu")
    model, rows = torch.nn.BatchNorm2d(2), torch.arange(5)
    assert processes.count() == 1
    assert processes.is_first()
    assert processes.together(model) is model
    assert processes.share(rows) is processes.gathered(rows) is processes.average(rows) is rows
    with pytest.raises(ZeroDivisionError):
        processes.from_first(lambda: 1 / 0)


def test_the_processes_of_a_machine_share_its_cores(monkeypatch):
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    monkeypatch.setattr("joblib.cpu_count", lambda: 9)
    assert cores() == 9
    for processes_here, share in (("2", 4), ("16", 1)):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes_here)
        assert cores() == share


WAITING = """
import pathlib, sys, time
from kdlib.training import processes
processes.join("cpu")
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""


@pytest.mark.slow
def test_its_processes_end_with_a_killed_torchrun(tmp_path):
    (tmp_path / "waiting.py").write_text(WAITING)
    with started_torchrun(tmp_path / "waiting.py", tmp_path / "up") as launcher:
        deadline = time.monotonic() + 200
        while not (tmp_path / "up").exists():
            assert launcher.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        children = psutil.Process(launcher.pid).children(recursive=True)
        launcher.kill()
        assert len(children) >= 2 and psutil.wait_procs(children, timeout=20)[1] == []
