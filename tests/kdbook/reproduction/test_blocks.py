"""Blocks of evidence as records: by the names of the studies, and with what they were tested on."""

import json

import numpy as np
import pandas as pd
import pytest

from kdbook.chapters.teacher_and_student import Settings, TeacherAndStudent
from kdbook.evidence.blocks import BLOCKS
from kdbook.reproduction import Level, block_records, leading, reproduction


def write(folder, block, methods, seeds):
    """A recorded block of which method m has an accuracy of 40 + m, plus the seed squared."""
    table = pd.DataFrame(
        {"method": name, "imbalance": 100.0, "temperature": t, "seed": seed,
         "mean": 40.0 + place + 0.1 * seed**2, "worst_1": 10.0 + place + 0.1 * seed**2,
         "worst_10": 20.0 + place, "rarest": 5.0, "dev": 30.0, "status": "completed",
         "run": f"{name}-{seed}"}
        for place, (name, t) in enumerate(methods)
        for seed in seeds
    )  # fmt: skip
    recipe = {"epochs": BLOCKS[block].runs[0].recipe.epochs, "batch_size": 128}
    about = {"block": block, "what": BLOCKS[block].what, "test": BLOCKS[block].test,
             "seeds": list(seeds), "missing_runs": 0, "model": "ResNet-20", "recipe": recipe,
             "results_version": 9, "runs": dict.fromkeys(table["run"], "completed"),
             "splits": {"test": "00ff"}, "trained": ["2026-11-25", "2026-11-26"],
             "commit": ["abc"], "device": ["a CPU"], "kdlib": ["0.1.0"], "python": ["3.11"],
             "torch": ["2.13"]}  # fmt: skip
    table.to_csv(folder / f"block-{block}.csv", index=False)
    table[["run"]].to_csv(folder / f"block-{block}-classes.csv", index=False)
    (folder / f"block-{block}.json").write_text(json.dumps(about))


NOW = float("nan")
PET = [("one-hot", NOW), ("distilled", 2.0), ("AdaAlpha", 2.0)]
CELLS = [("teacher std", NOW), ("std/std-d", 1.0), ("std/bal-d", 1.0), ("std/rob-d", 1.0)]


def test_no_block_no_record(tmp_path):
    assert block_records(tmp_path) == []


def test_further_seeds_join_the_first_ones(tmp_path):
    write(tmp_path, "b", PET, range(5))
    write(tmp_path, "e", PET[:2], range(5, 10))
    (made,) = block_records(tmp_path)
    assert made.about.seeds == tuple(range(10))
    assert made.about.test_images == 10_000 and made.about.dataset == "cifar100"
    rows = leading(reproduction("teachers_pet", [made]))
    mean = rows[(rows["table"] == "Table 3") & (rows["dataset"] == "cifar100_lt")]
    mean = mean[mean["metric"] == "mean_accuracy"].set_index("method")
    assert mean.loc["distillation", "seeds"] == 10 and mean.loc["ada_alpha", "seeds"] == 5
    assert mean.loc["distillation", "evidence"] == Level.SAME_DATA
    assert "temperatures 2, not 1, 2, 3, 4, 5" in mean.loc["distillation", "apart"]


def test_cells_have_the_names_of_the_studies(tmp_path):
    write(tmp_path, "c", [*CELLS, ("AdaAlpha", 1.0)], range(3))
    write(tmp_path, "d2", [("std/rob-d, one-hot labels", 1.0)], range(3))
    (made,) = block_records(tmp_path)
    named = set(made.table["method"]) - {"distilled", "AdaAlpha, std teacher"}
    assert named <= {member.method for member in TeacherAndStudent(Settings(seeds=1)).members()}
    assert made.about.test_images == 5_000 and made.about.dataset == "cifar10"
    rows = leading(reproduction("robust_distillation", [made]))
    ours = rows[rows["record"] == made.name]
    assert set(ours[ours["evidence"] == Level.SAME_DATA]["dataset"]) == {"cifar10_lt"}
    assert {"ada_alpha", "objective_pair", "teacher_only"} <= set(ours["method"])
    ours = ours[ours["dataset"] == "cifar10_lt"]
    gap = ours[(ours["method"] == "ada_alpha") & (ours["table"] == "Supp Table 4")]
    assert gap["mean"].to_numpy() == pytest.approx(np.full(len(gap), 3.0))


