"""Recipes: what is refused, the schedule at its corners, the published presets."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_training import RECIPE, changed

from kdlib.errors import SettingError
from kdlib.training import PRESETS, CosineDecay, Recipe, StepDecay, learning_rate, steps_per_epoch
from kdlib.training.recipe import batch_sizes

STEPS = 10


def drops(*epochs):
    return {"kind": "step", "epochs": epochs}


def stepwise(**values):
    return changed(epochs=20, warmup_epochs=2, schedule=StepDecay(epochs=(5, 12)), **values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"epochs": 0}, "epochs = 0"),
        ({"batch_size": 1}, "batch_size = 1"),
        ({"peak_rate": 0.0}, "peak_rate = 0.0"),
        ({"peak_rate": math.nan}, "peak_rate = nan"),
        ({"momentum": 1.0}, "momentum = 1.0"),
        ({"weight_decay": -1e-4}, "weight_decay"),
        ({"precision": "fp16"}, "precision = 'fp16'"),
        ({"input_scaling": "none"}, "input_scaling = 'none'"),
        ({"warmup_epochs": 6}, "warmup_epochs = 6: must be below epochs = 6"),
        ({"stop_after": 7}, "stop_after = 7: must be at most epochs = 6"),
        ({"momentum": 0.0}, "nesterov = True needs a momentum"),
        ({"schedule": drops(6)}, "step epochs (6,): must lie from warmup_epochs = 1"),
        ({"schedule": drops(1, 3), "warmup_epochs": 2}, "step epochs (1, 3): must lie"),
        ({"schedule": drops(3, 3)}, "step epochs (3, 3): must increase"),
        ({"schedule": {"kind": "linear"}}, "schedule"),
        ({"lr": 0.1}, "unknown parameter 'lr'"),
    ],
)
def test_bad_recipes_are_refused_in_one_line(values, named):
    with pytest.raises(SettingError) as error:
        changed(**values)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_every_field_says_what_it_is():
    assert all(field.description for field in Recipe.model_fields.values())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_and_survive_json(name):
    preset = PRESETS[name]
    assert Recipe.model_validate_json(preset.canonical_json()) == preset


def test_cifar100_preset_is_appendix_b():
    preset = PRESETS["cifar100_paper"]
    assert (preset.epochs, preset.batch_size, preset.peak_rate) == (450, 1024, 1.0)
    assert (preset.warmup_epochs, preset.weight_decay) == (15, 1e-4)
    assert (preset.momentum, preset.nesterov) == (0.9, True)
    assert preset.schedule == StepDecay(epochs=(200, 300, 400), factor=0.1)


def test_imagenet_preset_is_appendix_b():
    preset = PRESETS["imagenet_paper"]
    assert (preset.epochs, preset.batch_size, preset.peak_rate) == (90, 1024, 0.8)
    assert (preset.warmup_epochs, preset.weight_decay) == (5, 0.5e-4)
    assert (preset.momentum, preset.nesterov) == (0.9, True)
    assert preset.schedule == StepDecay(epochs=(30, 60, 80), factor=0.1)


@pytest.mark.parametrize("name", ["cifar100", "imagenet"])
def test_long_tailed_presets_differ_in_the_schedule_only(name):
    plain, tailed = PRESETS[f"{name}_paper"], PRESETS[f"{name}_lt_paper"]
    assert tailed.schedule == CosineDecay()
    assert plain.model_copy(update={"schedule": CosineDecay()}) == tailed


def test_digits_are_never_mirrored():
    assert not PRESETS["digits"].flip


def test_warmup_is_linear_up_to_the_peak():
    rates = [learning_rate(stepwise(peak_rate=0.4), step, STEPS) for step in range(20)]
    assert rates == pytest.approx([0.4 * (step + 1) / 20 for step in range(20)], abs=1e-15)


def test_step_schedule_drops_at_the_start_of_its_epochs():
    recipe = stepwise(peak_rate=0.4)
    corners = {20: 0.4, 49: 0.4, 50: 0.04, 119: 0.04, 120: 0.004, 199: 0.004}
    for step, rate in corners.items():
        assert learning_rate(recipe, step, STEPS) == pytest.approx(rate, rel=1e-12)


def test_cosine_at_its_corners():
    recipe = changed(epochs=22, warmup_epochs=2, peak_rate=0.4)  # 200 steps after the warm-up
    assert learning_rate(recipe, 20, STEPS) == 0.4
    assert learning_rate(recipe, 120, STEPS) == pytest.approx(0.2, rel=1e-12)
    last = 0.2 * (1 - math.cos(math.pi / 200))
    assert learning_rate(recipe, 219, STEPS) == pytest.approx(last, rel=1e-9)


def test_without_warmup_the_first_step_has_the_peak():
    assert learning_rate(changed(warmup_epochs=0), 0, STEPS) == RECIPE.peak_rate


def test_an_early_stop_leaves_the_schedule_alone():
    stopped = changed(stop_after=2)
    assert stopped.last_epoch == 2
    for step in range(60):
        assert learning_rate(stopped, step, STEPS) == learning_rate(RECIPE, step, STEPS)


@given(st.sampled_from(sorted(PRESETS)), st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_rates_lie_between_zero_and_the_peak(name, steps, place):
    recipe = PRESETS[name]
    rate = learning_rate(recipe, int(place * recipe.epochs * steps), steps)
    assert 0 < rate <= recipe.peak_rate


@pytest.mark.parametrize(
    ("examples", "steps"), [(303, 19), (16, 1), (15, 1), (17, 2), (31, 2), (32, 2), (2, 1)]
)
def test_no_more_batches_than_the_examples_fill(examples, steps):
    assert steps_per_epoch(RECIPE, examples) == steps


@given(st.integers(2, 20_000), st.integers(2, 2_000))
def test_batches_show_every_example_once_and_are_as_alike_as_can_be(examples, most):
    recipe = changed(batch_size=most)
    sizes = batch_sizes(examples, steps_per_epoch(recipe, examples))
    assert sum(sizes) == examples
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    assert max(sizes) <= max(most, 3)


def test_batches_of_the_paper():
    assert batch_sizes(10_847, steps_per_epoch(PRESETS["cifar100_lt_paper"], 10_847)) == [
        *[987] * 1, *[986] * 10
    ]  # fmt: skip


# --- another length ---


@given(st.integers(2, 2000))
def test_another_length_keeps_the_shares_of_warm_up(epochs):
    shorter = changed(epochs=100, warmup_epochs=10).with_epochs(epochs)
    assert shorter.epochs == shorter.last_epoch == epochs
    assert 1 <= shorter.warmup_epochs <= max(1, round(0.1 * epochs))


def test_the_papers_schedule_at_a_tenth():
    shorter = PRESETS["cifar100_paper"].with_epochs(45)
    assert shorter.schedule == StepDecay(epochs=(20, 30, 40))
    assert shorter.warmup_epochs == 2
    assert shorter.batch_size == PRESETS["cifar100_paper"].batch_size


def test_its_own_length_changes_nothing():
    for recipe in PRESETS.values():
        assert recipe.with_epochs(recipe.epochs) == recipe


def test_drops_that_no_longer_fit_are_refused():
    with pytest.raises(SettingError, match="schedule"):
        stepwise().with_epochs(2)


def test_an_early_stop_is_not_rescaled_silently():
    with pytest.raises(SettingError, match="stops early"):
        changed(epochs=20, stop_after=5).with_epochs(10)
