"""The same predictions from every kind of file; what no file may be."""

import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from made_predictions import predictions
from safetensors.torch import save_file

import kdlib
from kdlib.audit.from_files import audit_files
from kdlib.errors import DataError, KdlibError

NAMES = ["ant", "bee", "cat", "dog", "eel", "fox"]
ROLES = ("student", "one_hot", "teacher")


@pytest.fixture(scope="module")
def given():
    made = predictions(size=500, harmed=1)
    return {name: made[name].astype(np.float32) if name in ROLES else made[name] for name in made}


@pytest.fixture(scope="module")
def expected(given):
    return kdlib.audit(**given).by_class


def frame_of(given):
    columns = {"labels": given["labels"]}
    for role in ROLES:
        columns |= {f"{role}_{label}": given[role][:, label] for label in range(6)}
    return pd.DataFrame(columns)


def write_npz(path, given):
    np.savez(path, **given)


def write_small_npz(path, given):
    np.savez_compressed(path, **given)


def write_columns_first(path, given):
    np.savez(path, **{name: np.asfortranarray(value) for name, value in given.items()})


def write_safetensors(path, given):
    save_file({name: torch.tensor(value) for name, value in given.items()}, path)


def write_csv(path, given):
    frame_of(given).to_csv(path, index=False, float_format="%.9g")


def write_marked_csv(path, given):
    path.write_text("\ufeff" + frame_of(given).to_csv(index=False, float_format="%.9g"))


def write_parquet(path, given):
    pytest.importorskip("pyarrow")
    frame_of(given).to_parquet(path)


WRITERS = [
    ("a.npz", write_npz), ("b.npz", write_small_npz), ("c.npz", write_columns_first),
    ("d.safetensors", write_safetensors), ("e.csv", write_csv), ("f.CSV", write_marked_csv),
    ("g.parquet", write_parquet),
]  # fmt: skip


@pytest.mark.parametrize(("name", "write"), WRITERS, ids=[name for name, _ in WRITERS])
def test_one_file_holds_everything(tmp_path, given, expected, name, write):
    write(tmp_path / name, given)
    found = audit_files(str(tmp_path / name), {})
    pd.testing.assert_frame_equal(found.by_class, expected)


def test_each_argument_has_a_file_of_its_own(tmp_path, given, expected):
    for name, value in given.items():
        np.save(tmp_path / f"{name}.npy", value)
    found = audit_files(None, {name: [str(tmp_path / f"{name}.npy")] for name in given})
    pd.testing.assert_frame_equal(found.by_class, expected)


def test_fields_are_named_behind_a_colon(tmp_path, given, expected):
    path = tmp_path / "all.npz"
    np.savez(path, y=given["labels"], **{f"{role}-7": given[role] for role in ROLES})
    named = {role: [f"{path}:{role}-7"] for role in ROLES} | {"labels": [f"{path}:y"]}
    pd.testing.assert_frame_equal(audit_files(None, named).by_class, expected)


def test_what_is_named_goes_before_the_one_file(tmp_path, given):
    np.savez(tmp_path / "all.npz", **given)
    np.save(tmp_path / "new.npy", given["one_hot"])
    found = audit_files(str(tmp_path / "all.npz"), {"student": [str(tmp_path / "new.npy")]})
    assert (found.by_class["gain"] == 0).all()


def test_names_groups_counts_and_dev_come_from_the_one_file(tmp_path, given):
    path = tmp_path / "all.npz"
    more = {"class_names": NAMES, "group_sex": ["F", "M"] * 250, "train_counts": np.arange(6),
            "dev_labels": given["labels"], "dev_teacher": given["teacher"]}  # fmt: skip
    np.savez(path, **given, **more)
    found = audit_files(str(path), {})
    assert found.names == NAMES
    assert list(found.by_group["name"]) == ["sex=F", "sex=M"]
    assert found.weights is not None
    assert list(found.by_class["train_count"]) == list(range(6))


def test_names_and_groups_come_from_files_of_their_own(tmp_path, given):
    np.savez(tmp_path / "all.npz", **given)
    (tmp_path / "names.txt").write_text("\n".join(NAMES) + "\n")
    groups = pd.DataFrame(
        {"sex": ["F", "M"] * 250, "tall": [True, False, False, False, False] * 100}
    )
    groups.to_csv(tmp_path / "groups.csv", index=False)
    named = {"class_names": [str(tmp_path / "names.txt")], "groups": [str(tmp_path / "groups.csv")]}
    found = audit_files(str(tmp_path / "all.npz"), named, cross=[["sex", "tall"]])
    assert found.names == NAMES
    assert found.by_group["name"][2] == "tall" and found.by_group["examples"][2] == 100


