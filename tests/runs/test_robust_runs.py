"""Robust objectives as runs: their base rates, their validation labels, what the store keeps."""

import numpy as np
import pytest
import torch
from small_runs import one_hot, robust_student, robust_teacher

from kdlib.data import halves, load
from kdlib.errors import SettingError
from kdlib.losses import teacher_probabilities
from kdlib.runs import Objective, RobustCost, RunSpec, Store, execute, method_name
from kdlib.runs.build import dataset_for
from kdlib.runs.vectors import multipliers_for
from kdlib.training import MultiplierRule, predict_logits, steps_per_epoch


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    execute([robust_student(), robust_teacher()], store=store, jobs=1, progress=False)
    return store


def started(spec, store):
    return multipliers_for(spec, dataset_for(spec), store)


def teachers_probabilities(spec, store, split, temperature):
    model = store.finished(spec.teacher).model()
    logits = predict_logits(model, split.images, scaling="centre", dataset_name="digits")
    return teacher_probabilities(logits, temperature)


def at(temperature, **cost):
    """The student of the teacher at that temperature of the objective."""
    spec = robust_student(**cost)
    objective = spec.objective.model_copy(update={"temperature": temperature})
    return spec.model_copy(update={"objective": objective})


def test_a_teachers_base_rate_is_the_class_prior(store):
    counts = dataset_for(one_hot()).train.class_counts.float()
    found = started(robust_teacher(), store)._log_rate.exp()
    torch.testing.assert_close(found, counts / counts.sum())


def test_a_students_base_rate_is_the_teachers_marginal_on_the_training_images(store):
    spec = at(3.0, validation_temperature=0.5)
    marginal = teachers_probabilities(spec, store, dataset_for(spec).train, 3.0).mean(0)
    torch.testing.assert_close(started(spec, store)._log_rate.exp(), marginal)


def test_validation_labels_are_the_teachers_or_true(store):
    spec = at(3.0, validation_temperature=0.5)
    split = dataset_for(spec).validation
    probs = teachers_probabilities(spec, store, split, 0.5)
    torch.testing.assert_close(started(spec, store)._held_out.targets, probs)
    true = started(robust_student(validation_labels="one_hot"), store)._held_out.targets
    assert torch.equal(true.argmax(1), split.labels) and (true.sum(1) == 1).all()


def test_the_stricter_protocol_measures_on_half_of_the_validation_images(store):
    spec = robust_teacher(validation_part="first_half")
    first, second = halves(dataset_for(spec).validation)
    assert torch.equal(started(spec, store)._held_out.images, first.images)
    assert first.class_counts.tolist() == second.class_counts.tolist() == [10] * 10
    rows = torch.cat([first.index, second.index]).sort().values
    assert torch.equal(rows, load("digits").validation.index.sort().values)


def test_the_store_keeps_the_path_of_the_multipliers(store):
    result = store.finished(robust_student())
    path = result.multipliers
    spec = robust_student()
    steps = 2 * steps_per_epoch(spec.recipe, len(dataset_for(spec).train))
    assert path["steps"].tolist() == list(range(2, steps + 1, 2))
    np.testing.assert_allclose(np.exp(path["log_multipliers"]).sum(1), 1, rtol=1e-5)
    assert "multipliers.safetensors" in (result.folder / "done").read_text()
    assert store.finished(robust_student().teacher).multipliers is None


def test_a_lost_path_is_a_damaged_run(store):
    from kdlib.runs.run_files import damage

    result = store.finished(robust_teacher())
    file = result.folder / "multipliers.safetensors"
    content = file.read_bytes()
    file.unlink()
    assert damage(result.folder) == "multipliers.safetensors is missing"
    file.write_bytes(content)


def test_names_say_the_objective():
    assert method_name(robust_teacher()) == "robust one-hot"
    assert method_name(robust_student()) == "robust distilled T=1 alpha=1"
    balanced = robust_student(rule=MultiplierRule(alpha=0.0))
    assert method_name(balanced) == "balanced distilled T=1 alpha=1"
    assert "traded-off 0.25" in method_name(robust_teacher(rule=MultiplierRule(alpha=0.25)))


@pytest.mark.parametrize("asks", ["base_rate", "validation_labels"])
def test_a_cost_that_asks_a_teacher_needs_one(asks):
    plain = one_hot()
    objective = Objective(log_cost=RobustCost(**{asks: "teacher"}))
    with pytest.raises(SettingError, match="name one in `teacher`"):
        RunSpec.parse(**dict(plain) | {"objective": objective})
