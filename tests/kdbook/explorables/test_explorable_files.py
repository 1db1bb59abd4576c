"""What the explorables read is what the data and the record say."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from kdbook.chapters.intro.who_pays import CLASS
from kdbook.explorables.__main__ import FOLDER
from kdbook.explorables.digits import SPLITS, digits_file
from kdbook.explorables.who_pays import ACROSS, DOWN, ZOOM, tail_picture, who_pays_file
from kdbook.places import folder_to_record
from kdbook.records import book_record
from kdlib.data import load

SHIPPED = folder_to_record().parents[1] / FOLDER


def pixels(split, file):
    codes = np.frombuffer(split["pixels"].encode(), np.uint8) - ord(file["first"])
    return codes.reshape(-1, file["pixelsEach"])


def test_the_digits_are_all_of_scikit_learns():
    file = json.loads(digits_file())
    found = {
        (int(label), tuple(image))
        for name in SPLITS
        for label, image in zip(file[name]["labels"], pixels(file[name], file), strict=True)
    }
    source = load_digits()
    expected = {(int(y), tuple(x.astype(int))) for x, y in zip(source.data, source.target)}  # noqa: B905
    assert found == expected
    assert sum(len(file[name]["labels"]) for name in SPLITS) == len(source.target)


def test_the_shipped_digits_are_these():
    assert (SHIPPED / "digits.json").read_text() == digits_file()


@pytest.fixture(scope="module")
def record():
    return book_record("who_pays", "quick")


def test_the_shipped_numbers_are_those_of_the_record(record):
    text = (SHIPPED / "who-pays.json").read_text()
    assert text == who_pays_file(record)
    file = json.loads(text)
    for _, row in record.table.iterrows():
        keys = ("imbalance", "temperature", "alpha", "teacher_epochs")
        name = " ".join([row["method"], *(f"{row[key]:g}" for key in keys if row[key] == row[key])])
        right = np.array(file["right"][name][int(row["seed"])])
        accuracy = row[[f"{CLASS}{k}" for k in range(10)]].to_numpy(float)
        assert 100 * right / file["tested"] == pytest.approx(accuracy, abs=1e-3)


def test_the_students_of_a_ratio_are_paired(record):
    file = json.loads(who_pays_file(record))
    for ratio in file["values"]["ratio"]:
        seeds = {
            len(right) for name, right in file["right"].items() if name.split()[1] == f"{ratio}"
        }
        assert len(seeds) == 1
        for heat in file["values"]["temperature"]:
            assert f"AdaAlpha {ratio} {heat} 80" in file["right"]
            for alpha in file["values"]["alpha"]:
                assert f"distilled {ratio} {heat} {alpha} 80" in file["right"]
    for epochs in file["values"]["teacherEpochs"]:
        assert f"distilled 20 3 1 {epochs}" in file["right"]


@pytest.mark.parametrize("ratio", [1.0, 20.0])
def test_the_stacks_hold_the_images_that_a_ratio_keeps(ratio):
    ink = np.asarray(Image.open(io.BytesIO(tail_picture())))[::ZOOM, ::ZOOM, 1]
    side = 9
    train = load("digits", imbalance=ratio, subset_seed=0).train
    for label, count in enumerate(train.class_counts.tolist()):
        block = ink[:, label * side * ACROSS : (label + 1) * side * ACROSS]
        tiles = block.reshape(DOWN, side, ACROSS, side).swapaxes(1, 2).reshape(-1, side, side)
        shown = {tile[:8, :8].tobytes() for tile in tiles[:count]}
        kept = {image.numpy().tobytes() for image in train.images[train.labels == label, 0]}
        assert shown == kept
