import re

import pytest
from click.testing import CliRunner

from kdbook.chapters import study
from kdlib.cli import cli
from kdlib.locks import held
from kdlib.runs import Store
from kdlib.runs.short_trainings import Cost


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, [str(word) for word in words])


@pytest.mark.parametrize(
    "words",
    [("study",), ("book",), ("study", "plan"), ("study", "run"), ("study", "record")],
)
def test_every_command_has_help(call, words):
    result = call(*words, "--help")
    assert result.exit_code == 0 and "Usage: " in result.output


def test_list_and_show_name_questions_and_allowed_values(call):
    assert "rare_classes" in call("study", "list").output
    shown = call("study", "show", "rare_classes").output
    assert "temperature" in shown and "number from 0.05 to 100" in shown


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("run", "rare"),
            "study 'rare' is not known: did you mean rare_classes? Allowed are",
        ),
        (("run", "rare_classes", "--seeds", 0), "seeds = 0 is not allowed: integer from 1 to 1000"),
        (("run", "rare_classes", "--set", "alpha=2"), "number from 0 to 1"),
        (("run", "rare_classes", "--set", "alfa=1"), "unknown parameter 'alfa'"),
        (("run", "rare_classes", "--set", "alpha"), "write NAME=VALUE"),
        (("run", "rare_classes", "--set", "seeds=2"), "--set seeds is not allowed: use --seeds"),
        (("run", "rare_classes", "--set", "cls=2"), "unknown parameter 'cls'"),
        (("plan", "rare_classes", "--profile", "fast"), "'quick', 'standard', 'paper'"),
        (("plan", "rare_classes", "--jobs", 0), "1<=x<=256"),
        (
            ("run", "rare_classes", "--workers", 2, "--jobs", 2),
            "--jobs and --workers say different",
        ),
        (("run", "rare_classes", "--workers", 2, "--together", 2), "--workers and --together say"),
        (
            ("record", "measuring", "--workers", 2, "--scheduler", "tcp://x:1"),
            "say different things",
        ),
        (("record", "measuring", "--workers", 2, "--finished-only"), "trains nothing"),
    ],
)
def test_wrong_values_are_refused_before_anything_trains(call, tmp_path, words, complaint):
    result = call("study", *words, "--store", tmp_path / "store")
    assert result.exit_code != 0
    assert complaint in result.output
    assert not (tmp_path / "store").exists()


def test_plan_says_what_is_missing_and_how_long_it_takes(call, tmp_path):
    words = ("study", "plan", "rare_classes", "--seeds", 1, "--set", "imbalances=[20]")
    result = call(*words, "--store", tmp_path)
    assert result.exit_code == 0, result.output
    wanted = (
        r"3 runs wanted, 3 to train \(teachers included\): [\d.]+ (s |min )?to [\d.]+ (s|min) on"
    )
    assert re.search(wanted, result.output), result.output
    assert result.output.count("digits 1:20 ResNet-8") == 3
    assert "teachers: 1 of 1 answer from precomputed logits, 0.1 MiB in all" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_plan_says_a_range_and_which_runs_another_process_has(call, tmp_path):
    words = ("rare_classes", "--seeds", 1, "--set", "imbalances=[20]", "--jobs", 1)
    small = study("rare_classes").parse(seeds=1, imbalances=(20,))
    store = Store(tmp_path)
    with held(store.lock_file(small.runs()[0].id), "the run"):
        told = call("study", "plan", *words, "--store", tmp_path).output
    assert "another process holds the locks of 1 of these runs: waiting for it" in told
    assert re.search(r"to train \(teachers included\): (about )?\d+ .* on cpu with 1 at a", told)


@pytest.mark.parametrize("command", ["run", "plan", "record"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "257", "2.5"])
def test_a_number_of_students_that_cannot_share_a_step_is_one_line(call, tmp_path, command, value):
    words = ("study", command, "rare_classes", "--together", value, "--store", tmp_path / "store")
    result = call(*words)
    assert result.exit_code == 1
    assert result.output == (f"Error: --together {value!r} is not allowed: integer from 1 to 256\n")
    assert not (tmp_path / "store").exists()


