"""The averaged iterate as a run: the same training, other logits; ids of other runs stay."""

import numpy as np
import pytest
import torch
from small_runs import one_hot, robust_student

from kdlib.errors import SettingError
from kdlib.runs import (
    AveragedRobustCost,
    ConstantMix,
    Objective,
    RobustCost,
    RunSpec,
    Store,
    execute,
    method_name,
)
from kdlib.training import MultiplierRule


def averaged(spec=None, **rule):
    """The run with its averaged iterate."""
    spec = spec or robust_student()
    cost = dict(spec.objective.log_cost)
    cost["rule"] = cost["rule"].model_copy(update=rule)
    cost["kind"] = "averaged_robust"
    objective = spec.objective.model_copy(update={"log_cost": AveragedRobustCost.parse(**cost)})
    return RunSpec.parse(**dict(spec) | {"objective": objective})


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return execute([robust_student(), averaged()], store=store, jobs=1, progress=False)


def test_the_canonical_form_of_a_robust_run_is_what_it_was():
    expected = (
        '{"base_rate":"labels","kind":"robust","rule":{"alpha":1.0,"batch_size":null,'
        '"error":"zero_one","measured_on":"held_out","placement":"margin","step":0.1,'
        '"update_every":32},"validation_labels":"one_hot","validation_part":"all",'
        '"validation_temperature":1.0}'
    )
    assert RobustCost().canonical_json() == expected
    assert AveragedRobustCost().canonical_json() == expected.replace(
        '"robust"', '"averaged_robust"'
    )


def test_a_spec_is_read_back_as_its_own_kind():
    for spec in (robust_student(), averaged()):
        again = RunSpec.model_validate_json(spec.canonical_json())
        assert again == spec and type(again.objective.log_cost) is type(spec.objective.log_cost)
    assert averaged().id != robust_student().id
    assert method_name(averaged()) == "averaged " + method_name(robust_student())


def test_the_training_is_the_same_and_the_logits_are_others(pair):
    last, mean = pair
    for ours, theirs in zip(mean.model().parameters(), last.model().parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert mean.history.equals(last.history)
    for name in last.multipliers:
        np.testing.assert_array_equal(mean.multipliers[name], last.multipliers[name])
    assert set(mean.multipliers) == {"steps", "errors", "log_multipliers"}
    for split in ("dev", "validation", "test"):
        assert mean.logits(split).shape == last.logits(split).shape
        assert np.abs(mean.logits(split) - last.logits(split)).max() > 1e-3


def test_accuracies_are_those_of_the_averaged_logits(pair):
    mean = pair[1]
    labels, guesses = mean.labels("test"), mean.logits("test").argmax(1)
    expected = [(guesses[labels == y] == y).mean() for y in range(10)]
    np.testing.assert_allclose(mean.accuracy("test"), expected)


def test_what_cannot_be_averaged_is_refused(tmp_path):
    with pytest.raises(SettingError, match="no iterates to average"):
        AveragedRobustCost.parse(rule=MultiplierRule(alpha=0.0))
    taught = Objective(mix=ConstantMix(alpha=1.0))
    own = Objective(log_cost=AveragedRobustCost())
    teacher = RunSpec.parse(**dict(one_hot()) | {"objective": own})
    with pytest.raises(SettingError, match="cannot teach"):
        RunSpec.parse(**dict(one_hot()) | {"objective": taught, "teacher": teacher})
    few = averaged(
        robust_student(base_rate="labels", validation_labels="one_hot"), update_every=999
    )
    with pytest.raises(SettingError, match="update_every = 999"):
        execute([few], store=Store(tmp_path), jobs=1, progress=False)
