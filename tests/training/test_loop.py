"""The loop: against a loop written by hand, to the bit; divergence; teachers; no waiting."""

import pytest
import torch
from small_training import (
    CLASSES,
    RECIPE,
    changed,
    network,
    random_split,
    results,
    run,
    same_state,
)
from torch.utils._python_dispatch import TorchDispatchMode

from kdlib.data import apply_views, epoch_order, epoch_views, load, num_views, to_float
from kdlib.errors import SettingError
from kdlib.losses import soft_target_loss, teacher_probabilities
from kdlib.models import ModelSpec, build
from kdlib.training import (
    MEASURED,
    PRESETS,
    CosineDecay,
    LossVectors,
    learning_rate,
    predict_logits,
    train,
)

DISTILLED = LossVectors.constant(CLASSES, mix=0.7, temperature=2.0)


def scaled_views(split, rows, views):
    cropped = apply_views(split.images[rows], views, RECIPE.crop_padding, RECIPE.flip)
    return to_float(cropped, "centre", "").contiguous(memory_format=torch.channels_last)


def loop_by_hand(model, teacher, split, seed):
    """Equation (1) in a plain PyTorch loop, with the schedule as a LambdaLR."""
    model, teacher = (m.to(memory_format=torch.channels_last) for m in (model, teacher.eval()))
    sgd = torch.optim.SGD(
        model.parameters(), lr=1.0, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, lambda s: learning_rate(RECIPE, s, 4))
    for epoch in range(RECIPE.epochs):
        size = len(split)
        order, views = epoch_order(size, seed, epoch), epoch_views(size, seed, epoch, 1, True)
        for rows in order.tensor_split(4):
            images = scaled_views(split, rows, views[rows])
            with torch.no_grad():
                soft = teacher_probabilities(teacher(images), 2.0)
            loss = soft_target_loss(model(images), split.labels[rows], soft, mix=0.7)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            schedule.step()
    return model


@pytest.mark.parametrize("n", [64, 61])
def test_equals_a_plain_loop_to_the_bit(n):
    model, outcome = run(vectors=DISTILLED, teacher=network(9), split=random_split(n), seed=5)
    assert outcome.status == "completed"
    assert same_state(model, loop_by_hand(network(), network(9), random_split(n), seed=5))


def test_two_calls_give_the_same_bits_and_leave_torchs_random_state_alone():
    before = torch.random.get_rng_state()
    first, one = run()
    torch.rand(3)
    between = torch.random.get_rng_state()
    second, two = run()
    assert same_state(first, second)
    assert results(one) == results(two)
    assert torch.equal(torch.random.get_rng_state(), between)
    assert not torch.equal(before, between)


def test_another_seed_gives_another_network():
    assert not same_state(run(seed=0)[0], run(seed=1)[0])


