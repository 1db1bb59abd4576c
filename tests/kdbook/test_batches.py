"""Batches without notebooks: grids, plans, numbers, what fails and what it stops."""

import itertools
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.batches import chosen_items, make_plan, parse_grid
from kdbook.batches.charts import drawings
from kdbook.batches.grid import points, spelled, tag
from kdbook.batches.numbers import _averaged, numbers
from kdbook.batches.page import page
from kdbook.batches.work import run_batch
from kdbook.press import Project
from kdlib.errors import SettingError
from kdlib.metrics import PERCENT, t_interval
from kdlib.runs import Store, execute

BOOK = Project.at(Path(__file__).parents[2])
_values = st.lists(
    st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    min_size=1, max_size=4, unique_by=json.dumps,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), _values, max_size=3))
def test_a_grid_is_every_combination_of_what_was_written(wanted):
    grid = parse_grid([f"{k}={','.join(map(json.dumps, v))}" for k, v in wanted.items()])
    found = [tuple(point.values()) for point in points(grid, wanted)]
    expected = list(itertools.product(*wanted.values()))
    assert list(map(json.dumps, found)) == list(map(json.dumps, expected))


@pytest.mark.parametrize(
    ("text", "values"),
    [("1,2,4", (1, 2, 4)), ("1,1.0,1", (1, 1.0)), ("cifar10,cifar100", ("cifar10", "cifar100")),
     ("[5,20],[50]", ([5, 20], [50])), ("null", (None,)), ("", ("",)),
     ("a b", ("a b",)), ("a,", ("a", "")), ('"x,y",z', ("x,y", "z")), ('"a,b","c"', ("a,b", "c")),
     ('z, "1"', ("z", "1")), ('"say ""a,b""",1,z', ('say "a,b"', 1, "z")),
     ('["a,b",2],z,[3]', (["a,b", 2], "z", [3])), ("C:\\new,x[0]", ("C:\\new", "x[0]"))],
)  # fmt: skip
def test_a_value_is_json_or_else_text(text, values):
    assert parse_grid([f"x={text}"])["x"] == values


@pytest.mark.parametrize(
    "pair", ["x", "=1", "profile=paper", "a-b=1", "class=1", "x;import os=1", "x={}", "x=[[1]]"]
)
def test_what_no_notebook_can_be_told_is_refused(pair):
    with pytest.raises(SettingError, match="is not allowed"):
        parse_grid([pair])


@pytest.mark.parametrize("text", ['"a,b', 'a,"b', 'a"b,c"', '"a"b,c', '[1,2,"x,y"', "a,[1", '"'])
def test_quotes_and_brackets_that_are_not_closed_are_refused(text):
    with pytest.raises(SettingError, match=r"x=.* is not allowed: a quote or bracket is") as caught:
        parse_grid([f"x={text}"])
    assert "\n" not in str(caught.value)


@given(st.lists(st.text(max_size=9), min_size=2, max_size=4, unique=True))
def test_any_text_can_be_written_in_quotes(texts):
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    read = parse_grid(["x=plain," + ",".join(quoted)])["x"]
    assert read == tuple(dict.fromkeys(("plain", *texts)))


def test_a_name_is_given_once():
    with pytest.raises(SettingError, match="'a' is given twice"):
        parse_grid(["a=1", "a=2"])


def test_a_point_has_a_name_for_people_and_one_for_files():
    point = {"dataset": "../x y", "imbalances": [5, 20], "seeds": None}
    assert spelled(point) == "dataset=../x y, imbalances=[5, 20], seeds=null"
    assert "/" not in tag(point) and " " not in tag(point)


def test_chapters_and_studies_are_chosen_by_name():
    items = chosen_items(["teacher_length", "rare_classes"], "quick", {}, BOOK)
    assert [(item.name, item.study) for item in items] == [
        ("rare_classes", "rare_classes"), ("teacher_length", "teacher_length"),
    ]  # fmt: skip
    assert items[0].page is not None and items[1].page is None
    (alone,) = chosen_items(["rare_classes"], "quick", {}, None)
    assert alone.page is None


def test_of_all_chapters_each_takes_the_parameters_that_it_has():
    items = chosen_items([], "quick", parse_grid(["temperature=1,3"]), BOOK)
    counts = pd.Series([item.name for item in items]).value_counts()
    assert counts["distillation"] == 2 and counts["measuring"] == 1
    assert counts["reproduction_matrix"] == 1


