import numpy as np
import pandas as pd
import pytest
import torch

from kdbook import records, tables
from kdbook.chapters.rare_classes import teacher_length
from kdbook.chapters.rare_classes.teacher_length import Settings
from kdbook.records import read_record, write_record
from kdlib.runs import Store, execute

SMALL = Settings(seeds=2, teacher_lengths=(4, 8), student_lengths=(2,), temperatures=(1.0, 3.0))


def test_every_student_of_every_teacher_at_the_lengths_that_are_named():
    found = teacher_length.TeacherLength(SMALL).members()
    assert len(found) == 2 * (2 + 1 + 2 * 2 * 2)
    for member in found:
        place = dict(member.place)
        assert member.spec.recipe.epochs == place["student_epochs"]
        if member.spec.teacher is not None:
            assert member.spec.teacher.recipe.epochs == place["teacher_epochs"]
            for estimator in member.spec.parents():
                assert estimator.recipe.epochs == place["teacher_epochs"]


def test_nothing_but_lengths_and_temperature_differs_within_a_seed():
    def plain(member):
        recipe = member.spec.recipe.model_dump(exclude={"epochs", "warmup_epochs"})
        return member.spec.data, member.spec.model, member.spec.seed, str(recipe)

    students = [
        m
        for m in teacher_length.TeacherLength(SMALL).members()
        if m.method != "teacher" and m.seed == 0
    ]
    assert len({plain(member) for member in students}) == 1


def test_effects_subtract_the_one_hot_student_of_the_same_length_and_seed():
    rows = [
        ("one-hot", np.nan, seed, np.nan, length, base + seed)
        for length, base in ((40.0, 50.0), (80.0, 70.0))
        for seed in (0, 1)
    ] + [
        ("distilled", 3.0, seed, 40.0, length, base + seed + lift)
        for length, base, lift in ((40.0, 50.0, -10.0), (80.0, 70.0, -4.0))
        for seed in (0, 1)
    ]
    names = ["method", "temperature", "seed", "teacher_epochs", "student_epochs", "rarest"]
    found = teacher_length.effects(pd.DataFrame(rows, columns=names))
    assert found.set_index("student_epochs")["mean"].to_dict() == {40.0: -10.0, 80.0: -4.0}
    assert (found["seeds"] == 2).all()


def test_a_loss_that_follows_the_share_off_the_label_has_correlation_minus_one():
    cells = [(t, length, 10 * t / length) for t in (1.0, 3.0) for length in (40.0, 80.0)]
    rows = [("one-hot", np.nan, seed, np.nan, 40.0, 50.0, np.nan) for seed in (0, 1)] + [
        ("distilled", t, seed, length, 40.0, 50.0 - share, share)
        for t, length, share in cells
        for seed in (0, 1)
    ]
    names = ["method", "temperature", "seed", "teacher_epochs", "student_epochs", "rarest"]
    found = teacher_length.dose(pd.DataFrame(rows, columns=[*names, "off_label_rarest"]))
    assert (found["mean"], found["seeds"]) == (-1, 2)


@pytest.mark.slow
def test_the_share_off_the_label_is_that_of_the_teacher_on_its_training_images(tmp_path):
    settings = SMALL.model_copy(update={"seeds": 1, "teacher_lengths": (4,)})
    members = teacher_length.TeacherLength(settings).members()
    results = execute(
        teacher_length.TeacherLength(settings).runs(), store=Store(tmp_path), jobs=1, progress=False
    )
    table = teacher_length.TeacherLength(settings).per_seed(results)
    teacher = results[[m.method for m in members].index("teacher")]
    logits, labels = tables.training_logits(teacher)
    off = 1 - (logits / 3).softmax(1)[torch.arange(len(labels)), labels]
    by_class = [off[labels == label].mean().item() for label in range(10)]
    row = table[(table["method"] == "distilled") & (table["temperature"] == 3)].iloc[0]
    assert row["off_label"] == pytest.approx(100 * np.mean(by_class), rel=1e-5)
    assert row["off_label_rarest"] == pytest.approx(100 * np.mean(by_class[-2:]), rel=1e-5)
    assert table.loc[table["method"] != "distilled", "off_label"].isna().all()
    made = records.record(
        teacher_length.TeacherLength(settings), store=Store(tmp_path), finished_only=True
    )
    back = read_record(write_record(tmp_path / "records", made))
    assert len(back.table) == len(table) and back.about.missing_runs == 0
