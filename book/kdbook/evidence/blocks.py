"""The blocks of the plan: which runs each has, in which order, and which split tests them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kdbook.evidence import members
from kdbook.tables import Member
from kdbook.tuning import TUNING_SEED
from kdlib.errors import SettingError
from kdlib.names import choices
from kdlib.runs import RunSpec

PILOT_SEED = TUNING_SEED
"""Of the runs that choose recipe and temperature; never reported."""


@dataclass(frozen=True)
class Block:
    """Trainings that are complete together.

    Attributes:
        name: as in the plan.
        what: in words.
        seeds: of its students.
        of_seed: the members of one seed.
        test: the split that tests them: ``dev`` for a pilot; ``official_test``, all test images;
            or ``test``, the half of them that has moved no multipliers.
    """

    name: str
    what: str
    seeds: tuple[int, ...]
    of_seed: Callable[[int], list[Member]]
    test: str = "official_test"

    @property
    def members(self) -> list[Member]:
        """Of all seeds, seed by seed."""
        return [member for seed in self.seeds for member in self.of_seed(seed)]

    @property
    def runs(self) -> list[RunSpec]:
        """Each training of the block once, teachers and initial teachers among them."""
        return list(dict.fromkeys(member.spec for member in self.members))


BLOCKS: dict[str, Block] = {
    block.name: block
    for block in (
        Block(
            "a",
            "pilot: CIFAR-100-LT, ResNet-20, 30 and 60 epochs, T = 1, 2, 3",
            (PILOT_SEED,),
            members.pilot,
            test="dev",
        ),
        Block("a2", "pilot at 200 epochs", (PILOT_SEED,), members.long_pilot, test="dev"),
        Block(
            "b",
            "CIFAR-100-LT, ResNet-20: the methods of Teacher's pet at T*",
            tuple(range(5)),
            members.methods_of,
        ),
        Block(
            "c",
            "CIFAR-10-LT, ResNet-20: robust teachers and students",
            tuple(range(3)),
            members.robust,
            test="test",
        ),
        Block("d", "T = 3 and logit adjustment beside b", tuple(range(5)), members.more_methods),
        Block("d2", "further cells beside c", tuple(range(3)), members.more_cells, test="test"),
        Block(
            "e", "five more seeds of one-hot and distilled", tuple(range(5, 10)), members.more_seeds
        ),
        Block("b2", "as b without AdaMargin, 200 epochs", tuple(range(5)), members.long_methods),
        Block(
            "i",
            "teachers of 20 and 200 epochs for students of 60",
            (0, 1, 2),
            members.teacher_lengths,
        ),
        Block("f", "as b with ResNet-56", tuple(range(3)), members.deep),
        Block(
            "g", "the cross-entropy baseline of the literature, ResNet-32", (0,), members.baseline
        ),
    )
}


def chosen(names: Sequence[str]) -> list[Block]:
    """The blocks of these names, in the plan's order; all of them where none is named.

    Raises:
        SettingError: no block has that name.
    """
    for name in names:
        if name not in BLOCKS:
            raise SettingError(f"block {name!r} is not known: {choices(name, BLOCKS)}")
    return [block for block in BLOCKS.values() if not names or block.name in names]
