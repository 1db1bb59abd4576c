"""One image counts once, whatever it is called; what archives leave behind does not count."""

import os
import shutil

import pytest
from made_images import COLOURS, lt_lines, write_image, write_imagenet_lt, write_inaturalist

from kdlib.data import load
from kdlib.data.same_files import files_of, is_left_behind
from kdlib.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::kdlib.data.SplitWarning")
TRAIN, VAL = "iNaturalist18_train.txt", "iNaturalist18_val.txt"


@pytest.fixture
def lists(tmp_path):
    """A folder of iNaturalist with text lists."""
    return write_inaturalist(tmp_path, as_lists=True) / "inaturalist2018"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_imagenet_lt(tmp_path_factory.mktemp("data"))


@pytest.fixture
def folders(made, tmp_path):
    """A copy of ImageNet and ImageNet-LT that a test may change."""
    return shutil.copytree(made, tmp_path / "data")


def dotted(folder, name):
    return f"./{name}"


def doubled(folder, name):
    return name.replace("/", "//")


def linked(folder, name):
    (folder / "links").mkdir()
    (folder / "links" / "x.jpg").symlink_to(folder / name)
    return "links/x.jpg"


def hard_linked(folder, name):
    (folder / "links").mkdir()
    os.link(folder / name, folder / "links" / "x.jpg")
    return "links/x.jpg"


def in_a_linked_folder(folder, name):
    above, _, below = name.partition("/")
    (folder / "other").symlink_to(folder / above)
    return f"other/{below}"


SPELLINGS = (dotted, doubled, linked, hard_linked, in_a_linked_folder)


def refused(root, name="inaturalist2018"):
    """The one line in which ``load`` refuses."""
    with pytest.raises(DataError) as error:
        load(name, root=root, image_size=32)
    assert "\n" not in str(error.value)
    return str(error.value)


def first_line(path):
    name, _, label = path.read_text().splitlines()[0].rpartition(" ")
    return name, label


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize("label", [0, 1])
def test_an_image_named_twice_is_refused(lists, spell, label):
    name, _ = first_line(lists / TRAIN)
    other = spell(lists, name)
    (lists / TRAIN).write_text((lists / TRAIN).read_text() + f"{other} {label}\n")
    assert f"names {name} more than once" in refused(lists.parent)


@pytest.mark.parametrize("spell", SPELLINGS)
def test_a_held_out_image_among_the_training_images_is_refused(lists, spell):
    name, label = first_line(lists / VAL)
    other = spell(lists, name)
    (lists / TRAIN).write_text((lists / TRAIN).read_text() + f"{other} {label}\n")
    assert "is both a training and a held-out image" in refused(lists.parent)


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_folders_of_classes_are_looked_at_alike(folders, make):
    image = folders / "imagenet/val/n01/n01_val_0.JPEG"
    make(image, folders / "imagenet/train/n01/copy.JPEG")
    told = refused(folders, "imagenet")
    assert "train/n01/copy.JPEG is both" in told and "(there it is val/n01/n01_val_0.JPEG)" in told
    (folders / "imagenet/train/n01/copy.JPEG").unlink()
    make(folders / "imagenet/train/n01/n01_train_0.JPEG", folders / "imagenet/train/n02/x.JPEG")
    assert "train names train/n01/n01_train_0.JPEG more than once" in refused(folders, "imagenet")


def test_a_spelling_is_no_part_of_a_splits_digest(folders):
    place = folders / "imagenet_lt/ImageNet_LT_train.txt"
    plain = load("imagenet_lt", root=folders, image_size=32)
    place.write_text("".join(f"./{line.replace('/', '//')}\n" for line in lt_lines()))
    moved = shutil.copytree(folders, folders.parent / "again", symlinks=True)
    spelled = load("imagenet_lt", root=moved, image_size=32)
    assert [s.digest for s in spelled.splits] == [s.digest for s in plain.splits]


def test_files_that_only_look_alike_are_two(tmp_path):
    write_image(tmp_path / "a.png", COLOURS[0])
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    found = files_of(["a.png", "b.png"], tmp_path, tmp_path, [])
    assert sorted(found.values()) == ["a.png", "b.png"]


@pytest.mark.parametrize("name", ["nothing.png", "folder", "nul\0.png", "x" * 300])
def test_a_name_without_a_file_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    wrong = []
    assert not files_of([name], tmp_path, tmp_path / "list.txt", wrong)
    assert "which is not below" in wrong[0]


# --- what archives leave behind ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train/n01/a.JPEG", False), ("train/n01/a..b.JPEG", False), ("a_.JPEG", False),
        ("train/n01/._a.JPEG", True), ("__MACOSX/train/n01/a.JPEG", True), (".cache/a.JPEG", True),
        ("train/.ipynb_checkpoints/a-checkpoint.JPEG", True), ("@eaDir/a.JPEG", True),
    ],
)  # fmt: skip
def test_what_counts_as_left_behind(name, expected):
    assert is_left_behind(name) == expected


def test_it_is_neither_an_image_nor_a_class(made, folders):
    for image in sorted((folders / "imagenet").glob("*/*/*.JPEG"))[::3]:
        image.with_name(f"._{image.name}").write_bytes(bytes([0, 5, 22, 7]) + b"x" * 60)
    for part in ("train", "val"):
        for left in (".ipynb_checkpoints", "__MACOSX/n01", "n01/.thumbnails"):
            write_image(folders / "imagenet" / part / left / "x.JPEG", COLOURS[0])
        (folders / "imagenet" / part / ".DS_Store").write_bytes(b"x")
    for name in ("imagenet", "imagenet_lt"):
        clean, found = (load(name, root=root, image_size=32) for root in (made, folders))
        assert found.class_names == clean.class_names
        assert [s.digest for s in found.splits] == [s.digest for s in clean.splits]


def test_a_hidden_data_folder_is_no_obstacle(made, tmp_path):
    hidden = shutil.copytree(made, tmp_path / ".cache" / "data")
    assert len(load("imagenet", root=hidden, image_size=32).train) == 36


def test_a_class_of_nothing_else_has_no_image(folders):
    for image in (folders / "imagenet/val/n02").iterdir():
        image.rename(image.with_name(f"._{image.name}"))
    assert "n02" in refused(folders, "imagenet")


def test_a_list_that_names_it_is_refused(lists):
    (lists / "train_val2018/Aves/3/._x.jpg").write_bytes(b"x")
    added = "train_val2018/Aves/3/._x.jpg 0\n"
    (lists / TRAIN).write_text((lists / TRAIN).read_text() + added)
    assert "names train_val2018/Aves/3/._x.jpg, which is no image" in refused(lists.parent)
