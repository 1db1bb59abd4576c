"""Recorded runs: what is kept of a run, what a page is shown, and what damaged files say."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdbook.chapters import study
from kdbook.places import records_folder
from kdbook.shelf import BookStore, Shelf, ShelfError, lacking, results
from kdbook.shelf import shelf as module
from kdbook.shelf.writing import coded, write_part
from kdbook.tables import training_logits
from kdlib.errors import SettingError, StoreError
from kdlib.runs import Store, execute


@pytest.fixture
def shelf(trained, tmp_path):
    write_part(tmp_path, "rare_classes", trained[1])
    return Shelf(tmp_path)


@pytest.fixture
def shown(shelf, monkeypatch, tmp_path_factory):
    """A process whose shelf is ``shelf``, with an empty store."""
    monkeypatch.setenv("KDLIB_STORE", str(tmp_path_factory.mktemp("empty")))
    monkeypatch.setenv("KDLIB_RECORDED", "1")
    monkeypatch.setattr(module, "_shelf", lambda _: shelf)
    return shelf


def test_a_recorded_run_has_all_but_weights_and_timing(trained, shelf):
    for result in trained[1]:
        kept = shelf.get(result.spec)
        assert (kept.status, kept.diverged_step) == (result.status, result.diverged_step)
        assert kept.environment == {k: v for k, v in result.environment.items() if k != "process"}
        pd.testing.assert_frame_equal(kept.per_class, result.per_class, rtol=1e-5)
        pd.testing.assert_frame_equal(kept.history, result.history, rtol=1e-6)
        for split in ("dev", "validation", "test"):
            np.testing.assert_array_equal(kept.labels(split), result.labels(split))
            np.testing.assert_array_equal(kept.index(split), result.index(split))
            assert np.abs(kept.logits(split) - result.logits(split)).max() < 5e-4
            guesses = (each.logits(split).argmax(axis=1) for each in (kept, result))
            np.testing.assert_array_equal(*guesses)
        assert (training_logits(kept)[0] - training_logits(result)[0]).abs().max() < 5e-4
        for piece in ("timing", "model"):
            with pytest.raises(StoreError, match=f"keeps no .* of run {result.spec.id}"):
                found = getattr(kept, piece)
                found()


def test_a_robust_run_keeps_the_path_of_its_multipliers(tmp_path):
    asked = study("class_multipliers").parse(epochs=2, seeds=1)
    store = Store(tmp_path / "store")
    [result] = execute([s for s in asked.runs() if s.objective.log_cost.kind == "robust"][:1],
                       store=store, progress=False)  # fmt: skip
    write_part(tmp_path, "class_multipliers", [result])
    kept = Shelf(tmp_path).get(result.spec)
    assert result.multipliers
    for name, path in result.multipliers.items():
        np.testing.assert_array_equal(kept.multipliers[name], path)


@given(arrays(np.float32, (3, 4), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_16_bits_keep_logits_and_which_is_the_highest(logits):
    codes, step = coded(logits)
    np.testing.assert_array_equal(codes.argmax(axis=1), logits.argmax(axis=1))
    off = np.abs(codes * step - logits)
    assert off.max() <= 1.51 * step  # half a step, and one more where a row had two highest
    assert step <= max(np.abs(logits).max() / 32_000, 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_logit_that_is_not_finite_is_refused(bad):
    with pytest.raises(StoreError, match="not finite"):
        coded(np.array([[bad, 0.0]], np.float32))


def test_what_is_recorded_is_shown_and_nothing_is_trained(trained, shown, monkeypatch):
    monkeypatch.setattr(module, "execute", None)
    found = results([result.spec for result in trained[1]])
    assert [r.spec for r in found] == [r.spec for r in trained[1]]
    assert lacking(r.spec for r in trained[1]) == []


def test_a_student_of_a_recorded_teacher_is_trained_here_with_a_teacher_of_its_own(
    trained, shown, short
):
    asked = study("rare_classes").parse(**short, temperature=2.0)
    new = lacking(asked.runs())
    assert len(new) == 1
    [result] = [r for r in results(asked.runs()) if r.spec in new]
    store = Store()
    assert result.folder == store.folder(new[0])
    assert store.get(new[0].teacher) is not None


def test_nothing_recorded_is_shown_where_all_shall_be_trained(trained, shown, monkeypatch):
    monkeypatch.setenv("KDLIB_RECORDED", "0")
    spec = trained[1][0].spec
    assert BookStore().get(spec) is None
    monkeypatch.setenv("KDLIB_RECORDED", "no")
    with pytest.raises(SettingError, match="KDLIB_RECORDED = 'no' is not allowed"):
        BookStore().get(spec)


@pytest.mark.parametrize("suffix", [".csv", ".safetensors"])
def test_an_altered_file_is_named(trained, shelf, suffix):
    file = shelf.folder / f"rare_classes{suffix}"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ShelfError, match=f"rare_classes{suffix} is not the file"):
        shelf.get(trained[1][0].spec)
    file.unlink()
    with pytest.raises(ShelfError, match=f"rare_classes{suffix} is missing"):
        Shelf(shelf.folder).get(trained[1][0].spec)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', "\x00"])
def test_a_malformed_description_is_named(trained, shelf, text):
    (shelf.folder / "rare_classes.json").write_text(text)
    with pytest.raises(ShelfError, match=r"rare_classes\.json"):
        shelf.get(trained[1][0].spec)


def test_of_another_format_it_is_said_which(trained, shelf):
    path = shelf.folder / "rare_classes.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 9}))
    with pytest.raises(ShelfError, match="has format 9"):
        shelf.get(trained[1][0].spec)


# The book's own shelf


def book_shelf():
    return Shelf(records_folder() / "runs")


def test_no_file_of_the_shelf_is_over_five_megabytes():
    sizes = {path.name: path.stat().st_size for path in book_shelf().folder.iterdir()}
    assert len(sizes) % 3 == 0
    assert max(sizes.values()) < 5e6
    assert sum(sizes.values()) < 30e6
