import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from kdbook.evidence import records, tables
from kdbook.evidence.blocks import BLOCKS, PILOT_SEED, Block, chosen
from kdbook.evidence_command import _folder, _missing, evidence
from kdbook.families import families
from kdbook.profiles import PROFILES
from kdbook.tables import Member
from kdlib.errors import SettingError
from kdlib.runs import Store, execute
from kdlib.runs.build import dataset_for
from kdlib.runs.vectors import loss_vectors
from kdlib.training import PRESETS, steps_per_epoch


def test_the_blocks_have_the_runs_of_the_plan():
    sizes = {name: len(block.runs) for name, block in BLOCKS.items()}
    plan = {"a": 11, "a2": 5, "b": 30, "c": 30, "d": 15, "d2": 12, "e": 15, "b2": 25, "i": 30}
    assert sizes == plan | {"f": 18, "g": 2}


def test_every_teacher_of_a_block_is_a_member_of_it_or_of_one_before():
    known = set()
    for block in BLOCKS.values():
        known |= set(block.runs)
        assert {parent for spec in block.runs for parent in spec.parents()} <= known


def test_the_recipe_takes_the_papers_number_of_steps():
    ours, paper = PRESETS["cifar_scaled"], PRESETS["cifar100_lt_paper"]
    steps = [r.epochs * steps_per_epoch(r, 10_847) for r in (ours, paper)]
    assert steps[0] == pytest.approx(steps[1], rel=0.05)
    assert ours.peak_rate / ours.batch_size == paper.peak_rate / paper.batch_size


def test_the_pilot_has_not_seen_dev_and_its_seed_is_not_reported():
    for name in ("a", "a2"):
        assert all(spec.data.part == "train_minus_dev" for spec in BLOCKS[name].runs)
        assert BLOCKS[name].test == "dev"
    for block in BLOCKS.values():
        assert block.name in ("a", "a2") or PILOT_SEED not in block.seeds


def test_what_moved_multipliers_does_not_test():
    for block in BLOCKS.values():
        moved = any(spec.objective.log_cost.kind == "robust" for spec in block.runs)
        assert block.test == "test" or not moved


def test_blocks_come_in_the_plans_order_and_unknown_ones_are_named():
    assert [block.name for block in chosen(["c", "b"])] == ["b", "c"]
    with pytest.raises(SettingError, match="block 'z' is not known: allowed are a, a2, b"):
        chosen(["z"])


def _small(seed):
    family = families(
        PROFILES["quick"].model_copy(update={"recipe": SHORT, "teacher_recipe": SHORT})
    )
    one = family[seed]
    named = [("teacher", np.nan, one.teacher()), ("one-hot", np.nan, one.one_hot())]
    named.append(("distilled", 3.0, one.distilled(3.0)))
    return [Member(name, 20.0, t, seed, spec) for name, t, spec in named]


SHORT = PRESETS["digits"].with_epochs(2)
SMALL = Block("small", "of the tests", (0, 1), _small, test="test")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    kept = Store(tmp_path_factory.mktemp("store"))
    execute([m.spec for m in _small(0)], store=kept, jobs=1, progress=False)
    return kept


def test_a_record_holds_what_is_finished_and_says_what_is_missing(store, tmp_path):
    results = [store.get(member.spec) for member in SMALL.members]
    records.write_block(tmp_path / "new", SMALL, results)
    rows, classes, about = records.read_block(tmp_path / "new", "small")
    assert about["missing_runs"] == 3 and len(rows) == 3 and len(classes) == 30
    assert list(rows["method"]) == ["teacher", "one-hot", "distilled"]
    by_run = classes.groupby("run")["accuracy"].mean()
    np.testing.assert_allclose(rows["mean"], by_run[rows["run"]], rtol=1e-4)
    assert rows["off_label"].notna().tolist() == [False, False, True]
    assert records.read_block(tmp_path, "small") is None


