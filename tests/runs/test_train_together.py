"""Batched training: into the store as runs of their own, equal up to rounding."""

import itertools
import json

import pytest
from small_runs import ada_alpha, ada_margin, distilled, one_hot, robust_teacher

from kdlib.errors import SettingError
from kdlib.models import ModelSpec
from kdlib.runs import Store, execute
from kdlib.runs.train_together import in_stacks

WANTED = [one_hot(0), one_hot(1), distilled(2, temperature=2.0), ada_alpha(2), ada_margin(3)]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The same runs trained alone and together."""
    alone, beside = (Store(tmp_path_factory.mktemp(name)) for name in ("alone", "beside"))
    execute(WANTED, store=alone, jobs=1, progress=False)
    execute(WANTED, store=beside, jobs=1, progress=False, together=8)
    return alone, beside


@pytest.mark.parametrize("spec", WANTED, ids=lambda spec: spec.label())
def test_results_are_those_of_training_alone_up_to_rounding(stores, spec):
    alone, beside = (store.finished(spec) for store in stores)
    assert beside.history["loss"].to_numpy() == pytest.approx(alone.history["loss"], rel=1e-3)
    assert beside.logits("test") == pytest.approx(alone.logits("test"), rel=0.01, abs=0.01)
    assert (beside.labels("test") == alone.labels("test")).all()


def test_the_store_holds_runs_of_the_same_form(stores):
    alone, beside = stores
    assert not list(beside.complaints())
    specs = [{result.spec.id for result in store.results()} for store in stores]
    assert specs[0] == specs[1]
    for spec in WANTED:
        names = [sorted(path.name for path in store.folder(spec).iterdir()) for store in stores]
        assert names[0] == names[1]
        first, second = alone.finished(spec), beside.finished(spec)
        assert first.environment.keys() == second.environment.keys()
        assert list(first.timing) == list(second.timing) and list(first.history) == list(
            second.history
        )
        assert first.model().state_dict().keys() == second.model().state_dict().keys()


def test_the_environment_says_how_many_shared_a_step(stores):
    alone, beside = stores
    assert {alone.finished(spec).environment["together"] for spec in WANTED} == {1}
    assert beside.finished(WANTED[0]).environment["together"] == 3  # the teacher is the third
    assert {beside.finished(spec).environment["step"] for spec in WANTED} == {"eager"}
    assert beside.finished(WANTED[2]).environment["together"] == 3


def test_only_what_is_missing_trains(tmp_path):
    store = Store(tmp_path)
    execute([one_hot(0)], store=store, jobs=1, progress=False)
    before = (store.folder(one_hot(0)) / "done").read_bytes()
    execute([one_hot(k) for k in range(3)], store=store, jobs=1, progress=False, together=3)
    assert (store.folder(one_hot(0)) / "done").read_bytes() == before
    assert store.finished(one_hot(1)).environment["together"] == 2


def test_two_processes_train_a_stack_each(tmp_path):
    store, specs = Store(tmp_path), [one_hot(k) for k in range(4)]
    results = execute(specs, store=store, jobs=2, progress=False, together=10)
    assert [result.spec for result in results] == specs
    assert {result.environment["together"] for result in results} == {2}


def test_a_student_of_a_diverged_teacher_is_kept_as_diverged(tmp_path):
    wild = one_hot(100, peak_rate=100.0, weight_decay=1.0, epochs=8)
    lost = distilled(0).model_copy(update={"teacher": wild})
    specs = [lost, distilled(1), distilled(2)]
    store = Store(tmp_path)
    results = execute(specs, store=store, jobs=1, progress=False, together=8)
    assert store.finished(wild).status == "diverged"
    assert [result.status for result in results] == ["diverged", "completed", "completed"]
    assert not list(store.complaints())


def test_a_checkpoint_of_a_training_alone_is_dropped(tmp_path):
    store, specs = Store(tmp_path), [one_hot(k) for k in range(2)]
    other = Store(tmp_path / "other")
    execute(specs, store=other, jobs=1, progress=False, together=2)
    folder = store.folder(specs[0])
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_bytes(_checkpoint_of(one_hot(5, epochs=10), tmp_path))
    with pytest.warns(UserWarning, match="start again"):
        execute(specs, store=store, jobs=1, progress=False, together=2)
    for spec in specs:
        ours, theirs = store.finished(spec), other.finished(spec)
        assert (ours.logits("test") == theirs.logits("test")).all()


def _checkpoint_of(spec, folder):
    from kdlib.runs.build import dataset_for, model_for, training_split
    from kdlib.runs.vectors import loss_vectors
    from kdlib.training import train

    dataset, path = dataset_for(spec), folder / "of_another"
    vectors = loss_vectors(spec, dataset, Store(folder))
    split = training_split(spec, dataset)
    train(model_for(spec), split, vectors, spec.recipe, seed=5, checkpoint=path, bar=False)
    return path.read_bytes()


def test_who_shares_a_step():
    seeds = [one_hot(k) for k in range(5)]
    robust, deeper = robust_teacher(), one_hot(9).model_copy(update={"model": ModelSpec(depth=14)})
    longer, held_out = one_hot(9, epochs=3), one_hot(9, part="train_minus_dev")
    stacks = in_stacks([*seeds, robust, deeper, longer, held_out], together=4, jobs=1)
    assert sorted(map(len, stacks)) == [1, 1, 1, 1, 2, 3]
    assert [robust] in stacks and [deeper] in stacks
    assert {spec.id for spec in itertools.chain(*stacks)} >= {spec.id for spec in seeds}
    assert sorted(map(len, in_stacks(seeds, together=4, jobs=2))) == [2, 3]
    others = [one_hot(k, part="train_minus_dev") for k in range(2)]
    assert sorted(map(len, in_stacks([*seeds, *others], together=8, jobs=2))) == [2, 2, 3]
    assert in_stacks(seeds, together=1, jobs=2) == [[spec] for spec in seeds]
    assert in_stacks(reversed(seeds), together=4, jobs=2) == in_stacks(seeds, together=4, jobs=2)


def test_robust_runs_train_alone_and_to_the_same_bits(tmp_path):
    specs = [robust_teacher(1), robust_teacher(2)]
    weights = []
    for together in (1, 4):
        store = Store(tmp_path / str(together))
        execute(specs, store=store, jobs=1, progress=False, together=together)
        weights.append([(store.folder(s) / "weights.safetensors").read_bytes() for s in specs])
        environment = json.loads((store.folder(specs[0]) / "environment.json").read_text())
        assert environment["together"] == 1
    assert weights[0] == weights[1]


def test_no_students_at_all_are_refused(tmp_path):
    with pytest.raises(SettingError, match="together = 0"):
        execute([one_hot()], store=Store(tmp_path), together=0)