def test_history_has_one_record_an_epoch():
    seen = []
    _, outcome = run(on_epoch=seen.append)
    assert outcome.history == seen
    assert [record["epoch"] for record in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[0]["rate"] == pytest.approx(RECIPE.peak_rate)  # the warm-up's last step
    assert all(0 <= record["accuracy"] <= 1 and record["loss"] > 0 for record in seen)
    assert all(record[name] > 0 for record in seen for name in MEASURED)


def test_an_early_stop_is_the_beginning_of_the_whole_training():
    whole = []
    model = network()

    def keep_third(record):
        if record["epoch"] == 3:
            whole.append({k: v.clone() for k, v in model.state_dict().items()})

    run(model=model, on_epoch=keep_third)
    stopped, outcome = run(changed(stop_after=3))
    assert len(outcome.history) == 3
    assert all(torch.equal(v, whole[0][k]) for k, v in stopped.state_dict().items())


@pytest.mark.parametrize("n", [2, 10, 16, 17])
def test_small_splits_train_on_one_batch(n):
    _, outcome = run(changed(stop_after=2), split=random_split(n))
    assert outcome.status == "completed"


def test_colour_images_and_bf16_train():
    recipe = changed(precision="bf16", stop_after=2)
    colour = {"model": network(channels=3), "split": random_split(channels=3)}
    model, outcome = run(recipe, **colour, vectors=DISTILLED, teacher=network(1, channels=3))
    assert outcome.status == "completed"
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_standardised_input_needs_the_data_sets_name():
    recipe = changed(input_scaling="standardise", stop_after=1)
    assert run(recipe, dataset_name="digits")[1].status == "completed"
    with pytest.raises(SettingError, match="dataset_name"):
        run(recipe)


# --- Teachers ---


def test_without_mix_no_teacher_is_asked():
    def refuse(rows, views, images):
        raise AssertionError("the teacher was asked")

    assert same_state(run(teacher=refuse)[0], run()[0])


def test_mix_without_a_teacher_is_refused():
    with pytest.raises(SettingError, match="a teacher is needed"):
        run(vectors=DISTILLED)


def test_the_callers_teacher_stays_as_it_is():
    teacher = network(1).train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    run(vectors=DISTILLED, teacher=teacher)
    assert teacher.training
    assert all(p.requires_grad and p.grad is None for p in teacher.parameters())
    assert all(torch.equal(v, before[k]) for k, v in teacher.state_dict().items())


def test_a_table_of_logits_can_stand_in_for_the_teacher():
    split, teacher = random_split(), network(1).eval()
    asked = []

    def table_of(view):
        views = torch.full((64,), view)
        with torch.no_grad():
            return teacher(scaled_views(split, torch.arange(64), views))

    table = torch.stack([table_of(view) for view in range(num_views(1, True))], dim=1)

    def look_up(rows, views, images):
        asked.append(rows)
        return table[rows, views]

    looked_up, _ = run(vectors=DISTILLED, teacher=look_up)
    forward, _ = run(vectors=DISTILLED, teacher=teacher)
    assert len(asked) == 24
    assert torch.equal(torch.cat(asked[:4]).sort().values, torch.arange(64))
    for one, other in zip(looked_up.parameters(), forward.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


# --- Divergence ---


def overflowing(after_calls):
    """A teacher whose logits are NaN from a given call on."""
    calls = []

    def logits(rows, views, images):
        calls.append(rows)
        broken = len(calls) > after_calls
        return torch.full((len(rows), CLASSES), torch.nan if broken else 0.0)

    return logits


@pytest.mark.parametrize("step", [0, 3, 4, 9, 23])
def test_the_first_step_without_a_finite_loss_is_named(step):
    _, outcome = run(vectors=DISTILLED, teacher=overflowing(step))
    assert (outcome.status, outcome.diverged_step) == ("diverged", step)
    assert len(outcome.history) == step // 4


def test_a_huge_rate_ends_as_diverged():
    model, outcome = run(changed(peak_rate=100.0, warmup_epochs=0, weight_decay=1.0, epochs=40))
    assert outcome.status == "diverged"
    assert outcome.diverged_step >= 4 * len(outcome.history)
    assert any(not p.isfinite().all() for p in model.parameters())


def test_weights_broken_by_the_very_last_update_count_as_diverged():
    model = network()
    last_bias = list(model.parameters())[-1]
    recipe = changed(stop_after=1)
    calls = []

    def break_last(grad):
        calls.append(grad)
        return torch.full_like(grad, torch.inf) if len(calls) == 4 else grad

    last_bias.register_hook(break_last)
    _, outcome = run(recipe, model=model)
    assert (outcome.status, outcome.diverged_step) == ("diverged", 4)
    assert len(outcome.history) == 1


# --- Speed ---


class _CountReads(TorchDispatchMode):
    """Counts how often a tensor's value is read on the host."""

    def __init__(self):
        super().__init__()
        self.reads = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.reads += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_values_are_read_once_an_epoch_however_many_steps_it_has():
    def reads(batch_size):
        with _CountReads() as counter:
            run(changed(batch_size=batch_size, stop_after=2), vectors=DISTILLED, teacher=network(1))
        return counter.reads

    assert reads(4) == reads(32)


# --- Arguments ---


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"split": random_split(1)}, "has 1 examples"),
        ({"vectors": LossVectors.constant(CLASSES + 1)}, "mix has shape"),
        ({"checkpoint_every": 0}, "checkpoint_every = 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, named):
    with pytest.raises(SettingError, match=named):
        run(**options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_one_clear_line():
    with pytest.raises(SettingError, match="device = 'cuda' is not there"):
        run(device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gpu_trains_to_about_the_same_loss(precision):
    recipe = changed(precision=precision)
    _, there = run(recipe, vectors=DISTILLED, teacher=network(1), device="cuda")
    _, here = run(vectors=DISTILLED, teacher=network(1))
    assert there.history[-1]["loss"] == pytest.approx(here.history[-1]["loss"], abs=0.05)


def test_a_resnet8_learns_100_digits_by_heart():
    digits = load("digits").train
    split = digits.select("train", torch.arange(len(digits))[:: len(digits) // 100][:100])
    recipe = PRESETS["digits"].model_copy(
        update={"epochs": 25, "crop_padding": 0, "schedule": CosineDecay()}
    )
    model = build(ModelSpec(depth=8), num_classes=10, channels=1, image_size=8, seed=0)
    train(model, split, LossVectors.constant(10), recipe, seed=0, bar=False)
    logits = predict_logits(model, split.images, scaling="centre", dataset_name="digits")
    assert (logits.argmax(1) == split.labels).float().mean() > 0.95