def test_seeds_are_several_files_or_a_first_axis(tmp_path, given):
    tables = [given["student"], given["one_hot"], given["teacher"]]
    paths = [tmp_path / f"{seed}.npy" for seed in range(3)]
    for path, table in zip(paths, tables, strict=True):
        np.save(path, table)
    np.savez(tmp_path / "rest.npz", labels=given["labels"], teacher=given["teacher"])
    stacked = {"student": torch.tensor(np.stack(tables)), "labels": torch.tensor(given["labels"]),
               "teacher": torch.tensor(given["teacher"])}  # fmt: skip
    save_file(stacked, tmp_path / "stacked.safetensors")
    many = audit_files(str(tmp_path / "rest.npz"), {"student": [str(path) for path in paths]})
    whole = audit_files(str(tmp_path / "stacked.safetensors"), {})
    assert many.seeds == 3
    pd.testing.assert_frame_equal(many.by_class, whole.by_class)


def test_seeds_are_several_safetensors_files(tmp_path, given):
    named = {"student": [str(tmp_path / f"{seed}.safetensors") for seed in range(3)]}
    for path, role in zip(named["student"], ROLES, strict=True):
        save_file({"student": torch.tensor(given[role])}, path)
    np.savez(tmp_path / "rest.npz", labels=given["labels"], teacher=given["teacher"])
    found = audit_files(str(tmp_path / "rest.npz"), named).by_class
    tables = [given[role] for role in ROLES]
    alike = kdlib.audit(given["labels"], tables, teacher=given["teacher"]).by_class
    pd.testing.assert_frame_equal(found, alike)


def named_columns(given, role, names, start=""):
    return pd.DataFrame({f"{start}{n}": given[role][:, NAMES.index(n)] for n in names})


def test_two_tables_with_the_classes_in_another_order_are_refused(tmp_path, given):
    np.save(tmp_path / "y.npy", given["labels"])
    for role, names in (("student", NAMES), ("one_hot", NAMES[::-1])):
        named_columns(given, role, names).to_csv(tmp_path / f"{role}.csv", index=False)
    named = {"labels": [str(tmp_path / "y.npy")]}
    named |= {role: [str(tmp_path / f"{role}.csv")] for role in ("student", "one_hot")}
    with pytest.raises(DataError, match=r"one_hot\.csv.* order fox, eel.*student\.csv.* ant, bee"):
        audit_files(None, named)


def test_one_table_with_the_classes_in_two_orders_is_refused(tmp_path, given):
    parts = [
        pd.DataFrame({"labels": given["labels"]}),
        named_columns(given, "student", NAMES, "student_"),
        named_columns(given, "one_hot", NAMES[::-1], "one_hot_"),
    ]
    pd.concat(parts, axis=1).to_csv(tmp_path / "all.csv", index=False)
    with pytest.raises(DataError, match="expected one order"):
        audit_files(str(tmp_path / "all.csv"), {})


def test_bfloat16_is_read(tmp_path, given):
    short = {name: torch.tensor(value) for name, value in given.items()}
    short |= {role: short[role].log().bfloat16() for role in ROLES}
    save_file(short, tmp_path / "a.safetensors")
    found = audit_files(str(tmp_path / "a.safetensors"), {})
    right = short["student"].float().numpy().argmax(axis=1) == given["labels"]
    assert found.overall["student"][0] == pytest.approx(100 * right.mean())


# What no file may be


