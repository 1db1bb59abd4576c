"""Fused layers against the layers that they stand for, and trainings with and without them."""

import itertools
import subprocess

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_training import CLASSES, RECIPE, changed, network, results, run, same_state
from torch import nn
from torch.nn.functional import relu

from kdlib.errors import SettingError
from kdlib.models import ImageNetResNet, ModelSpec, build
from kdlib.training import ForwardTeacher, LossVectors, fused, steps
from kdlib.training.checkpoint import CheckpointError
from kdlib.training.folding import answering
from kdlib.training.fused import layers, library, rewriting
from kdlib.training.fused.layers import ConvRelu, NormRelu

DISTILLED = LossVectors.constant(CLASSES, mix=0.7, temperature=2.0)
SPECS = {
    "A": ModelSpec(depth=8),
    "B": ModelSpec(depth=14, shortcut="B"),
    "imagenet": ImageNetResNet(depth=18, image_size=32),
    "bottleneck": ImageNetResNet(depth=50, image_size=32),
}
PROJECTIONS = {"A": 0, "B": 2, "imagenet": 3, "bottleneck": 4}


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    monkeypatch.delenv(steps.ENVIRONMENT, raising=False)
    try:
        library.library()
    except library.CannotFuseError as error:
        pytest.skip(f"fused steps cannot be had: {error}")


def last(images):
    """In channels last."""
    return images.contiguous(memory_format=torch.channels_last)


def normal(shape, seed, dtype=torch.float32):
    stream = torch.Generator().manual_seed(seed)
    return last(torch.randn(shape, generator=stream, dtype=dtype))


def worn_norm(channels, seed=0):
    """A batch norm whose scales and statistics are not those of a new one."""
    stream, norm = torch.Generator().manual_seed(seed), nn.BatchNorm2d(channels, momentum=0.3)
    for values in (norm.weight, norm.bias, norm.running_mean):
        values.data.normal_(generator=stream)
    norm.running_var.uniform_(0.5, 2, generator=stream)
    return norm


def doubled(norm):
    """The same batch norm in double precision."""
    copy = nn.BatchNorm2d(norm.num_features, norm.eps, norm.momentum).double()
    copy.load_state_dict(norm.state_dict())
    return copy


def answered(norm, images, shortcut, gradient, through):
    """Answer, gradients and statistics, of ``through(norm, images, shortcut)``."""
    images = images.clone().requires_grad_()
    inputs = [images] if shortcut is None else [images, shortcut.clone().requires_grad_()]
    answer = through(norm, images * 1, *inputs[1:])
    found = torch.autograd.grad(answer, [*inputs, norm.weight, norm.bias], gradient)
    return answer, *found, norm.running_mean, norm.running_var


def plain(norm, images, shortcut=None, end=relu):
    hidden = norm(images)
    return end(hidden if shortcut is None else hidden + shortcut)


def in_one(norm, images, shortcut=None):
    return NormRelu(norm)(images, shortcut)


# --- One layer ---


