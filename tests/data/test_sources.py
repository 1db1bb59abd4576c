import pickle
import struct

import numpy as np
import pytest
import torch

from kdlib.data import load, sources, torchvision_import
from kdlib.errors import DataError

RAN = []


class RunsWhenUnpickled:
    def __reduce__(self):
        return RAN.append, ("run",)


def test_only_published_bytes_are_unpickled(tmp_path, small_cifar, cifar_writer):
    small_cifar["data_batch_1"] = pickle.dumps(RunsWhenUnpickled())
    cifar_writer(small_cifar, tmp_path)
    with pytest.raises(DataError, match="data_batch_1"):
        load("cifar10", root=tmp_path)
    assert RAN == []


def test_cifar10_batches_follow_each_other(tmp_path, small_cifar, cifar_writer):
    cifar_writer(small_cifar, tmp_path)
    train = load("cifar10", root=tmp_path).train
    batches = [pickle.loads(small_cifar[f"data_batch_{number}"]) for number in range(1, 6)]
    images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    assert np.array_equal(train.images.numpy(), images)
    assert train.labels.tolist() == [label for batch in batches for label in batch["labels"]]


def test_idx_format():
    pixels = bytes(range(24))
    content = struct.pack(">BBBB3I", 0, 0, 8, 3, 2, 3, 4) + pixels
    assert torch.equal(sources._idx(content), torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4))


def test_digits_also_come_through_scikit_learn(monkeypatch):
    direct = sources._digits_table()
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    assert np.array_equal(direct, sources._digits_table())


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "theirs"), [("cifar10", "CIFAR10"), ("cifar100", "CIFAR100")])
def test_real_cifar_is_what_torchvision_reads(name, theirs, real_root):
    ours = load(name, root=real_root, download=False)
    for train, split in ((True, ours.train), (False, ours.test)):
        official = getattr(torchvision_import.datasets(), theirs)(str(real_root), train=train)
        images = torch.from_numpy(official.data[split.index.numpy()]).permute(0, 3, 1, 2)
        assert torch.equal(split.images, images)
        assert torch.equal(split.labels, torch.tensor(official.targets)[split.index])
        assert ours.class_names == tuple(official.classes)


@pytest.mark.real_data
def test_real_fashion_mnist(fashion_root):
    data = load("fashion_mnist", root=fashion_root, download=False)
    assert data.train.images.shape == (60_000, 1, 28, 28)
    assert data.train.class_counts.tolist() == [6000] * 10
    assert data.test.class_counts.tolist() == data.validation.class_counts.tolist() == [500] * 10


def test_fashion_mnist_class_names_are_those_of_torchvision():
    theirs = torchvision_import.datasets().FashionMNIST.classes
    assert list(sources.FASHION_CLASSES) == theirs


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_real_cifar_damaged(name, real_root, tmp_path):
    source = real_root / "cifar-100-python"
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for file in ("train", "test", "meta"):
        (folder / file).symlink_to(source / file)
    (folder / name).unlink()
    (folder / name).write_bytes((source / name).read_bytes()[:1000])
    with pytest.raises(DataError, match=f"{name} is truncated"):
        load("cifar100", root=tmp_path)
