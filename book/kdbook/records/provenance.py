"""Where recorded numbers come from: the JSON beside each recorded table."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from kdbook.settings import ProfileName
from kdlib.validated import Frozen

FORMAT = 1


class Provenance(Frozen):
    """Everything that decided a recorded table.

    Attributes:
        format: of this file.
        study: its name.
        question: that it answers.
        profile: the scale.
        settings: those that differ from the study's defaults.
        dataset: what was trained on.
        imbalance: the long-tail ratio that the profile or the settings name; ``None`` where the
            study has no long tail.
        model: the networks in words.
        recipe: how the students were trained; empty where nothing was trained by gradient descent.
        teacher_recipe: those of its fields that are otherwise for the teachers.
        balanced_recipe: those of its fields that are otherwise at ratio 1.
        seeds: those in the table.
        missing_runs: how many of the wanted runs the store did not hold.
        devices: in words, each once.
        machines: their kinds (processor and threads, or GPU), each once: equal specifications give
            the same bits on one kind only. Empty in records of runs that do not say it.
        versions: of kdlib, torch and python that trained, each once.
        commits: of the checkouts that trained, each once.
        results_version: ``RESULTS_VERSION`` of the runs.
        trained: first and last day of the trainings, UTC.
        recorded: the day of recording, UTC.
        columns: of the table.
        runs: id and status (``completed`` or ``diverged``) of each run in the table.
        splits: digests of the test, validation, dev and training examples.
        test_images: how many test it; ``None`` where there is no one number, and in older records.
        blanks: columns that some methods have no value of.
        tested_on: the split of the table's results: ``test``, or ``official_test``, which is the
            validation and the test examples together (``kdbook.protocol``).
        together: how many students were trained together, each number once. Runs of more than 1
            are those of 1 up to rounding only. Records that do not say it are of runs alone.
    """

    format: int = Field(default=FORMAT, ge=FORMAT, le=FORMAT)
    study: str
    question: str
    profile: ProfileName
    settings: dict[str, Any]
    dataset: str
    imbalance: float | None
    model: str
    recipe: dict[str, Any]
    seeds: tuple[int, ...]
    missing_runs: int = Field(ge=0)
    devices: tuple[str, ...]
    machines: tuple[str, ...] = ()
    versions: dict[str, tuple[str, ...]]
    commits: tuple[str, ...]
    results_version: int
    trained: tuple[str, str] | None
    recorded: str
    columns: tuple[str, ...]
    runs: dict[str, str]
    splits: dict[str, str]
    test_images: Annotated[int, Field(ge=1)] | None = None
    blanks: tuple[str, ...] = ()
    teacher_recipe: dict[str, Any] = Field(default_factory=dict)
    balanced_recipe: dict[str, Any] = Field(default_factory=dict)
    tested_on: Literal["test", "official_test"] = "test"
    together: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(1,), min_length=1)

    def recipe_at(self, imbalance: float | None) -> dict[str, Any]:
        """How the students of one long-tail ratio were trained."""
        return self.recipe | (self.balanced_recipe if imbalance == 1 else {})

    @property
    def device(self) -> str:
        """All devices in words."""
        return "; ".join(self.devices)

    @property
    def conditions(self) -> dict[str, Any]:
        """The changed settings, without those that only say for how many seeds."""
        return {key: value for key, value in self.settings.items() if not key.endswith("seeds")}

    def unless_unchanged(self, before: Provenance) -> Self | Provenance:
        """``before`` where the two differ in when the table was written only, else ``self``.

        Without runs the commit is that of the recording, so it is part of the when.
        """
        when = {"recorded": before.recorded}
        same_time = self.model_copy(
            update=when if self.runs else {**when, "commits": before.commits}
        )
        return before if same_time == before else self
