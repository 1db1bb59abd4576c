import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook import settings as base
from kdbook.chapters import STUDIES, rare_classes, study, trusting_the_teacher_less
from kdbook.profiles import PROFILES, profile_of
from kdbook.settings import RobustSettings
from kdlib.errors import SettingError
from kdlib.validated import allowed


@pytest.mark.parametrize(
    ("text", "value"),
    [("null", None), ("None", None), ("[1, 20]", (1.0, 20.0)), ((5.0,), (5.0,))],
)
def test_what_papermill_hands_over_as_text_is_read(text, value):
    assert rare_classes.Settings.from_chapter(imbalances=text).imbalances == value


@given(st.floats(0.05, 100))
def test_numbers_may_come_as_text(temperature):
    settings = rare_classes.Settings.parse(temperature=repr(temperature))
    assert settings.temperature == temperature


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"temperature": 0}, "temperature = 0 is not allowed: number from 0.05 to 100"),
        ({"temperature": "warm"}, "temperature = 'warm' is not allowed: number from 0.05 to 100"),
        ({"alpha": 1.5}, "alpha = 1.5 is not allowed: number from 0 to 1"),
        ({"alpha": float("nan")}, "alpha = nan is not allowed"),
        ({"seeds": 0}, "seeds = 0 is not allowed: integer from 1 to 1000 or null"),
        ({"profile": "fast"}, "profile = 'fast' is not allowed: quick, standard, paper"),
        ({"imbalances": "[0.5]"}, "list of at least 1: number from 1 to 1000"),
        ({"imbalances": "[1, 2"}, "imbalances"),
        ({"imbalances": ()}, "imbalances = () is not allowed: list of at least 1: number"),
        ({"temperature": True}, "temperature = True is not allowed: number from 0.05 to 100"),
        ({"seeds": False}, "seeds = False is not allowed: integer from 1 to 1000 or null"),
        ({"imbalances": [1, True]}, "imbalances.1 = True is not allowed"),
        (
            {"imbalances": "[1, true]"},
            "imbalances = '[1, true]' is not allowed: list of at least",
        ),
        (
            {"temprature": 2},
            "unknown parameter 'temprature': did you mean temperature? Allowed",
        ),
    ],
)
def test_wrong_values_are_refused_in_one_line_with_the_allowed_range(values, complaint):
    with pytest.raises(SettingError) as error:
        rare_classes.Settings.from_chapter(**values)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_that_papermill_injected_but_no_chapter_declares_is_refused(monkeypatch):
    cells = ['profile = "quick"\n', '# Parameters\nprofile = "quick"\ntemprature = 3\n']
    monkeypatch.setattr(base, "_cells_run_so_far", lambda: cells)
    with pytest.raises(SettingError, match="'temprature': did you mean temperature"):
        rare_classes.Settings.from_chapter(profile="quick", temperature=3)


def test_only_injected_cells_are_looked_at():
    cells = ["other = 1", "# Parameters\na = 1\nb = [1, 2]", "# parameters of mine\nc = 1"]
    assert base.names_assigned(cells) == {"a", "b"}


def test_outside_a_kernel_nothing_is_injected():
    assert base.injected_names() == set()


def test_seeds_of_the_settings_win_over_the_profiles():
    settings = rare_classes.Settings(seeds=2)
    assert profile_of(settings).seeds == profile_of(settings).sweep_seeds == 2
    assert profile_of(rare_classes.Settings()) == PROFILES["quick"]


@pytest.mark.parametrize("name", [name for name in STUDIES if study(name).trains])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_study_with_networks_lists_its_runs_at_every_profile(name, profile):
    asked = study(name).parse(profile=profile)
    found = {run.data.name for run in asked.runs()}
    assert found == {expected_dataset(asked.Settings, name, profile)}


def expected_dataset(settings, name, profile):
    if (name, profile) == ("natural_long_tails", "paper"):
        return "inaturalist2018"
    if issubclass(settings, RobustSettings) and profile != "quick":
        return "cifar10"  # the first data set of "Robust distillation"
    return PROFILES[profile].dataset


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_asks_a_question_and_has_the_name_that_finds_it(name):
    assert study(name).question.endswith("?")
    assert study(name).parse().name == name


def test_an_unknown_study_is_refused():
    with pytest.raises(SettingError, match="study 'rare' is not known: did you mean rare_"):
        study("rare")


def test_every_setting_says_what_it_allows():
    for name in STUDIES:
        settings = study(name).Settings
        assert all(allowed(settings, field) for field in settings.model_fields)


def test_both_studies_share_the_runs_of_the_common_ratio():
    sweep = set(rare_classes.RareClasses(rare_classes.Settings()).runs())
    trust = set(
        trusting_the_teacher_less.TrustingTheTeacherLess(
            trusting_the_teacher_less.Settings()
        ).runs()
    )
    assert len(sweep & trust) == 30  # teacher, one-hot and distilled T=1 of ten seeds


def test_students_of_a_family_differ_in_their_objective_only():
    runs = trusting_the_teacher_less.TrustingTheTeacherLess(
        trusting_the_teacher_less.Settings(seeds=1)
    ).members()
    students = [m.spec for m in runs if m.method != "teacher"]
    assert len({(s.data, s.model, s.recipe, s.seed) for s in students}) == 1
    teacher = next(m.spec for m in runs if m.method == "teacher")
    assert teacher.seed not in {s.seed for s in students}


def test_epochs_and_precision_change_the_recipe_of_the_profile():
    plain = profile_of(base.Settings(profile="standard"))
    changed = profile_of(base.Settings(profile="standard", epochs="12", precision="bf16"))
    assert plain == PROFILES["standard"]
    assert (changed.recipe.epochs, changed.recipe.precision) == (12, "bf16")
    assert changed.recipe.batch_size == plain.recipe.batch_size


@pytest.mark.parametrize(
    ("values", "students", "teachers"),
    [
        ({}, 40, 80),
        ({"epochs": 20}, 20, 40),
        ({"teacher_epochs": 160}, 40, 160),
        ({"epochs": 20, "teacher_epochs": 20}, 20, 20),
    ],
)
def test_teachers_keep_their_length_beside_the_students(values, students, teachers):
    profile = profile_of(base.Settings(**values))
    assert profile.recipe.epochs == students
    assert profile.teachers_recipe.epochs == teachers


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"epochs": 1}, "epochs = 1 is not allowed: integer from 2 to 10000 or null"),
        ({"precision": "fp16"}, "precision = 'fp16' is not allowed"),
    ],
)
def test_an_impossible_length_or_precision_is_refused(values, complaint):
    with pytest.raises(SettingError, match=complaint):
        base.Settings.parse(**values)
