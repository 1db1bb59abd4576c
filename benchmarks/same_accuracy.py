"""Is the faster loop as good? Students of kdlib and of a plain loop after equally many epochs.

``measure_training.py --part accuracy`` writes what this measures. ResNet-8 on long-tailed digits:
one teacher per seed, and three students of it that start from the same weights. At temperature 1
the loss of Hinton et al. and kdlib's differ by the teacher's entropy only, so all three minimise
the same thing by the same recipe. One thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from results_file import markdown
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax
from torch.utils.data import DataLoader, Dataset

from kdbook.families import Family
from kdbook.profiles import PROFILES
from kdlib.data import Dataset as Data
from kdlib.data import Split, torchvision_import
from kdlib.metrics import Interval, t_interval
from kdlib.runs import RunSpec
from kdlib.runs.build import dataset_for, model_for, training_split
from kdlib.runs.train_one import torch_threads
from kdlib.training import LossVectors, Recipe, predict_logits, train
from kdlib.training.fused.library import CannotFuseError, library
from kdlib.training.job import StepKind
from kdlib.training.recipe import Precision, learning_rate, steps_per_epoch

FIRST_SEEDS, SEEDS = 10, 30
"""The first ten put kdlib in fp32 below the plain loop, so twenty were added to see it again."""
ALPHA = 0.9
FP32, FUSED, BF16 = "kdlib fp32", "kdlib fp32 fused", "kdlib bf16"
PLAIN = "loop of RepDistiller's shape"


@dataclass(frozen=True, eq=False)
class Task:
    """A teacher and the data of one seed; its students start from the same weights."""

    spec: RunSpec
    data: Data
    teacher: nn.Module

    @property
    def split(self) -> Split:
        """What the students train on."""
        return training_split(self.spec, self.data)

    def student(self) -> nn.Module:
        """At its initial weights."""
        return model_for(self.spec, self.data)


Way = Callable[[Task], nn.Module]


def task(seed: int, epochs: int | None = None) -> Task:
    """The quick profile's family of that seed, with a trained teacher."""
    profile = PROFILES["quick"]
    family = Family(profile, profile.imbalance, seed)
    spec, of_teacher = family.one_hot(), family.teacher()
    if epochs is not None:
        recipe = spec.recipe.with_epochs(epochs)
        spec, of_teacher = (s.model_copy(update={"recipe": recipe}) for s in (spec, of_teacher))
    data = dataset_for(spec)
    teacher, split = model_for(of_teacher, data), training_split(of_teacher, data)
    one_hot = LossVectors.constant(split.num_classes)
    train(teacher, split, one_hot, of_teacher.recipe, seed=of_teacher.seed, bar=False)
    return Task(spec, data, teacher)


def in_kdlib(precision: Precision, step: StepKind = "eager") -> Way:
    """Kdlib's loop, with the teacher's forward pass."""

    def way(one: Task) -> nn.Module:
        student, split = one.student(), one.split
        recipe = one.spec.recipe.model_copy(update={"precision": precision})
        vectors = LossVectors.constant(split.num_classes, mix=ALPHA)
        chosen = {"seed": one.spec.seed, "teacher": one.teacher, "step": step}
        train(student, split, vectors, recipe, **chosen, bar=False)
        return student

    return way


class _Views(Dataset[tuple[Tensor, int]]):
    """Images in random crops, scaled as the recipe says; the work of a loader."""

    def __init__(self, split: Split, recipe: Recipe) -> None:
        assert isinstance(split.images, Tensor) and recipe.input_scaling == "centre"
        self.images, self.labels = split.images, split.labels.tolist()
        transforms = torchvision_import.module("torchvision.transforms")
        size = self.images.shape[-1]
        self.crop = transforms.RandomCrop(size, padding=recipe.crop_padding)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        return self.crop(self.images[row]) / 255 - 0.5, self.labels[row]


