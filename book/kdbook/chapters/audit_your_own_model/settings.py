"""What a reader may set, and the images: Fashion-MNIST where its files are, else digits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kdbook.settings import FromText, Temperature
from kdbook.settings import Settings as BaseSettings
from kdlib.data import Dataset, load
from kdlib.errors import DataError

Limit = Annotated[float, Field(ge=-100, le=100), FromText]


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        seeds: trainings of teacher and students, 1 to 1000.
        epochs: passes over the training images, 2 to 10,000; more of them over few images.
        temperature: of the teacher's probabilities, 0.05 to 100.
        limit: points that a class may lose before the gate calls it harm, -100 to 100.
    """

    temperature: Temperature = 3.0
    limit: Limit = -5.0


DEBIANS = "/usr/share/datasets/fashion-mnist"
"""Where Debian's package ``dataset-fashion-mnist`` puts the files."""


def images_that_are_here() -> Dataset:
    """Long-tailed Fashion-MNIST where its files are, else long-tailed digits. Downloads nothing."""
    for root in (None, DEBIANS):
        try:
            return load("fashion_mnist", imbalance=50, download=False, root=root)
        except DataError:
            continue
    return load("digits", imbalance=20)
