"""The estimate of a plan: from a clock that the test moves, so that its arithmetic is known."""

import pytest
from small_runs import distilled, one_hot

from kdlib.runs import estimate


@pytest.fixture
def clock(monkeypatch):
    """Trainings take 7 s to set up and 2 s a step for each run in it; the first of all 50 more."""
    now, calls = [0.0], []

    def train(stack, batch, *, steps, device):
        now[0] += 7 + 2 * steps * len(stack) + (0 if calls else 50)
        calls.append((len(stack), batch, steps))

    monkeypatch.setattr(estimate.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(estimate, "_train_made_up", train)
    return calls


@pytest.mark.parametrize("many", [1, 4])
def test_the_speed_leaves_out_what_comes_before_the_first_step(clock, many):
    stack = [one_hot(seed) for seed in range(many)]
    speed = estimate.images_per_second(stack, device="cpu", threads=1)
    assert speed == pytest.approx(clock[0][1] / 2)  # a batch of one run in 2 s, however many share


def test_runs_are_counted_one_by_one_and_kinds_are_timed_once(clock):
    stacks = [[one_hot(0), one_hot(1)], [one_hot(2), one_hot(3)], [distilled(0)]]
    images = sum(estimate.training_images(spec) for stack in stacks for spec in stack)
    seconds = estimate.estimated_seconds(stacks, device="cpu", jobs=2)
    assert seconds == pytest.approx(images * 2 / clock[0][1] / 2)
    assert {shared for shared, *_ in clock[:5]} == {2}
    assert {shared for shared, *_ in clock[5:]} == {1} and len(clock) == 10


def test_a_stack_of_a_teacher_s_students_and_others_can_be_timed():
    stack = [one_hot(0), distilled(1)]
    assert 0 < estimate.images_per_second(stack, device="cpu", threads=1) < 1e9
