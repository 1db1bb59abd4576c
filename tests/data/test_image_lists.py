"""Lists and images as editors, archives and cameras leave them."""

import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_images import COLOURS, inaturalist_annotations, write_image
from PIL import Image

from kdlib.data.adult_features import adult_features
from kdlib.data.image_files import ImageFiles, read_image
from kdlib.data.image_lists import one_spelling, read_annotations, read_list
from kdlib.errors import DataError, SettingError

PLAIN = [("train/a.JPEG", 0), ("train/b c.JPEG", 12)]
TEXTS = {
    "as published": "train/a.JPEG 0\ntrain/b c.JPEG 12\n",
    "no last line end": "train/a.JPEG 0\ntrain/b c.JPEG 12",
    "a byte-order mark": "\ufefftrain/a.JPEG 0\ntrain/b c.JPEG 12\n",
    "empty lines": "\n\ntrain/a.JPEG 0\n\n  \ntrain/b c.JPEG 12\n\n\n",
    "Windows": "train/a.JPEG 0\r\ntrain/b c.JPEG 12\r\n",
    "old Macintosh": "train/a.JPEG 0\rtrain/b c.JPEG 12\r",
    "spaces around": "  train/a.JPEG   0 \n\ttrain/b c.JPEG\t12\t\n",
    "other spellings": "./train//a.JPEG 0\ntrain/./b c.JPEG 12\n",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_list_is_read_however_an_editor_left_it(tmp_path, kind):
    path = tmp_path / "list.txt"
    path.write_bytes(TEXTS[kind].encode())
    wrong = []
    assert read_list(path, wrong) == PLAIN and not wrong


@pytest.mark.parametrize("line", ["a.JPEG", "0", "a.JPEG x", "a.JPEG -1", "a.JPEG 1.0", "a.JPEG ²"])
def test_a_line_of_another_form_is_named_with_its_number(tmp_path, line):
    path = tmp_path / "list.txt"
    path.write_text(f"\n{line}\n")
    wrong = []
    assert read_list(path, wrong) == []
    assert re.search(r"list\.txt, line 2 is .*: expected a path", wrong[0])


@given(st.lists(st.sampled_from(["a", "b c", "d.e"]), min_size=1), st.data())
def test_one_file_has_one_spelling(parts, data):
    def noisy(part):
        return data.draw(st.sampled_from(["", "./", ".//", "/./"])) + part

    spelled = noisy(parts[0]).lstrip("/") + "".join("/" + noisy(part) for part in parts[1:])
    assert one_spelling(spelled) == "/".join(parts)


def test_json_may_begin_with_a_byte_order_mark(tmp_path):
    text = json.dumps(inaturalist_annotations("train", (2, 1, 1)))
    plain, marked = tmp_path / "plain.json", tmp_path / "marked.json"
    plain.write_text(text, encoding="utf-8")
    marked.write_text(text, encoding="utf-8-sig")
    assert read_annotations(marked, []) == read_annotations(plain, [])


@pytest.mark.parametrize("kind", ["images", "categories"])
def test_an_id_that_is_given_twice_is_refused(tmp_path, kind):
    content = inaturalist_annotations("train", (2, 1, 1))
    content[kind][1]["id"] = content[kind][0]["id"]
    path = tmp_path / "train2018.json"
    path.write_text(json.dumps(content))
    wrong = []
    read_annotations(path, wrong)
    assert "one id to two images or categories" in wrong[0]


# --- images ---


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_grey_values_of_16_bits_keep_their_upper_8(tmp_path, suffix):
    grey = np.arange(0, 65536, 41, dtype=np.uint16)[:1560].reshape(39, 40)
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(grey).save(path)
    found = np.asarray(read_image(path))
    assert found.shape == (39, 40, 3) and found.dtype == np.uint8
    assert (found == (grey // 256)[..., None]).all()


def test_a_photograph_of_16_bits_looks_like_itself_in_8(tmp_path):
    write_image(tmp_path / "plain.png", COLOURS[0])
    grey = Image.open(tmp_path / "plain.png").convert("L")
    grey.save(tmp_path / "8.png")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(tmp_path / "16.png")
    shown = ImageFiles(tmp_path, ["8.png", "16.png"], 32).central()
    assert torch.equal(shown[0], shown[1])


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_32_bits_without_a_known_range_are_refused(tmp_path, dtype):
    Image.fromarray(np.full((40, 40), 1000, dtype=dtype)).save(tmp_path / "deep.tiff")
    with pytest.raises(DataError, match=r"deep\.tiff cannot be read as an image .*no known range"):
        read_image(tmp_path / "deep.tiff")


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "YCbCr"])
def test_other_kinds_of_pixels_are_what_pillow_makes_of_them(tmp_path, mode):
    write_image(tmp_path / "plain.png", COLOURS[1])
    path = tmp_path / "other.tiff"
    Image.open(tmp_path / "plain.png").convert(mode).save(path)
    assert np.array_equal(read_image(path), Image.open(path).convert("RGB"))


# --- options of Adult ---


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("onehot", "keep"), "encoding = 'onehot' is not allowed: 'ordinal', 'one-hot'"),
        (("ordinal", "remove"), "missing = 'remove' is not allowed: 'keep', 'drop'"),
        ((None, "keep"), "encoding = None"),
    ],
)
def test_options_that_nobody_knows_are_refused(values, words):
    with pytest.raises(SettingError) as error:
        adult_features(*values)
    assert words in str(error.value)
