"""The official test set as both halves together, and who may not be tested on it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_images import write_imagenet_lt
from small_runs import distilled, one_hot, robust_student, robust_teacher

from kdlib.data import load
from kdlib.errors import StoreError
from kdlib.models import ImageNetResNet
from kdlib.runs import (
    OFFICIAL_TEST,
    AveragedRobustCost,
    DataSpec,
    Objective,
    RobustCost,
    RunResult,
    RunSpec,
    Store,
)
from kdlib.runs.official_test import put_together
from kdlib.runs.train_one import per_class_table, train_one
from kdlib.training import PRESETS, MultiplierRule

NETWORK = ImageNetResNet(depth=18, image_size=32)
RECIPE = PRESETS["imagenet_lt_paper"].model_copy(
    update={"epochs": 2, "warmup_epochs": 1, "batch_size": 8, "peak_rate": 0.05}
)


@st.composite
def two_halves(draw):
    """Logits and labels of each half; a class may be missing in either."""
    size, parts = draw(st.integers(2, 5)), []
    for count in (draw(st.integers(1, 12)), draw(st.integers(1, 12))):
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        parts.append((rng.normal(size=(count, size)), rng.integers(0, size, count)))
    return size, parts


@given(two_halves())
def test_class_rows_of_two_splits_are_those_of_all_their_images(made):
    size, parts = made
    names = ("validation", "test")
    rows = pd.concat(
        [per_class_table(name, *part, size) for name, part in zip(names, parts, strict=True)]
    )
    logits, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    whole = per_class_table("both", logits, labels, size).drop(columns="split")
    pd.testing.assert_frame_equal(put_together(rows), whole, check_dtype=False)
    right = np.bincount(labels[logits.argmax(1) == labels], minlength=size)
    counts = np.bincount(labels, minlength=size)
    seen = counts > 0
    found = put_together(rows)["accuracy"].to_numpy()
    assert (found[seen] == right[seen] / counts[seen]).all()  # to the bit: answers are counted


@pytest.mark.filterwarnings("ignore::kdlib.data.SplitWarning")
def test_the_official_test_set_is_the_published_file_image_by_image(tmp_path, monkeypatch):
    monkeypatch.setenv("KDLIB_DATA", str(write_imagenet_lt(tmp_path / "data")))
    spec = RunSpec.parse(data=DataSpec(name="imagenet_lt"), model=NETWORK, recipe=RECIPE)
    store = Store(tmp_path / "store")
    train_one(spec, store, device="cpu", threads=1)
    result = store.finished(spec)
    data = load("imagenet_lt", image_size=32)
    assert result.index(OFFICIAL_TEST).tolist() == list(range(12))
    assert len(data.validation) + len(data.test) == 12
    labels, guesses = result.labels(OFFICIAL_TEST), result.logits(OFFICIAL_TEST).argmax(1)
    for split in (data.validation, data.test):
        own = np.isin(result.index(OFFICIAL_TEST), split.index.numpy())
        assert labels[own].tolist() == split.labels.tolist()
        assert (result.logits(OFFICIAL_TEST)[own] == result.logits(split.name)).all()
    expected = [(guesses == labels)[labels == label].mean() for label in range(3)]
    np.testing.assert_allclose(result.accuracy(OFFICIAL_TEST), expected)
    assert result.class_rows(OFFICIAL_TEST)["count"].tolist() == [4, 4, 4]


def moved(**rule):
    cost = RobustCost(rule=MultiplierRule(**rule))
    return one_hot().model_copy(update={"objective": Objective(log_cost=cost)})


def test_who_moves_class_weights_by_validation_images_has_seen_them():
    assert robust_teacher().saw_validation and robust_student().saw_validation
    half = {"validation_part": "first_half"}
    assert robust_teacher(**half).saw_validation
    averaged = AveragedRobustCost(rule=MultiplierRule())
    assert one_hot().model_copy(update={"objective": Objective(log_cost=averaged)}).saw_validation
    assert not one_hot().saw_validation and not distilled().saw_validation
    assert not moved(alpha=0.0).saw_validation  # balanced: nothing moves
    assert not moved(measured_on="training").saw_validation


def test_who_learns_from_a_run_that_has_seen_validation_images_has_seen_them_too():
    student = distilled().model_copy(update={"teacher": robust_teacher()})
    assert student.saw_validation
    assert distilled().model_copy(update={"teacher": student}).saw_validation


def a_result(tmp_path, spec, dataset):
    data = spec.data.model_copy(update={"name": dataset})
    spec = spec.model_copy(update={"data": data})
    rows = [
        {"split": split, "label": 0, "count": 2, "accuracy": 0.5, "log_loss": 1.0, "margin": 0.0}
        for split in ("dev", "validation", "test")
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "per_class.csv", index=False)
    return RunResult(spec, tmp_path)


@pytest.mark.parametrize("method", ["accuracy", "class_rows", "logits", "labels", "index"])
def test_nothing_tests_such_a_run_on_all_official_test_images(tmp_path, method):
    result = a_result(tmp_path, robust_student(), "cifar10")
    with pytest.raises(StoreError, match="have moved class weights of this run or of one that"):
        getattr(result, method)(OFFICIAL_TEST)
    assert a_result(tmp_path, robust_student(), "cifar10").accuracy("test").tolist() == [0.5]
    assert a_result(tmp_path, one_hot(), "cifar10").accuracy(OFFICIAL_TEST).tolist() == [0.5]


def test_digits_have_no_official_test_set(tmp_path):
    with pytest.raises(StoreError, match="official_test: digits has no official test set"):
        a_result(tmp_path, one_hot(), "digits").accuracy(OFFICIAL_TEST)


def test_an_unknown_split_is_named_with_those_that_are_there(tmp_path):
    with pytest.raises(StoreError, match="split = 'train' is not known: allowed are dev, valid"):
        a_result(tmp_path, one_hot(), "digits").accuracy("train")
