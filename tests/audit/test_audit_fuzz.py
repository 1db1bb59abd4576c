"""Damaged files: a clean refusal, or the right answer for what other readers find in them."""

import csv
import io
import os
import time

import numpy as np
import pytest
from made_predictions import predictions
from safetensors.numpy import load_file, save_file

from kdlib.audit.from_files import audit_files
from kdlib.errors import KdlibError

SECONDS = float(os.environ.get("KDLIB_FUZZ_SECONDS", "1"))
"""Of each kind of file in the slow test, with the same seeds each time; minutes for a release."""
SIZE, CLASSES = 12, 3


def whole(kind):
    """A small file of this kind with labels and two models."""
    given = predictions(size=SIZE, num_classes=CLASSES)
    arrays = {"labels": given["labels"].astype(np.int32)}
    arrays |= {role: given[role].astype(np.float32) for role in ("student", "one_hot")}
    return WRITE[kind](arrays)


def npz(arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def packed(arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def tensors(arrays):
    from safetensors.numpy import save

    return save(arrays)


def table(arrays):
    names = [f"{role}_{label}" for role in ("student", "one_hot") for label in range(CLASSES)]
    rows = np.c_[arrays["student"], arrays["one_hot"]]
    lines = [",".join(["labels", *names])]
    lines += [
        ",".join([str(label), *(f"{value:.4f}" for value in row)])
        for label, row in zip(arrays["labels"], rows, strict=True)
    ]
    return ("\n".join(lines) + "\n").encode()


def parquet(arrays):
    pytest.importorskip("pyarrow")
    import pandas as pd

    stream = io.BytesIO()
    pd.read_csv(io.BytesIO(table(arrays))).to_parquet(stream)
    return stream.getvalue()


WRITE = {
    ".npz": npz, "packed.npz": packed, ".safetensors": tensors, ".csv": table, ".parquet": parquet,
}  # fmt: skip


def flip(rng, content, place, span):
    content[place] ^= 1 << int(rng.integers(8))


def overwrite(rng, content, place, span):
    content[place] = int(rng.integers(256))


def write_a_sign(rng, content, place, span):
    content[place] = ord(rng.choice(list("0123456789-+.eE,;\n\"'xnaif \t")))


def delete(rng, content, place, span):
    if len(content) > 2 * span:
        del content[place : place + span]


def repeat(rng, content, place, span):
    content[place:place] = content[place : place + span]


def insert(rng, content, place, span):
    content[place:place] = rng.bytes(span)


def cut(rng, content, place, span):
    if rng.random() < 0.2:
        del content[max(1, place) :]


CHANGES = [flip, overwrite, write_a_sign, delete, repeat, insert, cut]


def mutated(rng, content):
    """The content with one to four small changes, or cut."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        change = CHANGES[rng.integers(len(CHANGES))]
        change(rng, content, int(rng.integers(len(content))), int(rng.integers(1, 30)))
    return bytes(content)


def read_by_others(path):
    """Labels and the student's scores, as another reader finds them."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as found:
            return found["labels"].ravel(), found["student"]
    if path.suffix == ".safetensors":
        found = load_file(path)
        return found["labels"], found["student"]
    if path.suffix == ".parquet":
        from pyarrow.parquet import read_table

        rows = read_table(path).to_pylist()
    else:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [
                {name.strip(): value for name, value in row.items()}
                for row in csv.DictReader(stream)
                if any(row.values())
            ]
    labels = np.array([float(row["labels"]) for row in rows])
    scores = [[float(row[name]) for name in row if name.startswith("student_")] for row in rows]
    return labels, np.array(scores)


def check(path):
    """Whether the file was read; else it was refused in one line."""
    try:
        report = audit_files(str(path), {})
    except KdlibError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000
        return False
    report.text()
    labels, scores = read_by_others(path)
    counted = labels != -100
    right = scores.argmax(axis=-1) == labels
    assert report.examples == counted.sum()
    shares = right[..., counted].mean()
    assert report.overall["student"][0] == pytest.approx(100 * shares)
    return True


def fuzz(folder, kind, seed):
    rng = np.random.default_rng(seed)
    path = folder / f"a{kind.removeprefix('packed')}"
    path.write_bytes(mutated(rng, whole(kind)))
    try:
        return check(path)
    except Exception as error:
        raise AssertionError(f"{kind}, seed {seed}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("kind", WRITE)
def test_an_undamaged_file_is_read(tmp_path, kind):
    path = tmp_path / f"a{kind.removeprefix('packed')}"
    path.write_bytes(whole(kind))
    assert check(path)


@pytest.mark.parametrize("kind", WRITE)
def test_a_damaged_file_is_refused_or_read_right(tmp_path, kind):
    found = [fuzz(tmp_path, kind, seed) for seed in range(120)]
    assert not all(found)


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITE)
def test_for_minutes_no_damage_brings_anything_else(tmp_path, kind):
    end, seed = time.monotonic() + SECONDS, 1000
    while time.monotonic() < end:
        fuzz(tmp_path, kind, seed)
        seed += 1


# Arrays that are whole, and wrong


def odd_array(rng):
    """An array of a random type and shape, with a few strange values."""
    shape = [(), (0,), (SIZE,), (SIZE, CLASSES), (3, SIZE, CLASSES), (SIZE, 1), (CLASSES, SIZE)]
    chosen = shape[rng.integers(len(shape))]
    kind = rng.choice(["f2", "f4", "f8", ">f4", "i1", "i8", "u8", "?", "c8", "U3", "S2", "M8[s]"])
    array = rng.integers(0, CLASSES, chosen).astype(kind)
    strange = [np.nan, np.inf, -np.inf, -1, 10**6, -100]
    if array.size and kind in ("f2", "f4", "f8", ">f4") and rng.random() < 0.5:
        array[tuple(rng.integers(n) for n in chosen)] = strange[rng.integers(6)]
    return array


@pytest.mark.filterwarnings("ignore:overflow")
def test_whatever_arrays_are_given_they_are_refused_or_read_right(tmp_path):
    rng, path, read = np.random.default_rng(0), tmp_path / "a.npz", 0
    for _ in range(300):
        arrays = {name: odd_array(rng) for name in ("labels", "student", "one_hot")}
        if rng.random() < 0.7:
            arrays["one_hot"] = arrays["student"]
        np.savez(path, **arrays)
        read += check(path)
    assert 0 < read < 300


def test_a_safetensors_file_with_a_wrong_header_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"labels": np.zeros(3, np.int64)}, path)
    path.write_bytes(path.read_bytes().replace(b"[3]", b"[9]"))
    assert not check(path)
