"""What a report writes: a page that needs nothing else, JSON, JUnit; names escaped in all."""

import json
import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from made_predictions import predictions

import kdlib
from kdlib.audit.exports import junit_of
from kdlib.errors import SettingError

EVIL = "<script>alert(1)</script>\"&'<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def report():
    given = predictions(size=3000, harmed=1)
    groups = pd.DataFrame({EVIL: ["a", EVIL] * 1500})
    names = [EVIL, "b" + EVIL, "c", "d\x00\x1b", "e\ud800", "f"]
    return kdlib.audit(**given, class_names=names, groups=groups,
                       dev=(given["labels"], given["teacher"]))  # fmt: skip


@pytest.fixture(scope="module")
def page(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    report.html(path, report.gate(f"class={EVIL}:-50", "worst-class:-1"))
    return path.read_text()


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.attributes, self.texts = set(), [], []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def read(page):
    tags = Tags()
    tags.feed(page)
    return tags


def test_names_are_text_and_never_markup(page):
    tags = read(page)
    assert "script" not in tags.seen and "img" not in tags.seen
    assert not any(name.startswith("on") for name, _ in tags.attributes)
    assert any(EVIL in text for text in tags.texts)


def test_the_page_needs_no_other_file(page):
    tags = read(page)
    assert {"link", "iframe", "object", "embed"} & tags.seen == set()
    outside = [value for name, value in tags.attributes if name in ("src", "href", "xlink:href")]
    assert outside == []
    assert "url(" not in page and "@import" not in page


def test_the_page_shows_what_the_report_says(report, page):
    words = " ".join(" ".join(read(page).texts).split())
    assert "HARM FOUND" in words and "mix = torch.tensor([" in words
    for gain in report.by_class["gain"]:
        assert f"{gain:+.1f}" in words


def test_the_teacher_has_a_table_of_its_own(report, page):
    words = " ".join(" ".join(read(page).texts).split())
    _, teacher = words.split("The teacher, class by class")
    assert "Trust is AdaAlpha's weight a_y" in teacher
    _, body = teacher.split("Where the teacher is sure and wrong")[0].rsplit(" trust ", 1)
    numbers = [float(word) for word in re.findall(r"\d\.\d\d", body)]
    assert numbers[2::3] == pytest.approx(sorted(report.weights), abs=0.005)
    assert sorted(numbers[::3]) == pytest.approx(
        sorted(report.by_class["calibration_error"]), abs=0.005
    )


def test_the_page_has_charts_where_altair_is(page):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    assert page.count("<svg") == 5


def test_without_altair_the_page_says_so(report, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "altair", None)
    report.html(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "<svg" not in page
    assert "No charts on this page: charts need altair, which is not installed" in page
    assert "Classes, the largest loss first" in page
    with pytest.raises(SettingError, match=r"pip install 'kdlib\[audit\]'"):
        report.charts  # noqa: B018


def test_charts_are_altairs(report):
    alt = pytest.importorskip("altair")
    assert len(report.charts) == 5
    assert all(isinstance(chart, alt.TopLevelMixin) for chart in report.charts.values())


def test_json_holds_the_tables_without_nan(report, tmp_path):
    report.json(tmp_path / "a.json", report.gate("mean:-50"))
    found = json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)
    assert [row["gain"] for row in found["by_class"]] == pytest.approx(
        list(report.by_class["gain"])
    )
    assert found["gate"]["status"] == "fine" and found["gate"]["exit_code"] == 0
    assert len(found["weights"]) == 6 and found["finding"] == report.finding


def test_json_of_small_samples_has_none_for_nan(tmp_path):
    given = predictions(size=8)
    kdlib.audit(**given).json(tmp_path / "a.json")
    found = json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)
    assert any(row["p_adjusted"] is None for row in found["by_class"])


@pytest.mark.parametrize("fails", [True, False])
def test_junit_has_a_case_a_limit(report, fails):
    gate = report.gate("mean:-50", "class=c:-3", f"class=b{EVIL}:-1", "class=d\x00\x1b:0.5")
    (suite,) = ElementTree.fromstring(junit_of(gate, fails))
    kinds = [[child.tag for child in case] for case in suite]
    statuses = [check.status for check in gate.checks]
    undecided = ["failure"] if fails else ["skipped"]
    words = {"fine": [], "harm": ["failure"], "cannot tell": undecided}
    assert kinds == [words[status] for status in statuses]
    assert int(suite.get("tests")) == 4
    assert int(suite.get("failures")) == kinds.count(["failure"])
    assert int(suite.get("skipped")) == kinds.count(["skipped"])
    assert suite[2].get("name") == f"class=b{EVIL}:-1"


def test_a_session_shows_the_text(report):
    assert repr(report) == str(report) == report.text()


def test_the_text_is_short_and_names_what_was_harmed(report):
    lines = report.text().splitlines()
    assert len(lines) < 20
    assert re.search(r"classes: 1 harmed \(b<script>", report.text())


def test_a_hundred_thousand_classes_fit(tmp_path):
    rng = np.random.default_rng(0)
    size = 100_000
    labels = rng.integers(0, size, 40)
    scores = rng.random((40, size), dtype=np.float32) * 2
    report = kdlib.audit(labels, scores, baseline=scores)
    report.html(tmp_path / "a.html")
    assert (tmp_path / "a.html").stat().st_size < 10**6
    assert len(report.text()) < 3000
    assert report.gate("worst-class:-1").status == "cannot tell"
