"""Read each data set as it was published, and halve what is held out."""

from __future__ import annotations

import importlib.util
import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from kdlib.data.download import fetch_missing
from kdlib.data.files import (
    CIFAR10_FILES,
    CIFAR100_FILES,
    FASHION_MNIST_FILES,
    OfficialFile,
    read_verified,
)
from kdlib.data.image_files import Images
from kdlib.data.image_folders import PUBLISHED, read_folder_set
from kdlib.data.longtail import permuted_rows, select_rows
from kdlib.data.split import Source, Split

DatasetName = Literal[
    "digits",
    "fashion_mnist",
    "cifar10",
    "cifar100",
    "imagenet",
    "imagenet_lt",
    "inaturalist2018",
    "tinyimagenet",
]
IMAGE_SIZE = 224
"""Side in pixels at which images in files are shown, where nothing else is asked for."""
NAMES: tuple[str, ...] = get_args(DatasetName)
WITHOUT_OFFICIAL_TEST = ("digits",)
"""Sets whose held-out examples we drew ourselves; of others both halves are the official ones."""
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DIGITS_TRAIN, DIGITS_VALIDATION = 90, 20  # per class; the other 64 to 73 are the test split

_TORCHVISION_CLASSES: dict[str, tuple[str, tuple[OfficialFile, ...]]] = {
    "fashion_mnist": ("FashionMNIST", FASHION_MNIST_FILES),
    "cifar10": ("CIFAR10", CIFAR10_FILES),
    "cifar100": ("CIFAR100", CIFAR100_FILES),
}


def read_source(
    name: str, root: Path, download: bool, progress: bool, image_size: int = IMAGE_SIZE
) -> Source:
    """The data set ``name`` (one of ``NAMES``) at imbalance 1.

    ``image_size`` is that of images in files; others have their own.

    Raises:
        DataError: when a file is missing, truncated or altered, or a download fails.
    """
    if name == "digits":
        return _digits()
    if name in PUBLISHED:
        found = read_folder_set(name, root, image_size)
        return _official(name, found.class_names, found.train, found.held_out)
    dataset_class, files = _TORCHVISION_CLASSES[name]
    if download:
        fetch_missing(dataset_class, files, root, progress)
    return _fashion_mnist(root) if name == "fashion_mnist" else _cifar(name, files, root)


def _digits() -> Source:
    table = torch.from_numpy(_digits_table())
    labels = table[:, 64].long()
    images = (table[:, :64] * 255 / 16).round().to(torch.uint8).reshape(-1, 1, 8, 8)
    whole = Split("all", images, labels, torch.arange(len(labels)), 10)
    orders = permuted_rows(labels, 10, "held-out", "digits")
    start, stop = DIGITS_TRAIN, DIGITS_TRAIN + DIGITS_VALIDATION
    return Source(
        "digits",
        tuple("0123456789"),
        select_rows(whole, "train", [order[:start] for order in orders]),
        select_rows(whole, "validation", [order[start:stop] for order in orders]),
        select_rows(whole, "test", [order[stop:] for order in orders]),
    )


def _digits_table() -> np.ndarray:
    """scikit-learn's 1,797 scans, float64 ``[1797, 65]``: 64 pixels from 0 to 16, then the digit.

    Importing scikit-learn takes seconds; reading the table that it ships does not.
    """
    package = importlib.util.find_spec("sklearn")
    folders = package.submodule_search_locations if package else None
    path = Path((folders or ["."])[0]) / "datasets" / "data" / "digits.csv.gz"
    if path.is_file():
        return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.column_stack([digits.data, digits.target])


def _cifar(name: str, files: Sequence[OfficialFile], root: Path) -> Source:
    *batches, meta = files
    parts = [_cifar_batch(file, root) for file in batches]
    images = torch.cat([part[0] for part in parts[:-1]]) if len(parts) > 2 else parts[0][0]
    labels = torch.cat([part[1] for part in parts[:-1]])
    words = _unpickle(meta, root)
    names = words["label_names" if name == "cifar10" else "fine_label_names"]
    return _official(name, tuple(names), (images, labels), parts[-1])


def _cifar_batch(file: OfficialFile, root: Path) -> tuple[Tensor, Tensor]:
    batch = _unpickle(file, root)
    images = torch.from_numpy(batch["data"]).reshape(-1, 3, 32, 32)
    return images, torch.tensor(batch["labels" if "labels" in batch else "fine_labels"])


def _unpickle(file: OfficialFile, root: Path) -> dict[str, Any]:
    """A pickle can run code when it is read: only the published bytes come this far."""
    content = read_verified(file, root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # written by Python 2 and an old numpy
        return pickle.loads(content, encoding="latin1")


def _fashion_mnist(root: Path) -> Source:
    train_images, train_labels, test_images, test_labels = (
        _idx(read_verified(file, root)) for file in FASHION_MNIST_FILES
    )
    train = train_images[:, None], train_labels.long()
    test = test_images[:, None], test_labels.long()
    return _official("fashion_mnist", FASHION_CLASSES, train, test)


def _idx(content: bytes) -> Tensor:
    """Parse LeCun's IDX format: type, number of dimensions, their sizes, then bytes."""
    dimensions = content[3]
    start = 4 + 4 * dimensions
    shape = np.frombuffer(content[4:start], dtype=">u4").tolist()
    return torch.frombuffer(bytearray(content[start:]), dtype=torch.uint8).reshape(shape)


def _official(
    name: str,
    class_names: tuple[str, ...],
    train: tuple[Images, Tensor],
    test: tuple[Images, Tensor],
) -> Source:
    """The official training set, and the official test set in two stratified halves.

    Halving follows Wang et al. (2023); drawing the halves class by class is our choice: it gives
    both the same number of every class.
    """
    num_classes = len(class_names)
    whole = _whole("test", *test, num_classes)
    orders = permuted_rows(test[1], num_classes, "held-out", name)
    first = [order[: len(order) // 2] for order in orders]
    second = [order[len(order) // 2 :] for order in orders]
    return Source(
        name,
        class_names,
        _whole("train", *train, num_classes),
        select_rows(whole, "validation", first),
        select_rows(whole, "test", second),
    )


def _whole(name: str, images: Images, labels: Tensor, num_classes: int) -> Split:
    return Split(name, images, labels, torch.arange(len(labels)), num_classes)
