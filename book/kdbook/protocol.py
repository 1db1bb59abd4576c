"""Which images test, and which choose a temperature: each paper has a protocol of its own.

"Teacher's pet" tests on all official test images and chooses on dev, which it holds out of the
training images. "Robust distillation" halves the official test images: one half moves multipliers
and chooses, the other tests. The digits have no official test set. They are held out in two parts:
one chooses (the length of the quick profile's teachers too), the other tests.
"""

from __future__ import annotations

from typing import Literal

from kdbook.settings import RobustSettings, Settings
from kdlib.data.sources import WITHOUT_OFFICIAL_TEST, DatasetName
from kdlib.runs import RunSpec
from kdlib.validated import Frozen

Paper = Literal["teachers_pet", "robust_distillation"]


class Protocol(Frozen):
    """Splits by what they are for.

    Attributes:
        test: the split of every reported number; ``official_test`` is both halves.
        chooses: the split that chooses a temperature.
        words: both, as a sentence for a page.
    """

    test: Literal["test", "official_test"]
    chooses: Literal["dev", "validation"]
    words: str


LABORATORY = Protocol(
    test="test",
    chooses="validation",
    words="Tested on the test images; where settings are chosen, the validation images choose.",
)
TEACHERS_PET = Protocol(
    test="official_test",
    chooses="dev",
    words="Tested on all official test images; where a temperature is chosen, dev images choose, "
    "with students that have not trained on them and are not reported.",
)
ROBUST = Protocol(
    test="test",
    chooses="validation",
    words="Tested on one half of the official test images; the other half moves the multipliers "
    "and chooses the temperatures, by the worst class on it.",
)


def protocol(dataset: DatasetName, paper: Paper = "teachers_pet") -> Protocol:
    """The splits that test and choose on a data set, in the experiments of a paper."""
    if dataset in WITHOUT_OFFICIAL_TEST:
        return LABORATORY
    return TEACHERS_PET if paper == "teachers_pet" else ROBUST


def paper_of(settings: Settings) -> Paper:
    """The paper whose experiments these settings set."""
    return "robust_distillation" if isinstance(settings, RobustSettings) else "teachers_pet"


def reported_split(spec: RunSpec, paper: Paper = "teachers_pet") -> str:
    """The split that tests a run: ``test`` or ``official_test``."""
    return protocol(spec.data.name, paper).test
