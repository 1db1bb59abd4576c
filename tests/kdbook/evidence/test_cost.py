"""What the plan's trainings take, and what fits into some minutes of a GPU."""

import json

import pytest

from kdbook.evidence import cost
from kdbook.evidence.blocks import BLOCKS


def run_of(block, method):
    return next(m.spec for m in BLOCKS[block].of_seed(0) if m.method == method)


def test_seconds_follow_epochs_images_depth_and_teacher():
    one_hot, seconds = run_of("b", "one-hot"), cost.TWO_CORES.seconds
    assert seconds([one_hot]) == pytest.approx(60 * 10_847 / 600 / 2)
    assert seconds([run_of("b", "distilled")]) == pytest.approx(4 / 3 * seconds([one_hot]))
    pair = [run_of("c", "std/std-d"), run_of("c", "std/rob-d")]
    assert seconds(pair) == pytest.approx(7 / 4 * seconds(pair[:1]))
    assert seconds([run_of("f", "one-hot")]) == pytest.approx(3 * seconds([one_hot]))
    assert seconds([run_of("b2", "one-hot")]) == pytest.approx(200 / 60 * seconds([one_hot]))


def recorded(folder, block, ids):
    (folder / f"block-{block}.json").write_text(json.dumps({"runs": dict.fromkeys(ids)}))
    for name in (f"block-{block}.csv", f"block-{block}-classes.csv"):
        (folder / name).write_text("run\n")


def test_a_gpu_begins_with_the_first_block_and_ends_where_its_minutes_do(tmp_path):
    runs = BLOCKS["b2"].runs
    recorded(tmp_path, "b2", [spec.id for spec in runs[:20]])
    one = cost.ONE_GPU.seconds(runs[20:21]) / 60
    assert cost.on_a_gpu(0.1, tmp_path).endswith("of the missing: no training")
    assert cost.on_a_gpu(2.5 * one, tmp_path).endswith("of the missing: b2 (2 of 5)")
    all_of_it = sum(map(cost.ONE_GPU.seconds, (runs[20:], BLOCKS["c"].runs[:1]))) / 60
    assert cost.on_a_gpu(all_of_it + 0.01, tmp_path).endswith("b2 (5 of 5), c (1 of 30)")


def test_every_block_but_the_pilots_has_its_turn(tmp_path):
    assert set(cost.GPU_ORDER) == set(BLOCKS) - {"a", "a2"}
    said = cost.on_a_gpu(10_000, tmp_path)
    assert all(f"{name} ({len(BLOCKS[name].runs)} of" in said for name in cost.GPU_ORDER)
