"""Tables in the store: built once, rebuilt when damaged, and of no influence on results."""

import numpy as np
import pytest
import torch
from small_runs import distilled, one_hot

from kdlib.errors import SettingError
from kdlib.models import ModelSpec
from kdlib.runs import Store, execute, teacher_tables
from kdlib.runs.build import dataset_for, training_split
from kdlib.runs.teacher_tables import table_path, takes_fused_steps, teacher_signal
from kdlib.training.teacher_views import TeacherTable, VisitedViews, visits


def student(epochs=12, seed=0):
    """Twelve epochs of digits ask for more than the nine views per image."""
    spec = distilled(seed, epochs=epochs)
    return spec.model_copy(update={"teacher": one_hot(100)})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def signal(spec, store, fused=False):
    split = training_split(spec, dataset_for(spec))
    return teacher_signal(spec, split, store, "cpu", fused=fused)


def test_the_table_is_built_where_it_pays_and_used_where_it_is(store):
    execute([one_hot(100)], store=store, progress=False)
    assert not isinstance(signal(student(epochs=2), store), TeacherTable)
    assert isinstance(signal(student(epochs=12), store), TeacherTable)
    assert isinstance(signal(student(epochs=2), store), TeacherTable)


def test_results_do_not_depend_on_it(tmp_path, monkeypatch):
    with_table = execute([student()], store=Store(tmp_path / "a"), jobs=1, progress=False)[0]
    monkeypatch.setattr(teacher_tables, "LARGEST_TABLE", 0)
    without = execute([student()], store=Store(tmp_path / "b"), jobs=1, progress=False)[0]
    assert (tmp_path / "a" / "views").exists() and not (tmp_path / "b" / "views").exists()
    np.testing.assert_array_equal(with_table.logits("test"), without.logits("test"))


def test_students_of_one_teacher_share_one_table(store, monkeypatch):
    built = []
    real = teacher_tables.logits_on
    monkeypatch.setattr(
        teacher_tables, "logits_on", lambda *a, **k: built.append(1) or real(*a, **k)
    )
    execute([student(seed=0), student(seed=1)], store=store, jobs=1, progress=False)
    assert len(built) == 1


def tables(store):
    return list((store.root / teacher_tables.FOLDER).glob("*.safetensors"))


def test_two_students_together_ask_for_enough_views(tmp_path):
    first, second = student(6, seed=0), student(6, seed=1)
    together, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    at_once = execute([first, second], store=together, jobs=1, progress=False)
    one_by_one = [execute([s], store=alone, jobs=1, progress=False)[0] for s in (first, second)]
    assert (len(tables(together)), len(tables(alone))) == (1, 0)
    for a, b in zip(at_once, one_by_one, strict=True):
        np.testing.assert_array_equal(a.logits("test"), b.logits("test"))


def fusible(spec):
    """With batch norms of 16 channels."""
    model = ModelSpec(depth=8)
    return spec.model_copy(
        update={"model": model, "teacher": spec.teacher.model_copy(update={"model": model})}
    )


def hotter(epochs=6, seed=0, temperature=4.0):
    """Another student of the same teacher and seed, which sees the same views."""
    spec = student(epochs, seed)
    objective = spec.objective.model_copy(update={"temperature": temperature})
    return spec.model_copy(update={"objective": objective})


@pytest.mark.parametrize("step", ["eager", "fused"])
def test_students_of_one_seed_share_what_their_teacher_says_of_their_views(
    tmp_path, monkeypatch, step
):
    """Two students of three epochs ask for six of nine views, so a table of all does not pay."""
    monkeypatch.setenv("KDLIB_STEP", step)
    pair = [fusible(student(3)), fusible(hotter(3))]
    fused = takes_fused_steps(pair[0], "cpu")
    if step == "fused" and not fused:
        pytest.skip("fused steps cannot be had")
    together, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    at_once = execute(pair, store=together, jobs=1, progress=False)
    one_by_one = [execute([s], store=alone, jobs=1, progress=False)[0] for s in pair]
    assert isinstance(signal(pair[0], together, fused), VisitedViews)
    assert (len(tables(together)), len(tables(alone))) == (1, 0)
    assert {run.environment["step"] for run in (*at_once, *one_by_one)} == {step}
    for a, b in zip(at_once, one_by_one, strict=True):
        np.testing.assert_array_equal(a.logits("test"), b.logits("test"))


