"""The file of logits: what it holds, where it is found, what is said where it is not."""

import numpy as np
import pytest

from kdbook.tables import per_class
from kdbook.workshop.logits import FILE, INITIAL, Logits, make_logits, open_logits, workshop_study
from kdlib.errors import DataError
from kdlib.runs import Store


def test_accuracies_are_those_of_the_logits(logits):
    found = logits.accuracies("one-hot")
    assert found.shape == (4, 10)
    right = logits.logits("one-hot", 2).argmax(axis=1) == logits.labels()
    assert found[2].mean() == pytest.approx(100 * right.mean())  # as many images of each class


def test_the_table_has_a_row_for_each_seed_and_class(logits):
    table = logits.table("one-hot", "AdaAlpha, T = 3")
    assert len(table) == 2 * 4 * 10
    row = table[(table["method"] == "one-hot") & (table["seed"] == 3) & (table["label"] == 7)]
    assert row["accuracy"].item() == logits.accuracies("one-hot")[3, 7]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("one hot",), "did you mean one-hot"),
        (("one-hot", 4), "seeds 0 to 3"),
        (("one-hot", 0, "train"), "dev"),
    ],
)
def test_what_it_does_not_hold_is_refused(logits, asked, said):
    with pytest.raises(DataError, match=said):
        logits.logits(*asked)


@pytest.mark.parametrize("folder", ["", "_build/workshop"])
def test_it_is_found_above_the_notebook(folder, logits_file, tmp_path, monkeypatch):
    place, below = tmp_path / folder, tmp_path / "a" / "b"
    place.mkdir(parents=True, exist_ok=True)
    below.mkdir(parents=True)
    (place / FILE).write_bytes(logits_file.read_bytes())
    monkeypatch.chdir(below)
    assert open_logits().source == "made up"


def test_a_missing_file_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"no logits\.safetensors in .*students\.zip"):
        open_logits()


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda _: b"PK", lambda _: b""])
def test_a_damaged_file_is_refused(damage, logits_file, tmp_path):
    path = tmp_path / FILE
    path.write_bytes(damage(logits_file.read_bytes()))
    with pytest.raises(DataError, match="damaged"):
        Logits(path)


@pytest.mark.slow
def test_it_holds_what_the_runs_of_the_study_say(tmp_path):
    study, store = workshop_study(seeds=2, epochs=2, teacher_epochs=2), Store(tmp_path / "store")
    for name in ("one", "two"):
        make_logits(tmp_path / name, study, store)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    found = Logits(tmp_path / "one")
    assert found.seeds == 2
    assert set(found.methods) == {*_names(study), INITIAL}
    rows = per_class(study.members(), [store.finished(m.spec) for m in study.members()])
    wanted = rows[(rows["method"] == "AdaAlpha") & (rows["temperature"] == 3) & (rows["seed"] == 1)]
    np.testing.assert_allclose(found.accuracies("AdaAlpha, T = 3")[1], wanted["accuracy"])
    first = store.finished(study.study_families()[1].initial_teacher())
    np.testing.assert_array_equal(found.logits(INITIAL, 1, "dev"), first.logits("dev"))
    np.testing.assert_array_equal(found.labels("dev", 1), first.labels("dev"))


def _names(study):
    plain = {m.method for m in study.members() if np.isnan(m.temperature)}
    return plain | {
        f"{m.method}, T = {m.temperature:g}" for m in study.members() if m.temperature > 0
    }