def test_the_share_off_the_label_is_that_of_the_target(store):
    """AdaAlpha gives the teacher a part of the target only, class by class."""
    family = families(
        PROFILES["quick"].model_copy(update={"recipe": SHORT, "teacher_recipe": SHORT})
    )[0]
    specs = {"distilled": family.distilled(3.0), "AdaAlpha": family.ada_alpha(3.0)}
    members = [Member(name, 20.0, 3.0, 0, spec) for name, spec in specs.items()]
    block = Block("two", "of the tests", (0,), lambda seed: members, test="test")
    execute([m.spec for m in members], store=store, jobs=1, progress=False)
    results = [store.get(m.spec) for m in members]
    classes = tables.per_class(block, results).pivot(
        index="label", columns="run", values="off_label"
    )
    full, part = (classes[m.spec.id].to_numpy() for m in members)
    spec = members[1].spec
    mix = loss_vectors(spec, dataset_for(spec), store).mix.numpy()
    np.testing.assert_allclose(part, mix * full)
    assert (part <= full).all() and part.sum() < full.sum()
    rows = tables.per_seed(block, results).set_index("method")
    assert rows.loc["AdaAlpha", "off_label"] == pytest.approx(part.mean())


def test_records_are_the_same_bytes_when_written_again(store, tmp_path):
    results = [store.get(member.spec) for member in SMALL.members]
    first = records.write_block(tmp_path, SMALL, results).read_bytes()
    assert records.write_block(tmp_path, SMALL, results).read_bytes() == first