@settings(deadline=None, max_examples=40)
@given(
    channels=st.sampled_from([16, 32, 48, 64, 128]),
    count=st.integers(1, 9),
    size=st.integers(3, 9),
    with_shortcut=st.booleans(),
    mean=st.sampled_from([0.0, 100.0]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_norm_relu_is_batch_norm_sum_and_relu(channels, count, size, with_shortcut, mean, threads):
    shape = (count, channels, size, size)
    images, gradient = normal(shape, 1) + mean, normal(shape, 2)
    shortcut = normal(shape, 3) if with_shortcut else None
    wide = None if shortcut is None else shortcut.double()
    # Where the ReLU bends, rounding decides whether a gradient passes.
    bends = plain(doubled(worn_norm(channels)), images.double(), wide, lambda hidden: hidden)
    gradient[bends.abs() < 1e-3] = 0
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = answered(worn_norm(channels), images, shortcut, gradient, in_one)
    finally:
        torch.set_num_threads(before)
    exact = (doubled(worn_norm(channels)), images.double(), wide, gradient.double())
    for one, other in zip(found, answered(*exact, plain), strict=True):
        scale = (1 + mean / 10) * (1 + other.abs().max().item())
        torch.testing.assert_close(one.double(), other, rtol=0, atol=2e-5 * scale)


def test_its_sums_are_no_worse_than_torchs():
    shape = (64, 16, 32, 32)
    images, gradient = 3 * normal(shape, 1) + 5, normal(shape, 2)
    shortcut = normal(shape, 3)
    exact = (doubled(worn_norm(16)), images.double(), shortcut.double(), gradient.double())
    exact = answered(*exact, plain)
    of_ours, of_torch = (
        [(a - b).norm() / b.norm() for a, b in zip(found, exact, strict=True)]
        for found in (
            answered(worn_norm(16), images, shortcut, gradient, way) for way in (in_one, plain)
        )
    )
    for ours, theirs in zip(of_ours, of_torch, strict=True):
        assert ours < 3 * theirs + 1e-7


def test_a_golden_value():
    # Channel 0 holds 1, 2, 3, 4: mean 2.5, variance 1.25, unbiased 5/3.
    images = last(torch.arange(1.0, 5).reshape(1, 1, 2, 2).repeat(1, 16, 1, 1)).requires_grad_()
    norm = nn.BatchNorm2d(16, eps=0.0, momentum=0.5)
    answer = NormRelu(norm)(images * 1)
    expected = torch.tensor([0, 0, 0.5, 1.5]) / 1.25**0.5
    torch.testing.assert_close(answer[0, 3].flatten(), expected)
    torch.testing.assert_close(norm.running_mean, torch.full((16,), 1.25))
    torch.testing.assert_close(norm.running_var, torch.full((16,), 0.5 + 0.5 * 5 / 3))
    assert norm.num_batches_tracked == 1
    # d answer_4 / d x = (1 / s) (1[i = 4] - 1 / 4 - z_i z_4 / 4), z the standardised values.
    answer[0, 0, 1, 1].backward()
    z = (torch.arange(1.0, 5) - 2.5) / 1.25**0.5
    slope = (torch.tensor([0, 0, 0, 1.0]) - 0.25 - z * z[3] / 4) / 1.25**0.5
    torch.testing.assert_close(images.grad[0, 0].flatten(), slope)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_shows(bad):
    images = normal((2, 16, 4, 4), 1)
    images[0, 3, 1, 1] = bad
    norm = nn.BatchNorm2d(16)
    answer = NormRelu(norm)(images)
    assert answer[:, 3].isnan().any() and answer[:, :3].isfinite().all()
    assert not norm.running_mean[3].isfinite()


def test_a_second_gradient_is_refused():
    images = normal((2, 16, 4, 4), 1).requires_grad_()
    answer = NormRelu(nn.BatchNorm2d(16))(images * 1).sum()
    answer.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        answer.backward()


@pytest.mark.parametrize("change", ["eval", "double", "channels first", "bfloat16"])
def test_what_the_compiled_code_does_not_take_goes_through_the_layers(change, monkeypatch):
    monkeypatch.setattr(layers, "library", None)  # not to be called
    norm, images = worn_norm(16), normal((2, 16, 4, 4), 1)
    if change == "eval":
        norm.eval()
    if change == "double":
        norm, images = norm.double(), images.double()
    if change == "bfloat16":
        images = images.bfloat16()
    if change == "channels first":
        images = images.contiguous(memory_format=torch.contiguous_format)
    other = doubled(norm).to(norm.weight.dtype).train(norm.training)
    assert torch.equal(in_one(norm, images, images), plain(other, images, images))
    assert same_state(norm, other)


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
def test_conv_relu_is_convolution_sum_and_relu(over, stride):
    layer = nn.Conv2d(16, 32, 3, stride, padding=1).requires_grad_(False)
    images = normal((3, 16, 8, 8), 1)
    expected = layer(images)
    shortcut = normal(expected.shape, 2)
    torch.testing.assert_close(ConvRelu(layer)(images), relu(expected))
    summed = ConvRelu(layer, over)(images, shortcut.clone())
    torch.testing.assert_close(summed, relu(expected + shortcut))


def test_a_sum_that_is_spread_is_left_to_torch():
    layer = nn.Conv2d(16, 16, 3, padding=1).requires_grad_(False)
    images, row = normal((3, 16, 8, 8), 1), normal((1, 16, 1, 1), 2)
    assert torch.equal(ConvRelu(layer, True)(images, row), relu(layer(images) + row))


def test_functions_of_another_torch_are_not_trusted(monkeypatch):
    assert layers.has_conv_relu()

    class Swapped(ConvRelu):
        def forward(self, images, shortcut=None):
            return super().forward(images if shortcut is None else shortcut, shortcut)

    monkeypatch.setattr(layers, "ConvRelu", Swapped)
    assert not layers.has_conv_relu()
    monkeypatch.setattr(layers, "ConvRelu", None)
    assert not layers.has_conv_relu()


# --- Networks ---


def gradients(model, called, images):
    called(images).square().mean().backward()
    return [p.grad for p in model.parameters()]


@pytest.mark.parametrize("name", SPECS)
def test_a_fused_network_has_the_gradients_of_the_network(name):
    one, two, exact = (
        build(SPECS[name], num_classes=5, channels=3, image_size=32, seed=0).train()
        for _ in range(3)
    )
    one, two = (m.to(memory_format=torch.channels_last) for m in (one, two))
    images = normal((4, 3, 32, 32), 1)
    ready = fused.fused_for_training(one)
    chains = [m for m in ready.modules() if isinstance(m, NormRelu)]
    norms = [m for m in two.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(chains) == len(norms) - PROJECTIONS[name]
    exact.double()
    truth = gradients(exact, exact, images.double())
    ours, theirs = gradients(one, ready, images), gradients(two, two, images)
    buffers = (tuple(m.buffers()) for m in (one, two, exact))
    both = zip(ours, theirs, truth, strict=True), zip(*buffers, strict=True)
    for found, eager, expected in itertools.chain(*both):
        error, usual = ((values - expected).double().norm() for values in (found, eager))
        assert error <= 5 * usual + 1e-5 * expected.double().norm() + 1e-7


@pytest.mark.parametrize("name", SPECS)
def test_a_fused_teacher_answers_as_the_teacher(name):
    model = build(SPECS[name], num_classes=5, channels=3, image_size=32, seed=0)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.load_state_dict(worn_norm(layer.num_features).state_dict())
    images = normal((6, 3, 32, 32), 1)
    signal = ForwardTeacher(model, "cpu")
    ready = signal.fused()
    kinds = [type(m) for m in ready._module.modules()]
    assert ConvRelu in kinds and nn.BatchNorm2d not in kinds and nn.Identity not in kinds
    expected, before = signal(None, None, images), images.clone()
    for _ in range(2):  # the first call must leave nothing changed
        torch.testing.assert_close(ready(None, None, images), expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(images, before)


def test_a_fused_teacher_answers_each_image_alike_in_any_batch_and_with_any_threads():
    """So a cache that is built ahead holds the bits that a training would have asked for."""
    model = build(SPECS["A"], num_classes=5, channels=3, image_size=32, seed=0)
    ready, images = ForwardTeacher(model, "cpu").fused(), last(normal((256, 3, 32, 32), 2))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        ahead = torch.cat([ready(None, None, part) for part in images.split(128)])
        torch.set_num_threads(1)
        order = torch.randperm(256, generator=torch.Generator().manual_seed(0))[:100]
        assert torch.equal(ready(None, None, last(images[order])), ahead[order])
    finally:
        torch.set_num_threads(before)


class Twice(nn.Module):
    """What is added is needed again after the sum."""

    def __init__(self):
        super().__init__()
        self.one, self.two = (nn.Conv2d(16, 16, 3, padding=1) for _ in "12")

    def forward(self, images):
        hidden = self.one(images)
        return relu(self.two(images) + hidden) - hidden


class AddsInput(nn.Module):
    """What is added is the caller's."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, images):
        return relu(self.one(images) + images)


class AddsItsInput(AddsInput):
    """What is added is what the convolution reads."""

    def __init__(self):
        super().__init__()
        self.two = nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, images):
        hidden = self.two(images)
        return relu(self.one(hidden) + hidden)


class Scaled(AddsInput):
    """What is added is a scaled sum, which no fused layer makes."""

    def forward(self, images):
        return relu(torch.add(self.one(images), images, alpha=2))


@pytest.mark.parametrize("kind", [Twice, AddsInput, AddsItsInput, Scaled])
def test_nothing_is_overwritten_that_is_needed(kind):
    model, images = kind().eval(), normal((2, 16, 5, 5), 1)
    before = images.clone()
    ready = rewriting.with_conv_relu(answering(model, torch.float32))
    with torch.no_grad():
        torch.testing.assert_close(ready(images), model(images))
    assert torch.equal(images, before)
    assert not any(m.over_shortcut for m in ready.modules() if isinstance(m, ConvRelu))


def test_a_torch_without_these_functions_leaves_the_teacher_as_it_is(monkeypatch):
    monkeypatch.setattr(rewriting, "has_conv_relu", lambda: False)
    model = network(width=16)
    assert fused.fused_for_answering(model) is model


class Own(nn.Module):
    """A network of the caller's own, of which a trace would miss the chance."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, images):
        return self.inner(images) if torch.rand(()) < 0.5 else -self.inner(images)


def hooked():
    model = wide()
    model.stem_norm.register_forward_hook(lambda *_: None)
    return model


def holding_another():
    model = wide()
    model.classifier = Own(model.classifier)
    return model


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Own(wide()), "only networks of kdlib.models"),
        (holding_another, "this one has a test_fused.Own"),
        (hooked, "the network has hooks"),
    ],
)
def test_networks_that_a_trace_could_get_wrong_are_left_alone(make, says):
    with pytest.raises(fused.CannotFuseError, match=says):
        fused.fused_for_training(make())
    model = make()
    assert fused.fused_for_answering(model) is model


def test_a_norm_of_other_channels_is_torchs_to_refuse():
    with pytest.raises(RuntimeError, match="should contain 32 elements not 16"):
        NormRelu(nn.BatchNorm2d(16))(normal((2, 32, 4, 4), 1))


# --- Trainings ---


def wide(seed=0):
    return network(seed, width=16)


def test_a_fused_training_is_the_plain_one_up_to_rounding():
    recipe = changed(epochs=2)
    plain_, one = run(recipe, model=wide(), vectors=DISTILLED, teacher=wide(1))
    model, two = run(recipe, model=wide(), vectors=DISTILLED, teacher=wide(1), step="fused")
    assert (one.step, two.step) == ("eager", "fused")
    assert [r["loss"] for r in two.history] == pytest.approx(
        [r["loss"] for r in one.history], rel=1e-4
    )
    for (key, a), b in zip(model.state_dict().items(), plain_.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0.01, atol=0.01, msg=key)


def test_equal_calls_give_equal_bits():
    one, first = run(model=wide(), step="fused")
    two, second = run(model=wide(), step="fused")
    assert results(first) == results(second) and same_state(one, two)


def test_a_killed_training_resumes_to_the_same_bits(tmp_path):
    whole, _ = run(model=wide(), step="fused")

    def stop(record):
        if record["epoch"] == 3:
            raise KeyboardInterrupt

    keeping = {"checkpoint": tmp_path / "checkpoint", "checkpoint_every": 1, "step": "fused"}
    with pytest.raises(KeyboardInterrupt):
        run(model=wide(), on_epoch=stop, **keeping)
    resumed, _ = run(model=wide(), **keeping)
    assert same_state(whole, resumed)


def test_a_checkpoint_of_fused_steps_is_none_of_plain_ones(tmp_path):
    def stop(record):
        raise KeyboardInterrupt

    keeping = {"checkpoint": tmp_path / "checkpoint", "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        run(model=wide(), on_epoch=stop, step="fused", **keeping)
    with pytest.raises(CheckpointError, match="fused"):
        run(model=wide(), step="eager", **keeping)


def test_a_diverging_training_is_seen():
    recipe = changed(peak_rate=100.0, warmup_epochs=0, weight_decay=1.0, epochs=40)
    _, outcome = run(recipe, model=wide(), step="fused")
    assert (outcome.status, outcome.step) == ("diverged", "fused")


def test_the_environment_chooses_it_on_a_cpu_only_where_it_can_be(monkeypatch):
    monkeypatch.setenv(steps.ENVIRONMENT, "fused")
    assert run(changed(epochs=1, warmup_epochs=0), model=wide())[1].step == "fused"
    assert (
        run(changed(epochs=1, warmup_epochs=0, precision="bf16"), model=wide())[1].step == "eager"
    )
    with pytest.warns(steps.CaptureWarning, match="no batch norm of 16, 32"):
        assert run(changed(epochs=1, warmup_epochs=0), model=network(width=2))[1].step == "eager"
    monkeypatch.setenv(steps.ENVIRONMENT, "captured")
    assert run(changed(epochs=1, warmup_epochs=0), model=wide())[1].step == "eager"


@pytest.mark.parametrize(
    ("recipe", "model", "says"),
    [
        (changed(precision="bf16"), wide, "precision = 'bf16'"),
        (RECIPE, lambda: network(width=2), "no batch norm of 16, 32"),
    ],
)
def test_what_cannot_be_fused_is_refused_in_one_line(recipe, model, says):
    with pytest.raises(SettingError, match=says) as caught:
        run(recipe, model=model(), step="fused")
    assert "\n" not in str(caught.value)


# --- The compiled code ---


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """No compiled code yet, and an empty cache; a compiler that does not optimise is quick."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options = tuple(option.replace("-O3", "-O0") for option in library.OPTIONS)
    monkeypatch.setattr(library, "OPTIONS", options)
    library.library.cache_clear()
    yield tmp_path
    library.library.cache_clear()


def test_it_is_compiled_once_and_kept(fresh, monkeypatch):
    library.library()
    (kept,) = fresh.rglob("*.so")
    assert kept.parent.stat().st_mode & 0o077 == 0
    library.library.cache_clear()
    monkeypatch.setattr(library, "compiled", None)  # not to be called
    library.library()


def test_without_a_compiler_steps_are_plain(fresh, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SettingError, match="no C\\+\\+ compiler was found \\(no-such-compiler\\)"):
        run(model=wide(), step="fused")
    monkeypatch.setenv(steps.ENVIRONMENT, "fused")
    with pytest.warns(steps.CaptureWarning, match="no C\\+\\+ compiler"):
        assert run(changed(epochs=1, warmup_epochs=0), model=wide())[1].step == "eager"


def test_a_cache_that_cannot_be_written_says_so(fresh, monkeypatch):
    (fresh / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh / "file"))
    with pytest.raises(library.CannotFuseError, match="cannot be kept"):
        library.library()


def test_the_compiler_may_have_options(fresh, monkeypatch):
    monkeypatch.setenv("CXX", f"{library.compiler()[0]} -g0")
    assert library.compiler()[1:] == ["-g0"]
    library.library()


def test_a_compiler_that_fails_says_why(fresh, monkeypatch, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'x.cpp: error: no such thing' >&2\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setenv("CXX", str(broken))
    with pytest.raises(library.CannotFuseError, match=r"failed: x\.cpp: error: no such thing"):
        library.library()


def test_damaged_code_is_made_anew(fresh, monkeypatch):
    library.library()
    (kept,) = fresh.rglob("*.so")
    whole, made = kept.read_bytes(), []
    code = whole[: -library._DIGEST]
    monkeypatch.setattr(library, "compiled", lambda command: made.append(command) or code)
    for number, damaged in enumerate((b"", b"not code", whole[:9000], whole[:-1])):
        other = fresh / str(number)
        monkeypatch.setenv("XDG_CACHE_HOME", str(other))
        library.library.cache_clear()
        place = other / kept.relative_to(fresh)
        place.parent.mkdir(parents=True, mode=0o700)
        place.write_bytes(damaged)
        library.library()
        assert place.read_bytes() == whole
        assert len(made) == number + 1


def test_a_folder_that_others_may_write_to_is_not_trusted(fresh):
    (fresh / "kdlib" / "compiled").mkdir(parents=True)
    (fresh / "kdlib" / "compiled").chmod(0o777)
    with pytest.raises(library.CannotFuseError, match="others may write to"):
        library.library()


def test_other_systems_are_named(fresh, monkeypatch):
    monkeypatch.setattr(library.platform, "system", lambda: "Darwin")
    with pytest.raises(library.CannotFuseError, match="for Linux, and this is Darwin"):
        library.library()


def test_the_source_has_no_warnings():
    # psabi: how vectors are passed between functions, which all are inlined.
    options = [*library.OPTIONS, "-Wall", "-Wextra", "-Wno-psabi", "-fsyntax-only"]
    command = [*library.compiler(), *options, str(library.SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