class Trap:
    """Does harm where it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def write_objects(path, given):
    np.savez(path, **{**given, "student": np.array([[Trap()] * 6] * 500)})


def write_pickle(path, given):
    path.write_bytes(pickle.dumps(Trap()))


def write_pickle_in_zip(path, given):
    with zipfile.ZipFile(path, "w") as whole:
        whole.writestr("student.npy", pickle.dumps(Trap()))


@pytest.mark.parametrize("write", [write_objects, write_pickle, write_pickle_in_zip])
@pytest.mark.parametrize("ending", [".npz", ".npy", ".safetensors", ".csv"])
def test_nothing_is_unpickled(tmp_path, given, write, ending):
    path = tmp_path / "a.npz"
    write(path, given)
    path = path.rename(tmp_path / f"b{ending}")
    with pytest.raises(KdlibError) as caught:
        audit_files(str(path), {})
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_zip_file_of_something_else_is_named(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as whole:
        whole.writestr("archive/data.pkl", b"")
    with pytest.raises(DataError, match=r"a.npz holds archive/data.pkl: expected .npy"):
        audit_files(str(path), {})


def test_an_array_of_objects_is_named(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        audit_files(str(tmp_path / "a.npy"), {})


CSV = "labels,student_0,student_1,one_hot_0,one_hot_1\n0,.9,.1,.8,.2\n1,.4,.6,.5,.5\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CSV.replace(",", ";"), "its fields are parted by a semicolon, expected are commas"),
        (CSV.replace(",", "\t"), "parted by a tab"),
        (CSV.replace("one_hot_0", "student_0"), "has the column 'student_0' more than once"),
        (CSV.replace(".4", "x"), "column 'student_0', row 1: 'x': expected a number"),
        (CSV.replace(".4", ""), "row 1, class 0: nan is no finite number"),
        (CSV.replace(".4", ".3"), "field student, row 1 sums to 0.9"),
        (CSV.replace("\n1,", "\n1.5,"), "field labels, row 1: 1.5 is no class"),
        (CSV.replace("\n1,", "\n2,"), "field labels, row 1: label 2 is out of range"),
        (CSV.replace("student_0,student_1", "student_1,student_0"), "in the order 1, 0: expected"),
        (CSV.replace(".5\n", ".5,7\n"), "row 1 has 6 fields: expected 5"),
        (CSV.replace("\n1,.4,.6,.5,.5\n", "\n\n1,.4,.6,.5\n"), "row 1 has 4 fields: expected 5"),
        (CSV.replace("\n1,", "\ncat,"), "field labels, row 1: 'cat' is no number"),
        (CSV.replace(",", " "), "has no field labels: name a file with --labels"),
        (CSV.replace(".2\n", ".2,7\n"), "row 0 has 6 fields: expected 5"),
        ("# made by me\n" + CSV, "row 0 has 5 fields: expected 1"),
        (CSV.replace("labels", "label"), "or one with such a field; it has label, student_0"),
        (CSV.splitlines()[0], "has no rows"),
        ("", "has no column names"),
        ("labels\n0\n", "has no field student"),
        (CSV.replace("one_hot", "onehot"), "nothing to be compared with"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path, text, words):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(KdlibError) as caught:
        audit_files(str(path), {})
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["None", "NA", "nan", "null"])
def test_a_group_may_have_the_name_of_nothing(tmp_path, word):
    path = tmp_path / "a.csv"
    head, *rows = CSV.splitlines()
    groups = [f"group_has,{head}", f"{word},{rows[0]}", f",{rows[1]}"]
    path.write_text("\n".join(groups))
    assert list(audit_files(str(path), {}).by_group["name"]) == [f"has={word}", "has=(missing)"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"group_a": np.zeros((500, 2))}, r"a.npz, field group_a has shape \(500, 2\): expected"),
        ({"group_a": np.float64(1)}, r"field group_a has shape \(\): expected \[N\]"),
        ({"group_a": np.zeros(3), "group_b": np.zeros(500)}, r"fields of \[3, 500\] rows"),
    ],
)
def test_fields_of_groups_are_columns_of_one_length(tmp_path, given, fields, words):
    np.savez(tmp_path / "a.npz", **given, **fields)
    with pytest.raises(DataError, match=words):
        audit_files(str(tmp_path / "a.npz"), {})


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x1f\x8b", b"0,1\n"])
def test_a_npy_file_of_something_else_is_not_called_a_pickle(tmp_path, start):
    (tmp_path / "a.npy").write_bytes(start + bytes(100))
    with pytest.raises(DataError, match=r"a.npy is no .npy file as NumPy writes it"):
        audit_files(None, {"labels": [str(tmp_path / "a.npy")]})


def test_text_in_another_encoding_is_one_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV.encode("utf-16"))
    with pytest.raises(DataError, match=r"is no readable UTF-8 .csv file"):
        audit_files(str(path), {})


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.pkl", "ends in '.pkl': allowed are .npy, .npz"), ("a.npz", "is no file"),
     ("a", "ends in ''"), ("all.npz:studnet", "has no field 'studnet': did you mean student")],
)  # fmt: skip
def test_a_file_that_is_not_there_or_unknown_is_named(tmp_path, given, name, words):
    np.savez(tmp_path / "all.npz", **given)
    with pytest.raises(DataError, match=words):
        audit_files(str(tmp_path / "all.npz"), {"student": [str(tmp_path / name)]})


def test_a_damaged_array_in_a_zip_is_noticed(tmp_path, given):
    path = tmp_path / "a.npz"
    np.savez(path, **given)
    whole = bytearray(path.read_bytes())
    place = bytes(whole).index(given["student"].tobytes()) + 1000
    whole[place] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"CRC|checksum"):
        audit_files(str(path), {})


def test_parquet_without_pyarrow_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(KdlibError, match=r"needs pyarrow, which is not installed: pip install"):
        audit_files(str(tmp_path / "a.parquet"), {})
