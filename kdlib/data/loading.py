"""``load``: one call for every data set, checked, split and kept in memory."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Generic, Self, TypeVar

import torch
from pydantic import Field, model_validator

from kdlib.data.class_subsets import select_classes
from kdlib.data.files import data_root
from kdlib.data.image_files import MAX_SIZE, MIN_SIZE
from kdlib.data.image_folders import PUBLISHED
from kdlib.data.longtail import refuse_second_tail, training_splits
from kdlib.data.sources import IMAGE_SIZE, DatasetName, read_source
from kdlib.data.split import Dataset, Source, Split, SplitWarning
from kdlib.validated import Frozen

DigestKey = tuple[str, float, int, str]


Kept = TypeVar("Kept", Source, Dataset)


class _Request(Frozen):
    name: DatasetName
    imbalance: float = Field(ge=1, le=1000)
    subset_seed: int = Field(ge=0, le=2**31 - 1)
    class_share: float = Field(gt=0, le=1)
    class_seed: int = Field(ge=0, le=2**31 - 1)
    image_size: int | None = Field(ge=MIN_SIZE, le=MAX_SIZE)

    @model_validator(mode="after")
    def _fits_the_set(self) -> Self:
        refuse_second_tail(self.name, self.imbalance)
        if self.image_size is not None and self.name not in PUBLISHED:
            raise ValueError(
                f"image_size = {self.image_size}: images of {self.name} have their own"
            )
        return self


def load(
    name: str,
    *,
    imbalance: float = 1.0,
    subset_seed: int = 0,
    class_share: float = 1.0,
    class_seed: int = 0,
    image_size: int | None = None,
    root: Path | str | None = None,
    download: bool = True,
    progress: bool = True,
) -> Dataset:
    """A data set with its splits, long-tailed where asked.

    Validation and test depend on the kept classes only. Which examples a
    long-tailed set keeps depends on ``subset_seed`` only, and a larger imbalance keeps a subset of
    what a smaller one keeps. The last few data sets stay in memory and are shared by their
    callers: clone a tensor before writing to it.

    Args:
        name: ``digits``, ``fashion_mnist``, ``cifar10``, ``cifar100``; or, where their images lie
            in folders (``kdlib.data.image_folders``), ``imagenet``, ``imagenet_lt``,
            ``inaturalist2018`` or ``tinyimagenet``. TinyImageNet-LT is the last at imbalance 83,
            ImageNet-100 the first at class share 0.1.
        imbalance: largest over smallest class size of the training split, 1 to 1000; 1 for a set
            that has a long tail of its own.
        subset_seed: which examples are kept and which go to dev, 0 to 2**31 - 1.
        class_share: share of the classes that are kept, at least two of them; above 0, at most 1.
        class_seed: which classes these are, 0 to 2**31 - 1.
        image_size: side in pixels at which images in files are shown, 32 to 1024; 224 when None.
            Other images have their own.
        root: data folder; ``KDLIB_DATA`` or the user's cache folder when None.
        download: fetch missing files through torchvision. ``digits`` needs none.
        progress: show a progress bar while downloading.

    Raises:
        SettingError: for an unknown name or a value out of range.
        DataError: for a missing, truncated or altered file, or a failed download. An image in a
            file is first opened when it is shown, and may raise it then.
    """
    request = _Request.parse(
        name=name,
        imbalance=imbalance,
        subset_seed=subset_seed,
        class_share=class_share,
        class_seed=class_seed,
        image_size=image_size,
    )
    folder, size = data_root(root), request.image_size or IMAGE_SIZE

    def source() -> Source:
        return _sources.get(
            (request.name, folder, size),
            lambda: read_source(request.name, folder, download, progress, size),
        )

    return _datasets.get((request, folder), lambda: _make(source(), request))


def _make(source: Source, request: _Request) -> Dataset:
    source = select_classes(source, request.class_share, request.class_seed)
    parts = training_splits(source.train, source.name, request.imbalance, request.subset_seed)
    dataset = Dataset(source.name, source.class_names, *parts, source.validation, source.test)
    _compare_with_record(dataset, request)
    return dataset


@cache
def recorded_digests() -> dict[DigestKey, tuple[int, str]]:
    """Sizes and index digests of known splits, by (name, imbalance, subset seed, split)."""
    text = files("kdlib.data").joinpath("split_digests.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {
        (name, float(imbalance), int(seed), split): (int(count), digest)
        for name, imbalance, seed, split, count, digest in rows
    }


def _compare_with_record(dataset: Dataset, request: _Request) -> None:
    """Random permutations could change with torch: notice it instead of training on other data."""
    if request.class_share < 1:
        return  # only whole data sets are recorded
    changed = [split.name for split in dataset.splits if not _as_recorded(split, request)]
    if changed:
        warnings.warn(
            f"{dataset.name}: {', '.join(changed)} differ from the recorded splits (torch "
            f"{torch.__version__}): results do not compare with recorded results",
            SplitWarning,
            stacklevel=6,  # the caller of ``load``
        )


def _as_recorded(split: Split, request: _Request) -> bool:
    key = (request.name, request.imbalance, request.subset_seed, split.name)
    found = (len(split), split.digest)
    return recorded_digests().get(key, found) == found


class _Memory(Generic[Kept]):
    """The last few values. One whose tensors were written to is not given out again."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[object, tuple[Kept, list[int]]] = OrderedDict()

    def get(self, key: object, make: Callable[[], Kept]) -> Kept:
        value, versions = self._kept.pop(key, (None, []))
        if value is None or _versions(value) != versions:
            with torch.inference_mode(False):  # inference tensors would count no writes
                value = make()
        self._kept[key] = value, _versions(value)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return value


def _versions(value: Source | Dataset) -> list[int]:
    """Torch counts the in-place writes to each tensor; files are only read."""
    return [
        tensor._version
        for split in value.splits
        for tensor in (split.images, split.labels, split.index)
        if isinstance(tensor, torch.Tensor)
    ]


_sources: _Memory[Source] = _Memory(2)
_datasets: _Memory[Dataset] = _Memory(4)
