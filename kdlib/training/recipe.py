"""How a network is trained: a frozen recipe, its learning-rate schedule, and the named presets."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kdlib.errors import SettingError
from kdlib.validated import Frozen

Precision = Literal["fp32", "bf16"]
InputScaling = Literal["centre", "standardise"]
Epochs = Annotated[int, Field(ge=1, le=100_000)]


class StepDecay(Frozen):
    """The rate is multiplied by ``factor`` at the start of each of ``epochs`` (counted from 0)."""

    kind: Literal["step"] = "step"
    epochs: tuple[Epochs, ...] = Field(min_length=1, description="Epochs at which the rate drops.")
    factor: float = Field(default=0.1, gt=0, lt=1, description="What each drop multiplies it by.")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if any(late <= early for early, late in pairwise(self.epochs)):
            raise ValueError(f"step epochs {self.epochs}: must increase")
        return self


class CosineDecay(Frozen):
    """The rate falls from the peak to nearly 0 along half a cosine (Loshchilov & Hutter, 2017)."""

    kind: Literal["cosine"] = "cosine"


Schedule = Annotated[StepDecay | CosineDecay, Field(discriminator="kind")]


class Recipe(Frozen):
    """Everything that decides a training besides data, network, objective and seed.

    Weight decay is L2 on all parameters, batch norm's included, as in He et al. (2016).
    """

    epochs: Epochs = Field(description="Length of the schedule, in passes over the data.")
    batch_size: int = Field(ge=2, le=65_536, description="Examples per step.")
    peak_rate: float = Field(gt=0, le=100, description="Learning rate after the warm-up.")
    warmup_epochs: int = Field(ge=0, description="Epochs of linear warm-up; below epochs.")
    schedule: Schedule = Field(description="How the rate falls after the warm-up.")
    weight_decay: float = Field(ge=0, le=1, description="L2 factor, on all parameters.")
    momentum: float = Field(ge=0, lt=1, description="Momentum of SGD.")
    nesterov: bool = Field(description="Nesterov's form of momentum; needs momentum above 0.")
    crop_padding: int = Field(ge=0, le=32, description="Pixels of zero padding for random crops.")
    flip: bool = Field(description="Whether images are mirrored at random.")
    input_scaling: InputScaling = Field(description="'centre' is x/255 - 0.5.")
    precision: Precision = Field(description="Number format of the forward and backward pass.")
    stop_after: Epochs | None = Field(
        default=None, description="Early stop after so many epochs; the schedule stays as it is."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs = {self.warmup_epochs}: must be below epochs = {self.epochs}"
            )
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov = True needs a momentum above 0")
        if self.stop_after is not None and self.stop_after > self.epochs:
            raise ValueError(
                f"stop_after = {self.stop_after}: must be at most epochs = {self.epochs}"
            )
        return self

    @model_validator(mode="after")
    def _steps_after_warmup(self) -> Self:
        drops = self.schedule.epochs if isinstance(self.schedule, StepDecay) else ()
        if not all(self.warmup_epochs <= drop < self.epochs for drop in drops):
            raise ValueError(
                f"step epochs {drops}: must lie from warmup_epochs = {self.warmup_epochs} "
                f"to below epochs = {self.epochs}"
            )
        return self

    @property
    def last_epoch(self) -> int:
        """Epochs that are trained: ``stop_after`` where it is set, else ``epochs``."""
        return self.epochs if self.stop_after is None else self.stop_after

    def with_epochs(self, epochs: int) -> Recipe:
        """The recipe at another length: warm-up and drops keep their share of it, rounded.

        Args:
            epochs: of the new schedule, at least 2 where it has a warm-up.

        Raises:
            SettingError: the warm-up or two drops no longer fit, or the recipe stops early.
        """
        if self.stop_after is not None:
            raise SettingError("a recipe that stops early keeps its length: change stop_after")
        scale = epochs / self.epochs
        warmup = min(self.warmup_epochs, max(1, round(scale * self.warmup_epochs)))
        values = self.model_dump() | {"epochs": epochs, "warmup_epochs": warmup}
        if isinstance(self.schedule, StepDecay):
            drops = tuple(round(scale * drop) for drop in self.schedule.epochs)
            values["schedule"] = {**values["schedule"], "epochs": drops}
        return Recipe.parse(**values)


def steps_per_epoch(recipe: Recipe, num_examples: int) -> int:
    """As few batches of at most ``batch_size`` as show every example once, at least 1.

    No batch is of one example, whose batch norm would know no spread: 3 examples in batches of 2
    make one batch of 3.
    """
    steps = math.ceil(num_examples / recipe.batch_size)
    return steps if num_examples >= 2 * steps else max(1, num_examples // recipe.batch_size)


def batch_sizes(num_examples: int, steps: int) -> list[int]:
    """The sizes of an epoch's batches, the larger first; they differ by one at most.

    A short last batch would weigh its examples more than others, and measure its batch norm on
    fewer. So the remainder is spread over the epoch.
    """
    size, larger = divmod(num_examples, steps)
    return [size + 1] * larger + [size] * (steps - larger)


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The rate of one step: linear warm-up to the peak, then the recipe's schedule.

    With w warm-up steps, step s < w has rate peak * (s + 1) / w, so the last warm-up step has the
    peak. A step schedule looks at the whole epoch s // steps_per_epoch, so the rate drops between
    epochs. A cosine moves at every step, by the fraction of the steps after the warm-up that are
    done: 0 at the first of them (the peak) and just below 1 at the last.

    Args:
        recipe: The recipe; ``stop_after`` does not change its schedule.
        step: Steps done before this one, over the whole training; 0 is the first.
        steps_per_epoch: Steps in an epoch, at least 1.
    """
    warmup = recipe.warmup_epochs * steps_per_epoch
    if step < warmup:
        return recipe.peak_rate * (step + 1) / warmup
    if isinstance(recipe.schedule, StepDecay):
        return recipe.peak_rate * _step_factor(recipe.schedule, step // steps_per_epoch)
    done = (step - warmup) / (recipe.epochs * steps_per_epoch - warmup)
    return recipe.peak_rate * 0.5 * (1 + math.cos(math.pi * done))


def _step_factor(schedule: StepDecay, epoch: int) -> float:
    return schedule.factor ** sum(drop <= epoch for drop in schedule.epochs)
