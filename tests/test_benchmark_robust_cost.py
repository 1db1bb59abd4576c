"""The benchmark of robust trainings: its ratios by hand, its turns, and its moves."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import measure_robust_cost as bench
import results_file
from readme import replace_block


def turn(standard, robust):
    return {
        "standard": bench.Seconds(standard, standard / 2),
        "robust": bench.Seconds(robust, robust / 2),
    }


def test_the_ratio_is_the_median_over_turns_of_ratios_within_a_turn():
    turns = [turn(1.0, 1.1), turn(10.0, 12.0), turn(2.0, 2.0)]
    assert bench.ratio(turns, "robust", "passed") == 1.1
    assert bench.ratio(turns, "standard", "processor") == 1
    rows = bench.table(turns)
    assert [row["at most 1.15"] for row in rows] == ["–", "yes"]
    assert bench.table([turn(1.0, 1.2)])[1]["at most 1.15"] == "no"


def test_a_warming_turn_is_left_out_and_trainings_alternate():
    calls = []
    rivals = {name: lambda name=name: calls.append(name) for name in ("standard", "robust")}
    assert len(bench.rounds(rivals, 2)) == 2
    assert calls == ["standard", "robust"] * 3


def test_scales_hold_the_moves_that_they_name():
    digits, cifar = bench.digits_scale(), bench.cifar_scale()
    for scale, moves in ((digits, 40), (cifar, 1)):
        steps = scale.recipe.epochs * (scale.train // scale.recipe.batch_size)
        assert steps // scale.rule.update_every == moves
    assert (digits.rule.batch_size, cifar.rule.batch_size) == (100, 1024)


def test_the_results_have_the_block_that_the_script_fills():
    text = results_file.RESULTS.read_text(encoding="utf-8")
    assert replace_block(text, "robust", "x") != text
