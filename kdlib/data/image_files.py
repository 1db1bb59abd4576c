"""Images too many to hold in memory: they stay in their files until a batch is shown.

``ImageFiles`` takes the place of a split's uint8 tensor. Selecting rows reads nothing;
``kdlib.data.views`` reads the files of a batch, side by side, and crops them. There is no loader
with state: what a row shows in an epoch follows from its view number alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from kdlib.data import torchvision_import
from kdlib.data.cores import cores
from kdlib.errors import DataError, SettingError
from kdlib.seeds import generator
from kdlib.validated import is_number

MIN_SIZE, MAX_SIZE = 32, 1024
SHORT_SIDE = 256 / 224
"""Short side of an image over the side of its central crop, in evaluation."""
AREA = (0.08, 1.0)
"""Area of a random crop as a share of the image (Szegedy et al. 2015)."""
RATIO = (3 / 4, 4 / 3)
"""Width over height of a random crop before it is resized."""

_SIXTEEN_BITS = ("PNG", "PPM")
"""Formats whose grey values never have more bits, also where Pillow keeps them in 32."""

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """N images in files, in the place of a uint8 tensor ``[N, 3, S, S]``.

    Attributes:
        root: the folder that holds them.
        names: their paths below ``root``, an object array ``[N]`` of str.
        size: S, the side in pixels of what is shown, 32 to 1024.
        device: where batches go once they are read.
    """

    root: Path
    names: np.ndarray
    size: int
    device: torch.device | str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root))
        object.__setattr__(self, "names", np.asarray(self.names, dtype=object))
        if not (is_number(self.size) and MIN_SIZE <= self.size <= MAX_SIZE):
            raise SettingError(
                f"image_size = {self.size!r} is not allowed: integer from {MIN_SIZE} to {MAX_SIZE}"
            )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shape(self) -> torch.Size:
        """As of the tensor: ``[N, 3, S, S]``."""
        return torch.Size((len(self), 3, self.size, self.size))

    def __getitem__(self, rows: Tensor) -> ImageFiles:
        """The images at ``rows`` (int64 ``[M]``), still in their files."""
        return replace(self, names=self.names[rows.cpu().numpy()])

    def to(self, device: torch.device | str) -> ImageFiles:
        """The same files, whose batches go to ``device``."""
        return replace(self, device=device)

    def split(self, size: int) -> Iterator[ImageFiles]:
        """Parts of at most ``size`` images, in order, still in their files."""
        for start in range(0, len(self), size):
            yield replace(self, names=self.names[start : start + size])

    def central(self) -> Tensor:
        """What evaluation sees: uint8 ``[N, 3, S, S]`` on the device.

        The short side is resized to 256/224 of S, and the centre of S times S pixels is cropped.

        Raises:
            DataError: an image cannot be read.
        """
        return self._read(lambda image, _: _central_crop(image, self.size), [None] * len(self))

    def float(self) -> Tensor:
        """As ``central``, as float32."""
        return self.central().float()

    def in_views(self, views: Tensor) -> Tensor:
        """What training sees: a random crop of each image, resized, perhaps mirrored.

        Args:
            views: int64 ``[N]``, 0 or more, as ``draw_views`` of ``kdlib.data.views`` gives them.
                The last bit says whether to mirror; the others seed the crop.

        Returns:
            uint8 ``[N, 3, S, S]`` on the device.

        Raises:
            DataError: an image cannot be read.
        """
        return self._read(lambda image, v: _random_view(image, v, self.size), views.tolist())

    def hash_of_names(self) -> bytes:
        """SHA-256 of the paths and the size: the part of a split's digest that tells files."""
        text = "\n".join([str(self.size), *self.names])
        return hashlib.sha256(text.encode()).digest()

    def _read(self, show: Callable[[Any, Any], Tensor], views: Iterable[Any]) -> Tensor:
        """Read, decode and show the images, one thread per core; Pillow releases Python's lock."""
        _functional()  # imported here: two threads must not import it at once

        def one(name: str, view: Any) -> Tensor:
            return show(read_image(self.root / name), view)

        with ThreadPoolExecutor(cores()) as pool:
            shown = list(pool.map(one, self.names, views))
        return torch.stack(shown).to(self.device)


Images = Tensor | ImageFiles
"""What a split holds: a uint8 tensor ``[N, C, H, W]``, or files in its place."""


def read_image(path: Path) -> Any:
    """The image as Pillow reads it, in RGB of 8 bits.

    Of grey values of 16 bits, which Pillow would cut off at 255, the upper 8 are taken, as Pillow
    does with colours of 16 bits.

    Raises:
        DataError: it is missing, truncated, no image, or of grey values without a known range.
    """
    from PIL import Image

    try:
        with path.open("rb") as stream:
            return _in_eight_bits(Image.open(stream)).convert("RGB")
    except (OSError, EOFError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} cannot be read as an image ({reason}): put it there again") from (
            error
        )


def _in_eight_bits(image: Any) -> Any:
    from PIL import Image

    sixteen = image.mode.startswith("I;16") or (image.mode == "I" and image.format in _SIXTEEN_BITS)
    if sixteen:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits and no known range, save it with 8 or 16")
    return image


def draw_view_seeds(n: int, seed: int, epoch: int, flip: bool) -> Tensor:
    """The view of each of ``n`` images in an epoch: int64 ``[n]``, from 0 to 2**62 - 1."""
    stream = generator("crops", seed, epoch)
    views = torch.randint(2**62, (n,), generator=stream)
    return views if flip else views // 2 * 2


def crop_box(height: int, width: int, seed: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of the random crop that ``seed`` draws in an image.

    The rule is torchvision's ``RandomResizedCrop``: area uniform in ``AREA``, log of the ratio
    uniform in ``RATIO``, ten tries, then the largest central crop. Its own code draws from
    torch's global generator, which threads would share.
    """
    stream = torch.Generator().manual_seed(seed)
    low, high = torch.log(torch.tensor(RATIO)).tolist()
    for _ in range(10):
        area = height * width * torch.empty(1).uniform_(*AREA, generator=stream).item()
        ratio = torch.exp(torch.empty(1).uniform_(low, high, generator=stream)).item()
        h, w = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < w <= width and 0 < h <= height:
            top = int(torch.randint(0, height - h + 1, (1,), generator=stream))
            left = int(torch.randint(0, width - w + 1, (1,), generator=stream))
            return top, left, h, w
    return _largest_central_box(height, width)


def _largest_central_box(height: int, width: int) -> tuple[int, int, int, int]:
    h = min(height, round(width / RATIO[0]))
    w = min(width, round(height * RATIO[1]))
    return (height - h) // 2, (width - w) // 2, h, w


def _random_view(image: Any, view: int, size: int) -> Tensor:
    box = crop_box(image.height, image.width, view // 2)
    shown = _functional().resized_crop(image, *box, [size, size], antialias=True)
    if view % 2:
        shown = _functional().horizontal_flip(shown)
    return _functional().pil_to_tensor(shown)


def _central_crop(image: Any, size: int) -> Tensor:
    resized = _functional().resize(image, [round(SHORT_SIDE * size)], antialias=True)
    return _functional().pil_to_tensor(_functional().center_crop(resized, [size, size]))


@cache
def _functional() -> ModuleType:
    return torchvision_import.module("torchvision.transforms.v2.functional")


def one_ahead(make: Callable[[int], Item], count: int) -> Iterator[Item]:
    """``make(0), ..., make(count - 1)``, each begun in a thread while the one before is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make, 0)
        for number in range(1, count + 1):
            ready = coming.result()
            if number < count:
                coming = pool.submit(make, number)
            yield ready