def test_students_in_one_batch_do_not_depend_on_it_where_fused_steps_are_asked_for(
    tmp_path, monkeypatch
):
    """They take none, so their teacher's layers are not fused either, with a cache or without."""
    monkeypatch.setenv("KDLIB_STEP", "fused")
    pair = [fusible(student(3)), fusible(hotter(3))]
    stores = [Store(tmp_path / name) for name in ("with", "without")]
    execute([spec.teacher for spec in pair], store=stores[0], progress=False)
    execute([spec.teacher for spec in pair], store=stores[1], progress=False)
    cached = execute(pair, store=stores[0], jobs=1, together=2, progress=False)
    monkeypatch.setattr(teacher_tables, "LARGEST_TABLE", 0)
    without = execute(pair, store=stores[1], jobs=1, together=2, progress=False)
    assert (len(tables(stores[0])), len(tables(stores[1]))) == (1, 0)
    for a, b in zip(cached, without, strict=True):
        np.testing.assert_array_equal(a.logits("test"), b.logits("test"))


def test_three_students_of_one_seed_need_no_table_of_all_views(store):
    """They visit the views of one of them, though together they ask for twelve of nine."""
    several = [student(4), hotter(4), hotter(4, temperature=5.0)]
    execute([one_hot(100)], store=store, progress=False)
    teacher_tables.build_shared_table(several, store, "cpu")
    assert isinstance(signal(several[0], store), VisitedViews)


def test_only_students_of_one_seed_share_their_views(store):
    execute([one_hot(100)], store=store, progress=False)
    several = [student(2, seed=0), student(2, seed=1), hotter(2, seed=1)]
    teacher_tables.build_shared_table(several, store, "cpu")
    assert teacher_tables.of_shared_seeds(several) == [several[1]]
    kinds = [isinstance(signal(spec, store), VisitedViews) for spec in several]
    assert kinds == [False, True, True]


def test_views_that_the_seed_does_not_visit_are_refused(store):
    spec = student(1)
    split = training_split(spec, dataset_for(spec))
    wanted = visits(spec.recipe, len(split), spec.seed)
    signal = VisitedViews(wanted, torch.arange(len(wanted))[:, None].float(), 9)
    seen = wanted[:5]
    found = signal(seen // 9, seen % 9, torch.empty(0))
    assert found.flatten().tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(SettingError, match="does not visit"):
        signal(seen // 9, (seen + 1) % 9, torch.empty(0))


def test_students_of_two_teachers_or_in_bf16_do_not_share_a_table(store):
    other = student(6, seed=1).model_copy(update={"teacher": one_hot(101)})
    low = student(6).recipe.model_copy(update={"precision": "bf16"})
    coarse = [student(6, seed=s).model_copy(update={"recipe": low}) for s in (2, 3)]
    assert teacher_tables.by_teacher([student(6), other, one_hot(3)]) == [[student(6)], [other]]
    execute([one_hot(100)], store=store, progress=False)
    teacher_tables.build_shared_table(coarse, store, "cpu")
    assert tables(store) == []


@pytest.mark.parametrize("damage", ["truncated", "altered", "other shape"])
def test_a_damaged_table_is_built_again(store, damage):
    spec = student()
    execute([one_hot(100)], store=store, progress=False)
    whole = signal(spec, store).logits.clone()
    path = table_path(spec, training_split(spec, dataset_for(spec)), store)
    content = bytearray(path.read_bytes())
    if damage == "altered":
        content[-3] ^= 1
    path.write_bytes(content[:200] if damage == "truncated" else bytes(content))
    if damage == "other shape":
        from safetensors.torch import save

        path.write_bytes(save({"logits": torch.zeros(1, 1, 10)}, metadata={"sha256": "x"}))
    assert torch.equal(signal(spec, store).logits, whole)


def test_another_teacher_or_other_crops_have_another_table(store):
    spec = student()
    split = training_split(spec, dataset_for(spec))
    recipe = spec.recipe.model_copy(update={"crop_padding": 0})
    others = [
        spec.model_copy(update={"teacher": one_hot(101)}),
        spec.model_copy(update={"recipe": recipe}),
    ]
    paths = {table_path(one, split, store) for one in (spec, *others)}
    assert len(paths) == 3
    hotter = student().model_copy(update={"seed": 5})
    assert table_path(hotter, split, store) == table_path(spec, split, store)