def test_what_was_recorded_outlives_its_store(store, tmp_path):
    """A record that was written in two parts, from two stores, is that of one."""
    results = [store.get(member.spec) for member in SMALL.members]
    records.write_block(tmp_path / "whole", SMALL, results)
    for number in range(3):
        part = [r if i == number else None for i, r in enumerate(results)]
        records.write_block(tmp_path / "parts", SMALL, part)
    for name in ("block-small.csv", "block-small-classes.csv", "block-small.json"):
        assert (tmp_path / "parts" / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_runs_that_no_block_has_any_more_leave_its_record(store, tmp_path):
    results = [store.get(member.spec) for member in SMALL.members]
    records.write_block(tmp_path, SMALL, results)
    fewer = Block("small", "of the tests", (0,), lambda seed: _small(seed)[:2], test="test")
    assert records.recorded_runs(tmp_path, fewer) == {spec.id for spec in fewer.runs}
    records.write_block(tmp_path, fewer, [results[0], None])
    rows, classes, about = records.read_block(tmp_path, "small")
    assert list(rows["method"]) == ["teacher", "one-hot"] and about["missing_runs"] == 0
    assert set(classes["run"]) == set(about["runs"]) == set(rows["run"])


def test_a_teacher_that_is_trained_again_leaves_its_record_as_it_was(store, tmp_path):
    """What was recorded of its students came from the first."""
    results = [store.get(member.spec) for member in SMALL.members]
    path = records.write_block(tmp_path, SMALL, [results[0], None, results[2], None, None, None])
    told = path.read_text().replace(",completed,", ",kept,")
    path.write_text(told)
    records.write_block(tmp_path, SMALL, [results[0], results[1], None, None, None, None])
    rows, classes, about = records.read_block(tmp_path, "small")
    assert list(rows["status"]) == ["kept", "completed", "kept"] and about["missing_runs"] == 3
    assert len(classes) == 30 and not classes.duplicated(["run", "label"]).any()
    records.write_block(tmp_path, SMALL, results)
    assert "kept" not in path.read_text()  # nothing would be lost, so it is written anew


def test_a_teacher_that_is_trained_again_is_recorded_where_its_students_are_its_own(
    store, tmp_path
):
    results = [store.get(member.spec) for member in SMALL.members]
    path = records.write_block(tmp_path, SMALL, [results[0], results[1], *[None] * 4])
    path.write_text(path.read_text().replace(",completed,", ",kept,"))
    records.write_block(tmp_path, SMALL, [results[0], None, results[2], None, None, None])
    rows, classes, about = records.read_block(tmp_path, "small")
    assert dict(zip(rows["method"], rows["status"], strict=True)) == {
        "teacher": "completed", "one-hot": "kept", "distilled": "completed",
    }  # fmt: skip
    assert len(classes) == 30 and set(about["runs"]) == set(rows["run"])


def test_members_of_one_name_and_seed_keep_their_order_in_any_part(store, tmp_path):
    twice = [Member("same", 20.0, 1.0, 0, m.spec) for m in _small(0)]
    block = Block("ties", "of the tests", (0,), lambda seed: twice, test="test")
    results = [store.get(member.spec) for member in twice]
    whole = records.write_block(tmp_path / "whole", block, results).read_text()
    for number in (2, 0, 1):
        part = [r if i == number else None for i, r in enumerate(results)]
        parts = records.write_block(tmp_path / "parts", block, part)
    assert parts.read_text() == whole


def test_a_record_that_was_cut_off_is_written_again(store, tmp_path):
    results = [store.get(member.spec) for member in SMALL.members]
    path = records.write_block(tmp_path, SMALL, results)
    whole = path.read_bytes()
    path.with_suffix(".json").unlink()  # a kill before the last of the three
    assert records.read_block(tmp_path, "small") is None
    assert records.write_block(tmp_path, SMALL, results).read_bytes() == whole


@pytest.fixture
def untimed(monkeypatch):
    """Says at once how long trainings take, without timing any."""
    monkeypatch.setattr("kdlib.runs.plan.estimate", lambda *_, **__: "about 1 min")


@pytest.mark.usefixtures("untimed")
@pytest.mark.parametrize(("kept", "left"), [(3, 3), (2, 5), (1, 6)])
def test_what_is_recorded_is_not_trained_again_but_for_teachers_of_what_is_missing(
    store, tmp_path, monkeypatch, kept, left
):
    monkeypatch.setitem(BLOCKS, "small", SMALL)
    first = [store.get(member.spec) for member in SMALL.members]
    records.write_block(tmp_path, SMALL, [*first[:kept], *[None] * (6 - kept)])
    options = ["--only", "small", "--store", str(tmp_path / "empty"), "--plan"]
    said = CliRunner().invoke(evidence, [*options, "--into", str(tmp_path)])
    assert f"small{kept:4} of   6 runs" in said.output, said.output
    generations = _missing(SMALL, Store(tmp_path / "empty"), tmp_path)
    assert sum(map(len, generations)) == left


@pytest.mark.usefixtures("untimed")
def test_what_is_there_does_not_count_teachers_of_other_blocks(tmp_path):
    plan = ["--only", "d", "--store", str(tmp_path), "--into", str(tmp_path), "--plan"]
    assert "d     0 of  15 runs" in CliRunner().invoke(evidence, plan).output


def test_a_cpu_never_records_over_what_a_gpu_trained():
    kept = Path("results")
    assert _folder(kept, "cuda") == kept / "evidence"
    assert _folder(kept, "cpu") == kept / "evidence" / records.TWO_CORES


def test_the_command_trains_a_block_and_records_it(monkeypatch, tmp_path):
    monkeypatch.setitem(BLOCKS, "small", SMALL)
    options = ["--only", "small", "--store", str(tmp_path / "s"), "--into", str(tmp_path / "r")]
    planned = CliRunner().invoke(evidence, [*options, "--plan"])
    assert planned.exit_code == 0
    assert re.search(r"small   0 of   6 runs, .* left: of the tests", planned.output)
    assert not (tmp_path / "r").exists()
    done = CliRunner().invoke(evidence, [*options, "--jobs", "1"])
    assert done.exit_code == 0, done.output
    about = json.loads((tmp_path / "r" / "block-small.json").read_text())
    assert about["missing_runs"] == 0 and len(about["runs"]) == 6
    assert len(pd.read_csv(tmp_path / "r" / "block-small.csv")) == 6
    again = CliRunner().invoke(evidence, [*options, "--plan"])
    assert "6 of   6 runs:" in again.output
