"""What a plan says of tables is what then happens."""

import pytest
from small_runs import distilled, one_hot

from kdlib.runs import Store, execute
from kdlib.runs.plan import planned_tables
from kdlib.runs.teacher_tables import FOLDER


def students(epochs, count, **changes):
    specs = [distilled(seed, epochs=epochs) for seed in range(count)]
    recipe = specs[0].recipe.model_copy(update=changes)
    shared = {"teacher": one_hot(100), "recipe": recipe}
    return [spec.model_copy(update=shared) for spec in specs]


@pytest.mark.parametrize(("epochs", "count", "built"), [(12, 1, 1), (6, 2, 1), (6, 1, 0)])
def test_a_plan_says_which_tables_are_built(tmp_path, epochs, count, built):
    specs, store = students(epochs, count), Store(tmp_path)
    planned = planned_tables([[one_hot(100)], specs], "cpu")
    assert (len(planned.sizes), planned.too_large, planned.too_few_views) == (built, 0, 1 - built)
    execute(specs, store=store, jobs=1, progress=False, device="cpu")
    files = list((store.root / FOLDER).glob("*.safetensors"))
    assert len(files) == built
    for file, size in zip(files, planned.sizes, strict=True):
        assert file.stat().st_size == pytest.approx(size, rel=0.02)


def test_a_plan_says_which_teachers_answer_on_the_views_of_a_seed(tmp_path):
    """Two students of one seed and two epochs; a third of another seed, which shares no view."""
    first, other = students(2, 2)
    objective = first.objective.model_copy(update={"temperature": 4.0})
    specs = [first, first.model_copy(update={"objective": objective}), other]
    planned = planned_tables([specs], "cpu")
    assert (planned.sizes, planned.too_few_views, len(planned.visited)) == ((), 0, 1)
    assert "1 from logits on the views that several students of a seed visit" in str(planned)
    assert planned_tables([specs], "cuda").visited == ()
    assert planned_tables([[first, other]], "cpu").visited == ()
    assert planned_tables([specs[:1], specs[1:]], "cpu").visited == ()  # not trained side by side
    store = Store(tmp_path)
    execute(specs, store=store, jobs=1, progress=False, device="cpu")
    (file,) = (store.root / FOLDER).glob("*.safetensors")
    assert 0.5 * planned.visited[0] < file.stat().st_size < planned.visited[0]


def test_on_a_gpu_and_in_bf16_each_student_is_counted_alone():
    assert planned_tables([students(6, 2)], "cuda").sizes == ()
    assert planned_tables([students(6, 2, precision="bf16")], "cpu").sizes == ()


def test_a_table_beyond_the_limit_is_not_planned():
    data = students(1000, 1)[0].data.model_copy(update={"name": "cifar100", "imbalance": 1.0})
    wide = [s.model_copy(update={"data": data}) for s in students(1000, 1, crop_padding=8)]
    planned = planned_tables([wide], "cpu")
    assert (planned.sizes, planned.too_large) == ((), 1)
    assert "a cache would exceed 4 GiB" in str(planned)
