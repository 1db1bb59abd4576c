import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import pad

from kdlib.data import apply_views, epoch_order, epoch_views, load, num_views, to_float
from kdlib.data.views import CHANNEL_STATISTICS
from kdlib.errors import SettingError


def by_hand(image, view, padding):
    """Pad, slice and flip one image."""
    side = 2 * padding + 1
    flip, rest = divmod(view, side * side)
    top, left = divmod(rest, side)
    height, width = image.shape[-2:]
    crop = pad(image, (padding,) * 4)[:, top : top + height, left : left + width]
    return crop.flip(-1) if flip else crop


def random_images(*shape, dtype=torch.uint8):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, 256, shape, generator=generator).to(dtype)


@pytest.mark.parametrize(
    ("padding", "flip", "count"), [(4, True, 162), (2, True, 50), (1, False, 9), (0, False, 1)]
)
def test_number_of_views(padding, flip, count):
    assert num_views(padding, flip) == count


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (2, 5, 7)])
@pytest.mark.parametrize(("padding", "flip"), [(4, True), (2, True), (1, False), (0, True)])
def test_every_view_against_pad_slice_and_flip(shape, dtype, padding, flip):
    views = torch.arange(num_views(padding, flip))
    images = random_images(len(views), *shape, dtype=dtype)
    shown = apply_views(images, views, padding, flip)
    assert shown.dtype == dtype and shown.shape == images.shape
    for image, view, result in zip(images, views.tolist(), shown, strict=True):
        assert torch.equal(result, by_hand(image, view, padding))


@given(st.integers(0, 12), st.integers(0, 3), st.booleans(), st.integers(0, 99))
def test_random_views_against_pad_slice_and_flip(n, padding, flip, seed):
    images = random_images(n, 2, 4, 4)
    views = epoch_views(n, seed, 0, padding, flip)
    shown = apply_views(images, views, padding, flip)
    for image, view, result in zip(images, views.tolist(), shown, strict=True):
        assert torch.equal(result, by_hand(image, view, padding))


def test_middle_view_is_the_image_and_the_input_stays():
    images = random_images(4, 3, 8, 8)
    before = images.clone()
    middle = torch.full((4,), 4 * 9 + 4)
    assert torch.equal(apply_views(images, middle, 4, True), before)
    apply_views(images, middle, 4, True).zero_()
    assert torch.equal(images, before)


def test_memory_format_does_not_matter():
    images = random_images(6, 3, 8, 8)
    views = epoch_views(6, 0, 0, 2, True)
    other = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(apply_views(images, views, 2, True), apply_views(other, views, 2, True))


def test_order_is_a_permutation_fixed_by_seed_and_epoch():
    order = epoch_order(100, 3, 5)
    assert order.dtype == torch.int64 and order.device.type == "cpu"
    assert torch.equal(order.sort().values, torch.arange(100))
    torch.manual_seed(1)
    assert torch.equal(order, epoch_order(100, 3, 5))
    assert not torch.equal(order, epoch_order(100, 3, 6))
    assert not torch.equal(order, epoch_order(100, 4, 5))


def test_views_are_fixed_by_seed_and_epoch_and_cover_all():
    views = epoch_views(20_000, 3, 5, 1, True)
    assert torch.equal(views, epoch_views(20_000, 3, 5, 1, True))
    assert not torch.equal(views, epoch_views(20_000, 3, 6, 1, True))
    counts = torch.bincount(views, minlength=18)
    assert len(counts) == 18
    expected = 20_000 / 18
    assert ((counts - expected) ** 2 / expected).sum() < 46  # chi-squared, 17 degrees, p = 0.0002


def test_global_random_state_is_untouched():
    state = torch.get_rng_state()
    epoch_order(10, 0, 0)
    epoch_views(10, 0, 0, 4, True)
    assert torch.equal(torch.get_rng_state(), state)


def test_centre_scaling():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 3, 1, 1)
    scaled = to_float(images, "centre", "cifar10")
    assert scaled.dtype == torch.float32
    assert scaled.flatten().tolist() == pytest.approx([-0.5, -0.3, 0.5])


def check_standardised(name, root=None):
    images = load(name, root=root, download=False).train.images
    values = torch.arange(256).double() / 255
    for channel, mean, deviation in zip(images.unbind(1), *CHANNEL_STATISTICS[name], strict=True):
        share = torch.bincount(channel.flatten(), minlength=256).double() / channel.numel()
        assert (share * values).sum().item() == pytest.approx(mean, abs=6e-5)
        variance = (share * values**2).sum().item() - mean**2
        assert variance**0.5 == pytest.approx(deviation, abs=2e-4)
    mean, deviation = torch.tensor(CHANNEL_STATISTICS[name]).double()[:, :, None, None]
    expected = (images[:100].double() / 255 - mean) / deviation
    scaled = to_float(images[:100], "standardise", name)
    torch.testing.assert_close(scaled.double(), expected, atol=1e-5, rtol=1e-5)


def test_statistics_of_digits():
    check_standardised("digits")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_statistics_of_cifar(name, real_root):
    check_standardised(name, real_root)


@pytest.mark.real_data
def test_statistics_of_fashion_mnist(fashion_root):
    check_standardised("fashion_mnist", fashion_root)


def test_unknown_scaling_or_data_set_is_refused():
    images = random_images(1, 1, 8, 8)
    with pytest.raises(SettingError, match="'centre' or 'standardise'"):
        to_float(images, "none", "digits")
    with pytest.raises(SettingError, match="digits, fashion_mnist, cifar10, cifar100"):
        to_float(images, "standardise", "places")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_views_and_scaling_are_the_same_on_cuda():
    images, views = random_images(162, 3, 32, 32), torch.arange(162)
    on_cpu = apply_views(images, views, 4, True)
    on_cuda = apply_views(images.cuda(), views, 4, True)
    assert on_cuda.is_cuda and torch.equal(on_cpu, on_cuda.cpu())
    scaled = to_float(on_cuda, "standardise", "cifar10").cpu()
    torch.testing.assert_close(scaled, to_float(on_cpu, "standardise", "cifar10"))
