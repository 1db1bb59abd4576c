"""Which examples a run trains on, as part of its specification."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kdlib.data.longtail import refuse_second_tail
from kdlib.data.sources import DatasetName
from kdlib.validated import Frozen

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class DataSpec(Frozen):
    """Which examples are trained on.

    Attributes:
        name: the data set.
        imbalance: long-tail ratio, 1 to 1000, among the classes that are kept.
        subset_seed: which examples the long tail keeps and which go to dev.
        part: ``train_minus_dev`` leaves out the dev examples, so that a teacher can be judged on
            them.
        class_share: share of the classes that are kept, above 0, at most 1.
        class_seed: which classes these are.
    """

    name: DatasetName = "digits"
    imbalance: Annotated[float, Field(ge=1, le=1000)] = 1.0
    subset_seed: Seed = 0
    part: Literal["train", "train_minus_dev"] = "train"
    class_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    class_seed: Seed = 0

    @model_validator(mode="after")
    def _has_one_tail(self) -> Self:
        refuse_second_tail(self.name, self.imbalance)
        return self

    def same_examples(self, other: DataSpec) -> bool:
        """Whether both come from the same long-tailed subset, whatever their part."""
        return self.model_copy(update={"part": other.part}) == other


def drawn_classes(data: DataSpec) -> tuple[object, ...]:
    """What decides which classes there are."""
    drawn = (data.class_share, data.class_seed) if data.class_share < 1 else ()
    return (data.name, *drawn)


def data_label(data: DataSpec) -> str:
    """The data in few words, e.g. ``digits 1:20 minus dev``."""
    part = "" if data.part == "train" else " minus dev"
    tail = "" if data.imbalance == 1 else f" 1:{data.imbalance:g}"
    drawn = f" ({data.class_share:.0%} of the classes)" if data.class_share < 1 else ""
    return f"{data.name}{drawn}{tail}{part}"
