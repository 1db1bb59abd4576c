"""Predictions: the batch size does not matter, and the network is given back as it was."""

import pytest
import torch
from small_training import CLASSES, network, random_split, run

from kdlib.errors import SettingError
from kdlib.training import predict_logits
from kdlib.training.predict import passes

IMAGES = random_split(50).images


def predict(model, **options):
    return predict_logits(model, IMAGES, scaling="centre", dataset_name="digits", **options)


@pytest.fixture(scope="module")
def trained():
    return run()[0]


@pytest.mark.parametrize("batch_size", [1, 7, 50, 1000])
def test_the_batch_size_changes_rounding_only(trained, batch_size):
    logits = predict(trained, batch_size=batch_size)
    assert logits.shape == (50, CLASSES)
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, predict(trained), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("size", "device", "expected"),
    [
        (8, "cpu", 1024),
        (11, "cpu", 1024),
        (12, "cpu", 910),
        (32, "cpu", 128),
        (224, "cpu", 16),
        (32, "cuda", 1024),
    ],
)
def test_a_pass_on_a_cpu_takes_fewer_images_the_larger_they_are(size, device, expected):
    assert passes(4096, shown(size), device)[0] == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (2, [2]),
        (128, [128]),
        (129, [129]),
        (135, [135]),
        (136, [128, 8]),
        (257, [128, 129]),
    ],
)
def test_no_pass_holds_a_few_images_beside_full_ones(count, expected):
    assert passes(count, shown(32), "cpu") == expected


def shown(size):
    """Images of that size that take no memory."""
    return torch.zeros(1, 3, 1, 1, dtype=torch.uint8).expand(2, 3, size, size)


def test_logits_are_those_of_eval_mode_on_plain_images(trained):
    with torch.no_grad():
        expected = trained.eval()(IMAGES.float() / 255 - 0.5)
    assert torch.allclose(predict(trained.train()), expected, atol=1e-5, rtol=0)


def test_modes_and_buffers_come_back():
    model = network().train()
    model.stem_norm.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert not predict(model).requires_grad
    assert model.training
    assert not model.stem_norm.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_modes_come_back_after_an_error():
    model = network(channels=3).train()
    with pytest.raises(RuntimeError):
        predict(model)
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize(("images", "batch_size"), [(IMAGES[:0], 8), (IMAGES, 0)])
def test_nothing_to_predict_is_refused(images, batch_size):
    with pytest.raises(SettingError, match="at least 1 each"):
        predict_logits(
            network(), images, scaling="centre", dataset_name="digits", batch_size=batch_size
        )
