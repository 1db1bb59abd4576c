import json
import shutil

import pytest
import torch
from made_images import (
    inaturalist_annotations,
    lt_lines,
    write_imagenet_lt,
    write_inaturalist,
)

from kdlib.data import ImageFiles, SplitWarning, load
from kdlib.data.image_folders import PUBLISHED
from kdlib.data.layouts import LAYOUTS
from kdlib.data.longtail import NATURAL_TAILS
from kdlib.errors import DataError, SettingError

pytestmark = pytest.mark.filterwarnings("ignore::kdlib.data.SplitWarning")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One data folder with three sets; the fourth is in test_layouts."""
    root = write_imagenet_lt(tmp_path_factory.mktemp("data"))
    return write_inaturalist(root)


@pytest.fixture
def own(made, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(made, tmp_path / "data")


def counts(split):
    return split.class_counts.tolist()


def test_imagenet_splits(made):
    data = load("imagenet", root=made, image_size=32)
    assert data.class_names == ("n01", "n02", "n03")
    assert (data.num_classes, data.channels, data.image_size) == (3, 3, 32)
    assert counts(data.train) == [12] * 3 and counts(data.dev) == [2] * 3
    assert counts(data.validation) == counts(data.test) == [2] * 3
    assert all(isinstance(split.images, ImageFiles) for split in data.splits)


@pytest.mark.parametrize("name", sorted(PUBLISHED.keys() - {"tinyimagenet"}))
def test_parts_are_disjoint_and_paths_tell_the_label(made, name):
    data = load(name, root=made, image_size=32)
    paths = [set(split.images.names) for split in data.splits]
    train, rest, dev, validation, test = paths
    assert rest | dev == train and not rest & dev
    assert not validation & test and not (validation | test) & train
    folders = ["n01", "n02", "n03"] if name != "inaturalist2018" else ["3", "5", "9"]
    for split in data.splits:
        pairs = zip(split.images.names, split.labels.tolist(), strict=True)
        assert all(path.split("/")[-2] == folders[label] for path, label in pairs)


def test_imagenet_lt_is_what_its_list_says(made):
    data = load("imagenet_lt", root=made, image_size=32)
    assert counts(data.train) == [12, 6, 3]
    assert counts(data.dev) == [6, 3, 1]  # half of a class, as none has more than 2k = 100
    assert counts(data.test) == [2] * 3


@pytest.mark.parametrize("as_lists", [False, True])
def test_inaturalist_reads_json_and_lists_alike(tmp_path, as_lists):
    data = load("inaturalist2018", root=write_inaturalist(tmp_path, as_lists=as_lists))
    names = ("0", "1", "2") if as_lists else ("species 3", "species 5", "species 9")
    assert data.class_names == names and data.image_size == 224
    assert counts(data.train) == [8, 4, 2] and counts(data.dev) == [4, 2, 1]
    assert counts(data.validation) == [1] * 3 and counts(data.test) == [2] * 3


def test_a_share_of_the_classes_is_taken_from_folders_too(made):
    data = load("imagenet", root=made, image_size=32, class_share=0.67)
    assert data.num_classes == 2 and counts(data.train) == [12, 12]
    assert {path.split("/")[1] for path in data.train.images.names} == set(data.class_names)


def test_imagenet_can_be_made_long_tailed(made):
    data = load("imagenet", root=made, image_size=32, imbalance=4)
    assert counts(data.train) == [12, 6, 3]


def test_images_of_a_split_are_those_of_its_paths(made):
    dev = load("imagenet", root=made, image_size=32).dev
    strongest = dev.images.central().float().mean(dim=(2, 3)).argmax(dim=1)
    assert torch.equal(strongest, dev.labels)


@pytest.mark.filterwarnings("default")
def test_a_set_of_another_size_than_the_published_one_is_named(made):
    with pytest.warns(SplitWarning, match="3 classes, 36 training and 12 held-out images"):
        load("imagenet", root=made, image_size=32)


def test_every_folder_set_says_its_layout():
    assert LAYOUTS.keys() == PUBLISHED.keys() and NATURAL_TAILS.keys() < PUBLISHED.keys()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"name": "imagenet_lt", "imbalance": 2}, "imbalance = 2: imagenet_lt has a long tail"),
        ({"name": "digits", "image_size": 32}, "image_size = 32: images of digits have their own"),
        ({"name": "imagenet", "image_size": 16}, "image_size = 16 is not allowed"),
    ],
)
def test_settings_that_do_not_fit_are_refused(made, values, complaint):
    with pytest.raises(SettingError, match=complaint):
        load(root=made, **values)


def refused(root, name):
    """The one line in which ``load`` refuses."""
    with pytest.raises(DataError) as error:
        load(name, root=root, image_size=32)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_missing_folders_are_named(tmp_path):
    assert f"{tmp_path / 'imagenet' / 'train'} is missing" in refused(tmp_path, "imagenet")
    assert "KDLIB_DATA" in refused(tmp_path, "imagenet_lt")
    assert "iNaturalist18_train.txt is missing" in refused(tmp_path, "inaturalist2018")


def test_a_class_without_an_image_is_named(own):
    for image in (own / "imagenet/val/n02").iterdir():
        image.unlink()
    assert "n02" in refused(own, "imagenet")


def test_a_class_that_only_one_part_has_is_named(own):
    shutil.rmtree(own / "imagenet/val/n02")
    assert "class n02 is only in one of train and val" in refused(own, "imagenet")


def test_folders_without_classes_are_named(tmp_path):
    (tmp_path / "imagenet/train").mkdir(parents=True)
    assert "cannot be taken as folders of classes" in refused(tmp_path, "imagenet")


BAD_LISTS = {
    "absent file": (["train/n01/absent.JPEG 0"], "absent.JPEG, which is not below"),
    "leaves the root": (["../secret.JPEG 0"], "which leaves"),
    "absolute": (["/secret.JPEG 0"], "which leaves"),
    "no label": (["train/n01/n01_train_0.JPEG"], "line 22 is 'train/n01/n01_train_0.JPEG'"),
    "negative label": (["train/n01/x.JPEG -1"], "expected a path, a space and a label"),
    "label out of range": (["train/n01/n01_train_0.JPEG 3"], "label 3: allowed 0 to 2"),
    "twice": ([lt_lines()[0]], "more than once"),
    "held-out image": (["val/n01/n01_val_0.JPEG 0"], "both a training and a held-out image"),
    "another numbering": (["train/n02/n02_train_8.JPEG 0"], "must number the classes alike"),
}


@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_list_that_is_wrong_is_refused(own, kind):
    lines, complaint = BAD_LISTS[kind]
    place = own / "imagenet_lt/ImageNet_LT_train.txt"
    place.write_text("\n".join(lt_lines() + lines))
    assert complaint in refused(own, "imagenet_lt")


def test_a_class_that_a_list_leaves_out_is_named(own):
    place = own / "imagenet_lt/ImageNet_LT_train.txt"
    place.write_text("\n".join(lt_lines()[:12]))
    assert "has no image of class 1" in refused(own, "imagenet_lt")


def test_lists_that_are_no_text_or_no_files_are_refused(own):
    place = own / "imagenet_lt/ImageNet_LT_train.txt"
    place.write_bytes(b"\xff\xfe\x00")
    assert "no text in UTF-8" in refused(own, "imagenet_lt")
    place.unlink()
    assert "is missing: put the published list there" in refused(own, "imagenet_lt")
    place.mkdir()
    assert "cannot be read: Is a directory" in refused(own, "imagenet_lt")


def test_empty_lists_have_no_class(own):
    folder = own / "inaturalist2018"
    (folder / "train2018.json").unlink()
    for part in ("train", "val"):
        (folder / f"iNaturalist18_{part}.txt").write_text("")
    assert "iNaturalist18_train.txt is empty" in refused(own, "inaturalist2018")


def without(key):
    found = inaturalist_annotations("train", (8, 4, 2))
    del found[key]
    return found


def annotated(**changes):
    found = inaturalist_annotations("train", (8, 4, 2))
    found["annotations"][0] |= changes
    return found


BAD_JSON = {
    "no JSON": ("{", "is no list of annotations"),
    "no categories": (json.dumps(without("categories")), "categories"),
    "a wrong type": (json.dumps(annotated(image_id="x")), "annotations.0.image_id"),
    "an unknown image": (json.dumps(annotated(image_id=1)), "unknown image or category 1"),
    "an unknown category": (json.dumps(annotated(category_id=4)), "unknown image or category 4"),
}


@pytest.mark.parametrize("kind", BAD_JSON)
def test_json_that_is_wrong_is_refused(own, kind):
    text, complaint = BAD_JSON[kind]
    (own / "inaturalist2018/train2018.json").write_text(text)
    assert complaint in refused(own, "inaturalist2018")


def test_both_parts_must_list_the_same_categories(own):
    place = own / "inaturalist2018/val2018.json"
    found = json.loads(place.read_text())
    found["categories"][0]["name"] = "another"
    place.write_text(json.dumps(found))
    assert "list different categories" in refused(own, "inaturalist2018")
