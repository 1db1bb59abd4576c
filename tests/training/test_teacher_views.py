"""The teacher cache: exact view by view, and the training that it gives."""

import pytest
import torch
from small_training import CLASSES, RECIPE, changed, network, random_split, run, same_state

from kdlib.data import apply_views, num_views, to_float
from kdlib.errors import SettingError
from kdlib.training import LossVectors
from kdlib.training.teacher_views import (
    TeacherTable,
    build_table,
    table_bytes,
    table_pays,
    table_shape,
)


def teacher():
    """A network whose batch norms have seen data."""
    model, _ = run(model=network(seed=7))
    return model


def table_of(model, split, recipe=RECIPE):
    return build_table(model, split, recipe, dataset_name="")


@pytest.mark.parametrize(("padding", "flip"), [(0, False), (1, False), (1, True), (2, True)])
def test_every_entry_is_the_teachers_answer_to_that_view(padding, flip):
    recipe, split, model = changed(crop_padding=padding, flip=flip), random_split(5), teacher()
    table = table_of(model, split, recipe)
    assert table.shape == (5, num_views(padding, flip), CLASSES)
    for row in range(5):
        for view in range(table.shape[1]):
            image = apply_views(split.images[[row]], torch.tensor([view]), padding, flip)
            with torch.no_grad():
                expected = model.eval()(to_float(image, "centre", ""))[0]
            torch.testing.assert_close(table[row, view], expected, rtol=1e-5, atol=1e-6)


def test_a_student_learns_the_same_from_the_table_as_from_the_network():
    split, model = random_split(), teacher()
    soft = LossVectors.constant(CLASSES, mix=1.0, temperature=2.0)
    first, one = run(split=split, vectors=soft, teacher=model)
    second, two = run(split=split, vectors=soft, teacher=TeacherTable(table_of(model, split)))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert one.history[-1]["loss"] == pytest.approx(two.history[-1]["loss"], rel=1e-5)


def test_one_thread_gives_the_same_bits():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        split, model = random_split(), teacher()
        soft = LossVectors.constant(CLASSES, mix=1.0)
        first, _ = run(split=split, vectors=soft, teacher=model)
        second, _ = run(split=split, vectors=soft, teacher=TeacherTable(table_of(model, split)))
    finally:
        torch.set_num_threads(threads)
    assert same_state(first, second)


def test_its_size_is_known_before_it_is_built():
    split = random_split(6)
    table = table_of(teacher(), split)
    assert tuple(table.shape) == table_shape(RECIPE, 6, CLASSES)
    assert table.numel() * table.element_size() == table_bytes(RECIPE, 6, CLASSES)
    cifar = changed(crop_padding=4, flip=True)
    assert table_bytes(cifar, 10_847, 100) == 10_847 * 162 * 100 * 4


@pytest.mark.parametrize(("epochs", "pays"), [(17, False), (18, True), (100, True)])
def test_it_pays_once_a_student_sees_each_view_once_on_average(epochs, pays):
    recipe = changed(epochs=epochs)  # 18 views per image, 64 images, batches of 16
    assert table_pays(recipe) == pays


def test_students_are_counted_together():
    assert table_pays(changed(epochs=6), seeds=3)
    assert not table_pays(changed(epochs=6), seeds=2)


def test_an_early_stop_counts():
    assert not table_pays(changed(epochs=100, stop_after=10))


def test_a_table_of_another_rank_is_refused():
    with pytest.raises(SettingError, match=r"expected \[N, V, L\]"):
        TeacherTable(torch.zeros(3, 4))
