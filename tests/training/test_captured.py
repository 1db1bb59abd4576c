"""The step over static buffers: on a CPU to the bit the plain one; on a GPU one graph for many."""

import functools
from contextlib import nullcontext

import pytest
import torch
from small_training import CLASSES, RECIPE, changed, network, random_split, results, run, same_state
from test_loop import overflowing
from test_multipliers import multipliers
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from kdlib.errors import SettingError
from kdlib.training import CosineDecay, LossVectors, captured, shapes, steps
from kdlib.training import job as job_module
from kdlib.training.job import epoch_plan, one_step, prepare
from kdlib.training.teacher_views import TeacherTable, build_table

DISTILLED = LossVectors.constant(CLASSES, mix=0.7, temperature=2.0)
SHIFTED = LossVectors(torch.linspace(0.1, 1, CLASSES), torch.linspace(-1, 1, CLASSES), 0.5)
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.fixture(autouse=True)
def built(monkeypatch):
    """The steps that a test builds; none is left for the next."""
    found = []

    class Counted(captured.StaticStep):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            found.append(self)

    monkeypatch.setattr(steps, "StaticStep", Counted)
    monkeypatch.delenv(steps.ENVIRONMENT, raising=False)
    steps.forget()
    yield found
    steps.forget()


def agree(recipe=RECIPE, **options):
    """Both steps give the same history, and the same bits."""
    plain, one = run(recipe, **options)
    static, two = run(recipe, step="captured", **options)
    assert results(one) == results(two)
    assert same_state(plain, static)


# --- On a CPU: the same bits ---


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("vectors", [DISTILLED, SHIFTED])
def test_the_step_over_buffers_gives_the_bits_of_the_plain_one(precision, vectors):
    agree(changed(precision=precision), vectors=vectors, teacher=network(1))


@pytest.mark.parametrize(
    "values", [{"momentum": 0.0, "nesterov": False}, {"weight_decay": 0.0}, {"crop_padding": 0}]
)
def test_so_do_other_recipes(values):
    agree(changed(stop_after=2, **values))


@pytest.mark.parametrize("n", [10, 17])
def test_so_do_splits_that_do_not_fill_their_batches(n):
    agree(changed(stop_after=2), split=random_split(n))


def test_so_do_class_weights_weighted_labels_and_standardised_images():
    vectors = LossVectors(torch.ones(CLASSES), torch.zeros(CLASSES), 3.0, True, torch.rand(CLASSES))
    recipe = changed(input_scaling="standardise")
    agree(recipe, vectors=vectors, teacher=network(1), dataset_name="digits")


def test_so_does_a_table_of_the_teachers_logits():
    table = build_table(network(1), random_split(), RECIPE, dataset_name="")
    agree(vectors=DISTILLED, teacher=TeacherTable(table))


@pytest.mark.parametrize("placement", ["margin", "outer"])
def test_multipliers_that_move_reach_the_next_step(placement):
    plain, static = multipliers(placement=placement), multipliers(placement=placement)
    first, one = run(multipliers=plain)
    second, two = run(multipliers=static, step="captured")
    assert same_state(first, second)
    assert len(one.multipliers["steps"]) == 12
    assert torch.equal(one.multipliers["errors"], two.multipliers["errors"])


# --- One step for all trainings of a shape ---


def test_another_method_and_seed_in_the_same_buffers_is_as_if_alone(built):
    for vectors, seed in [(DISTILLED, 0), (SHIFTED, 1), (DISTILLED, 0)]:
        options = {"vectors": vectors, "seed": seed, "split": random_split(seed=seed)}
        static, _ = run(model=network(seed), teacher=network(5 + seed), step="captured", **options)
        assert same_state(static, run(model=network(seed), teacher=network(5 + seed), **options)[0])
    assert len(built) == 1


def test_length_rates_and_method_are_not_part_of_the_shape(built):
    run(step="captured", vectors=DISTILLED, teacher=network(1))
    other = changed(epochs=3, peak_rate=0.2, warmup_epochs=0, schedule=CosineDecay())
    run(other, step="captured", vectors=SHIFTED, teacher=network(2))
    assert len(built) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"recipe": changed(stop_after=1, batch_size=8)},
        {"recipe": changed(stop_after=1, precision="bf16")},
        {"recipe": changed(stop_after=1, weight_decay=0.0)},
        {"model": network(width=8)},
        {"split": random_split(80)},
        {"vectors": DISTILLED, "teacher": network(1)},
    ],
)
def test_what_is_built_into_a_step_parts_trainings(built, other):
    run(changed(stop_after=1), step="captured")
    run(**({"recipe": changed(stop_after=1)} | other), step="captured")
    assert len(built) == 2


