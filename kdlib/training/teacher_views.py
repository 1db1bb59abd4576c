"""A teacher's logits on crop-and-flip views of images, computed once.

Padding, cropping and flipping make a finite set of views (``kdlib.data.views``), so a teacher can
be asked about each of them once instead of at every step of every student. A table of all views
serves every student, temperature, mix and seed of that teacher; one of the views that a seed visits
serves the students of that seed, which share order, crops and flips.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from kdlib.data import Split, apply_views, epoch_views, num_views, to_float
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


class VisitedViews:
    """Looks the logits of the views up that one seed visits; a ``TeacherSignal``.

    Args:
        visits: int64 ``[M]``, ascending: ``row * V + view``, as ``visits`` gives them.
        logits: float32 ``[M, L]`` of these.
        views: V, how many an image has.
    """

    def __init__(self, visits: Tensor, logits: Tensor, views: int) -> None:
        self.visits, self.logits, self._views = visits, logits, views

    def __call__(self, rows: Tensor, views: Tensor, images: Tensor) -> Tensor:
        """Logits ``[N, L]``; ``images`` is not looked at.

        Raises:
            SettingError: a view that the seed does not visit.
        """
        wanted = rows * self._views + views
        places = torch.searchsorted(self.visits, wanted).clamp(max=len(self.visits) - 1)
        if not torch.equal(self.visits[places], wanted):
            raise SettingError("a view was asked for that this seed does not visit")
        return self.logits[places]


def every_view(recipe: Recipe, examples: int) -> Tensor:
    """All views of all images, numbered as by ``visits``: int64 ``[N * V]``."""
    return torch.arange(examples * num_views(recipe.crop_padding, recipe.flip))


def visits(recipe: Recipe, examples: int, seed: int) -> Tensor:
    """The views that a training visits, each once, ascending: ``row * V + view``, int64 ``[M]``."""
    padding, flip = recipe.crop_padding, recipe.flip
    first = torch.arange(examples) * num_views(padding, flip)
    epochs = range(recipe.last_epoch)
    shown = [first + epoch_views(examples, seed, epoch, padding, flip) for epoch in epochs]
    return torch.cat(shown).unique()


def table_shape(recipe: Recipe, examples: int, num_classes: int) -> tuple[int, int, int]:
    """``(N, V, L)`` of the table for a recipe's views."""
    return examples, num_views(recipe.crop_padding, recipe.flip), num_classes


def table_bytes(recipe: Recipe, examples: int, num_classes: int) -> int:
    """Memory that the table takes, known before it is built."""
    rows, views, classes = table_shape(recipe, examples, num_classes)
    return rows * views * classes * BYTES_A_LOGIT


def table_pays(recipe: Recipe, seeds: int = 1) -> bool:
    """Whether students of so many seeds ask for at least as many views as the table has.

    Args:
        recipe: of each of them.
        seeds: of students of one teacher that train by this recipe on this split, at least 1; those
            of one seed ask for the same views.
    """
    return num_views(recipe.crop_padding, recipe.flip) <= seeds * recipe.last_epoch


def visits_bytes(recipe: Recipe, examples: int, num_classes: int) -> int:
    """Memory that the logits on a seed's visits take at most."""
    visited = examples * recipe.last_epoch * num_classes * BYTES_A_LOGIT
    return min(visited, table_bytes(recipe, examples, num_classes))


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
    every = every_view(recipe, len(split))
    table = logits_on(every, teacher, split, recipe, dataset_name=dataset_name, device=device)
    return table.reshape(table_shape(recipe, len(split), split.num_classes))


@torch.no_grad()
def logits_on(
    wanted: Tensor,
    teacher: nn.Module,
    split: Split,
    recipe: Recipe,
    *,
    dataset_name: str,
    device: torch.device | str = "cpu",
    fused: bool = False,
) -> Tensor:
    """The teacher's logits ``[M, L]`` on some views; else as ``build_table``.

    Args:
        wanted: int64 ``[M]``: ``row * V + view``.
        teacher: as there, like the rest.
        split: the images.
        recipe: its crops and flips.
        dataset_name: of the statistics.
        device: where to compute.
        fused: answer as trainings by fused steps are answered.
    """
    if not isinstance(split.images, Tensor):
        raise SettingError("images in files have too many views for a table")
    answers = ForwardTeacher(teacher, device, recipe.precision)
    answers = answers.fused() if fused else answers
    images, count = split.images.to(device), num_views(recipe.crop_padding, recipe.flip)
    found, sizes = torch.empty(len(wanted), split.num_classes), passes(len(wanted), images, device)
    for part, place in zip(wanted.split(sizes), found.split(sizes), strict=True):
        place.copy_(_logits(answers, images, part // count, part % count, recipe, dataset_name))
    return found


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
