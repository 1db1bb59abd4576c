"""Runs that two processes of ``torchrun`` train: one store, one writer, the results of one."""

import json
from pathlib import Path

import numpy as np
import pytest
from small_runs import robust_student
from two_at_once import torchrun

from kdlib.runs import Store, execute

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Where two processes have trained, and what both printed."""
    folder = tmp_path_factory.mktemp("together")
    return folder, torchrun(HERE / "execute_together.py", folder / "two", folder, beside=HERE)


@pytest.mark.slow
def test_two_processes_fill_a_store_as_one_does(printed):
    tmp_path, _ = printed
    (alone,) = execute([robust_student()], store=Store(tmp_path / "one"), jobs=1, device="cpu")
    shared = Store(tmp_path / "two")
    together = shared.finished(robust_student())
    assert list(shared.complaints()) == []
    assert {r.spec for r in shared.results()} == {r.spec for r in Store(tmp_path / "one").results()}
    for rank in (0, 1):
        logits = np.load(tmp_path / f"logits-{rank}.npy")
        np.testing.assert_array_equal(logits, together.logits("test"))
    np.testing.assert_allclose(alone.logits("test"), logits, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(alone.history, together.history, rtol=1e-4)
    assert (alone.environment["processes"], together.environment["processes"]) == (1, 2)
    first, second = (json.loads((tmp_path / f"touched-{r}.json").read_text()) for r in (0, 1))
    assert any("weights.safetensors" in line for line in first)
    assert [line for line in second if "/views/" not in line] == []
    assert "jobs = 2 is not allowed under torchrun" in (tmp_path / "refused-1").read_text()


@pytest.mark.slow
def test_of_two_processes_of_the_command_one_prints(printed):
    folder, said = printed
    assert said.count(f"{folder / 'two'}\n") == 1
