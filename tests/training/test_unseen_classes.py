"""Held-out examples that lack a class leave its multiplier where it is, and say so."""

import warnings
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_training import CLASSES, random_split, run

from kdlib.errors import SettingError
from kdlib.losses import exponentiated_gradient
from kdlib.training import ClassMultipliers, HeldOut, LossVectors, MultiplierRule
from kdlib.training.held_out import UnseenClassWarning
from kdlib.training.multipliers import _unmoved

EQUAL = torch.full((CLASSES,), 1 / CLASSES)


def lacking(*classes, n=32):
    split = random_split(n, seed=5)
    kept = torch.isin(split.labels, torch.tensor(classes, dtype=torch.int64)).logical_not()
    targets = torch.nn.functional.one_hot(split.labels[kept], CLASSES).float()
    return HeldOut(split.images[kept], targets, "centre", "")


@given(
    st.lists(st.floats(0.01, 1), min_size=CLASSES, max_size=CLASSES),
    st.lists(st.floats(0, 1), min_size=CLASSES, max_size=CLASSES),
    st.sets(st.integers(0, CLASSES - 1), max_size=CLASSES - 1),
    st.floats(0.01, 2),
)
def test_a_move_leaves_the_weight_of_unseen_classes_and_is_the_same_among_the_others(
    weights, errors, unseen, step
):
    before = torch.tensor(weights, dtype=torch.float64).log().log_softmax(0)
    mask = torch.tensor([label in unseen for label in range(CLASSES)])
    errors = torch.tensor(errors, dtype=torch.float64).masked_fill(mask, 0.0)
    after = exponentiated_gradient(before, _unmoved(before, errors, mask, step), step)
    torch.testing.assert_close(after[mask], before[mask])
    alone = exponentiated_gradient(before[~mask].log_softmax(0), errors[~mask], step)
    torch.testing.assert_close(after[~mask].log_softmax(0), alone)


def test_where_every_class_is_seen_the_errors_keep_their_bits():
    before, errors = torch.randn(2, CLASSES)
    same = _unmoved(before.log_softmax(0), errors, torch.zeros(CLASSES, dtype=torch.bool), 0.1)
    assert torch.equal(same, errors)


def test_a_training_without_a_class_says_so_once_and_keeps_its_weight():
    with pytest.warns(UnseenClassWarning, match=r"no example of 1 of the 4 classes \(3\)"):
        moving = ClassMultipliers(MultiplierRule(update_every=2, step=1.0), EQUAL, lacking(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnseenClassWarning)
        _, outcome = run(multipliers=moving)
    path = outcome.multipliers["log_multipliers"].exp()
    torch.testing.assert_close(path[:, 3], torch.full((len(path),), 0.25))
    torch.testing.assert_close(path.sum(1), torch.ones(len(path)))


def test_held_out_images_and_targets_must_fit():
    sound = lacking()
    with pytest.raises(SettingError, match="held_out has 31 images and 32 targets"):
        moving_by(sound.images[1:], sound.targets)
    with pytest.raises(SettingError, match=r"held_out has images of type torch.float32"):
        moving_by(sound.images.float(), sound.targets)


def moving_by(images, targets):
    return ClassMultipliers(MultiplierRule(), EQUAL, HeldOut(images, targets, "centre", ""))


# --- the split that is trained on ---


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"images": lambda s: s.images.float() / 255}, "images of type torch.float32"),
        ({"images": lambda s: s.images[:, 0]}, "must be uint8"),
        ({"images": lambda s: s.images[:-1]}, "has 63 images, 64 labels, 64 index"),
        ({"labels": lambda s: s.labels + 1}, f"holds the label {CLASSES}: allowed 0 to 3"),
        ({"labels": lambda s: s.labels - 1}, "holds the label -1: allowed 0 to 3"),
        ({"labels": lambda s: s.labels.float()}, "labels of type torch.float32"),
    ],
)
def test_a_split_of_ones_own_is_checked_before_training(change, complaint):
    split = random_split()
    wrong = replace(split, **{name: make(split) for name, make in change.items()})
    with pytest.raises(SettingError, match=complaint):
        run(vectors=LossVectors.constant(CLASSES), split=wrong)
