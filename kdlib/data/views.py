"""Order and augmentation of an epoch, as pure functions of (seed, epoch).

Padding, cropping and flipping make a finite set of views of an image. View v of an image is the
crop at row ``dy`` and column ``dx`` of the zero-padded image, then flipped left to right if
``flip``, where ``v = (flip * side + dy) * side + dx`` and ``side = 2 * padding + 1``.
The random numbers come from CPU generators, so every device sees the same epoch.

Images in files (``ImageFiles``) show a random resized crop instead: too many views to number in
order, so that a view is the seed of its crop.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from kdlib.data.image_files import ImageFiles, Images, draw_view_seeds
from kdlib.errors import SettingError
from kdlib.seeds import generator

Scaling = Literal["centre", "standardise"]

# Mean and standard deviation of each channel over the full training set, pixels in [0, 1].
CHANNEL_STATISTICS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "digits": ((0.3048,), (0.3756,)),
    "fashion_mnist": ((0.286,), (0.353,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    # The two below are taken from public code, not computed here.
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "inaturalist2018": ((0.466, 0.471, 0.38), (0.195, 0.194, 0.192)),
}


CHANNEL_STATISTICS["imagenet_lt"] = CHANNEL_STATISTICS["imagenet"]
CHANNEL_STATISTICS["tinyimagenet"] = CHANNEL_STATISTICS["imagenet"]


def num_views(padding: int, flip: bool) -> int:
    """Number of views of an image: 162 for padding 4 with flips, 50 for padding 2 with flips."""
    return (2 * padding + 1) ** 2 * (2 if flip else 1)


def epoch_order(n: int, seed: int, epoch: int) -> Tensor:
    """A permutation of ``0 .. n - 1``: int64 ``[n]`` on the CPU."""
    return torch.randperm(n, generator=generator("order", seed, epoch))


def epoch_views(n: int, seed: int, epoch: int, padding: int, flip: bool) -> Tensor:
    """The view that each of ``n`` images shows in an epoch, uniform: int64 ``[n]`` on the CPU.

    Entry i belongs to row i of the split, wherever ``epoch_order`` puts it.
    """
    stream = generator("views", seed, epoch)
    return torch.randint(num_views(padding, flip), (n,), generator=stream)


def draw_views(images: Images, seed: int, epoch: int, padding: int, flip: bool) -> Tensor:
    """The view that each image shows in an epoch: int64 ``[N]`` on the CPU, for ``apply_views``.

    Raises:
        SettingError: images in files are to be padded.
    """
    if isinstance(images, ImageFiles):
        if padding:
            raise SettingError(
                f"crop_padding = {padding} is not allowed for images in files: must be 0, since "
                "they are cropped at random and resized"
            )
        return draw_view_seeds(len(images), seed, epoch, flip)
    return epoch_views(len(images), seed, epoch, padding, flip)


def apply_views(images: Images, views: Tensor, padding: int, flip: bool) -> Tensor:
    """Show each image in its view, on the images' device.

    Args:
        images: ``[N, C, H, W]``, any dtype. What comes in from the border is 0. Images in files
            are read here.
        views: int64 ``[N]``, each below ``num_views(padding, flip)``; of images in files, any from
            ``draw_views``.
        padding: pixels added on each side, at least 0.
        flip: whether view numbers include the flipped half.

    Returns:
        A new tensor of the shape and dtype of ``images``.

    Raises:
        DataError: an image in a file cannot be read.
    """
    if isinstance(images, ImageFiles):
        return images.in_views(views)
    views, side = views.to(images.device), 2 * padding + 1
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device) + (views // side % side)[:, None]
    columns = torch.arange(width, device=images.device).expand(len(views), -1)
    if flip:
        columns = torch.where(views[:, None] >= side * side, width - 1 - columns, columns)
    columns = columns + (views % side)[:, None]
    return _gather(pad(images, (padding,) * 4), rows, columns)


def _gather(padded: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pixels at ``rows`` ``[N, H]`` and ``columns`` ``[N, W]`` of each image."""
    image = torch.arange(padded.shape[0], device=padded.device)[:, None, None, None]
    channel = torch.arange(padded.shape[1], device=padded.device)[:, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def to_float(images: Images, scaling: Scaling, dataset_name: str) -> Tensor:
    """Turn uint8 images ``[N, C, H, W]`` into float32 network input.

    Args:
        images: uint8, 0 to 255. Images in files are read here, in their central crops.
        scaling: ``"centre"`` is x / 255 - 0.5, as in the authors' public logit-adjustment code;
            ``"standardise"`` subtracts each channel's mean and divides by its standard deviation.
        dataset_name: whose channel statistics ``"standardise"`` takes.

    Raises:
        SettingError: for another scaling, or a data set without recorded statistics.
    """
    pixels = images.float() / 255
    if scaling == "centre":
        return pixels - 0.5
    if scaling != "standardise":
        raise SettingError(f"scaling = {scaling!r} is not allowed: 'centre' or 'standardise'")
    mean, deviation = _statistics(dataset_name, pixels.device)
    return (pixels - mean) / deviation


@cache
def _statistics(name: str, device: torch.device) -> Tensor:
    """Mean and standard deviation, float32 ``[2, C, 1, 1]``; copied to a device only once."""
    if name not in CHANNEL_STATISTICS:
        allowed = ", ".join(CHANNEL_STATISTICS)
        raise SettingError(f"dataset_name = {name!r} has no channel statistics: allowed {allowed}")
    return torch.tensor(CHANNEL_STATISTICS[name], device=device)[:, :, None, None]
