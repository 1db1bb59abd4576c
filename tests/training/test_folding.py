"""Folded networks: the same answers without batch norms, or the network as it was."""

import pytest
import torch
from small_training import CLASSES, changed, network, random_split, run, same_state
from torch import nn

from kdlib.data import apply_views, to_float
from kdlib.models import ImageNetResNet, ModelSpec, build
from kdlib.training import ForwardTeacher, LossVectors, teacher
from kdlib.training.folding import answering, answering_dtype
from kdlib.training.teacher_views import TeacherTable, build_table

BF16 = changed(precision="bf16")
SPECS = {
    "A": ModelSpec(depth=8, width=4),
    "B": ModelSpec(depth=14, shortcut="B", width=4),
    "imagenet": ImageNetResNet(depth=18, image_size=32),
}


def worn(model):
    """The network with batch-norm statistics and scales that are not those of a new one."""
    stream = torch.Generator().manual_seed(3)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.running_var):
                values.data.uniform_(0.5, 2, generator=stream)
            for values in (layer.bias, layer.running_mean):
                values.data.normal_(generator=stream)
    return model.eval()


def pictures(size=32):
    return torch.randn(6, 3, size, size, generator=torch.Generator().manual_seed(1))


def norms(model):
    return [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]


@pytest.mark.parametrize("name", SPECS)
def test_folding_leaves_no_batch_norm_and_the_same_answers(name):
    model = worn(build(SPECS[name], num_classes=5, channels=3, image_size=32, seed=0))
    ready = answering(model, torch.float32)
    assert norms(model) and not norms(ready)
    with torch.no_grad():
        expected = model(pictures())
        torch.testing.assert_close(ready(pictures()), expected, rtol=1e-4, atol=1e-4)
    low = ForwardTeacher(model, "cpu", "bf16")(None, None, pictures())
    assert (low.float() - expected).norm() < 0.05 * expected.norm()


class Wayward(nn.Module):
    """Looks at values, so that no trace can follow it."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, images):
        hidden = self.norm(self.convolution(images)).mean((2, 3))
        return -hidden if hidden.sum() > 0 else hidden


class Shared(nn.Module):
    """One convolution before two batch norms: folding would put both into it."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(3), nn.BatchNorm2d(3)])

    def forward(self, images):
        for norm in self.norms:
            images = norm(self.convolution(images))
        return images.mean((2, 3))


@pytest.mark.parametrize("kind", [Wayward, Shared])
def test_what_cannot_be_folded_is_left_as_it_is(kind):
    model = worn(kind())
    ready = answering(model, torch.float32)
    assert len(norms(ready)) == len(norms(model))
    with torch.no_grad():
        assert torch.equal(ready(pictures()), model(pictures()))


def test_the_callers_network_is_left_as_it_is():
    model, before = network(), network()
    model.train()
    ForwardTeacher(model, "cpu", "bf16")
    assert same_state(model, before) and model.training and norms(model)


def test_an_fp32_recipe_has_the_very_network():
    model, _ = run(model=network(seed=7))
    shown = torch.rand(5, 1, 8, 8).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert torch.equal(ForwardTeacher(model, "cpu")(None, None, shown), model.eval()(shown))


@pytest.fixture(params=[torch.float32, torch.bfloat16])
def dtype(request, monkeypatch):
    """Either answer to the question which format is the faster."""
    monkeypatch.setattr(teacher, "answering_dtype", lambda device: request.param)
    return request.param


def test_its_weights_are_cast_once(dtype):
    signal = ForwardTeacher(network(), "cpu", "bf16")
    assert {t.dtype for t in signal.tensors().values()} == {dtype}


def test_the_table_holds_what_the_folded_teacher_answers(dtype):
    split, (model, _) = random_split(5), run(model=network(seed=7))
    table = build_table(model, split, BF16, dataset_name="")
    signal = ForwardTeacher(model, "cpu", "bf16")
    for view in range(table.shape[1]):
        shown = apply_views(split.images, torch.full((5,), view), 1, flip=True)
        answers = signal(None, None, to_float(shown, "centre", "")).float()
        close = (
            {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.02}
        )
        torch.testing.assert_close(table[:, view], answers, **close)


def test_a_student_learns_the_same_from_table_and_network(dtype):
    split, (model, _) = random_split(), run(model=network(seed=7))
    soft = LossVectors.constant(CLASSES, mix=1.0, temperature=2.0)
    table = TeacherTable(build_table(model, split, BF16, dataset_name=""))
    _, one = run(BF16, split=split, vectors=soft, teacher=model)
    _, two = run(BF16, split=split, vectors=soft, teacher=table)
    assert one.history[-1]["loss"] == pytest.approx(two.history[-1]["loss"], rel=0.02)


@pytest.mark.parametrize(("tiles", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_answers_in_bf16_only_with_matrix_tiles(monkeypatch, tiles, expected):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles, raising=False)
    assert answering_dtype("cpu") == expected
    assert answering_dtype("cuda") == torch.bfloat16
