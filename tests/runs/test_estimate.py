"""The estimate of a plan: its arithmetic from given costs, and real short trainings."""

import time

import pytest
from small_runs import ablation, ada_alpha, ada_margin, distilled, one_hot, robust_student

from kdlib.data import load
from kdlib.models import ModelSpec
from kdlib.runs import DataSpec, RunSpec, Store, execute, missing_runs, short_trainings
from kdlib.runs import plan as module
from kdlib.runs.execute import planned_stacks
from kdlib.runs.plan import Estimate, estimate
from kdlib.runs.shapes import training_images
from kdlib.runs.short_trainings import Cost, measured_costs
from kdlib.runs.spec import AveragedRobustCost
from kdlib.training import PRESETS, MultiplierRule


@pytest.fixture
def costs(monkeypatch):
    """A training takes 7 s and 1 ms per image, then 9 s and 2 ms; workers start in 4 s."""
    asked = []

    def measured(stacks, *, device, jobs):
        asked.append((len(stacks), device, jobs))
        return [[Cost(7, 1e-3), Cost(9, 2e-3)] for _ in stacks], 4.0 * (jobs > 1)

    monkeypatch.setattr(module, "measured_costs", measured)
    return asked


def test_one_process_takes_the_sum_and_kinds_are_measured_once(costs):
    stacks = [[one_hot(0), one_hot(1)], [one_hot(2), one_hot(3)], [distilled(0)]]
    images = sum(training_images(spec) for stack in stacks for spec in stack)
    found = estimate([stacks[:1], stacks[1:]], device="cpu", jobs=1)
    assert found.lower == pytest.approx(0.9 * (21 + images * 1e-3))
    assert found.upper == pytest.approx(1.3 * (27 + images * 2e-3))
    assert costs == [(2, "cpu", 1)]


def test_several_processes_wait_for_the_longest_and_start_first(costs):
    short, long = one_hot(0), one_hot(0, epochs=60)
    low = [7 + training_images(spec) * 1e-3 for spec in (short, long)]
    high = [9 + training_images(spec) * 2e-3 for spec in (short, long)]
    found = estimate([[[short]], [[short], [long]]], device="cpu", jobs=2)
    assert found.lower == pytest.approx(0.9 * (low[0] + low[1]) + 4)  # each alone is the longest
    waits = high[0] + (high[0] + high[1]) / 2 + high[1] / 2
    assert found.upper == pytest.approx(1.3 * waits + 4)


@pytest.mark.parametrize(
    ("lower", "upper", "words"),
    [(18, 35, "18 to 35 s"), (50, 200, "50 s to 3 min"), (0.2, 0.4, "about 1 s"),
     (400, 1000, "7 to 17 min"), (5000, 9000, "83 min to 2.5 h")],
)  # fmt: skip
def test_a_range_in_words(lower, upper, words):
    assert str(Estimate(lower, upper)) == words


def test_time_for_what_comes_before_the_first_step_is_told_from_time_for_images():
    cost = short_trainings._line((7 + 2 * 10, 10), (7 + 2 * 30, 30))
    assert (cost.fixed, cost.per_image) == pytest.approx((7, 2))
    assert short_trainings._line((1.0, 10), (1.0, 50)).per_image > 0  # a clock that stood still


@pytest.mark.parametrize(
    "stack",
    [
        [one_hot()],
        [one_hot(0), distilled(1)],
        [ada_alpha()],
        [ada_margin()],
        [ablation("weighted")],
        [robust_student()],
        [robust_student().model_copy(update={"objective": robust_student().objective.model_copy(
            update={"log_cost": AveragedRobustCost(rule=MultiplierRule(update_every=9))})})],
    ],
)  # fmt: skip
def test_runs_of_every_kind_can_be_cut_short_and_timed(stack):
    ((cost,),), start = measured_costs([stack], device="cpu", jobs=1)
    assert start == 0 and cost.fixed >= 0 and 0 < cost.per_image < 1


def test_a_cut_run_sees_the_images_that_are_counted():
    cut = short_trainings._cut(one_hot(5, epochs=40), 3, 1)
    assert (cut.recipe.epochs, cut.seed) == (3, 6)
    assert training_images(cut) == 3 * len(load("digits", imbalance=20).train)


def test_other_data_are_made_up():
    paper = PRESETS["cifar100_paper"].model_copy(update={"batch_size": 16})
    spec = RunSpec(data=DataSpec(name="cifar100"), model=ModelSpec(depth=8), recipe=paper)
    ((cost,),), _ = measured_costs([[spec]], device="cpu", jobs=1)
    assert 0 < cost.per_image < 1


@pytest.mark.slow
def test_two_workers_measure_side_by_side_and_say_when_they_were_there():
    (first, second), start = measured_costs([[one_hot()], [distilled()]], device="cpu", jobs=2)
    assert len(first) == len(second) == 1 and 0 <= start < 100
    (alone,), _ = measured_costs([[one_hot()]], device="cpu", jobs=2)
    assert len(alone) == 2  # none stands idle


@pytest.mark.slow
def test_a_plan_tells_the_processor_time_of_its_runs_within_its_range(tmp_path, monkeypatch):
    class Clock:  # of this process alone, so that the machine's other work does not count
        perf_counter = staticmethod(time.process_time)

    monkeypatch.setattr(short_trainings, "time", Clock)
    specs, store = [distilled(seed, epochs=40) for seed in range(2)], Store(tmp_path)
    stacks = planned_stacks(missing_runs(specs, store), device="cpu", jobs=1, together=1)
    expected = estimate(stacks, device="cpu", jobs=1)
    started = time.process_time()
    execute(specs, store=store, jobs=1, progress=False)
    assert 0.6 * expected.lower < time.process_time() - started < 1.6 * expected.upper
