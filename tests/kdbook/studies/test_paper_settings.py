"""Every profile `paper` against the papers' settings, field by field.

The tables below are typed from the papers: Appendix B and section 5 of "Teacher's pet", section E.2
of "Robust distillation". What a paper does not state stands in NOT_STATED.
"""

from functools import cache

import pytest

from kdbook.chapters import natural_long_tails, results
from kdbook.chapters.baselines_and_compression import RobustBaselines
from kdbook.chapters.teacher_and_student import TeacherAndStudent
from kdbook.chapters.trade_offs import TradeOffs
from kdbook.families import Family, families, families_at
from kdbook.profiles import LARGE_PROFILES, PROFILES, profile_of, robust_profile
from kdbook.protocol import protocol
from kdbook.robust_families import RobustFamily
from kdbook.settings import RobustSettings
from kdlib.data.longtail import dev_count
from kdlib.training import PRESETS, CosineDecay, StepDecay

STUDIES = (TeacherAndStudent, TradeOffs, RobustBaselines)
COSINE = {"kind": "cosine"}
NOT_STATED = {"crop_padding", "flip", "input_scaling", "precision"}


def drops(*epochs):
    return {"kind": "step", "epochs": epochs, "factor": 0.1}


CIFAR = {"epochs": 450, "batch_size": 1024, "peak_rate": 1.0, "warmup_epochs": 15,
         "weight_decay": 1e-4, "momentum": 0.9, "nesterov": True, "stop_after": None}  # fmt: skip
IMAGENET = {**CIFAR, "epochs": 90, "peak_rate": 0.8, "warmup_epochs": 5, "weight_decay": 0.5e-4}
TEACHERS_PET = {
    ("cifar100", 1.0): {**CIFAR, "schedule": drops(200, 300, 400)},
    ("cifar100", 100.0): {**CIFAR, "schedule": COSINE},
    ("imagenet", 1.0): {**IMAGENET, "schedule": drops(30, 60, 80)},
    ("imagenet_lt", 1.0): {**IMAGENET, "schedule": COSINE},
    ("inaturalist2018", 1.0): {**IMAGENET, "schedule": COSINE},
}
DEPTHS = {"cifar100": 56, "imagenet": 50, "imagenet_lt": 50, "inaturalist2018": 50}


def family_of(dataset, ratio, seed=0):
    profile = PROFILES["paper"] if dataset == "cifar100" else LARGE_PROFILES[dataset]
    assert profile.dataset == dataset
    return Family(profile, ratio, seed)


def check(recipe, stated, not_stated=NOT_STATED):
    found = recipe.model_dump()
    assert set(found) == set(stated) | not_stated
    assert {key: found[key] for key in stated} == stated


@pytest.mark.parametrize(("dataset", "ratio"), TEACHERS_PET)
def test_every_network_of_teachers_pet_trains_as_printed(dataset, ratio):
    family = family_of(dataset, ratio)
    runs = [
        family.teacher(), family.initial_teacher(), family.one_hot(), family.distilled(2.0),
        family.ada_alpha(2.0), family.ada_margin(2.0), family.distilled_again(3, 2.0),
    ]  # fmt: skip
    for run in runs:
        for spec in (run, *run.parents()):
            check(spec.recipe, TEACHERS_PET[dataset, ratio])
            assert (spec.data.imbalance, spec.model.depth) == (ratio, DEPTHS[dataset])
    assert runs[3].objective.mix.alpha == 1.0  # "only with ... the teacher's logits"


@pytest.mark.parametrize("ratio", [1.0, 5.0, 20.0, 50.0, 100.0])
def test_in_a_sweep_only_balanced_data_have_the_step_decay(ratio):
    kind = StepDecay if ratio == 1 else CosineDecay
    for family in (*families(PROFILES["paper"], ratio), *families_at(PROFILES["paper"], ratio)):
        assert isinstance(family.one_hot().recipe.schedule, kind)
        assert isinstance(family.teacher().recipe.schedule, kind)


def test_both_schedules_follow_the_settings():
    settings = results.Settings(
        profile="paper", epochs=90, teacher_epochs=180, precision="bf16", seeds=2
    )
    profile = profile_of(settings)
    for ratio in (1.0, 20.0):
        family = Family(profile, ratio, 0)
        student, teacher = family.one_hot().recipe, family.teacher().recipe
        assert (student.epochs, teacher.epochs) == (90, 180)
        assert student.precision == teacher.precision == "bf16"
        assert len(families(profile, ratio)) == 2
    balanced = Family(profile, 1.0, 0)
    assert balanced.one_hot().recipe.schedule.epochs == (40, 60, 80)
    assert balanced.teacher().recipe.schedule.epochs == (80, 120, 160)


def test_temperatures_and_trust_of_teachers_pet():
    settings = results.Settings(profile="paper")
    assert settings.temperatures == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert settings.alpha == 1.0
    for name in LARGE_PROFILES:
        large = natural_long_tails.Settings(profile="paper", dataset=name)
        assert natural_long_tails.NaturalLongTails(large).teaching() == (0.9, 0.2)


@pytest.mark.parametrize(
    ("name", "ratio", "in_class", "held_out"),
    [
        ("cifar100", 1.0, 500, 100),  # 20 %
        ("imagenet", 1.0, 1300, 260),
        ("cifar100", 100.0, 500, 20),  # k = 20
        ("cifar100", 100.0, 41, 20),
        ("cifar100", 100.0, 40, 20),  # at most 2k: half
        ("cifar100", 100.0, 9, 4),
        ("imagenet_lt", 1.0, 1280, 50),  # k = 50
        ("imagenet_lt", 1.0, 100, 50),
        ("imagenet_lt", 1.0, 7, 3),
    ],
)
def test_the_dev_split(name, ratio, in_class, held_out):
    assert dev_count(in_class, ratio, name) == held_out


