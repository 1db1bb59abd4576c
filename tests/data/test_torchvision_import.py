import subprocess
import sys

import pytest

from kdlib.data import torchvision_import


def test_gives_the_data_sets():
    module = torchvision_import.datasets()
    assert module.CIFAR10.__name__ == "CIFAR10"
    assert module is torchvision_import.datasets()


def test_other_failures_are_passed_on(monkeypatch):
    def fail(name):
        raise RuntimeError("something else")

    monkeypatch.setattr(torchvision_import.importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="something else"):
        torchvision_import.datasets()


def test_missing_operators_are_defined_once_and_the_import_tried_again(monkeypatch):
    tries, defined = [], []

    def import_module(name):
        tries.append(name)
        if not defined:
            raise RuntimeError("operator torchvision::nms does not exist")
        return "module"

    monkeypatch.setattr(torchvision_import.importlib, "import_module", import_module)
    monkeypatch.setattr(torchvision_import, "_define_operators", lambda: defined.append(1))
    assert torchvision_import.datasets() == "module"
    assert len(tries) == 2 and defined == [1]


def test_transforms_work_after_the_import():
    script = """
from kdlib.data.torchvision_import import datasets
datasets()
import torch
from torchvision.transforms import v2
assert v2.CenterCrop(2)(torch.zeros(1, 4, 4)).shape == (1, 2, 2)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