@pytest.fixture
def estimated(monkeypatch):
    """What trainings cost is made up in the place of timed ones."""
    costs = [[Cost(fixed=1.0, per_image=1e-3)]]
    monkeypatch.setattr(
        "kdlib.runs.plan.measured_costs", lambda stacks, **_: (costs * len(stacks), 0.0)
    )


TINY = ("--seeds", 2, "--set", "imbalances=[20]", "--set", "epochs=2", "--jobs", 1)


def test_plan_counts_the_stacks_in_which_students_would_share_a_step(call, estimated, tmp_path):
    words = ("study", "plan", "rare_classes", *TINY, "--store", tmp_path)
    alone = call(*words).output
    assert "6 to train" in alone and "stacks" not in alone
    result = call(*words, "--together", 10)
    assert result.exit_code == 0, result.output
    # Two teachers, two one-hot students with a recipe of their own, then the distilled students.
    assert "6 runs wanted, 6 to train (teachers included): " in result.output
    assert "with 1 at a time, in 3 stacks of up to 2" in result.output
    assert list(tmp_path.iterdir()) == []


def test_run_lets_students_share_a_step(call, estimated, tmp_path):
    words = ("study", "run", "rare_classes", *TINY, "--store", tmp_path)
    result = call(*words, "--together", 3)
    assert result.exit_code == 0, result.output
    assert "in 3 stacks of up to 2" in result.output and "distilled" in result.output
    assert [run.together for run in Store(tmp_path).results()] == [2] * 6


@pytest.mark.slow
def test_run_prints_intervals(call, estimated, tmp_path):
    words = ("rare_classes", "--seeds", 2, "--set", "imbalances=20", "--store", tmp_path)
    refused = call("study", "run", *words)
    assert "list of" in refused.output  # a number where a list belongs
    words = ("rare_classes", "--seeds", 2, "--set", "imbalances=[20]", "--store", tmp_path)
    words = (*words, "--set", "epochs=4")
    result = call("study", "run", *words, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert "worst_1" in result.output and "distilled" in result.output
    again = call("study", "plan", *words)
    assert "6 runs wanted, all in" in again.output


@pytest.fixture
def without_networks(monkeypatch):
    """A study that trains nothing takes the place of one that does."""
    import pandas as pd

    from kdbook.chapters import measuring

    def coins(_):
        rows = [(side, seed, 2.0 * seed) for side in ("up", "down") for seed in range(3)]
        return pd.DataFrame(rows, columns=["side", "seed", "value"])

    monkeypatch.setattr(measuring.Measuring, "trains", False)
    monkeypatch.setattr(measuring.Measuring, "table", property(coins))


def test_a_study_without_networks_plans_none(call, without_networks, tmp_path):
    result = call("study", "plan", "measuring", "--store", tmp_path / "store")
    assert result.exit_code == 0, result.output
    assert result.output == (
        "measuring trains no networks: `kdlib study run measuring` computes its table\n"
    )


def test_a_study_without_networks_prints_means_with_intervals(call, without_networks, tmp_path):
    result = call("study", "run", "measuring", "--store", tmp_path / "store")
    assert result.exit_code == 0, result.output
    head, first, second = result.output.splitlines()
    assert head.split() == ["side", "mean", "low", "high", "seeds"]
    # 0, 2, 4: mean 2, standard error 2 / sqrt(3), t of two degrees of freedom 4.3027.
    assert first.split() == ["up", "2", "-2.968", "6.968", "3"]
    assert second.split()[0] == "down"
    assert not (tmp_path / "store").exists()


def test_a_study_without_networks_refuses_wrong_values(call, without_networks):
    result = call("study", "run", "measuring", "--set", "classes=0")
    assert (
        result.exit_code == 1
        and "classes = '0' is not allowed: integer from 1 to 100" in result.output
    )
