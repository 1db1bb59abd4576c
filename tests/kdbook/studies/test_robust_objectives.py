"""The study of class weights outside and inside the loss: its runs, and its tables by hand."""

import numpy as np
import pandas as pd
import pytest

from kdbook.chapters import objectives as study
from kdbook.chapters.objectives import findings
from kdlib.errors import SettingError
from kdlib.runs import Store, execute

SETTINGS = study.Settings(seeds=2, length_seeds=1)


def test_each_seed_has_every_student_and_few_the_other_lengths():
    named = [
        (m.method, dict(m.place)["factor"], m.seed)
        for m in study.RobustObjectives(SETTINGS).members()
    ]
    assert len(named) == len(set(named)) == 2 * 5 + 2 * 3
    others = {name for name, factor, _ in named if factor != 1}
    assert others == {"standard", "balanced, outer", "balanced, margin"}
    assert len({m.spec.id for m in study.RobustObjectives(SETTINGS).members()}) == len(named)


def test_the_margin_students_are_those_of_the_other_chapters():
    family = study.RobustObjectives(SETTINGS).study_families()[0]
    for alpha in study.OBJECTIVES.values():
        assert study.student(family, alpha, "margin").id == family.one_hot(alpha).id


def test_placements_differ_in_nothing_else():
    family = study.RobustObjectives(SETTINGS).study_families()[0]
    outer, margin = (study.student(family, 1.0, place) for place in study.PLACEMENTS)
    rule = outer.objective.log_cost.rule.model_copy(update={"placement": "margin"})
    assert rule == margin.objective.log_cost.rule
    assert outer.objective.model_copy(update={"log_cost": None}) == margin.objective.model_copy(
        update={"log_cost": None}
    )
    assert (outer.data, outer.seed, outer.recipe) == (margin.data, margin.seed, margin.recipe)


def test_longer_trainings_stretch_the_schedule():
    spec = study.RobustObjectives(SETTINGS).study_families()[0].one_hot()
    longer = study.with_length(spec, 4)
    assert longer.recipe.epochs == 4 * spec.recipe.epochs
    assert longer.model_copy(update={"recipe": spec.recipe}) == spec
    assert study.with_length(spec, 1) is spec


def test_only_quick_trains_other_lengths_unasked():
    assert study.RobustObjectives(SETTINGS).lengths() == [0.25, 1, 4]
    assert study.RobustObjectives(study.Settings(profile="standard")).lengths() == [1]
    assert study.RobustObjectives(study.Settings(profile="standard", lengths=(2.0,))).lengths() == [
        1,
        2,
    ]


@pytest.mark.parametrize("wrong", [{"lengths": (0.0,)}, {"lengths": (101.0,)}, {"length_seeds": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        study.Settings.parse(**wrong)


def made_summary():
    """Outer weights gain 11 points at 10 epochs and nothing at 40; the margin 20 at both."""
    nothing = (0.0, 0.0, 0.0)
    gains = {
        "standard": (nothing, nothing),
        "balanced, outer": ((10, 11, 12), (0.3, -0.1, -0.2)),
        "balanced, margin": ((19.8, 20.3, 19.9), (20.1, 20.2, 19.7)),
    }
    rows = [
        {"method": name, "factor": factor, "epochs": epochs, "seed": seed,
         "rarest": 50.0 + 7 * seed + gained[seed]}
        for name, both in gains.items()
        for gained, factor, epochs in zip(both, (0.25, 1.0), (10.0, 40.0), strict=True)
        for seed in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_differences_by_length():
    rows = study.by_length(made_summary(), "rarest").set_index(["comparison", "epochs"])
    outer = rows.loc[("balanced, outer − standard", 10.0)]
    assert outer["mean"] == pytest.approx(11)
    assert outer["high"] - outer["mean"] == pytest.approx(4.302653 / np.sqrt(3), rel=1e-5)
    assert rows.loc[("balanced, margin − balanced, outer", 40.0), "mean"] == pytest.approx(20)
    assert len(rows) == 6 and (rows["p_holm"] >= rows["p"]).all()


def test_what_fades():
    rows = study.fading(made_summary(), "rarest").set_index("comparison")
    assert rows.loc["balanced, outer − standard", "mean"] == pytest.approx(-11)
    assert rows.loc["balanced, margin − standard", "mean"] == pytest.approx(0, abs=1e-9)
    assert study.fading(made_summary().query("factor == 1"), "rarest").empty


def test_the_first_figure_and_its_words_follow_the_numbers():
    effects = findings.effects(made_summary())
    assert effects["place"].nunique() == 2 and len(effects) == 4
    assert findings.headline(effects) == (
        "Weights outside the loss: +11 points after 10 epochs, +0 after 40; "
        "as a margin: +20, then +20"
    )
    said = findings.in_short(effects)
    assert "by +11.0 points after 10 epochs" in said
    assert "still move it by +20.0 (+19.3 to +20.7) then (3 seeds)" in said


@pytest.mark.slow
def test_short_trainings_fill_the_tables(tmp_path):
    small = study.Settings(seeds=1, length_seeds=1, epochs=4, lengths=(0.5,))
    results = execute(study.RobustObjectives(small).runs(), store=Store(tmp_path))
    table = study.RobustObjectives(small).per_seed(results)
    assert len(table) == 5 + 3
    assert table["train_error"].between(0, 100).all()
    shown = results[0].history["accuracy"].iloc[-1]
    assert table["train_error"].iloc[0] == pytest.approx(100 * (1 - shown))
    assert set(study.at_usual_length(table, "mean")["epochs"]) == {4.0}
