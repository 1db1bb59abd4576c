"""Runs of the study, what it refuses, and its tables on two-epoch runs of real digits."""

import numpy as np
import pandas as pd
import pytest

from kdbook import tables
from kdbook.chapters import where_the_teacher_errs as study
from kdbook.chapters.where_the_teacher_errs import mistakes
from kdbook.chapters.where_the_teacher_errs.findings import Findings
from kdlib.errors import SettingError
from kdlib.metrics import class_means, log_loss, margin
from kdlib.runs import Store, execute


@pytest.mark.parametrize(("profile", "families"), [("quick", 10), ("standard", 3), ("paper", 3)])
def test_six_networks_a_seed(profile, families):
    settings = study.Settings(profile=profile)
    members = study.WhereTheTeacherErrs(settings).members()
    assert len({m.spec.id for m in members}) == len(members) == 6 * families
    assert [m.spec for m in members] == study.WhereTheTeacherErrs(settings).runs()


@pytest.mark.parametrize(
    ("name", "value"), [("temperature", 0), ("offset", 0), ("offset", 1.1), ("buckets", 0)]
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(SettingError, match=name):
        study.Settings.from_chapter(**{name: value})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    settings = study.Settings(seeds=1, epochs=2)
    store = Store(tmp_path_factory.mktemp("store"))
    return settings, execute(
        study.WhereTheTeacherErrs(settings).runs(), store=store, jobs=1, progress=False
    )


def test_statistics_agree_with_the_logits(trained):
    settings, results = trained
    table = study.WhereTheTeacherErrs(settings).by_class(results)
    for method, result in zip(("teacher", "initial teacher"), results, strict=False):
        logits, labels = result.logits("test"), result.labels("test")
        values = 100 * (logits.argmax(axis=1) == labels), log_loss(logits, labels)
        expected = class_means([*values, margin(logits, labels)], labels, 10)
        rows = table[(table["method"] == method) & (table["split"] == "test")]
        np.testing.assert_allclose(rows[["accuracy", "log_loss", "margin"]].T, expected)


def test_only_the_four_views_of_the_teachers_are_kept(trained):
    views = study.WhereTheTeacherErrs(trained[0]).by_teacher_and_images(*trained[1:])
    assert set(views["method"]) == set(study.TEACHER_VIEWS.values())
    own = views[views["method"] == study.TEACHER_VIEWS["teacher, training"]]
    assert own["label"].tolist() == list(range(10))
    logits, labels = tables.training_logits(trained[1][0])
    right = np.average(own["accuracy"], weights=own["train_count"])
    assert right == pytest.approx(100 * float((logits.argmax(dim=1) == labels).double().mean()))


def test_the_teachers_mistakes_are_counted_for_each_student(trained):
    settings, results = trained
    table = mistakes.transfer(study.WhereTheTeacherErrs(settings).members(), results)
    assert tuple(table["method"]) == study.STUDENTS
    assert table["mistakes"].nunique() == 1
    # No student's guess changes with its temperature, its probabilities do.
    assert (table["belief"] != table["belief_fitted"]).all()
    assert (table["repeated"] + table["corrected"] <= 100 + 1e-9).all()


def test_lost_answers_are_those_right_without_a_teacher_and_wrong_with_one(trained):
    settings, results = trained
    asked = study.WhereTheTeacherErrs(settings)
    asked._results = results
    teacher, _, plain, taught = (r.logits("test").argmax(axis=1) for r in results[:4])
    labels = results[0].labels("test")
    triples = list(zip(teacher, plain, taught, labels, strict=True))
    lost = [t for t, p, d, y in triples if p == y != d]
    known = [t for t, p, d, y in triples if p == y != d and t == y]
    assert Findings(asked).lost_answers() == (len(lost), len(known))
    assert f"of the {len(lost)} right answers" in Findings(asked).in_short()


def test_the_record_holds_the_last_bucket_of_every_run(trained):
    settings, results = trained
    table = study.WhereTheTeacherErrs(settings).per_seed(results).set_index("method")
    by_class = study.WhereTheTeacherErrs(settings).by_class(results)
    judged = by_class[(by_class["method"] == "teacher") & (by_class["split"] == "validation")]
    # The first of the worst has the most images: of equal ones the last is the last bucket.
    last = judged.loc[judged["accuracy"] == judged["accuracy"].min(), "label"].max()
    rows = by_class[(by_class["label"] == last) & (by_class["split"] == "test")]
    expected = rows.set_index("method")["margin"]
    assert table["tail_margin"].to_dict() == pytest.approx(expected.to_dict())
    assert table.loc["teacher", "repeated"] == 100.0


def test_a_seed_without_its_teacher_has_no_rows(trained):
    settings, results = trained
    two = settings.model_copy(update={"seeds": 2})
    table = study.WhereTheTeacherErrs(two).per_seed([*results, None, *results[1:]])
    assert set(table["seed"]) == {0}


def test_agreement_by_hand():
    names = list(study.TEACHER_VIEWS.values())
    margins = {names[0]: [1.0, 1.0, 1.0], names[1]: [0.8, 0.2, 0.5], names[2]: [0.1, 0.3, 0.2],
               names[3]: [0.9, 0.1, 0.5]}  # fmt: skip
    views = pd.DataFrame(
        [{"method": view, "seed": 4, "label": label, "margin": value}
         for view, values in margins.items() for label, value in enumerate(values)]
    )  # fmt: skip
    found = study.agreement(views).set_index("method")
    assert found.loc[names[1], "distance"] == pytest.approx(0.2 / 3)
    assert found.loc[names[1], "correlation"] == pytest.approx(1.0)
    assert found.loc[names[0], "bias"] == pytest.approx(0.5)
    assert found.loc[names[2], "correlation"] == pytest.approx(-1.0)
    assert np.isnan(found.loc[names[0], "correlation"])
