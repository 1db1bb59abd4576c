"""The gate: harm, fine, or cannot tell."""

import pandas as pd
import pytest
from made_predictions import predictions

import kdlib
from kdlib.audit import parse_limit, read_limits
from kdlib.errors import DataError, SettingError


@pytest.fixture(scope="module")
def harmed():
    given = predictions(size=20_000, harmed=1, loss=0.1)
    groups = pd.DataFrame({"place": ["in", "out"] * 10_000})
    return kdlib.audit(**given, groups=groups, class_names=list("abcdef"))


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        ("worst-class:-2", "harm"),  # class b lost about 8.5 points
        ("class=b:-2", "harm"),
        ("class=b:-8.5", "cannot tell"),
        ("class=b:-20", "fine"),
        ("class=a:-1", "fine"),
        ("worst-class:-20", "fine"),
        ("mean:-5", "fine"),
        ("mean:-0.5", "harm"),
        ("balanced:-5", "fine"),
        ("balanced:-0.5", "harm"),
        ("worst-group:-5", "fine"),
        ("worst-group:-0.5", "harm"),
        ("group=place=in:-0.5", "harm"),
        ("mean:1", "harm"),  # a gain that was asked for, and is not there
    ],
)
def test_a_limit_is_broken_held_or_open(harmed, limit, status):
    found = harmed.gate(limit)
    assert found.status == status
    assert found.exit_code == {"fine": 0, "harm": 1, "cannot tell": 2}[status]


def test_one_broken_limit_breaks_the_gate(harmed):
    found = harmed.gate("mean:-5", "class=b:-2", "class=b:-8.5")
    assert [check.status for check in found.checks] == ["fine", "harm", "cannot tell"]
    assert found.status == "harm"
    assert "b (-8." in found.text()


def test_limits_come_from_a_file(harmed, tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text('mean = -5\n[classes]\nb = -2.5\n[groups]\n"place=in" = -20\n')
    found = harmed.gate(file=path)
    assert [str(check.limit) for check in found.checks] == ["mean:-5", "class=b:-2.5",
                                                            "group=place=in:-20"]  # fmt: skip
    assert [check.status for check in found.checks] == ["fine", "harm", "fine"]


def test_small_classes_keep_the_gate_open():
    given = predictions(size=60)
    report = kdlib.audit(given["labels"], given["one_hot"], baseline=given["one_hot"])
    assert report.gate("worst-class:-1").status == "cannot tell"


def test_many_limits_are_corrected_together():
    # 6 of 200 lost and none gained: significant alone (p = 1/64), not among 120.
    given = predictions(size=200, num_classes=2, seed=1)
    student = given["one_hot"].copy()
    right = given["one_hot"].argmax(axis=1) == given["labels"]
    lost = (right & (given["labels"] == 0)).nonzero()[0][:6]
    student[lost] = student[lost][:, ::-1]
    report = kdlib.audit(given["labels"], student, one_hot=given["one_hot"])
    assert report.gate("class=0:0").status == "harm"
    assert report.gate("class=0:0", *["class=1:0"] * 119).checks[0].status == "cannot tell"


@pytest.mark.parametrize(
    "text", ["", "worst-class", "worst-class:", "worst-class:x", "worst:-1", "class:-1",
             "class=:-1", "mean:nan", "mean:-101", "mean=a:-1", "mean:inf"],
)  # fmt: skip
def test_a_limit_that_is_none_is_refused(text):
    with pytest.raises(SettingError, match="is not allowed"):
        parse_limit(text)


def test_names_may_hold_colons_and_equals_signs():
    limit = parse_limit("group=url=http://x:-1.5")
    assert (limit.kind, limit.name, limit.points) == ("group", "url=http://x", -1.5)
    assert str(limit) == "group=url=http://x:-1.5"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mean = ", "no readable file of limits"),
        ("", "holds no limit"),
        ("mena = -1", "did you mean mean"),
        ("mean = true", "points from -100 to 100"),
        ('[classes]\na = "b"', "points from -100 to 100"),
        ("classes = 3", "classes = 3: expected a table of names and points"),
    ],
)
def test_a_file_of_limits_that_is_none_is_refused(tmp_path, text, words):
    path = tmp_path / "limits.toml"
    path.write_text(text)
    with pytest.raises((DataError, SettingError), match=words):
        read_limits(path)


@pytest.mark.parametrize(
    ("limit", "words"),
    [("class=z:-1", "allowed are a, b"), ("group=place=on:-1", "did you mean place=in")],
)
def test_an_unknown_name_is_answered_with_those_there_are(harmed, limit, words):
    with pytest.raises(SettingError, match=words):
        harmed.gate(limit)


def test_a_limit_on_groups_needs_groups():
    given = predictions(size=100)
    with pytest.raises(SettingError, match="needs groups"):
        kdlib.audit(**given).gate("worst-group:-1")
