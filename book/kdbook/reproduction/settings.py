"""The papers' settings: everything that a number of ours must share to be one of the same kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kdbook.settings import PAPER
from kdlib.training import PRESETS


@dataclass(frozen=True)
class Setting:
    """The paper's setting behind a dataset of its tables.

    Attributes:
        dataset: our name of it.
        imbalance: the long-tail ratio; 1 for a balanced set; ``None`` where there is none.
        preset: the recipe of its trainings, in ``kdlib.training.PRESETS``; ``None`` where nothing
            is trained by gradient descent.
        temperatures: those of which each method takes the best.
        chosen_by: the column by which it takes it (``kdbook.selection``).
        test_images: how many test it.
        fitted: what here was chosen by closeness to the printed numbers, so that agreement was
            partly made; empty where nothing was.
    """

    dataset: str
    imbalance: float | None
    preset: str | None = None
    temperatures: tuple[float, ...] = ()
    chosen_by: tuple[str, ...] = ()
    test_images: int | None = None
    fitted: str = ""

    @property
    def recipe(self) -> dict[str, Any]:
        """How its networks are trained, field by field; empty where none is."""
        return PRESETS[self.preset].model_dump(mode="json") if self.preset else {}


def teachers_pet(imbalance: float, preset: str) -> Setting:
    """CIFAR-100 in "Teacher's pet": all test images, and dev chooses among five temperatures."""
    return Setting("cifar100", imbalance, preset, (1.0, 2.0, 3.0, 4.0, 5.0), ("dev",), 10_000)


def robust(dataset: str, imbalance: float, preset: str) -> Setting:
    """CIFAR in "Robust distillation": half of the test images, the other half chooses."""
    chosen_by = ("validation_worst", "select_worst")
    return Setting(dataset, imbalance, preset, PAPER.temperatures, chosen_by, 5_000)


ADULT = Setting(
    "adult",
    None,
    fitted="encoding, missing values, class weights and threshold were chosen by closeness to five "
    "printed numbers",
)
