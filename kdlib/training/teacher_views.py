"""A teacher's logits on every crop-and-flip view of every image, computed once.

Padding, cropping and flipping make a finite set of views (``kdlib.data.views``), so a teacher can
be asked about each of them once instead of at every step of every student. The table serves every
student, temperature, mix and seed of that teacher.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from kdlib.data import Split, apply_views, num_views, to_float
from kdlib.errors import SettingError
from kdlib.training.predict import passes
from kdlib.training.recipe import Recipe
from kdlib.training.teacher import ForwardTeacher

BYTES_A_LOGIT = 4


class TeacherTable:
    """Looks a view's logits up; a ``TeacherSignal``.

    Args:
        logits: float32 ``[N, V, L]``: row i of the split in view v.
        device: where the table is kept and answers.
    """

    def __init__(self, logits: Tensor, device: torch.device | str = "cpu") -> None:
        if logits.ndim != 3:
            raise SettingError(f"logits has shape {tuple(logits.shape)}: expected [N, V, L]")
        self.logits = logits.to(device)

    def __call__(self, rows: Tensor, views: Tensor, images: Tensor) -> Tensor:
        """Logits ``[N, L]`` of those rows in those views; ``images`` is not looked at."""
        return self.logits[rows, views]

    def tensors(self) -> Mapping[str, Tensor]:
        """The table itself; see ``kdlib.training.teacher.CapturableTeacher``."""
        return {"logits": self.logits}

    def layout(self) -> str:
        """Its shape; see ``kdlib.training.teacher.CapturableTeacher``."""
        return f"table {tuple(self.logits.shape)} {self.logits.dtype}"


def table_shape(recipe: Recipe, examples: int, num_classes: int) -> tuple[int, int, int]:
    """``(N, V, L)`` of the table for a recipe's views."""
    return examples, num_views(recipe.crop_padding, recipe.flip), num_classes


def table_bytes(recipe: Recipe, examples: int, num_classes: int) -> int:
    """Memory that the table takes, known before it is built."""
    rows, views, classes = table_shape(recipe, examples, num_classes)
    return rows * views * classes * BYTES_A_LOGIT


def table_pays(recipe: Recipe, students: int = 1) -> bool:
    """Whether so many students ask for at least as many views as the table has.

    Args:
        recipe: of each of them.
        students: of one teacher that train by this recipe on this split, at least 1.
    """
    return num_views(recipe.crop_padding, recipe.flip) <= students * recipe.last_epoch


@torch.no_grad()
def build_table(
    teacher: nn.Module,
    split: Split,
    recipe: Recipe,
    *,
    dataset_name: str,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The teacher's logits on every view of every image, as ``ForwardTeacher`` gives them.

    Args:
        teacher: a network; a copy of it is used.
        split: the images.
        recipe: its crops, flips, input scaling and precision.
        dataset_name: whose channel statistics "standardise" uses.
        device: where to compute.

    Returns:
        float32 ``[N, V, L]`` on the CPU.

    Raises:
        SettingError: the images lie in files, where views have no end.
    """
    if not isinstance(split.images, Tensor):
        raise SettingError("images in files have too many views for a table")
    answers = ForwardTeacher(teacher, device, recipe.precision)
    images = split.images.to(device)
    shape = table_shape(recipe, len(split), split.num_classes)
    table = torch.empty(shape[0] * shape[1], shape[2])
    for part in torch.arange(len(table)).split(passes(len(table), images, device)):
        rows, views = part // shape[1], part % shape[1]
        table[part] = _logits(answers, images, rows, views, recipe, dataset_name)
    return table.reshape(shape)


def _logits(
    answers: ForwardTeacher,
    images: Tensor,
    rows: Tensor,
    views: Tensor,
    recipe: Recipe,
    name: str,
) -> Tensor:
    """Logits ``[N, L]`` on the CPU, as the training loop would have asked for them."""
    rows, views = rows.to(images.device), views.to(images.device)
    shown = apply_views(images[rows], views, recipe.crop_padding, recipe.flip)
    scaled = to_float(shown, recipe.input_scaling, name)
    scaled = scaled.contiguous(memory_format=torch.channels_last)
    return answers(rows, views, scaled).float().cpu()