@pytest.mark.parametrize(
    ("names", "pairs", "complaint"),
    [(["rare_clases"], [], "did you mean rare_classes"),
     (["measuring", "distillation"], ["alpha=1"], "measuring has no parameter 'alpha'"),
     ([], ["temprature=1"], "has no parameter 'temprature'"),
     (["distillation"], ["temperature=1,300"], "temperature = 300 is not allowed"),
     (["rare_classes"], ["imbalances=20,[0]"], "imbalances")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_runs(names, pairs, complaint):
    with pytest.raises(SettingError, match=complaint):
        chosen_items(names, "quick", parse_grid(pairs), BOOK)


SMALL = ["epochs=2", "teacher_epochs=2"]


@pytest.fixture(scope="module")
def small():
    """One seed of a study of three runs, at two temperatures: four runs in all."""
    grid = parse_grid([*SMALL, "temperature=1,3"])
    return chosen_items(["first_principles"], "quick", grid, None)


def test_a_chapter_without_its_book_is_told_so():
    with pytest.raises(SettingError, match=r"'distillation' .* and no book is here: "):
        chosen_items(["distillation"], "quick", {}, None)


def readme_examples():
    text = (BOOK.root / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"kdlib reproduce ([a-z].*)", text)
    return [shlex.split(line, comments=True) for line in lines]


def test_the_examples_of_the_readme_fit_the_book():
    examples = readme_examples()
    assert len(examples) > 2
    for words in examples:
        names = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
        pairs = [value for option, value in itertools.pairwise(words) if option == "-p"]
        assert chosen_items(names, "quick", parse_grid(pairs), BOOK)


def test_a_plan_counts_each_run_once(small, tmp_path):
    store = Store(tmp_path)
    plan = make_plan(small, store, device="cpu", jobs=1, timed=False)
    assert (len(plan.runs), len(plan.missing)) == (4, 4)
    assert plan.generations[0] and all(spec.teacher is None for spec in plan.generations[0])
    execute([plan.runs[0]], store=store, jobs=1, progress=False)
    again = make_plan(small, store, device="cpu", jobs=1, timed=False)
    assert "4 runs needed, 1 in" in again.lines()[1] and "3 to train" in again.lines()[1]


def test_a_failing_run_stops_only_the_items_that_need_it(small, tmp_path):
    only_first = next(spec for spec in small[0].runs if spec not in small[1].runs)
    worked = run_batch(small, lambda _: {only_first: "no disk"}, None, tmp_path, print)
    first, second = (worked.fates[item] for item in small)
    assert (first.status, second.status) == ("not run", "ran")
    assert only_first.id in first.why and "no disk" in first.why


@pytest.fixture(scope="module")
def trained(small, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    execute([spec for item in small for spec in item.runs], store=store, jobs=1, progress=False)
    return store


def test_the_numbers_are_those_of_the_runs(small, trained):
    table = numbers(small, trained)
    assert set(table["temperature"]) == {1, 3}
    for item in small:
        (student,) = (spec for spec in item.runs if spec.teacher is not None)
        rows = table[(table["temperature"] == item.point["temperature"])]
        row = rows[rows["arm"].str.startswith("distilled") & (rows["metric"] == "mean")]
        accuracy = 100 * trained.finished(student).accuracy().mean()
        assert row["mean"].item() == pytest.approx(accuracy)
        assert np.isnan(row["low"].item()) and row["seeds"].item() == 1


def test_an_interval_is_that_of_accuracies_over_seeds():
    values = [70.0, 71.5, 69.0, 72.0]
    table = pd.DataFrame({"method": "one-hot", "imbalance": 20.0, "mean": values, "seed": range(4)})
    (row,) = _averaged(table, {"mean": None}, ()).to_dict("records")
    interval = t_interval(np.array(values), scale=PERCENT)
    assert row["arm"] == "one-hot, 1:20"
    assert (row["low"], row["high"], row["seeds"]) == (interval.low, interval.high, 4)


def test_numbers_of_runs_that_are_missing_are_left_out(small, tmp_path):
    assert numbers(small, Store(tmp_path)).empty


def test_there_is_a_chart_for_each_parameter_that_varies(small, trained):
    found = list(drawings(numbers(small, trained)))
    assert [(study, parameter) for study, parameter, _ in found] == [
        ("first_principles", "temperature")
    ]
    assert found[0][2].startswith("<svg") and "95 % intervals" in found[0][2]


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_shows_what_it_is_told_as_text():
    item = {
        "name": "one<script>", "parameters": {"x": "<b>"}, "status": "failed", "seconds": 3,
        "why": "<img>", "notebook": None,
    }  # fmt: skip
    runs = {"needed": 1, "there": 0, "trained": 0, "diverged": []}
    failed = [{"run": "0" * 16, "what": "a & b", "why": "<i>"}]
    about = {
        "command": "kdlib reproduce '<x>'", "started": "now", "seconds": 4, "kdlib": "1",
        "commit": None, "torch": "2", "python": "3", "how": "on cpu", "store": "/s",
        "runs": runs | {"failed": failed}, "items": [item], "charts": [],
        "numbers": [{"study": "s", "mean": 1.0, "low": None, "seeds": 1}],
    }  # fmt: skip
    parser = _Tags()
    parser.feed(page(about, []))
    parser.close()
    assert parser.open == [] and not {"script", "img", "b", "i"} & set(parser.seen)
    assert "1 of 1 did not run" in page(about, [])
