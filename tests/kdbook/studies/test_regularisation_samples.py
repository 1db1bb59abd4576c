"""Regularisation samples: the definition by hand, the buckets, and what a record holds."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdbook.chapters import regularisation_samples as study
from kdlib.losses import soft_label_weights
from kdlib.runs import Store, execute


def test_the_definition_by_hand():
    student = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    teacher = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    labels = torch.tensor([0, 0, 1])
    # student: 0.5, 0.881, 0.953; teacher: 0.731 in all three
    found = study.is_regularisation_sample(student, teacher, labels)
    assert found.tolist() == [False, True, True]


@given(st.integers(0, 10_000))
def test_a_sample_is_where_the_weight_of_zhou_et_al_is_small(seed):
    stream = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 30, 5, generator=stream, dtype=torch.float64)
    labels = torch.randint(5, (30,), generator=stream)
    weights = soft_label_weights(student, teacher, labels)
    expected = weights < 1 - np.exp(-1)
    assert torch.equal(study.is_regularisation_sample(student, teacher, labels), expected)


def test_an_endless_temperature_leaves_one_over_l():
    student = torch.tensor([[5.0, 0.0], [0.0, 5.0]])
    teacher = torch.tensor([[9.0, 0.0], [9.0, 0.0]])
    labels = torch.tensor([0, 0])
    found = study.is_regularisation_sample(student, teacher, labels, temperature=1e6)
    assert found.tolist() == [True, False]


def test_buckets_average_the_images_of_their_classes():
    table = pd.DataFrame(
        {
            "seed": 0, "temperature": 1.0, "split": "test",
            "place": [0, 0, 1, 2, 3, 3], "sample": [1.0, 0, 1, 0, 0, 0],
            "teacher": [0.1, 0.3, 0.5, 1, 1, 1], "student": 0.5,
        }
    )  # fmt: skip
    found = study.by_bucket(table, 2).set_index("bucket")
    assert found["images"].tolist() == [3, 3]
    assert found["sample"].tolist() == pytest.approx([200 / 3, 0])
    assert found.loc[1, "teacher"] == pytest.approx(0.3)
    assert len(study.by_bucket(table, 100)) == 4  # one per class, no more


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    settings = study.Settings(seeds=2, epochs=3)
    store = Store(tmp_path_factory.mktemp("store"))
    return settings, execute(
        study.RegularisationSamples(settings).runs(), store=store, jobs=1, progress=False
    )


def test_every_image_of_both_splits_is_judged(trained):
    settings, results = trained
    table = study.RegularisationSamples(settings).examples(results, temperatures=(1.0, 3.0))
    counts = table.groupby(["split", "temperature"]).size()
    assert counts["test", 1.0] == counts["test", 3.0] == 2 * 697
    assert counts["training", 1.0] == 2 * 303
    one = table[(table["seed"] == 0) & (table["split"] == "test") & (table["temperature"] == 3.0)]
    teacher, _, student = results[:3]
    by_hand = study.is_regularisation_sample(
        torch.from_numpy(student.logits("test")),
        torch.from_numpy(teacher.logits("test")),
        torch.from_numpy(teacher.labels("test")),
        3.0,
    )
    assert one["sample"].tolist() == by_hand.double().tolist()


def test_the_record_says_how_many_there_are(trained):
    settings, results = trained
    table = study.RegularisationSamples(settings).per_seed(results)
    every = study.RegularisationSamples(settings).examples(results)
    share = every[(every["seed"] == 1) & (every["split"] == "test")]["sample"].mean()
    row = table[(table["method"] == "distilled") & (table["seed"] == 1)].iloc[0]
    assert row["samples_test"] == pytest.approx(100 * share)
    assert set(table["method"]) == {"distilled"} and len(table) == 2
    last = every[(every["seed"] == 1) & (every["split"] == "training") & (every["place"] == 9)]
    assert row["samples_training_last"] == pytest.approx(100 * last["sample"].mean())


def test_a_seed_without_its_student_is_left_out(trained):
    settings, results = trained
    partial = [*results[:5], None]
    assert set(study.RegularisationSamples(settings).examples(partial)["seed"]) == {0}
    assert study.RegularisationSamples(settings).examples([None] * 6).empty
