"""Who chooses a temperature where validation images are part of the test, and on what."""

import numpy as np
import pandas as pd
import pytest

from kdbook import records, selection
from kdbook.chapters import results
from kdbook.chapters.repeated_distillation import RepeatedDistillation
from kdbook.chapters.trusting_the_teacher_less import TrustingTheTeacherLess
from kdbook.families import Family
from kdbook.profiles import PROFILES
from kdbook.protocol import paper_of, protocol, reported_split
from kdbook.records import read_record, write_record
from kdbook.settings import RobustSettings, Settings
from kdbook.tuning import TUNING_SEED, dev_score
from kdlib.data.sources import NAMES
from kdlib.errors import SettingError
from kdlib.runs import OFFICIAL_TEST, Store, execute

CHOOSING = (results.Results, TrustingTheTeacherLess, RepeatedDistillation)


@pytest.mark.parametrize("name", NAMES)
def test_each_paper_has_its_protocol_and_digits_theirs(name):
    pet, robust = (protocol(name, paper) for paper in ("teachers_pet", "robust_distillation"))
    assert (robust.test, robust.chooses) == ("test", "validation")
    if name == "digits":
        assert pet == robust
    else:
        assert (pet.test, pet.chooses) == (OFFICIAL_TEST, "dev")


def test_settings_know_their_paper():
    assert paper_of(Settings()) == "teachers_pet"
    assert paper_of(RobustSettings()) == "robust_distillation"


@pytest.mark.parametrize("kind", CHOOSING)
def test_on_digits_validation_chooses_so_nobody_is_trained_to_choose(kind):
    asked = kind.parse(seeds=2)
    assert asked.choosing() == []
    assert asked.runs() == [m.spec for m in asked.members()]


@pytest.mark.parametrize("kind", CHOOSING)
@pytest.mark.parametrize("profile", ["standard", "paper"])
def test_who_chooses_has_not_seen_dev_and_neither_have_its_teachers(kind, profile):
    asked = kind.parse(profile=profile)
    chosen_by, reported = asked.choosing(), asked.members()
    assert {(m.method, m.temperature) for m in chosen_by} == {
        (m.method, m.temperature) for m in reported if m.spec.teacher is not None
    }
    assert not {m.spec for m in chosen_by} & {m.spec for m in reported}
    for member in chosen_by:
        assert member.seed == TUNING_SEED
        for spec in (member.spec, *member.spec.parents()):
            assert spec.data.part == "train_minus_dev"
        assert member.spec.recipe == reported[-1].spec.recipe


def test_more_seeds_may_choose_and_one_temperature_leaves_no_choice():
    wide = results.Settings(profile="standard", tuning_seeds=3)
    assert {m.seed for m in results.Results(wide).choosing()} == {100, 101, 102}
    assert (
        results.Results(results.Settings(profile="standard", temperatures=(2.0,))).choosing() == []
    )
    with pytest.raises(SettingError, match="tuning_seeds = 0 is not allowed"):
        results.Settings.parse(tuning_seeds=0)


def test_the_initial_teacher_teaches_where_dev_is_held_out():
    family = Family(PROFILES["standard"], 100.0, 3, sees_dev=False)
    seen = Family(PROFILES["standard"], 100.0, 3)
    assert family.teacher() == family.initial_teacher() == seen.initial_teacher()
    plain, other = family.one_hot(), seen.one_hot()
    assert plain.model_copy(update={"data": other.data}) == other
    assert family.ada_alpha(2.0).objective.mix.estimated_by == family.teacher()


class Judged:
    """A result of which the dev rows are known."""

    def __init__(self, accuracy, count):
        rows = {"label": range(len(count)), "count": count, "accuracy": accuracy}
        self.rows = pd.DataFrame(rows)

    def class_rows(self, split):
        assert split == "dev"
        return self.rows


def test_classes_without_dev_images_do_not_count():
    result = Judged([0.5, 1.0, np.nan, 0.0], [4, 2, 0, 1])
    assert dev_score(result) == pytest.approx(50.0)
    assert dev_score(result, [1, 2]) == pytest.approx(100.0)
    assert np.isnan(dev_score(result, [2]))
    assert np.isnan(dev_score(Judged([np.nan, np.nan], [3, 3])))  # it diverged


