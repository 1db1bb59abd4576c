import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_images import COLOURS, write_image
from PIL import Image

from kdlib.data import image_files, torchvision_import
from kdlib.data.image_files import ImageFiles, crop_box, draw_view_seeds, one_ahead
from kdlib.data.split import Split
from kdlib.data.views import apply_views, draw_views, epoch_views, to_float
from kdlib.errors import DataError, SettingError


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Six images of different shapes."""
    root = tmp_path_factory.mktemp("images")
    names = [f"a/{number}.JPEG" for number in range(6)]
    for number, name in enumerate(names):
        write_image(root / name, COLOURS[number % 3], seed=number, size=(40 + number, 60 - number))
    return ImageFiles(root, np.array(names, dtype=object), 32)


def test_it_has_the_length_and_shape_of_the_tensor_that_it_stands_for(files):
    assert len(files) == 6 and files.shape == (6, 3, 32, 32)
    assert files.central().shape == files.shape
    assert files.central().dtype == torch.uint8


def test_selecting_rows_reads_nothing(files, monkeypatch):
    monkeypatch.setattr(image_files, "read_image", lambda path: pytest.fail("read"))
    part = files[torch.tensor([4, 1])]
    assert list(part.names) == ["a/4.JPEG", "a/1.JPEG"]
    assert [len(piece) for piece in files.split(4)] == [4, 2]
    assert files.to("meta").shape == files.shape


def test_the_central_crop_is_torchvisions(files):
    v2 = torchvision_import.module("torchvision.transforms.v2")
    functional = torchvision_import.module("torchvision.transforms.v2.functional")
    theirs = v2.Compose([v2.Resize(37), v2.CenterCrop(32)])  # 37 is 32 * 256 / 224, rounded
    for name, ours in zip(files.names, files.central(), strict=True):
        expected = functional.pil_to_tensor(theirs(Image.open(files.root / name)))
        assert torch.equal(ours, expected)


def test_the_view_is_torchvisions_crop_of_the_box_perhaps_mirrored(files):
    functional = torchvision_import.module("torchvision.transforms.v2.functional")
    views = torch.tensor([12, 13, 2**62 - 1, 0, 5, 77])
    for name, view, ours in zip(files.names, views, files.in_views(views), strict=True):
        image = Image.open(files.root / name)
        box = crop_box(image.height, image.width, int(view) // 2)
        expected = functional.resized_crop(image, *box, [32, 32], antialias=True)
        mirrored = functional.horizontal_flip(expected) if view % 2 else expected
        assert torch.equal(ours, functional.pil_to_tensor(mirrored))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 2**61))
def test_the_box_is_the_one_that_torchvision_draws_from_the_same_seed(height, width, seed):
    v2 = torchvision_import.module("torchvision.transforms.v2")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        theirs = v2.RandomResizedCrop(32).make_params([torch.empty(3, height, width)])
    assert crop_box(height, width, seed) == tuple(
        theirs[key] for key in ("top", "left", "height", "width")
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 2**61))
def test_a_box_lies_in_the_image(height, width, seed):
    top, left, h, w = crop_box(height, width, seed)
    assert 0 <= top <= top + h <= height and 0 <= left <= left + w <= width


def test_a_view_does_not_depend_on_its_batch_or_on_the_number_of_threads(files, monkeypatch):
    views = draw_view_seeds(6, seed=3, epoch=2, flip=True)
    monkeypatch.setattr(image_files, "cores", lambda: 3)
    together = files.in_views(views)
    monkeypatch.setattr(image_files, "cores", lambda: 1)
    rows = torch.tensor([5, 0, 3])
    assert torch.equal(files[rows].in_views(views[rows]), together[rows])


def test_reading_leaves_the_global_random_state_alone(files):
    before = torch.random.get_rng_state()
    files.in_views(draw_views(files, 0, 0, 0, True))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_views_follow_from_seed_and_epoch_and_mirror_half():
    views = draw_view_seeds(4000, seed=1, epoch=0, flip=True)
    assert torch.equal(views, draw_view_seeds(4000, seed=1, epoch=0, flip=True))
    assert (views == draw_view_seeds(4000, seed=1, epoch=1, flip=True)).sum() == 0
    assert (views == draw_view_seeds(4000, seed=2, epoch=0, flip=True)).sum() == 0
    assert 0.45 < (views % 2).float().mean() < 0.55
    assert (draw_view_seeds(4000, seed=1, epoch=0, flip=False) % 2).sum() == 0


def test_tensors_draw_and_show_what_they_always_did(files):
    images = torch.randint(0, 256, (9, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(draw_views(images, 3, 4, 1, True), epoch_views(9, 3, 4, 1, True))
    views = draw_views(files, 3, 4, 0, True)
    assert torch.equal(apply_views(files, views, 0, True), files.in_views(views))


def test_files_become_floats_in_their_central_crops(files):
    scaled = to_float(files, "standardise", "imagenet")
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    by_hand = (files.central().double() / 255 - torch.tensor(mean)[:, None, None]) / torch.tensor(
        deviation
    )[:, None, None]
    torch.testing.assert_close(scaled.double(), by_hand, rtol=1e-5, atol=1e-5)


def test_padding_is_refused(files):
    with pytest.raises(SettingError, match=r"crop_padding = 4 .* must be 0"):
        draw_views(files, 0, 0, 4, True)


@pytest.mark.parametrize("size", [31, 1025])
def test_a_size_out_of_range_is_refused(files, size):
    with pytest.raises(SettingError, match=f"image_size = {size} .* from 32 to 1024"):
        ImageFiles(files.root, files.names, size)


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_an_unreadable_image_is_named_in_one_line(tmp_path, content):
    whole = tmp_path / "whole.JPEG"
    write_image(whole, COLOURS[0])
    bad = tmp_path / "bad.JPEG"
    bad.write_bytes(whole.read_bytes()[:500] if content is None else content)
    files = ImageFiles(tmp_path, np.array(["whole.JPEG", "bad.JPEG"], dtype=object), 32)
    for show in (files.central, lambda: files.in_views(torch.tensor([0, 1]))):
        with pytest.raises(DataError, match=r"bad.JPEG cannot be read as an image") as error:
            show()
        assert "\n" not in str(error.value)


def test_grey_images_become_three_channels(tmp_path):
    Image.new("L", (40, 40), 90).save(tmp_path / "grey.png")
    shown = ImageFiles(tmp_path, np.array(["grey.png"], dtype=object), 32).central()
    assert shown.shape == (1, 3, 32, 32) and (shown == 90).all()


def test_a_splits_digest_tells_files_and_size(files):
    def digest(images):
        return Split("s", images, torch.zeros(6).long(), torch.arange(6), 2).digest

    renamed = ImageFiles(files.root, files.names[::-1], 32)
    larger = ImageFiles(files.root, files.names, 40)
    assert len({digest(files), digest(renamed), digest(larger)}) == 3
    assert digest(files) == digest(files.to("meta"))


def test_one_ahead_keeps_order_and_hands_errors_on():
    assert list(one_ahead(lambda number: number**2, 5)) == [0, 1, 4, 9, 16]
    numbers = one_ahead(lambda number: 1 // (2 - number), 4)
    assert [next(numbers), next(numbers)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(numbers)
