import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from kdlib.data import loading, sources
from kdlib.data.files import OfficialFile


@pytest.fixture
def real_root():
    """The folder with real CIFAR-10 and CIFAR-100, from KDLIB_DATA."""
    if not os.environ.get("KDLIB_DATA"):
        pytest.skip("KDLIB_DATA is unset: nothing is tested on real CIFAR")
    return Path(os.environ["KDLIB_DATA"])


@pytest.fixture
def fashion_root():
    """A folder with Fashion-MNIST: KDLIB_DATA, or where Debian's package puts it."""
    for root in (os.environ.get("KDLIB_DATA"), "/usr/share/datasets/fashion-mnist"):
        if root and any(Path(root).glob("**/train-images-idx3-ubyte*")):
            return Path(root)
    pytest.skip("no Fashion-MNIST in KDLIB_DATA or from Debian: not tested on the real files")


@pytest.fixture(autouse=True)
def empty_memory(monkeypatch):
    """Every test loads afresh."""
    monkeypatch.setattr(loading, "_sources", loading._Memory(2))
    monkeypatch.setattr(loading, "_datasets", loading._Memory(4))


def _batch(seed: int, per_class: int) -> bytes:
    labels = [label for label in range(10) for _ in range(per_class)]
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    return pickle.dumps({"data": images, "labels": labels})


@pytest.fixture
def small_cifar(monkeypatch):
    """The bytes of a made-up CIFAR-10 (400 training, 60 test images) that counts as official."""
    contents = {f"data_batch_{number}": _batch(number, 8) for number in range(1, 6)}
    contents["test_batch"] = _batch(6, 6)
    contents["batches.meta"] = pickle.dumps({"label_names": list("abcdefghij")})
    files = tuple(
        OfficialFile("cifar-10-batches-py", name, len(content), hashlib.md5(content).hexdigest())
        for name, content in contents.items()
    )
    monkeypatch.setitem(sources._TORCHVISION_CLASSES, "cifar10", ("CIFAR10", files))
    monkeypatch.setattr(loading, "recorded_digests", dict)  # those are of the real set
    return contents


def write_cifar(contents: dict[str, bytes], root: Path) -> Path:
    """Lay the files out as torchvision does; the folder that holds them."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def cifar_writer():
    return write_cifar
