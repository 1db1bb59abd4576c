"""Layouts as published, and all that can be wrong with one, told at once."""

import shutil

import pytest
import torch
from click.testing import CliRunner
from made_images import (
    CLASSES,
    lt_lines,
    write_flat_imagenet,
    write_imagenet,
    write_imagenet_lt,
    write_inaturalist,
    write_tinyimagenet,
)

from kdlib.cli import cli
from kdlib.data import load
from kdlib.data.layouts import LAYOUTS
from kdlib.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::kdlib.data.SplitWarning")
WRITERS = {
    "imagenet": write_imagenet,
    "imagenet_lt": write_imagenet_lt,
    "inaturalist2018": write_inaturalist,
    "tinyimagenet": write_tinyimagenet,
}


@pytest.fixture(scope="module", params=WRITERS)
def made(request, tmp_path_factory):
    return request.param, WRITERS[request.param](tmp_path_factory.mktemp("data"))


@pytest.fixture
def own(made, tmp_path):
    """A copy that a test may spoil."""
    return made[0], shutil.copytree(made[1], tmp_path / "data")


def check(name, root, *words):
    return CliRunner().invoke(cli, ["data", name, "--data", str(root), *words])


def lines_of(result):
    return result.stdout.splitlines()


def test_every_set_has_a_layout_that_is_tried_here():
    assert WRITERS.keys() == LAYOUTS.keys()


def test_a_whole_set_has_no_faults(made):
    result = check(*made)
    assert result.exit_code == 0, result.output
    assert lines_of(result)[-1].startswith("3 classes; ")


def test_a_flat_val_has_the_splits_of_the_sorted_one(tmp_path):
    flat = load("imagenet", root=write_flat_imagenet(tmp_path / "flat"), image_size=32)
    rows = load("imagenet", root=write_imagenet(tmp_path / "sorted"), image_size=32)
    for one, other in zip(flat.splits, rows.splits, strict=True):
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.images.central(), other.images.central())


def test_imagenet_lt_goes_with_a_flat_val(tmp_path):
    root = write_imagenet_lt(tmp_path)
    shutil.rmtree(root / "imagenet")
    data = load("imagenet_lt", root=write_flat_imagenet(root), image_size=32)
    assert data.train.class_counts.tolist() == [12, 6, 3] and len(data.test) == 6


def test_a_flat_val_without_its_list_says_what_to_do(tmp_path):
    root = write_flat_imagenet(tmp_path)
    (root / "imagenet/val.txt").unlink()
    with pytest.raises(DataError, match=r"sort them into val/CLASS, or put the list .*val\.txt"):
        load("imagenet", root=root)


def test_tinyimagenet_is_labelled_by_its_annotations(tmp_path):
    data = load("tinyimagenet", root=write_tinyimagenet(tmp_path), image_size=64)
    assert data.class_names == CLASSES and data.train.class_counts.tolist() == [12] * 3
    for split in data.splits:
        colours = split.images.float().mean(dim=(2, 3)).argmax(dim=1)
        assert torch.equal(colours, split.labels)


def test_tinyimagenet_can_be_made_long_tailed(tmp_path):
    data = load("tinyimagenet", root=write_tinyimagenet(tmp_path), imbalance=4, image_size=64)
    assert data.train.class_counts.tolist() == [12, 6, 3]


@pytest.mark.parametrize(
    ("line", "words"),
    [("val_99.JPEG\tn01\t0", "val_99.JPEG, which is not below"), ("val_0.JPEG\tn09", "line 13 is"),
     ("val_0.JPEG", "line 13 is"), ("val_0.JPEG\tn01", "more than once")],
)  # fmt: skip
def test_annotations_that_do_not_fit_are_refused(tmp_path, line, words):
    place = write_tinyimagenet(tmp_path) / "tiny-imagenet-200/val/val_annotations.txt"
    place.write_text(place.read_text() + line)
    with pytest.raises(DataError, match=words):
        load("tinyimagenet", root=tmp_path, image_size=64)


def test_classes_must_be_those_of_wnids(tmp_path):
    place = write_tinyimagenet(tmp_path) / "tiny-imagenet-200/wnids.txt"
    place.write_text("n01\nn02\nn04\n")
    with pytest.raises(DataError, match=r"class n03 is only in one .*; .*class n04 is only in one"):
        load("tinyimagenet", root=tmp_path, image_size=64)


def test_every_unreadable_image_is_named_in_one_pass(own):
    name, root = own
    images = sorted(path for path in root.rglob("*") if path.suffix.lower() in (".jpeg", ".jpg"))
    if name == "imagenet_lt":
        images = [root / "imagenet" / line.split()[0] for line in lt_lines()]
    images[0].write_bytes(images[0].read_bytes()[:600])
    images[1].write_bytes(b"no image")
    images[2].write_bytes(b"")
    result = check(name, root)
    assert result.exit_code == 1
    bad = [line for line in lines_of(result) if "cannot be read as an image" in line]
    assert len(bad) == 3 and all(any(str(path) in line for line in bad) for path in images[:3])
    assert check(name, root, "--names-only").exit_code == 0


def test_faults_of_all_kinds_are_told_at_once(tmp_path):
    root = write_imagenet_lt(tmp_path)
    bad = ["train/n01/absent.JPEG 0", "train/n02/n02_train_11.JPEG 0", "nonsense", lt_lines()[0]]
    list_file = root / "imagenet_lt/ImageNet_LT_train.txt"
    list_file.write_text("\n".join([*lt_lines(counts=(12, 6, 0)), *bad]))
    (root / "imagenet/train/n01/n01_train_0.JPEG").write_bytes(b"")
    result = check("imagenet_lt", root)
    for words in (
        "absent.JPEG, which is not below", "must number the classes alike", "line 21 is",
        "more than once", "has no image of class 2", "cannot be read as an image",
    ):  # fmt: skip
        assert sum(words in line for line in lines_of(result)) == 1, words
    with pytest.raises(DataError) as error:
        load("imagenet_lt", root=root, image_size=32)
    told = str(error.value)
    assert told.count("; ") == 4 and "\n" not in told and "absent.JPEG" in told


def test_many_faults_are_counted(tmp_path):
    root = write_imagenet(tmp_path)
    for path in (root / "imagenet/val").rglob("*.JPEG"):
        path.unlink()
    for name in range(20):
        (root / f"imagenet/val/x{name}").mkdir()
    with pytest.raises(DataError, match=r"and \d+ more, which `kdlib data imagenet` lists"):
        load("imagenet", root=root, image_size=32)


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_empty_folder_says_what_belongs_there(tmp_path, name):
    result = check(name, tmp_path)
    assert result.exit_code == 1 and "is missing" in result.output
    assert len(lines_of(result)) <= 5


def test_an_empty_folder_is_told_where_the_images_of_the_set_lie(tmp_path):
    for name in ("imagenet", "tinyimagenet"):
        said = " ".join(check(name, tmp_path).output.split())
        expected = LAYOUTS[name].partition("/train/")[2].split()[0].strip(",")
        assert f"expected train/{expected} below" in said


def test_an_unknown_set_is_answered_with_those_there_are(tmp_path):
    result = check("imagenette", tmp_path)
    assert result.exit_code == 1 and "'imagenet', 'imagenet_lt'" in result.output
