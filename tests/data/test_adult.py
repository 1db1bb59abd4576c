import hashlib
import lzma
import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kdlib.data import adult
from kdlib.data.adult_features import adult_features
from kdlib.errors import DataError

FOLDER = Path(str(files("kdlib.data"))) / "adult"


def packed(name):
    return (FOLDER / f"{name}.xz").read_bytes()


def test_the_official_split_has_the_counts_that_its_donors_state():
    whole = adult.load_adult()
    assert (len(whole.train), len(whole.test)) == (32561, 16281)
    assert (len(whole.train.complete()), len(whole.test.complete())) == (30162, 15060)
    labels = np.concatenate([whole.train.label, whole.test.label])
    assert round(100 * labels.mean(), 2) == 23.93


def test_known_people_are_read_as_the_files_write_them():
    whole = adult.load_adult()
    lines = lzma.decompress(packed("adult.data")).decode().splitlines()
    for row in (0, 7, 32560):
        written = lines[row].split(", ")
        read = whole.train.attributes.iloc[row].astype(str).tolist()
        assert read == written[:-1]
        assert whole.train.label[row] == (written[-1] == ">50K")
    test_lines = lzma.decompress(packed("adult.test")).decode().splitlines()
    assert test_lines[0].startswith("|")
    assert whole.test.attributes.iloc[0].astype(str).tolist() == test_lines[1].split(", ")[:-1]


def test_unknown_values_are_kept_where_the_names_file_says():
    train = adult.load_adult().train.attributes
    unknown = (train == adult.MISSING).any()
    assert set(unknown[unknown].index) == {"workclass", "occupation", "native_country"}
    assert not train.isna().any().any()


def test_labels_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        adult.load_adult().test.label[0] = 1


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda content: content[: len(content) // 2], "damaged"),
        (lambda content: b"no xz at all", "damaged"),
        (lambda content: lzma.compress(lzma.decompress(content)[:-1]), "altered"),
        (lambda content: lzma.compress(lzma.decompress(content).replace(b"39", b"40", 1)), "alt"),
    ],
)
def test_other_bytes_are_refused_in_one_line(change, complaint):
    with pytest.raises(DataError, match=complaint) as error:
        adult.unpacked("adult.data", change(packed("adult.data")))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(adult, "files", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"adult\.data\.xz .* is missing"):
        adult.load_adult.__wrapped__()


def test_the_attribution_lies_beside_the_data():
    text = (FOLDER / "README.md").read_text()
    assert "10.24432/C5XW20" in text and "CC BY 4.0" in text


@pytest.mark.real_data
def test_the_copy_is_the_published_file():
    folder = Path(os.environ["KDLIB_DATA"]) / "adult"
    if not folder.is_dir():
        pytest.skip("KDLIB_DATA holds no adult")
    for name, digest in adult.SHA256.items():
        content = (folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        assert content == lzma.decompress(packed(name))


# Features


def test_ordinal_codes_follow_the_alphabet_and_numbers_stay():
    found, whole = adult_features("ordinal", "keep"), adult.load_adult()
    assert found.train.shape == (32561, 14) and found.test.shape == (16281, 14)
    assert found.train.dtype == np.float32
    np.testing.assert_array_equal(found.train[:, 0], whole.train.attributes["age"])
    sex = found.test[:, 6 + adult.CATEGORIES.index("sex")]
    np.testing.assert_array_equal(sex == 1, whole.test.attributes["sex"] == "Male")


def test_one_hot_rows_have_one_column_a_category():
    found, whole = adult_features("one-hot", "keep"), adult.load_adult()
    values = whole.train.attributes[[*adult.CATEGORIES]].nunique().sum()
    assert found.train.shape == (32561, 6 + values)
    assert set(np.unique(found.train[:, 6:])) == {0, 1}
    assert (found.train[:, 6:].sum(axis=1) == len(adult.CATEGORIES)).all()


def test_a_value_that_only_test_people_have_is_no_training_value(monkeypatch):
    train = adult.load_adult().train.attributes.head(50)
    test = train.assign(native_country="Atlantis")
    tiny = adult.Adult(
        adult.People(train, np.zeros(50, int)), adult.People(test, np.zeros(50, int))
    )
    monkeypatch.setattr("kdlib.data.adult_features.load_adult", lambda: tiny)
    ordinal = adult_features.__wrapped__("ordinal", "keep")
    assert (ordinal.test[:, -1] == -1).all() and (ordinal.train[:, -1] >= 0).all()
    one_hot = adult_features.__wrapped__("one-hot", "keep")
    assert (one_hot.test[:, 6:].sum(axis=1) == len(adult.CATEGORIES) - 1).all()


def test_dropping_leaves_out_whoever_has_an_unknown_value():
    found = adult_features("ordinal", "drop")
    assert len(found.train) == len(found.people.train) == 30162
    assert len(found.test) == len(found.people.test) == 15060
    assert not (found.people.test.attributes == adult.MISSING).any().any()
    pd.testing.assert_index_equal(found.people.test.attributes.index, pd.RangeIndex(15060))