def test_blocks_that_are_one_record_are_of_one_setting():
    from kdbook.reproduction.blocks import _DATASETS, TOGETHER

    for names in TOGETHER:
        specs = [m.spec for name in names for m in BLOCKS[name].members]
        assert {spec.data.name for spec in specs} == {_DATASETS[names[0]]}
        assert {spec.data.imbalance for spec in specs} == {100.0}
        assert len({BLOCKS[name].test for name in names}) == 1
        assert len({spec.model for spec in specs}) == 1


def test_blocks_of_two_cores_are_records_of_their_own(tmp_path):
    from kdbook.evidence.records import TWO_CORES
    from kdbook.reproduction import blocks

    cores = tmp_path / "evidence" / TWO_CORES
    cores.mkdir(parents=True)
    write(tmp_path / "evidence", "b", PET[:1], range(5))
    write(cores, "b", PET[:2], range(5))
    names = {made.name for made in blocks.all_records(tmp_path)}
    assert names == {"evidence-standard-blockb", "evidence-standard-blockb-wheretwo_cores"}
    rows = leading(reproduction("teachers_pet", blocks.all_records(tmp_path)))
    ours = rows[(rows["dataset"] == "cifar100_lt") & (rows["method"] == "distillation")]
    assert set(ours["record"].dropna()) == {"evidence-standard-blockb-wheretwo_cores"}


def test_one_experiment_on_two_machines_answers_once(tmp_path):
    from kdbook.evidence.records import TWO_CORES
    from kdbook.reproduction import blocks

    cores = tmp_path / "evidence" / TWO_CORES
    cores.mkdir(parents=True)
    write(tmp_path / "evidence", "c", CELLS, range(3))
    write(cores, "c", [cell for cell in CELLS if not cell[0].startswith("teacher")], range(3))
    rows = reproduction("robust_distillation", blocks.all_records(tmp_path))
    rows = rows[rows["dataset"] == "cifar10_lt"]
    students = rows[rows["method"] == "objective_pair"]
    assert set(students["record"].dropna()) == {"evidence-standard-blockc-wheretwo_cores"}
    teachers = rows[rows["method"] == "teacher_only"]
    assert "evidence-standard-blockc" in set(teachers["record"])


def test_of_two_lengths_the_planned_block_leads(tmp_path):
    write(tmp_path, "b", PET, range(5))
    write(tmp_path, "b2", PET[:2], range(5))
    rows = reproduction("teachers_pet", block_records(tmp_path))
    ours = rows[(rows["dataset"] == "cifar100_lt") & (rows["method"] == "distillation")]
    assert set(ours[ours["leading"]]["record"].dropna()) == {"evidence-standard-blockb"}
    assert "evidence-standard-blockb2" in set(ours["record"])


@pytest.mark.parametrize(
    ("seeds", "further", "wanted"),
    [(5, True, "blockb-wheretwo_cores"), (5, False, "blockb-wheretwo_cores"), (2, False, "blockb")],
)
def test_of_two_machines_the_first_with_enough_seeds_answers(tmp_path, seeds, further, wanted):
    """Two cores come first; further seeds, which they alone have, are the same experiment."""
    from kdbook.evidence.records import TWO_CORES
    from kdbook.reproduction import blocks

    cores = tmp_path / "evidence" / TWO_CORES
    cores.mkdir(parents=True)
    write(tmp_path / "evidence", "b", PET, range(5))
    write(cores, "b", PET, range(seeds))
    if further:
        write(cores, "e", PET[:2], range(5, 10))
    rows = reproduction("teachers_pet", blocks.all_records(tmp_path))
    ours = rows[(rows["dataset"] == "cifar100_lt") & (rows["method"] == "distillation")]
    assert set(ours["record"].dropna()) == {f"evidence-standard-{wanted}"}
