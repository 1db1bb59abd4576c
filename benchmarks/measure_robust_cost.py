"""Measure what robust costs: ``.venv/bin/python benchmarks/measure_robust_cost.py``.

Standard and robust trainings of the same length take turns in one process, on one thread, and the
median of the ratios counts, so that a machine which is busy for a moment slows all of them.
Processor time stands beside the time that passed: other work on the machine changes it less. Images
are random: no time depends on what they show. Writes its section of ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from machine import machine_rows
from results_file import fill_results, markdown

from kdbook.profiles import multiplier_rule, robust_profile
from kdbook.settings import RobustSettings
from kdlib.data import Split
from kdlib.models import ModelSpec, build
from kdlib.training import (
    AveragedLogits,
    ClassMultipliers,
    HeldOut,
    LossVectors,
    MultiplierRule,
    Recipe,
    train,
)

LIMIT = 1.15
CLASSES = 10

Training = Callable[[], None]


@dataclass(frozen=True)
class Scale:
    """What is trained, on images at random.

    Attributes:
        name: in words.
        model: the network.
        recipe: length, batches and all else.
        rule: of the robust training.
        shape: of an image, ``(C, H, W)``.
        train: training images.
        held_out: validation images, of which each move measures ``rule.batch_size``.
        judged: images that the averaged iterate is kept for; 0: that training is left out.
        turns: how often each training is timed.
    """

    name: str
    model: ModelSpec
    recipe: Recipe
    rule: MultiplierRule
    shape: tuple[int, int, int]
    train: int
    held_out: int
    judged: int
    turns: int


@dataclass(frozen=True)
class Seconds:
    """Of one training: that passed, and of the processor."""

    passed: float
    processor: float


def digits_scale() -> Scale:
    """The chapters' digits at ``quick``, whole trainings."""
    numbers = {"shape": (1, 8, 8), "train": 303, "held_out": 200, "judged": 1007, "turns": 15}
    return _scale("digits", RobustSettings(), 40, **numbers)


def cifar_scale() -> Scale:
    """CIFAR-10-LT at ``standard``: as many steps as lie between two moves, and one move."""
    settings = RobustSettings(profile="standard")
    rule, batch = multiplier_rule(settings), robust_profile(settings).recipe.batch_size
    numbers = {
        "train": batch * rule.update_every // 2,
        "held_out": 5000,
        "judged": 0,
        "turns": 5,
    }
    return _scale("32x32 pixels", settings, 2, shape=(3, 32, 32), **numbers)


def _scale(name: str, settings: RobustSettings, epochs: int, **numbers: object) -> Scale:
    profile, rule = robust_profile(settings), multiplier_rule(settings)
    recipe = profile.recipe.with_epochs(epochs)
    words = (
        f"{name}, ResNet-{profile.model.depth}, batches of {recipe.batch_size}, "
        f"a move every {rule.update_every} steps on {rule.batch_size} images"
    )
    return Scale(words, profile.model, recipe, rule, **numbers)  # type: ignore[arg-type]


def trainings(scale: Scale) -> dict[str, Training]:
    """A standard, a robust, and where asked a robust training whose averaged iterate is kept."""
    split, held_out = images(scale, scale.train, 0), images(scale, scale.held_out, 1)
    targets = torch.nn.functional.one_hot(held_out.labels, CLASSES).float()
    measured = HeldOut(held_out.images, targets, scale.recipe.input_scaling, "")

    def robust(kept: AveragedLogits | None = None) -> ClassMultipliers:
        return ClassMultipliers(scale.rule, torch.full((CLASSES,), 1 / CLASSES), measured, 0, kept)

    def averaged() -> ClassMultipliers:
        judged = {"judged": images(scale, scale.judged, 2).images}
        return robust(AveragedLogits(judged, scale.recipe.input_scaling, ""))

    def once(multipliers: ClassMultipliers | None) -> None:
        channels, size = scale.shape[0], scale.shape[1]
        network = build(
            scale.model, num_classes=CLASSES, channels=channels, image_size=size, seed=0
        )
        vectors = LossVectors.constant(CLASSES)
        train(network, split, vectors, scale.recipe, seed=0, multipliers=multipliers, bar=False)

    rivals = {"standard": lambda: once(None), "robust": lambda: once(robust())}
    if scale.judged:
        rivals["robust, averaged iterate"] = lambda: once(averaged())
    return rivals


def images(scale: Scale, count: int, seed: int) -> Split:
    """Random images with labels in turn."""
    random = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, *scale.shape), generator=random, dtype=torch.uint8)
    rows = torch.arange(count)
    return Split("train", pixels, rows % CLASSES, rows, CLASSES)


def rounds(rivals: dict[str, Training], count: int) -> list[dict[str, Seconds]]:
    """Seconds of each training in each of ``count`` turns, after one to warm up."""
    turns = [{name: timed(training) for name, training in rivals.items()} for _ in range(count + 1)]
    return turns[1:]


def timed(training: Training) -> Seconds:
    """Seconds that ``training`` takes."""
    passed, processor = time.perf_counter(), time.process_time()
    training()
    return Seconds(time.perf_counter() - passed, time.process_time() - processor)


def ratio(turns: Sequence[dict[str, Seconds]], name: str, clock: str) -> float:
    """Median over the turns of the seconds of ``name`` divided by those of ``standard``."""
    return statistics.median(
        getattr(turn[name], clock) / getattr(turn["standard"], clock) for turn in turns
    )


def table(turns: Sequence[dict[str, Seconds]]) -> list[dict[str, str]]:
    """A row per training: median seconds, ratios to the standard one, whether the limit holds."""
    rows = []
    for name in turns[0]:
        processor, passed = (ratio(turns, name, clock) for clock in ("processor", "passed"))
        within = "yes" if processor <= LIMIT else "no"
        rows.append(
            {
                "training": name,
                "processor time": f"{statistics.median(t[name].processor for t in turns):.2f} s",
                "times the standard one": f"{processor:.3f}",
                "of the time that passed": f"{passed:.3f}",
                f"at most {LIMIT}": within if name == "robust" else "–",
            }
        )
    return rows


def section(scale: Scale) -> str:
    """One scale, measured."""
    turns = rounds(trainings(scale), scale.turns)
    return f"{scale.name}; {scale.turns} turns:\n\n{markdown(table(turns))}"


def machine_after() -> dict[str, str]:
    """What was measured on, with the load at the end."""
    rows = machine_rows()
    return {"load after" if name == "load before" else name: row for name, row in rows.items()}


def main() -> None:
    """Measure both scales and write the section."""
    torch.set_num_threads(1)
    about = (
        "One thread; the trainings take turns in one process; ratios are medians over the turns. "
        "Whole trainings on digits; at 32x32 pixels the steps up to the first move, and the move. "
        "The verdict is by processor time: on a busy machine the time that passed says little."
    )
    parts = [about, section(digits_scale()), section(cifar_scale()), markdown([machine_after()])]
    text = "\n\n".join(parts)
    fill_results("robust", text)
    print(text)


if __name__ == "__main__":
    main()
