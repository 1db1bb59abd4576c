"""Several students in one step: each against its own training alone."""

import pytest
import torch
from small_training import CLASSES, changed, network, one_hot, random_split, results, same_state

from kdlib.errors import SettingError
from kdlib.training import (
    CheckpointError,
    ForwardTeacher,
    LossVectors,
    Student,
    train,
    train_many,
)

SHORT = changed(stop_after=2)
VECTORS = (
    one_hot(),
    LossVectors.constant(CLASSES, mix=0.7, temperature=3.0),
    LossVectors(torch.linspace(0, 1, CLASSES), torch.linspace(0, 2, CLASSES), 0.5),
)


def teacher():
    return network(99, width=8)


def student(k, **options):
    """Student k: its seed, images, mix, log-cost and temperature are its own."""
    values = {"split": random_split(seed=k), "vectors": VECTORS[k % 3], "teacher": teacher()}
    return Student(network(k), seed=k, **values | options)


def together(students, recipe=SHORT, **options):
    return train_many(students, recipe, bar=False, **options)


def alone(one, model, recipe=SHORT, **options):
    return train(
        model, one.split, one.vectors, recipe, seed=one.seed, teacher=one.teacher, bar=False,
        **options,
    )  # fmt: skip


class Breaks:
    """A teacher that gives NaN, or stops the training, at one call (from 0)."""

    def __init__(self, call, error=None):
        self.calls, self.call, self.error = 0, call, error
        self.sound = ForwardTeacher(teacher(), "cpu")

    def __call__(self, rows, views, images):
        self.calls += 1
        if self.calls - 1 != self.call:
            return self.sound(rows, views, images)
        if self.error is not None:
            raise self.error
        return torch.full((len(rows), CLASSES), torch.nan)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_trains_as_alone_up_to_rounding(precision):
    recipe = changed(stop_after=2, precision=precision)
    tolerance = 1e-4 if precision == "fp32" else 0.05
    students = [student(k) for k in range(3)]
    for k, (one, outcome) in enumerate(zip(students, together(students, recipe), strict=True)):
        model = network(k)
        expected = alone(one, model, recipe)
        assert outcome.status == "completed" and outcome.diverged_step is None
        for ours, theirs in zip(outcome.history, expected.history, strict=True):
            assert ours["rate"] == theirs["rate"] and ours["epoch"] == theirs["epoch"]
            assert ours["loss"] == pytest.approx(theirs["loss"], rel=tolerance)
        for name, value in model.state_dict().items():
            own = one.model.state_dict()[name]
            torch.testing.assert_close(own, value, rtol=20 * tolerance, atol=20 * tolerance)


def test_seeds_on_the_same_images_and_weighted_soft_labels():
    soft = LossVectors(torch.full((CLASSES,), 0.5), torch.zeros(CLASSES), 2.0, weighted=True)
    students = [student(k, split=random_split(), vectors=soft) for k in range(2)]
    for k, (one, outcome) in enumerate(zip(students, together(students), strict=True)):
        losses = [record["loss"] for record in alone(one, network(k)).history]
        assert [record["loss"] for record in outcome.history] == pytest.approx(losses, rel=1e-4)


def test_two_calls_give_the_same_bits():
    first, second = [student(0), student(1)], [student(0), student(1)]
    ours, theirs = together(first), together(second)
    assert [results(outcome) for outcome in ours] == [results(outcome) for outcome in theirs]
    assert all(same_state(a.model, b.model) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("call", [0, 2, 5])
def test_one_that_diverges_leaves_the_others_as_they_are(call):
    sound = [student(1), student(4), student(2)]
    expected = together(sound)
    students = [student(1), student(4, teacher=Breaks(call)), student(2)]
    one, broken, other = together(students)
    by_itself = alone(student(4, teacher=Breaks(call)), network(4))
    assert broken.status == by_itself.status == "diverged"
    assert broken.diverged_step == by_itself.diverged_step == call
    assert len(broken.history) == len(by_itself.history) == call // 4
    assert [results(one), results(other)] == [results(expected[0]), results(expected[2])]
    assert same_state(students[0].model, sound[0].model)
    assert same_state(students[2].model, sound[2].model)


def test_a_huge_rate_ends_all_as_diverged():
    outcomes = together([student(0), student(3)], changed(peak_rate=100.0, weight_decay=1.0))
    assert [outcome.status for outcome in outcomes] == ["diverged"] * 2


def kept(folder, k, **options):
    return student(k, checkpoint=folder / f"{k}.safetensors", fingerprint=f"run {k}", **options)


def test_a_killed_stack_goes_on_to_the_same_bits(tmp_path):
    recipe = changed(stop_after=4)
    whole = [student(k) for k in range(2)]
    expected = together(whole, recipe)
    stops = Breaks(call=11, error=KeyboardInterrupt())  # in epoch 3 of 4 steps
    with pytest.raises(KeyboardInterrupt):
        together([kept(tmp_path, 0), kept(tmp_path, 1, teacher=stops)], recipe, checkpoint_every=2)
    counts = Breaks(call=-1)
    resumed = [kept(tmp_path, 0), kept(tmp_path, 1, teacher=counts)]
    outcomes = together(resumed, recipe, checkpoint_every=2)
    assert counts.calls == 2 * 4  # two epochs were there
    assert [results(outcome) for outcome in outcomes] == [results(one) for one in expected]
    assert all(same_state(a.model, b.model) for a, b in zip(resumed, whole, strict=True))


def test_checkpoints_of_different_epochs_start_again(tmp_path):
    recipe = changed(stop_after=2)
    whole = [student(k) for k in range(2)]
    together(whole, recipe)
    together([kept(tmp_path, 0), kept(tmp_path, 1)], recipe, checkpoint_every=1)
    (tmp_path / "1.safetensors").unlink()
    again = [kept(tmp_path, 0), kept(tmp_path, 1)]
    together(again, recipe)
    assert all(same_state(a.model, b.model) for a, b in zip(again, whole, strict=True))


def test_another_students_checkpoint_is_refused(tmp_path):
    together([kept(tmp_path, 0), kept(tmp_path, 1)], checkpoint_every=1)
    swapped = student(1, checkpoint=tmp_path / "0.safetensors", fingerprint="run 1")
    with pytest.raises(CheckpointError):
        together([kept(tmp_path, 0), swapped])
    with pytest.raises(CheckpointError):  # a student's bits may depend on its companions
        together([kept(tmp_path, 0), kept(tmp_path, 1), student(2)])


WEIGHTS = LossVectors(torch.zeros(CLASSES), torch.zeros(CLASSES), class_weight=torch.ones(CLASSES))
WEIGHTED = LossVectors(torch.ones(CLASSES), torch.zeros(CLASSES), weighted=True)


@pytest.mark.parametrize(
    ("students", "named"),
    [
        ([], "at least one"),
        ([student(0), student(3, split=random_split(32))], "one size"),
        ([student(0), student(3, vectors=WEIGHTS)], "class_weight"),
        ([student(0), student(3, vectors=WEIGHTED)], "weighted"),
        ([student(1, teacher=None)], "teacher is needed"),
        ([student(0), Student(network(1, width=8), random_split(), one_hot(), 1)], "one shape"),
    ],
)
def test_students_that_do_not_fit_together_are_refused(students, named):
    with pytest.raises(SettingError, match=named):
        together(students)
