import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from kdlib.data import NAMES, SplitWarning, load, loading, recorded_digests
from kdlib.data.image_folders import PUBLISHED
from kdlib.errors import DataError, KdlibError, SettingError


def test_digits_splits():
    digits = load("digits")
    assert [len(split) for split in digits.splits] == [900, 720, 180, 200, 697]
    assert digits.train.class_counts.tolist() == [90] * 10
    assert digits.validation.class_counts.tolist() == [20] * 10
    assert (digits.num_classes, digits.channels, digits.image_size) == (10, 1, 8)
    assert digits.class_names == tuple("0123456789")


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    theirs, ours = load_digits(), load("digits")
    expected = np.round(theirs.images * 255 / 16).astype(np.uint8)
    for split in (ours.train, ours.validation, ours.test):
        assert np.array_equal(split.images[:, 0].numpy(), expected[split.index.numpy()])
        assert np.array_equal(split.labels.numpy(), theirs.target[split.index.numpy()])


def test_digits_splits_share_no_row():
    digits = load("digits")
    rows = torch.cat([digits.train.index, digits.validation.index, digits.test.index])
    assert torch.equal(rows.sort().values, torch.arange(1797))


def test_long_tail_leaves_validation_and_test_alone():
    first, second = load("digits"), load("digits", imbalance=20, subset_seed=3)
    assert first.validation.digest == second.validation.digest
    assert first.test.digest == second.test.digest
    assert second.train.class_counts.tolist() == [90, 64, 46, 33, 23, 17, 12, 8, 6, 4]
    assert second.dev.class_counts.tolist() == [20, 20, 20, 16, 11, 8, 6, 4, 3, 2]


def test_types_and_shapes():
    for split in load("digits", imbalance=5.5).splits:
        assert split.images.dtype == torch.uint8 and split.images.shape[1:] == (1, 8, 8)
        assert split.labels.dtype == split.index.dtype == torch.int64
        assert len(split) == len(split.images) == len(split.labels) == len(split.index)


def test_split_moves_to_a_device_and_keeps_its_index():
    split = load("digits").dev
    moved = split.to("meta")
    assert moved.images.device.type == moved.labels.device.type == "meta"
    assert moved.index is split.index and moved.name == "dev"
    assert moved.digest == split.digest


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"name": "mnist"}, "digits, fashion_mnist, cifar10, cifar100"),
        ({"name": "digits", "imbalance": 0.99}, "imbalance = 0.99"),
        ({"name": "digits", "imbalance": 1000.5}, "imbalance = 1000.5"),
        ({"name": "digits", "imbalance": float("nan")}, "imbalance = nan"),
        ({"name": "digits", "imbalance": "many"}, "imbalance = 'many'"),
        ({"name": "digits", "subset_seed": -1}, "subset_seed = -1"),
        ({"name": "digits", "subset_seed": 2**31}, "subset_seed = 2147483648"),
        ({"name": "digits", "subset_seed": 0.5}, "subset_seed = 0.5"),
    ],
)
def test_wrong_values_are_refused_in_one_line(values, named):
    with pytest.raises(SettingError) as caught:
        load(**values)
    assert named in str(caught.value) and "\n" not in str(caught.value)
    assert isinstance(caught.value, KdlibError)


def test_same_request_shares_memory():
    assert load("digits", imbalance=20) is load("digits", imbalance=20.0)


@pytest.mark.parametrize("part", ["train", "dev", "test"])
@pytest.mark.parametrize("imbalance", [1, 20])
def test_a_caller_who_writes_to_a_tensor_spoils_it_for_nobody_else(part, imbalance):
    getattr(load("digits", imbalance=imbalance), part).images.fill_(7)
    for again in (1, 20):
        images = getattr(load("digits", imbalance=again), part).images
        assert images.float().std() > 50


def test_loading_in_inference_mode_gives_plain_tensors():
    with torch.inference_mode():
        assert not load("digits").train.images.is_inference()


def test_only_the_last_few_stay_in_memory():
    for seed in range(6):
        load("digits", imbalance=2, subset_seed=seed)
    assert len(loading._datasets._kept) == 4


def test_memory_tells_roots_apart(tmp_path, small_cifar, cifar_writer):
    cifar_writer(small_cifar, tmp_path / "first")
    load("cifar10", root=tmp_path / "first", download=False)
    with pytest.raises(DataError, match="second"):
        load("cifar10", root=tmp_path / "second", download=False)


def test_variable_names_the_root(tmp_path, small_cifar, cifar_writer, monkeypatch):
    cifar_writer(small_cifar, tmp_path)
    monkeypatch.setenv("KDLIB_DATA", str(tmp_path))
    assert len(load("cifar10", download=False).train) == 400


def test_halves_of_the_official_test_set(tmp_path, small_cifar, cifar_writer):
    cifar_writer(small_cifar, tmp_path)
    data = load("cifar10", root=tmp_path, imbalance=4)
    assert data.validation.class_counts.tolist() == data.test.class_counts.tolist() == [3] * 10
    both = torch.cat([data.validation.index, data.test.index]).sort().values
    assert torch.equal(both, torch.arange(60))
    assert data.train.class_counts.tolist()[::9] == [40, 10]


def test_a_split_that_is_not_the_recorded_one_warns(monkeypatch):
    key = ("digits", 1.0, 0, "dev")
    monkeypatch.setattr(loading, "recorded_digests", lambda: {key: (180, "0" * 16)})
    with pytest.warns(SplitWarning, match="digits: dev differ") as caught:
        load("digits")
    assert caught[0].filename == __file__


def check_digests(name, imbalance, root=None):
    data = load(name, imbalance=imbalance, root=root, download=False)
    for split in data.splits:
        assert recorded_digests()[name, imbalance, 0, split.name] == (len(split), split.digest)


@pytest.mark.parametrize("imbalance", [1, 20])
def test_recorded_digests_of_digits(imbalance):
    check_digests("digits", imbalance)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_recorded_digests_of_cifar(name, real_root):
    for imbalance in (1, 100):
        check_digests(name, imbalance, real_root)


@pytest.mark.real_data
def test_recorded_digests_of_fashion_mnist(fashion_root):
    for imbalance in (1, 100):
        check_digests("fashion_mnist", imbalance, fashion_root)


def test_every_data_set_has_recorded_digests():
    # Images in folders are not here to record: their numbers are compared with the published ones.
    assert {key[0] for key in recorded_digests()} == set(NAMES) - set(PUBLISHED)
    assert len(recorded_digests()) == 4 * 2 * 5


SCRIPT = """
import sys, time, torch
import kdlib.data
start = time.perf_counter()
kdlib.data.load("digits", imbalance=20)
assert time.perf_counter() - start < 0.9, time.perf_counter() - start
assert not {"torchvision", "sklearn"} & set(sys.modules), "imported too much"
"""


def test_digits_load_quickly_without_torchvision_or_scikit_learn():
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