@pytest.mark.parametrize("dataset", sorted({name for name, _ in TEACHERS_PET}))
def test_teachers_pet_tests_on_all_official_images_and_chooses_on_dev(dataset):
    rule = protocol(dataset, "teachers_pet")
    assert (rule.test, rule.chooses) == ("official_test", "dev")


# "Robust distillation" states no base rate, and does not say whether momentum is Nesterov's.
ROBUST_NOT_STATED = NOT_STATED | {"peak_rate", "nesterov"}
BALANCED = {"epochs": 450, "warmup_epochs": 15, "weight_decay": 1e-4, "momentum": 0.9,
            "schedule": drops(200, 300, 400), "stop_after": None}  # fmt: skip
LONG_TAILED = {**BALANCED, "epochs": 256, "schedule": drops(96, 192, 224)}
ROBUST = {
    ("cifar10", 1.0): {**BALANCED, "batch_size": 128},
    ("cifar10", 100.0): {**LONG_TAILED, "batch_size": 128},  # "the CIFAR-10 datasets"
    ("cifar100", 1.0): {**BALANCED, "batch_size": 1024},
    ("cifar100", 100.0): {**LONG_TAILED, "batch_size": 1024},
}


@pytest.mark.parametrize(("dataset", "ratio"), ROBUST)
def test_every_network_of_robust_distillation_trains_as_printed(dataset, ratio):
    settings = RobustSettings(profile="paper", dataset=dataset, imbalance=ratio)
    family = RobustFamily(settings, 0)
    runs = [family.teacher(a) for a in (None, 0.0, 1.0)]
    runs += [family.student(t, s) for t in (None, 0.0, 1.0) for s in (None, 0.0, 0.5, 1.0)]
    runs += [family.one_hot(1.0), family.ada_alpha(1.0), family.ada_margin(None)]
    for run in runs:
        check(run.recipe, ROBUST[dataset, ratio], ROBUST_NOT_STATED)
        assert (run.data.name, run.data.imbalance, run.model.depth) == (dataset, ratio, 56)
    assert robust_profile(settings).seeds == 10
    rule = family.student(None, 1.0).objective.log_cost.rule
    assert rule.step == 0.1 and rule.error == "zero_one" and rule.measured_on == "held_out"


def test_the_default_long_tails_have_the_papers_ratio():
    assert PROFILES["paper"].imbalance == robust_profile(RobustSettings(profile="paper")).imbalance
    assert PROFILES["paper"].imbalance == 100.0


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_robust_distillation_tests_on_one_half_and_chooses_on_the_other(dataset):
    rule = protocol(dataset, "robust_distillation")
    assert (rule.test, rule.chooses) == ("test", "validation")


@cache
def members(kind, **values):
    return kind.parse(profile="paper", **values).members()


def distilled(study, **values):
    return [m for m in members(study, **values) if m.spec.teacher is not None]


@pytest.mark.parametrize("study", STUDIES)
def test_ten_students_of_one_teacher_at_every_temperature(study):
    cells = {}
    for member in distilled(study):
        cells.setdefault(member.method, []).append(member)
    for name, rows in cells.items():
        assert {m.seed for m in rows} == set(range(10)), name
        assert len({m.spec.teacher for m in rows}) == 1, name
        assert {m.temperature for m in rows} == {1.0, 3.0, 5.0}, name
        for member in rows:
            assert member.spec.objective.temperature == member.temperature


def test_students_that_ask_the_teacher_on_validation_have_four_temperatures_there():
    for study in STUDIES:
        for member in distilled(study, seeds=1):
            cost, told = member.spec.objective.log_cost, dict(member.place)
            asks = cost.kind == "robust" and cost.validation_labels == "teacher"
            seen = told["validation_temperature"]
            assert (seen == cost.validation_temperature) if asks else seen != seen
    rows = [m for m in distilled(TeacherAndStudent, seeds=1) if "(teacher labels)" in m.method]
    pairs = {(m.temperature, dict(m.place)["validation_temperature"]) for m in rows}
    assert pairs == {(t, v) for t in (1.0, 3.0, 5.0) for v in (0.1, 1.0, 3.0, 5.0)}


def test_networks_without_a_teacher_are_trained_ten_times():
    alone = [m for m in members(TeacherAndStudent) if m.spec.teacher is None]
    assert len(alone) == len({m.spec for m in alone}) == 30
    taught_by = {m.spec.teacher for m in distilled(TeacherAndStudent)}
    assert taught_by == {m.spec for m in alone if m.seed == 0}


FOR_SPECS_OF_ONES_OWN = {
    f"{name}_robust_paper" for name in ("imagenet", "tinyimagenet", "tinyimagenet_lt")
}  # of data that no study of the book trains on


def test_no_recipe_of_a_paper_is_used_nowhere():
    used = [family_of(*place).one_hot().recipe for place in TEACHERS_PET]
    for dataset, ratio in ROBUST:
        settings = RobustSettings(profile="paper", dataset=dataset, imbalance=ratio)
        used.append(RobustFamily(settings, 0).one_hot().recipe)
    of_papers = {name: recipe for name, recipe in PRESETS.items() if name.endswith("_paper")}
    unused = {name for name, recipe in of_papers.items() if recipe not in used}
    assert unused == FOR_SPECS_OF_ONES_OWN
