"""Rounds: which runs follow which, what their teachers say, and the limit of exact students."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdbook.chapters import repeated_distillation as study
from kdbook.chapters.repeated_distillation import Settings
from kdlib.errors import SettingError
from kdlib.losses import teacher_probabilities
from kdlib.runs import Store, execute


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Two rounds of two chains, one seed, trained for two epochs."""
    settings = Settings(seeds=1, epochs=2, rounds=2, temperatures=(3,), mixed_alpha=0.5)
    store = Store(tmp_path_factory.mktemp("store"))
    return settings, execute(
        study.RepeatedDistillation(settings).runs(), store=store, jobs=1, progress=False
    )


def test_each_student_teaches_the_next_round(tiny):
    settings, _ = tiny
    teacher, one_hot, once, twice, mixed, mixed_twice = study.RepeatedDistillation(settings).runs()
    assert one_hot.teacher is None
    assert (once.teacher, twice.teacher) == (teacher, once)
    assert (mixed.teacher, mixed_twice.teacher) == (teacher, mixed)
    assert once.objective.mix.alpha == 1 and mixed_twice.objective.mix.alpha == 0.5


def test_the_columns_of_table_9(tiny):
    settings, results = tiny
    table = study.RepeatedDistillation(settings).per_seed(results)
    accuracy = 100 * results[3].accuracy("test")
    row = table.iloc[3]
    assert (row["method"], row["round"], row["alpha"]) == ("distilled 2×", 2, 1)
    assert row["delta"] == pytest.approx(accuracy.mean() - accuracy.min())
    assert row["best_tenth"] == pytest.approx(accuracy.max())
    assert set(study.measures(10)) <= set(table.columns)


def test_targets_are_those_of_the_rounds_teacher(tiny):
    settings, results = tiny
    table = study.RepeatedDistillation(settings).target_entropies(results)
    assert len(table) == 4 * 10
    from kdbook.tables import training_logits

    logits, labels = training_logits(results[2])  # the student of round 1 teaches round 2
    probs = teacher_probabilities(logits, 3.0).double().numpy()
    by_hand = -(probs * np.log(probs)).sum(axis=1)[labels.numpy() == 0].mean()
    row = table[(table["round"] == 2) & (table["alpha"] == 1) & (table["label"] == 0)].iloc[0]
    assert row["entropy"] == pytest.approx(by_hand, rel=1e-5)


def test_entropies_at_both_ends():
    probs = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25] * 4])
    torch.testing.assert_close(study.entropies(probs), torch.tensor([0.0, math.log(4)]))


def test_rounds_are_compared_within_a_chain_and_seed():
    rows = [("one-hot", np.nan, 0.0, 0, 50.0)]
    rows += [(f"distilled {n}×", t, a, n, 10 * n + t + a) for t, a in ((1.0, 1.0), (3.0, 0.5))
             for n in (1, 2, 3)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "temperature", "alpha", "round", "mean"])
    both = pd.concat([table.assign(seed=0), table.assign(seed=1, mean=2 * table["mean"])])
    plain = study.against(both, "mean").set_index(["chain", "round", "seed"])["difference"]
    assert plain["T = 1", 2, 0] == 22 - 50 and plain["T = 3, α = 0.5", 3, 1] == 2 * (33.5 - 50)
    later = study.against(both, "mean", base=1).set_index(["chain", "round", "seed"])["difference"]
    assert later["T = 1", 3, 0] == 20 and len(later) == 2 * 2 * 2


@given(st.floats(1.0, 5.0), st.integers(1, 5))
def test_an_exact_student_is_taught_at_the_power_of_the_temperature(temperature, rounds):
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.4, 3.0]], dtype=torch.float64)
    targets = study.ideal_targets(logits, temperature, rounds)
    taught = logits
    for target in targets:
        torch.testing.assert_close(target, teacher_probabilities(taught, temperature))
        taught = target.log()  # logits of a student that fits its targets exactly
    entropy = [study.entropies(target).mean() for target in targets]
    assert all(b >= a - 1e-12 for a, b in pairwise(entropy))
    assert all((t.argmax(1) == logits.argmax(1)).all() for t in targets)


def test_as_many_rounds_as_the_profile_or_the_settings_say():
    assert study.RepeatedDistillation(Settings()).number_of_rounds() == 6
    assert study.RepeatedDistillation(Settings(profile="paper")).number_of_rounds() == 3
    assert (
        len(study.RepeatedDistillation(Settings(seeds=1, rounds=4, temperatures=(2.0,))).runs())
        == 2 + 4
    )


def test_one_round_needs_the_runs_of_other_studies_only():
    from kdbook.families import Family
    from kdbook.profiles import PROFILES

    family = Family(PROFILES["standard"], 100.0, 0)
    runs = study.RepeatedDistillation(
        Settings(profile="standard", seeds=1, rounds=1, temperatures=(2.0,))
    ).runs()
    assert runs == [family.teacher(), family.one_hot(), family.distilled(2.0)]


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"rounds": 21}, {"alpha": 0}, {"mixed_alpha": 0},
              {"temperatures": ()}, {"round": 2}],
)  # fmt: skip
def test_wrong_settings_are_one_line(wrong):
    with pytest.raises(SettingError) as complaint:
        Settings.parse(**wrong)
    assert "\n" not in str(complaint.value)


def test_the_overview_has_a_row_a_chain_and_round(tiny):
    settings, results = tiny
    table = study.RepeatedDistillation(settings).per_seed(results)
    shown = study.overview(table)
    assert list(shown.index) == [(c, n) for c in ("T = 3", "T = 3, α = 0.5") for n in (1, 2)]
    gap = table["mean"].iloc[3] - table["mean"].iloc[1]
    assert shown.loc[("T = 3", 2), "mean"] == f"{gap:+.1f}"
