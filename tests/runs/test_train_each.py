"""Runs that fail stop only what builds on them."""

import pytest
from small_runs import distilled, one_hot

from kdlib.data import load
from kdlib.errors import DataError, SettingError
from kdlib.runs import Store
from kdlib.runs import train_each as module
from kdlib.runs.plan import HELD_OUT, room
from kdlib.runs.train_each import KILLED, train_each

TEACHER, STUDENT, OTHER = one_hot(100), distilled(), one_hot(7)


def failing(error):
    """Takes ``train_one``'s place: the teacher's training fails with ``error``."""
    true = module.train_one

    def train_one(spec, store, **how):
        if spec == TEACHER:
            raise error
        return true(spec, store, **how)

    return train_one


def test_teachers_come_first_and_each_run_is_trained_once(tmp_path):
    store = Store(tmp_path)
    assert train_each([STUDENT, OTHER, STUDENT], store=store, jobs=1, progress=False) == {}
    started = {spec: store.finished(spec).environment["started"] for spec in (TEACHER, STUDENT)}
    assert started[TEACHER] <= started[STUDENT]
    assert train_each([STUDENT], store=store, jobs=1, progress=False) == {}
    assert store.finished(STUDENT).environment["started"] == started[STUDENT]


@pytest.mark.parametrize(
    ("error", "reason"),
    [(DataError("a file is missing"), "a file is missing"),
     (RuntimeError("CUDA out of memory\nand more"), "RuntimeError: CUDA out of memory")],
)  # fmt: skip
def test_one_that_fails_stops_only_what_builds_on_it(tmp_path, monkeypatch, error, reason):
    monkeypatch.setattr(module, "train_one", failing(error))
    store = Store(tmp_path)
    failures = train_each([STUDENT, OTHER], store=store, jobs=1, progress=False)
    assert failures == {
        TEACHER: reason,
        STUDENT: f"it builds on run {TEACHER.id} ({TEACHER.label()}), which failed",
    }
    assert store.get(OTHER) is not None


def test_a_diverged_run_is_a_result_and_so_are_its_students(tmp_path):
    hot = one_hot(100, peak_rate=100.0)
    student = STUDENT.model_copy(update={"teacher": hot})
    store = Store(tmp_path)
    assert train_each([student, OTHER], store=store, jobs=1, progress=False) == {}
    statuses = [store.finished(spec).status for spec in (hot, student, OTHER)]
    assert statuses == ["diverged", "diverged", "completed"]


def test_worker_processes_tell_why_a_run_failed(tmp_path):
    """A file lies where a run's folder belongs: that run alone cannot be kept."""
    (tmp_path / TEACHER.id).write_text("")
    specs, store = [STUDENT, OTHER, one_hot(8)], Store(tmp_path)
    failures = train_each(specs, store=store, jobs=2, progress=False)
    assert set(failures) == {TEACHER, STUDENT}
    assert f"run {TEACHER.id} cannot be kept" in failures[TEACHER]
    assert all(store.get(spec) is not None for spec in (OTHER, one_hot(8)))


def test_a_pool_that_is_killed_is_tried_again_and_then_given_up(tmp_path, monkeypatch):
    """Pools that answer for one run each and are then killed."""
    pools = []

    def dying(specs, store, device, jobs):
        pools.append(list(specs))
        yield specs[0], None

    monkeypatch.setattr(module, "_side_by_side", dying)
    specs = [one_hot(seed) for seed in range(3)]
    failures = train_each(specs, store=Store(tmp_path), jobs=2, progress=False)
    assert [len(pool) for pool in pools] == [3, 2]
    assert failures == {specs[2]: KILLED}


def test_a_run_of_another_version_is_refused(tmp_path):
    with pytest.raises(SettingError, match="results version 1"):
        train_each([OTHER.model_copy(update={"version": 1})], store=Store(tmp_path))


def test_the_room_that_runs_will_take_is_what_they_take(tmp_path):
    store = Store(tmp_path)
    train_each([OTHER], store=store, jobs=1, progress=False)
    taken = sum(path.stat().st_size for path in store.folder(OTHER).iterdir())
    assert taken == pytest.approx(room([OTHER]), rel=0.1)
    assert room([OTHER, STUDENT]) == 2 * room([OTHER])


def test_held_out_images_are_those_of_the_data(tmp_path):
    digits = load("digits")
    assert HELD_OUT["digits"] == len(digits.validation) + len(digits.test)