def test_two_at_a_time_have_a_step_each_and_few_wait():
    job = prepare(network(), random_split(), LossVectors.constant(CLASSES), RECIPE, seed=0)
    with steps.steps_of(job, "captured") as one, steps.steps_of(job, "captured") as two:
        assert one.static is not two.static
        with steps.steps_of(job, "captured") as three:
            pass
    with steps.steps_of(job, "captured") as four, steps.steps_of(job, "captured") as five:
        waited = {four.static, five.static}
        assert waited <= {one.static, two.static, three.static}
        assert len(waited) == 2


# --- Divergence, checkpoints, callbacks ---


def test_divergence_is_found_at_the_same_step():
    recipe = changed(peak_rate=100.0, warmup_epochs=0, weight_decay=1.0, epochs=40)
    (_, one), (_, two) = run(recipe), run(recipe, step="captured")
    assert one.status == two.status == "diverged"
    assert one.diverged_step == two.diverged_step
    assert results(one) == results(two)


class Killed(Exception):
    pass


def kill_after(epoch):
    def on_epoch(record):
        if record["epoch"] == epoch:
            raise Killed

    return on_epoch


@pytest.mark.parametrize("first", ["eager", "captured"])
@pytest.mark.parametrize("second", ["eager", "captured"])
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path, first, second):
    where = {"checkpoint": tmp_path / "checkpoint", "checkpoint_every": 2}
    with pytest.raises(Killed):
        run(step=first, on_epoch=kill_after(3), **where, multipliers=multipliers())
    run(step="captured", seed=8)  # another training in the same buffers between the two
    resumed, _ = run(step=second, **where, multipliers=multipliers())
    assert same_state(resumed, run(multipliers=multipliers())[0])


def test_a_step_that_failed_is_not_kept_for_the_next_training(built):
    with pytest.raises(Killed):
        run(step="captured", on_epoch=kill_after(1))
    run(step="captured")
    run(step="captured")
    assert len(built) == 2


def test_callbacks_see_the_callers_network_as_it_is():
    seen = {kind: [] for kind in ("eager", "captured")}
    for kind, states in seen.items():
        model = network()

        def keep(record, model=model, states=states):
            states.append(model.classifier.bias.detach().clone())

        run(model=model, step=kind, on_epoch=keep)
    assert all(map(torch.equal, seen["eager"], seen["captured"]))


# --- Which step is taken ---


def prepared(**options):
    return prepare(network(), random_split(), DISTILLED, RECIPE, seed=0, **options)


def test_a_cpu_takes_plain_steps_unless_told(monkeypatch):
    monkeypatch.setenv(steps.ENVIRONMENT, "captured")
    assert steps.chosen_step(prepared(teacher=network(1)), None) == "eager"


def test_steps_that_cannot_be_are_refused_by_name():
    with pytest.raises(SettingError, match="step = 'graph' is not allowed: eager, captured"):
        run(step="graph")
    with pytest.raises(SettingError, match="not possible with a teacher without tensors"):
        run(vectors=DISTILLED, teacher=overflowing(3), step="captured")


class OnGpu:
    type = "cuda"


@pytest.mark.parametrize(
    ("said", "teacher", "kind"),
    [(None, network(1), "captured"), ("eager", network(1), "eager"),
     ("compiled", network(1), "compiled"), ("captured", overflowing(3), "eager"),
     ("fused", network(1), "captured")],
)  # fmt: skip
def test_a_gpu_takes_the_steps_that_are_asked_for_where_it_can(monkeypatch, said, teacher, kind):
    job = prepared(teacher=teacher)
    object.__setattr__(job, "device", OnGpu)
    if said:
        monkeypatch.setenv(steps.ENVIRONMENT, said)
    assert steps.chosen_step(job, None) == kind


def test_a_default_that_fails_is_a_warning_and_a_wish_that_fails_an_error(monkeypatch):
    def fail(job, kind):
        raise RuntimeError("out of graphs")

    plain, _ = run()

    monkeypatch.setattr(steps, "StaticStep", fail)
    monkeypatch.setattr(steps, "chosen_step", lambda job, asked: "captured")
    with pytest.warns(steps.CaptureWarning, match="out of graphs"):
        model, _ = run()
    assert same_state(model, plain)
    with pytest.raises(RuntimeError, match="out of graphs"):
        run(step="captured")


def test_more_shapes_can_be_compiled_than_torch_keeps_of_a_function(monkeypatch):
    compile_, how = torch.compile, {"backend": "eager", "fullgraph": True}
    monkeypatch.setattr(torch, "compile", lambda f, **given: compile_(f, **given, **how))
    monkeypatch.setattr(torch._dynamo.config, "cache_size_limit", 1)  # 8, unless one lowers it
    for width in range(2, 5):
        static = static_step("compiled", model=network(width=width))
        assert static.run().loss.isfinite()


