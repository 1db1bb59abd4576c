"""The wide network of several students against each of them alone."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from kdlib.errors import SettingError
from kdlib.models import ModelSpec, build
from kdlib.models.stack import stack

CLASSES = 5


def network(seed, *, depth=8, shortcut="A", channels=1):
    spec = ModelSpec(depth=depth, shortcut=shortcut, width=4)
    model = build(spec, num_classes=CLASSES, channels=channels, image_size=8, seed=seed)
    return model.to(memory_format=torch.channels_last).train()


def images_of(count, *, channels=1, size=8):
    random = torch.Generator().manual_seed(0)
    return torch.randn(6, count, channels, size, size, generator=random)


def gradients(wide, images):
    """Of the sum of all students' losses, by name; and the logits ``[N, K, L]``."""
    logits = wide(images.flatten(1, 2).contiguous(memory_format=torch.channels_last))
    labels = torch.arange(logits.shape[0]) % CLASSES
    cross_entropy(logits.flatten(0, 1), labels.repeat_interleave(logits.shape[1])).backward()
    return logits.detach(), {name: p.grad for name, p in wide.named_parameters()}


@pytest.mark.parametrize("shortcut", ["A", "B"])
@pytest.mark.parametrize(("depth", "channels", "size"), [(8, 1, 8), (14, 3, 9)])
def test_each_student_computes_what_it_computes_alone(shortcut, depth, channels, size):
    models = [network(k, depth=depth, shortcut=shortcut, channels=channels) for k in range(3)]
    alone = copy.deepcopy(models)
    images = images_of(3, channels=channels, size=size)
    logits, found = gradients(stack(models), images)
    for k, model in enumerate(alone):
        expected = model(images[:, k])
        torch.testing.assert_close(logits[:, k], expected.detach(), rtol=1e-4, atol=1e-5)
        (cross_entropy(expected, torch.arange(6) % CLASSES) / 3).backward()
        for name, weight in model.named_parameters():
            own = found[name].chunk(3)[k]
            torch.testing.assert_close(own, weight.grad, rtol=1e-3, atol=1e-5)
        for name, buffer in model.named_buffers():
            torch.testing.assert_close(models[k].get_buffer(name), buffer, rtol=1e-4, atol=1e-6)


def test_the_students_share_their_memory_with_the_wide_network():
    models = [network(k) for k in range(2)]
    before = [copy.deepcopy(model.state_dict()) for model in models]
    wide = stack(models)
    for model, state in zip(models, before, strict=True):
        assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        for value in wide.state_dict().values():
            value.add_(1)
    for model, state in zip(models, before, strict=True):
        assert all(torch.equal(state[n] + 1, value) for n, value in model.state_dict().items())


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_nothing_passes_from_one_student_to_another(broken):
    images = images_of(3)
    sound_logits, sound = gradients(stack([network(k) for k in range(3)]), images)
    images[:, broken] = torch.nan
    logits, found = gradients(stack([network(k) for k in range(3)]), images)
    for k in range(3):
        assert torch.equal(logits[:, k], sound_logits[:, k]) == (k != broken)
        for name, grad in found.items():
            own = grad.chunk(3)[k]
            assert own.isnan().any() if k == broken else torch.equal(own, sound[name].chunk(3)[k])


@pytest.mark.parametrize(
    ("models", "named"),
    [
        ([], "at least one"),
        ([nn.Linear(2, 2)], "CIFAR ResNets"),
        ([network(0), network(1, depth=14)], "one shape"),
        ([network(0), network(1, shortcut="B")], "one shape"),
    ],
)
def test_what_cannot_be_stacked_is_refused(models, named):
    with pytest.raises(SettingError, match=named):
        stack(models)