def test_on_digits_other_classes_may_choose_too(tmp_path):
    settings = results.Settings(seeds=1, epochs=2, teacher_epochs=2, temperatures=(3.0,))
    found = execute(results.Results(settings).runs(), store=Store(tmp_path), jobs=1, progress=False)
    table = results.Results(settings).per_seed(found)
    again = results.Results(settings).chosen_for(found, table, [7, 9])
    by_hand = [100 * result.accuracy("validation")[[7, 9]].mean() for result in found]
    np.testing.assert_allclose(again["validation"], by_hand)
    assert (again["run"] == table["run"]).all()


SETTINGS = results.Settings(seeds=1, epochs=2, teacher_epochs=2, temperatures=(1.0, 3.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The study of Table 3 on digits, as if their held-out images were an official test set.

    They stay so to the end of this module: tests of the digits as they are stand above.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in ("kdbook.protocol", "kdlib.runs.official_test"):
            patch.setattr(f"{module}.WITHOUT_OFFICIAL_TEST", ())
        store = Store(tmp_path_factory.mktemp("store"))
        yield execute(results.Results(SETTINGS).runs(), store=store, jobs=1, progress=False), store


def test_dev_chooses_and_all_official_images_test(trained):
    found, _ = trained
    table = results.Results(SETTINGS).per_seed(found)
    members, chosen_by = results.Results(SETTINGS).members(), results.Results(SETTINGS).choosing()
    assert len(table) == len(members) == 8 and len(chosen_by) == 6
    assert "validation" not in table
    judges = dict(
        zip([(m.method, m.temperature) for m in chosen_by], found[len(members) :], strict=True)
    )
    for (_, row), member, result in zip(table.iterrows(), members, found, strict=False):
        assert row["mean"] == pytest.approx(100 * result.accuracy(OFFICIAL_TEST).mean())
        key = (member.method, member.temperature)
        if member.spec.teacher is None:
            assert np.isnan(row["dev"])
            continue
        labels = judges[key].labels("dev")
        right = judges[key].logits("dev").argmax(1) == labels
        by_hand = np.mean([right[labels == label].mean() for label in np.unique(labels)])
        assert row["dev"] == pytest.approx(100 * by_hand)
    by_class = results.Results(SETTINGS).per_class(found)
    assert by_class.groupby("label").size().tolist() == [8] * 10
    mean = by_class.groupby(["method", "temperature"], dropna=False)["accuracy"].mean()
    for _, row in table.dropna(subset=["temperature"]).iterrows():
        assert mean[row["method"], row["temperature"]] == pytest.approx(row["mean"])


def test_the_choice_follows_dev(trained):
    table = results.Results(SETTINGS).per_seed(trained[0])
    assert selection.criterion(table) == "dev"
    choice = selection.choose_temperature(table).set_index("method")
    for method, rows in table.dropna(subset=["dev"]).groupby("method"):
        best = rows.sort_values(["dev", "temperature"], ascending=[False, True]).iloc[0]
        assert choice.loc[method, "temperature"] == best["temperature"]
        assert choice.loc[method, "score"] == pytest.approx(best["dev"])


def test_other_classes_may_choose_on_the_same_images(trained):
    found, _ = trained
    table = results.Results(SETTINGS).per_seed(found)
    again = results.Results(SETTINGS).chosen_for(found, table, [0])
    assert list(again.drop(columns="dev")) == list(table.drop(columns="dev"))
    first = results.Results(SETTINGS).choosing()[0]
    labels = found[8].labels("dev")
    right = 100 * float((found[8].logits("dev").argmax(1) == labels)[labels == 0].mean())
    row = again[(again["method"] == first.method) & (again["temperature"] == first.temperature)]
    assert row["dev"].item() == pytest.approx(right)


def test_until_all_who_choose_are_trained_nothing_chooses(trained):
    found = [*trained[0][:-1], None]
    table = results.Results(SETTINGS).per_seed(found)
    assert len(table) == 8 and "dev" not in table
    with pytest.raises(SettingError, match="nothing chooses a temperature: no column of dev, v"):
        selection.choose_temperature(table)


def test_a_record_says_which_images_test_and_names_who_chose(trained, tmp_path):
    _, store = trained
    made = records.record(results.Results(SETTINGS), store=store, finished_only=True)
    assert made.about.tested_on == OFFICIAL_TEST
    assert {m.spec.id for m in results.Results(SETTINGS).choosing()} <= set(made.about.runs)
    back = read_record(write_record(tmp_path, made))
    assert set(back.table["seed"]) == {0} and back.table["dev"].notna().sum() == 6
    assert reported_split(results.Results(SETTINGS).runs()[0]) == OFFICIAL_TEST
