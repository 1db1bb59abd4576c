"""What chooses in the grid, the stricter protocol, and collapses: on tables made by hand."""

import numpy as np
import pandas as pd
import pytest

from kdbook.chapters import teacher_and_student as study
from kdbook.chapters.teacher_and_student import objective_protocols as protocols

SETTINGS = study.Settings(seeds=1)


class Result:
    """A run with chosen logits on validation."""

    def __init__(self, logits=None, labels=None, path=None, spec=None):
        self._logits, self._labels, self.spec = logits, labels, spec
        self.multipliers = None if path is None else {"log_multipliers": np.asarray(path)}

    def logits(self, split):
        assert split == "validation"
        return self._logits

    def labels(self, split):
        assert split == "validation"
        return self._labels


def test_rows_at_a_temperature_keep_what_listens_to_no_teacher():
    rows = pd.DataFrame(
        {"temperature": [np.nan, 1.0, 1.0, 3.0, 1.0],
         "validation_temperature": [np.nan, np.nan, 0.1, 0.1, 3.0]}
    )  # fmt: skip
    assert list(protocols.at_temperatures(rows, 1.0, 0.1).index) == [0, 1, 2]
    one = rows.drop(columns="validation_temperature")
    assert list(protocols.at_temperatures(one, 3.0, 1.0).index) == [0, 3]


def test_robust_members_are_part_of_the_grid():
    names = [m.method for m in protocols.robust_members(SETTINGS)]
    assert len(names) == 4 and not any("bal" in name or "std-d" in name for name in names)


def test_another_step_leaves_the_teacher_and_everything_else():
    member = protocols.robust_members(SETTINGS)[-1]
    spec = protocols.with_step(member, 10.0).spec
    assert spec.teacher == member.spec.teacher and spec.id != member.spec.id
    assert protocols.with_step(protocols.with_step(member, 10.0), 0.1).spec.id == member.spec.id
    assert spec.objective.log_cost.rule.step == 10.0


BY_SPLIT = pd.DataFrame(
    [("a", 0, 80.0, 50.0, 60.0), ("b", 0, 70.0, 65.0, 66.0),
     ("a", 1, 90.0, 75.0, 70.0), ("b", 1, 60.0, 70.0, 71.0)],
    columns=["method", "seed", "first_half", "second_half", "worst_1"],
)  # fmt: skip


def test_each_half_chooses_and_test_delivers():
    seen = protocols.choices(BY_SPLIT, "first_half")
    assert seen["method"].tolist() == ["a", "a"] and seen["excess"].tolist() == [20.0, 20.0]
    unseen = protocols.choices(BY_SPLIT, "second_half")
    assert unseen["method"].tolist() == ["b", "a"] and unseen["excess"].tolist() == [-1.0, 5.0]


def test_an_easier_half_is_no_advantage():
    same = protocols.advantage_of_the_seen_half(BY_SPLIT, BY_SPLIT)
    assert same["gap"].tolist() == [30, 5, 15, -10] and same["advantage"].eq(0).all()
    harder = BY_SPLIT.assign(first_half=BY_SPLIT["first_half"] - 4).iloc[:3]
    found = protocols.advantage_of_the_seen_half(BY_SPLIT, harder)
    assert found["advantage"].tolist() == [4.0] * 3


def test_swings_count_moves_with_few_classes_and_who_led():
    weights = [(0.25, 0.25, 0.25, 0.25), (0.97, 0.01, 0.01, 0.01), (0.01, 0.01, 0.97, 0.01),
               (0.5, 0.5, 0.0, 0.0)]  # fmt: skip
    paths = pd.DataFrame(
        [{"method": "a", "seed": 0, "step": 4 * k, "label": y, "multiplier": w}
         for k, row in enumerate(weights) for y, w in enumerate(row)]
    )  # fmt: skip
    row = protocols.swings(paths).iloc[0]
    entropy = -0.97 * np.log(0.97) - 0.03 * np.log(0.01)
    assert row["least"] == pytest.approx(np.exp(entropy))
    assert row["end"] == pytest.approx(2.0)
    assert row["few"] == 50.0 and row["leaders"] == 2  # classes 0 and 2; ties go to the first


def probabilities(rows):
    return np.log(np.array(rows))


LABELS = np.array([0, 0, 1])
PROBS = probabilities([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]])


def test_the_floor_is_the_probability_that_lies_on_other_classes():
    floors = protocols.label_floors(Result(PROBS, LABELS), 1.0)
    np.testing.assert_allclose(floors, [0.4 / 2.0, 0.4 / 1.0], rtol=1e-6)
    sure = protocols.label_floors(Result(PROBS, LABELS), 0.05)
    assert sure.max() < 0.02  # every guess is right, so a cold teacher leaves no floor


def test_agreement_is_that_of_ranks():
    assert protocols.rank_agreement([-3, -2, -1], [0.1, 0.2, 0.9]) == pytest.approx(1)
    assert protocols.rank_agreement([-1, -2, -3], [0.1, 0.2, 0.9]) == pytest.approx(-1)


def test_each_student_is_set_against_its_own_teacher():
    member = protocols.robust_members(SETTINGS)[0]
    teacher = Result(PROBS, LABELS)
    student = Result(path=[[-0.1, -2.0], [-2.0, -0.1]], spec=member.spec)
    teachers = {member.spec.teacher.id: teacher}
    row = protocols.floor_agreements([member], [student], teachers).iloc[0]
    assert row["method"] == member.method and row["agreement"] == pytest.approx(1)