def in_a_plain_loop(one: Task) -> nn.Module:
    """Student first, then an unfolded teacher, then the loss of Hinton et al.; torch's loader."""
    student, recipe, split = one.student(), one.spec.recipe, one.split
    teacher, steps = one.teacher.eval(), steps_per_epoch(recipe, len(split))
    torch.manual_seed(one.spec.seed)
    views = _Views(split, recipe)
    loader = DataLoader(views, batch_size=recipe.batch_size, shuffle=True)
    optimizer = torch.optim.SGD(
        student.parameters(),
        lr=recipe.peak_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
    student.train()
    for epoch in range(recipe.epochs):
        for step, (images, labels) in enumerate(loader):
            optimizer.param_groups[0]["lr"] = learning_rate(recipe, epoch * steps + step, steps)
            logits = student(images)
            with torch.no_grad():
                soft = softmax(teacher(images), dim=1)
            divergence = kl_div(log_softmax(logits, dim=1), soft, reduction="batchmean")
            loss = (1 - ALPHA) * cross_entropy(logits, labels) + ALPHA * divergence
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return student


WAYS: dict[str, Way] = {
    FP32: in_kdlib("fp32"),
    FUSED: in_kdlib("fp32", "fused"),
    BF16: in_kdlib("bf16"),
    PLAIN: in_a_plain_loop,
}


def test_accuracy(one: Task, student: nn.Module) -> float:
    """In percent, over the test images."""
    test, scaling = one.data.test, one.spec.recipe.input_scaling
    logits = predict_logits(student, test.images, scaling=scaling, dataset_name="digits")
    return 100 * (logits.argmax(1) == test.labels).double().mean().item()


def accuracies(seeds: int = SEEDS, epochs: int | None = None) -> dict[str, list[float]]:
    """Test accuracy of each way's student, one per seed."""
    with torch_threads(1):
        tasks = [task(seed, epochs) for seed in range(seeds)]
        return {
            name: [test_accuracy(one, way(one)) for one in tasks] for name, way in here().items()
        }


def here() -> dict[str, Way]:
    """The ways that this machine has: fused steps need a compiler."""
    try:
        library()
    except CannotFuseError as error:
        print(f"no fused steps here, so no row of them: {error}")
        return {name: way for name, way in WAYS.items() if name != FUSED}
    return WAYS


def accuracy_section() -> str:
    """Mean accuracies, and paired differences with intervals over seeds."""
    about = (
        f"ResNet-8 teaches ResNet-8 on long-tailed digits, {PROFILES['quick'].recipe.epochs} "
        f"epochs, alpha {ALPHA}, temperature 1; a teacher per seed. The students of a seed start "
        "from the same weights; the plain loop draws its batches and crops itself. Intervals of "
        "95 % over seeds."
    )
    found = accuracies()
    first, added = (
        markdown(accuracy_table({name: values[part] for name, values in found.items()}))
        for part in (slice(FIRST_SEEDS), slice(FIRST_SEEDS, None))
    )
    why = (
        f"{SEEDS - FIRST_SEEDS} seeds more. They were added since the first {FIRST_SEEDS} had "
        "shown a difference; judge it by these, which were not looked at before:"
    )
    return f"{about}\n\n{FIRST_SEEDS} seeds:\n\n{first}\n\n{why}\n\n{added}"


def accuracy_table(found: dict[str, list[float]]) -> list[dict[str, str]]:
    """A row per way: its mean, and how much more than the plain loop it has on the same seeds."""
    rows = []
    for name, values in found.items():
        pairs = zip(values, found[PLAIN], strict=True)
        row = {"loop": name, "test accuracy": words(t_interval(values), "{:.1f}")}
        more = t_interval([mine - plain for mine, plain in pairs])
        same = "yes" if more.low <= 0 <= more.high else "**no**"
        row["more than the plain loop"] = "–" if name == PLAIN else words(more, "{:+.1f}")
        row["no difference within noise"] = "–" if name == PLAIN else same
        rows.append(row)
    return rows


def words(interval: Interval, form: str) -> str:
    """The mean, and from where to where, in percentage points."""
    mean, low, high = (form.format(v) for v in (interval.mean, interval.low, interval.high))
    return f"{mean} ({low} to {high})"