@pytest.mark.slow
def test_compiled_steps_agree_up_to_rounding(monkeypatch):
    monkeypatch.setattr("torch._inductor.config.compile_threads", 1)  # more start processes first
    recipe = changed(stop_after=2)
    plain, _ = run(recipe, vectors=DISTILLED, teacher=network(1))
    built, _ = run(recipe, vectors=DISTILLED, teacher=network(1), step="compiled")
    for a, b in zip(plain.state_dict().values(), built.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


# --- What a graph asks for, as far as it can be seen without a GPU ---


def static_step(kind="captured", device="cpu", model=None, vectors=DISTILLED, teacher=None):
    model, teacher = model or network(), teacher or network(1)
    where = {"device": device, "teacher": teacher, "dataset_name": "digits"}
    recipe = changed(input_scaling="standardise")
    job = prepare(model, random_split(), vectors, recipe, seed=0, **where)
    static = captured.StaticStep(job, kind)
    static.load(job)
    static.begin_epoch(*epoch_plan(job, 0), [0.1] * job.steps)
    return static


class _Watch(TorchDispatchMode):
    """Lists the operations that touch a tensor of the host, or read a value there."""

    def __init__(self):
        super().__init__()
        self.seen, self.on_host = 0, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_flatten((args, kwargs, result))[0] if isinstance(t, Tensor)]
        reads = func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
        if reads or any(tensor.device.type == "cpu" for tensor in tensors):
            self.on_host.append(str(func))
        self.seen += 1
        return result


def backward_only(job, loss):
    loss.backward()  # the update in Python reads the rate; that of a GPU is one fused kernel


@pytest.mark.parametrize("answers", ["network", "table"])
def test_a_step_stays_on_its_device(monkeypatch, answers):
    monkeypatch.setattr(torch, "autocast", lambda *args, **options: nullcontext())
    monkeypatch.setattr(job_module, "update", backward_only)
    table = TeacherTable(torch.randn(64, 18, CLASSES), "meta")
    vectors = LossVectors(SHIFTED.mix, SHIFTED.log_cost, 2.0, weighted=True)
    teacher = None if answers == "network" else table
    static = static_step(device="meta", vectors=vectors, teacher=teacher)
    static.run()
    with _Watch() as watch:
        static.run()
    assert watch.on_host == []
    assert watch.seen > 100


def test_the_fused_update_with_momentum_of_zero_is_the_plain_one(monkeypatch):
    plain, _ = run()
    fused = functools.partial(job_module.sgd, fused=True)
    monkeypatch.setattr(shapes, "sgd", lambda model, recipe, rate, _: fused(model, recipe, rate))
    static, _ = run(step="captured")
    for a, b in zip(plain.parameters(), static.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


# --- On a GPU ---


def losses_on_gpu(step, precision="fp32", vectors=DISTILLED):
    options = {"vectors": vectors, "teacher": network(1), "device": "cuda", "step": step}
    _, outcome = run(changed(precision=precision), **options)
    return [record["loss"] for record in outcome.history]


@on_gpu
@pytest.mark.parametrize("kind", ["captured", pytest.param("compiled", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("bf16", 3e-2)])
def test_on_a_gpu_the_graph_gives_the_losses_of_plain_steps(kind, precision, tolerance):
    plain = losses_on_gpu("eager", precision)
    assert losses_on_gpu(kind, precision) == pytest.approx(plain, abs=tolerance)


@on_gpu
def test_on_a_gpu_a_second_training_of_the_shape_captures_nothing(built):
    first = losses_on_gpu("captured")
    losses_on_gpu("captured", vectors=SHIFTED)
    # cuDNN adds gradients in another order each time: one H200 differed by 3e-4.
    assert losses_on_gpu("captured") == pytest.approx(first, abs=2e-3)
    assert len(built) == 1


@on_gpu
@pytest.mark.parametrize("kind", ["eager", "captured"])
def test_on_a_gpu_no_step_waits_for_the_device(kind):
    job = prepared(teacher=network(1), device="cuda")
    order, views = epoch_plan(job, 0)
    static = captured.StaticStep(job, "captured")
    static.load(job)
    static.begin_epoch(order, views, [0.1] * job.steps)
    rows = order[:16]
    shown = job.split.images[rows]
    one_step(job, rows, views[rows], shown)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(job.steps):
            if kind == "captured":
                static.run()
            else:
                one_step(job, rows, views[rows], shown)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert static.losses.isfinite().all()
