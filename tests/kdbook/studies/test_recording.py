import json

import numpy as np
import pandas as pd
import pytest
from hand_records import record as hand_record

from kdbook import profiles, records
from kdbook.chapters import number_of_classes, rare_classes
from kdbook.families import Family
from kdbook.records import read_record, write_record
from kdbook.study import Computed
from kdlib.data import load
from kdlib.errors import KdlibError
from kdlib.runs import Store, execute
from kdlib.runs.machine import processor

SETTINGS = rare_classes.Settings(seeds=2, imbalances=(20,), epochs=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Six runs on digits, of two epochs each."""
    store = Store(tmp_path_factory.mktemp("store"))
    execute(rare_classes.RareClasses(SETTINGS).runs(), store=store, jobs=1, progress=False)
    return store


def make(store, **how):
    return records.record(rare_classes.RareClasses(SETTINGS), store=store, jobs=1, **how)


def test_recording_twice_gives_the_same_bytes(store, tmp_path):
    first, second = (write_record(tmp_path / name, make(store)) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()
    assert first.stem == "rare_classes-quick-epochs2-imbalances20-seeds2"


def test_a_record_says_where_it_comes_from(store):
    made = make(store)
    about = made.about
    assert (about.dataset, about.model, about.imbalance) == ("digits", "ResNet-8", 20.0)
    assert about.recipe["epochs"] == 2
    assert about.teacher_recipe == {"epochs": 4}
    assert (about.seeds, about.missing_runs) == ((0, 1), 0)
    assert set(about.runs) == set(made.table["run"]) and len(about.runs) == 6
    assert set(about.runs.values()) == {"completed"}
    assert about.device.startswith("CPU, ")
    assert {"test", "validation"} <= set(about.splits)
    assert about.tested_on == "test" and about.balanced_recipe == {}
    assert about.test_images == len(load("digits").test.labels)
    assert sum(name.startswith("train 1:20, subset") for name in about.splits) == 2


def test_a_record_names_each_kind_of_machine_once(store):
    (machine,) = make(store).about.machines
    assert machine == f"{processor()}, threads: 1"


def test_a_record_from_before_steps_were_shared_stays_as_it_is(store, tmp_path):
    beside = write_record(tmp_path, make(store)).with_suffix(".json")
    older = json.loads(beside.read_text())
    assert older.pop("together") == [1]
    beside.write_text(json.dumps(older))
    written = beside.read_bytes()
    assert read_record(beside.with_suffix(".csv")).about.together == (1,)
    write_record(tmp_path, make(store))
    assert beside.read_bytes() == written


def test_rows_are_sorted_by_method_then_seed(store):
    table = make(store).table
    assert list(table["method"]) == ["teacher"] * 2 + ["one-hot"] * 2 + ["distilled"] * 2
    assert list(table["seed"]) == [0, 1] * 3


def test_sorting_does_not_depend_on_the_order_of_rows_within_a_method():
    table = pd.DataFrame(
        {"method": ["b", "a", "b", "a"], "temperature": [2.0, np.nan, 1.0, 1.0], "seed": 0}
    )
    ordered = records.sorted_rows(table)
    assert list(ordered["method"]) == ["b", "b", "a", "a"]
    assert ordered["temperature"].fillna(0).tolist() == [1.0, 2.0, 0.0, 1.0]


def test_a_part_of_the_runs_can_be_recorded(store, tmp_path):
    part = Store(tmp_path / "part")
    execute(rare_classes.RareClasses(SETTINGS).runs()[:2], store=part, jobs=1, progress=False)
    made = make(part, finished_only=True)
    assert made.about.missing_runs == 4
    assert list(made.table["method"]) == ["teacher", "one-hot"]
    whole = make(store).table
    pd.testing.assert_frame_equal(
        made.table, whole[whole["run"].isin(made.table["run"])].reset_index(drop=True)
    )
    assert read_record(write_record(tmp_path, made)).about.missing_runs == 4


def test_nothing_is_trained_for_finished_runs_only(tmp_path):
    with pytest.raises(KdlibError, match="none of the runs of rare_classes is in"):
        make(Store(tmp_path / "store"), finished_only=True)
    assert not (tmp_path / "store").exists()


def test_a_diverged_run_is_recorded_as_such(tmp_path, monkeypatch):
    quick = profiles.PROFILES["quick"]
    wild = quick.recipe.model_copy(update={"peak_rate": 100.0, "warmup_epochs": 0})
    changes = {"recipe": wild, "teacher_recipe": None}
    monkeypatch.setitem(profiles.PROFILES, "quick", quick.model_copy(update=changes))
    settings = rare_classes.Settings(seeds=1, imbalances=(20,), epochs=6)
    made = records.record(
        rare_classes.RareClasses(settings), store=Store(tmp_path / "store"), jobs=1
    )
    assert set(made.about.runs.values()) == {"diverged"}
    back = read_record(write_record(tmp_path, made))
    assert set(back.table["status"]) == {"diverged"} and back.table["mean"].isna().all()


class Simulated(Computed[rare_classes.Settings]):
    """A study that trains no networks."""

    question = "Is it so?"
    Settings = rare_classes.Settings

    def compute(self):
        return pd.DataFrame({"measure": ["a", "b"], "seed": [0, 0], "value": [1.0, 2.0]})


def test_a_study_without_networks_records_its_table(tmp_path):
    made = records.record(Simulated())
    back = read_record(write_record(tmp_path, made))
    assert list(back.table["value"]) == [1.0, 2.0]
    assert (back.about.study, back.about.runs, back.about.trained) == ("simulated", {}, None)
    assert back.about.versions["kdlib"]


def test_only_changed_settings_count():
    assert records.changed_settings(rare_classes.Settings(profile="paper")) == {}
    changed = records.changed_settings(rare_classes.Settings(seeds=3, imbalances=(1, 5)))
    assert changed == {"seeds": 3, "imbalances": [1.0, 5.0]}


def test_the_recipe_of_balanced_data_is_told_apart():
    paper = profiles.PROFILES["paper"]
    specs = [Family(paper, ratio, 0).distilled(1.0) for ratio in (100.0, 1.0, 20.0)]
    own = records.recipes_of([*specs, *(spec.teacher for spec in specs)])
    assert own["recipe"]["schedule"] == {"kind": "cosine"} and own["teacher_recipe"] == {}
    balanced = {"kind": "step", "epochs": [200, 300, 400], "factor": 0.1}
    assert own["balanced_recipe"] == {"schedule": balanced}
    about = hand_record([{"seed": 0}], **own).about
    assert about.recipe_at(1.0)["schedule"] == balanced
    assert about.recipe_at(20.0) == own["recipe"]
    alone = records.recipes_of([specs[1]])
    assert alone["recipe"]["schedule"] == balanced and alone["balanced_recipe"] == {}


def test_splits_of_drawn_classes_are_told_apart(tmp_path):
    settings = number_of_classes.Settings(
        seeds=1, epochs=2, draws=2, shares=(0.2,), imbalances=(20,)
    )
    made = records.record(
        number_of_classes.NumberOfClasses(settings), store=Store(tmp_path), jobs=1
    )
    write_record(tmp_path, made)
    tests = {name: d for name, d in made.about.splits.items() if name.startswith("test")}
    assert list(tests) == [f"test, 0.2 of the classes, draw {draw}" for draw in (0, 1)]
    assert len(set(tests.values())) == 2
