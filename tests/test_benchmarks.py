"""The pure parts of the benchmarks: what they write, and how they measure a process tree."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import convolution_limit  # noqa: E402
import distillation_step  # noqa: E402
import growth  # noqa: E402
import machine  # noqa: E402
import many_students  # noqa: E402
import measure_book  # noqa: E402
import measure_training  # noqa: E402
import readme  # noqa: E402
import repdistiller  # noqa: E402
import results_file  # noqa: E402
import rivals  # noqa: E402
import same_accuracy  # noqa: E402
import side_by_side  # noqa: E402
import step_targets  # noqa: E402
import torch  # noqa: E402

from kdlib.models import ModelSpec, build  # noqa: E402

MEGABYTES = 10**6


# Blocks of the README


def test_a_block_is_replaced_and_nothing_else():
    text = "a\n<!-- x -->\nold\n\nlines\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n"
    assert readme.replace_block(text, "x", r"new \1") == (
        "a\n<!-- x -->\nnew \\1\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n"
    )


def test_replacing_twice_is_replacing_once():
    text = "<!-- x -->\n<!-- /x -->"
    once = readme.replace_block(text, "x", "content\n")
    assert readme.replace_block(once, "x", "content\n") == once


@pytest.mark.parametrize("text", ["", "<!-- x -->\n<!-- /x -->\n" * 2])
def test_a_block_must_be_there_once(text):
    with pytest.raises(ValueError, match="exactly 1"):
        readme.replace_block(text, "x", "")


def test_the_readme_has_the_blocks_that_the_commands_fill():
    text = readme.README.read_text(encoding="utf-8")
    for name in ("finding", "times", "batch size"):
        assert readme.replace_block(text, name, "x") != text


# Measuring


def test_usage_counts_the_memory_of_children():
    child = f"x = bytearray({100 * MEGABYTES}); import time; time.sleep(1.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    usage = measure_book.measured([sys.executable, "-c", parent], BENCHMARKS, dict(os.environ))
    assert usage.seconds > 1.4
    assert 100 * MEGABYTES < usage.memory <= usage.resident < 250 * MEGABYTES


def test_a_command_that_fails_is_no_measurement():
    with pytest.raises(subprocess.CalledProcessError):
        measure_book.measured([sys.executable, "-c", "raise SystemExit(3)"], BENCHMARKS, {})


def test_a_process_that_has_ended_uses_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert measure_book.tree_memory(process.pid) == (0, 0)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, "0.012 s"), (1.26, "1.3 s"), (40, "40 s"), (231.4, "231 s")]
)
def test_amounts_are_rounded_for_reading(value, text):
    assert measure_book.amount(value, "s") == text


def test_the_report_shows_limits_and_what_breaks_them():
    rows = [
        measure_book.Row("fast", 2, 1.0, "s"),
        measure_book.Row("slow", 2, 3.0, "s"),
        measure_book.Row("free", None, 5.0, "GB"),
    ]
    lines = measure_book.report(rows, {"cores": "2"}).splitlines()
    assert "| fast | 2.0 s | 1.0 s | yes |" in lines
    assert "| slow | 2.0 s | 3.0 s | **no** |" in lines
    assert "| free | – | 5.0 GB |  |" in lines
    assert "| cores | 2 |" in lines


def test_the_book_rows_take_the_largest_memory():
    usages = [measure_book.Usage(1, peak, 2 * peak) for peak in (10**9, 3 * 10**9, 2 * 10**9)]
    rows = {row.what: row for row in measure_book.book_rows(*usages, imported=0.01)}
    peak = rows["peak memory of all processes, shared pages once"]
    assert peak.value == pytest.approx(3)
    assert peak.verdict == "**no**"


def test_the_chapter_that_is_timed_is_one_of_the_book():
    chapters = (BENCHMARKS.parent / "_toc.yml").read_text().split()
    assert measure_book.CHAPTER in {Path(chapter).name for chapter in chapters}


def test_the_readme_gets_times_with_their_machine():
    rows = [measure_book.Row("`make book`", 360, 200, "s"), measure_book.Row("x", None, 1, "s")]
    words = measure_book.times_in_words(rows, {"processor": "Some CPU", "cores": "2"})
    assert words.startswith("On Some CPU, 2 cores")
    assert "* `make book`: 200 s" in words
    assert "* x" not in words


def test_the_processor_is_named(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU\nmodel name\t: Some CPU\n")
    assert machine.processor_name(cpuinfo) == "Some CPU"
    assert machine.processor_name(tmp_path / "none")


# Trainings against other loops


def test_rows_become_a_markdown_table():
    rows = [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert results_file.markdown(rows).splitlines() == [
        "| a | b |",
        "|---|---|",
        "| 1 | 2 |",
        "| 3 | 4 |",
    ]


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_an_exponent_is_the_power_of_the_size(power):
    sizes = (10, 100, 1000)
    assert growth.exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_rivals_take_turns_after_one_pass_that_is_not_counted():
    order = []

    def start(name, work):
        return lambda: order.append(name * (sum(range(4_000_000)) > 0) + str(len(work.labels)))

    starts = {name: functools.partial(start, name) for name in "ab"}
    work, little = rivals.random_work(8), rivals.random_work(4)
    found = distillation_step.speeds(starts, work, little, rounds=2)
    assert "".join(order) == "a4b4" + 3 * "a8b8"
    assert [(name, len(speed.wall)) for name, speed in found.items()] == [("a", 2), ("b", 2)]


def test_processor_time_counts_the_work_of_children_and_not_waiting():
    busy = "sum(range(8_000_000))"
    wall, processor = distillation_step.times_of(
        lambda: subprocess.run([sys.executable, "-c", f"import time; {busy}; time.sleep(1)"])
    )
    assert wall > 1
    assert 0.02 < processor < wall - 0.9


KINDS = [rivals.EAGER, rivals.FUSED, rivals.BF16]


def speeds_of(forward, table, other, **more):
    """The ways of kdlib alike, and one rival; a processor does half as much."""
    step = step_targets
    rates = {step.REPDISTILLER: other, **more}
    for kind in KINDS:
        rates |= {step.ours("forward", kind): forward, step.ours("table", kind): table}
    return {
        name: step.Speed(name, (rate, 0.9 * rate, 1.1 * rate), (rate / 2,) * 3, 2 * 10**9)
        for name, rate in rates.items()
    }


BUILDS = {p: {"wall": 1e9, "processor": 1e9} for p in ("fp32", "bf16")}
LIMITS = dict.fromkeys(BUILDS, convolution_limit.Limits(250, 500, 600, 1e9))


def test_the_tables_of_a_step_give_ratios_and_verdicts():
    step, found = step_targets, speeds_of(forward=230, table=400, other=100)
    row = step.speed_table(found)[0]
    assert row[f"times {step.REPDISTILLER}"] == "1.00 (1.00)"
    assert (row["images per second"], row["memory of all processes"]) == ("100", "2.0 GB")
    rows = step.target_table(found, BUILDS, LIMITS)
    assert [row["kdlib"] for row in rows[::3]] == ["fp32", "fp32 fused", "bf16"]
    assert [row["convolutions alone"] for row in rows[:3]] == ["2.50", "5.00", "5.00"]
    assert [row["measured"] for row in rows[:3]] == ["2.30 (2.30)", "4.00 (4.00)", "4.00 (4.00)"]
    assert {row["reached"] for row in rows} == {"yes"}
    slower = step.target_table(speeds_of(229, 399, 100), BUILDS, LIMITS)
    assert [row["reached"] for row in slower[:3]] == ["**no**", "yes", "**no**"]


def test_many_students_are_counted_side_by_side_where_that_is_faster():
    step = step_targets
    fast, slow = (step.ours("side by side", kind) for kind in (rivals.EAGER, rivals.FUSED))
    both = {fast: 440, slow: 360, step.REPDISTILLER_TWICE: 110}
    found = speeds_of(230, 400, 100, **both)
    rows = step.target_table(found, BUILDS, LIMITS)
    assert [row["measured"] for row in rows[1:6:3]] == ["4.40 (4.40)", "4.00 (4.00)"]
    assert [row["convolutions alone"] for row in rows[1:6:3]] == ["6.00", "5.00"]
    several = step.sweep_table(found, BUILDS)
    assert [(row["kdlib"], row["at a time"]) for row in several] == [
        ("fp32", "1"), ("fp32", "2"), ("fp32 fused", "1"), ("fp32 fused", "2"), ("bf16", "1"),
    ]  # fmt: skip
    assert several[1][f"times {step.REPDISTILLER}"] == "4.40"
    assert several[1][f"times {step.REPDISTILLER_TWICE}"] == "4.00"


def test_two_students_train_at_once_in_processes_of_their_own():
    with side_by_side.SideBySide(quick_pass, rivals.random_work(64)) as both:
        assert len({os.getpid(), *both.pids}) == 3
        both()
        both()
    assert [process.exitcode for process in both._processes] == [0, 0]


def quick_pass(work):
    """Stops on a thread too many."""
    assert torch.get_num_threads() == 1
    return functools.partial(work.images.float().mean, (0, 1))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_limit_of_a_step_is_its_convolutions(precision):
    work = rivals.random_work(16)
    small = rivals.Work(work.images, work.labels, 100, teacher=14, student=8, batch_size=16)
    found = convolution_limit.convolutions(small, 8, torch.float32)
    assert [one.images.shape[1] for one in found] == [3, 16, 16, 16, 32, 32, 64]
    assert all(one.images.is_contiguous(memory_format=torch.channels_last) for one in found)
    limit = convolution_limit.limits(small, precision)
    assert limit.table > limit.forward > 0
    assert limit.builds > 0 and limit.side_by_side > 0


def test_the_timed_gradients_are_those_of_a_training():
    layer = torch.nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False)
    images = torch.randn(2, 4, 8, 8).contiguous(memory_format=torch.channels_last)
    images.requires_grad_()
    answer = layer(images)
    answer.sin().sum().backward()
    one = convolution_limit.Convolution(layer, images.detach())
    inputs, weights, _ = convolution_limit.backward(one, answer.detach().cos(), of_inputs=True)
    torch.testing.assert_close(inputs, images.grad)
    torch.testing.assert_close(weights, layer.weight.grad)


def test_the_table_pays_where_both_ways_take_the_same_time():
    passes = step_targets.passes_to_pay(forward=100, table=300, builds=150)
    assert 162 / 150 + passes / 300 == pytest.approx(passes / 100)
    assert step_targets.passes_to_pay(forward=300, table=300, builds=150) == float("inf")


def test_the_cost_of_the_table_is_spread_over_the_students():
    images, views, shown = 50_000, 162, 50_000 * 240 * 8
    ours = images * views / 300 + shown / 400
    assert step_targets.sweep_ratio(100, 400, 300) == pytest.approx(shown / 100 / ours)


def test_hinton_s_loss_is_kdlib_s_up_to_the_teacher_s_entropy():
    from kdlib import losses

    torch.manual_seed(0)
    teacher, labels = torch.randn(6, 5), torch.tensor([0, 1, 2, 3, 4, 0])
    logits = torch.randn(6, 5, requires_grad=True)
    rivals.hinton_loss(logits, teacher, labels).backward()
    other = logits.detach().clone().requires_grad_()
    soft = losses.teacher_probabilities(teacher, rivals.TEMPERATURE)
    kl = losses.soft_target_loss(other / rivals.TEMPERATURE, labels, soft, mix=torch.ones(5))
    hard = losses.soft_target_loss(other, labels, soft, mix=torch.zeros(5))
    ((1 - rivals.ALPHA) * hard + rivals.ALPHA * rivals.TEMPERATURE**2 * kl).backward()
    torch.testing.assert_close(logits.grad, other.grad)


def test_every_loop_trains_the_student_of_the_same_work(monkeypatch):
    monkeypatch.setattr(repdistiller, "WORKERS", 0)
    work = rivals.random_work(32)
    small = rivals.Work(work.images, work.labels, 100, teacher=8, student=8, batch_size=16)
    starts = [
        rivals.with_kdlib,
        rivals.with_table,
        functools.partial(rivals.with_tutorial, workers=0),
    ]
    starts += [repdistiller.with_repdistiller, repdistiller.with_repdistiller_shape]
    for start in starts:
        start(small)()


def parameters(model):
    return sum(values.numel() for values in model.parameters())


def test_repdistiller_s_networks_are_kdlib_s_of_option_b():
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    theirs = repdistiller.Network(20, 100)
    ours = build(
        ModelSpec(depth=20, shortcut="B"), num_classes=100, channels=3, image_size=32, seed=1
    )
    names = [name.replace("shortcut.module.", "shortcut.") for name in ours.state_dict()]
    theirs.load_state_dict(dict(zip(names, ours.state_dict().values(), strict=True)))
    for mode in (True, False):
        torch.testing.assert_close(theirs.train(mode)(images), ours.train(mode)(images))
    features, _ = theirs(images, is_feat=True)
    assert [tuple(one.shape[1:]) for one in features] == [
        (16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8), (64,),
    ]  # fmt: skip
    assert parameters(theirs) == 278_324  # 270,256 of convolutions, 1,568 of norms, 6,500
    # 41 million multiplications; a projection of stage s adds 1 / 9 of a 3x3 one of half the input.
    work = rivals.random_work(1)
    added = 32 * 16 * 16 * 16 + 64 * 8 * 8 * 32
    base = repdistiller.multiplications(work.network(20), work.images[0].float())
    assert repdistiller.more_multiplications(work, 20) == pytest.approx(100 * added / base)
    assert base == pytest.approx(40.8e6, rel=0.01)


def test_its_step_measures_and_trains():
    torch.manual_seed(0)
    logits, teacher, labels = torch.randn(6, 9), torch.randn(6, 9), torch.arange(6)
    found = repdistiller.step_loss(logits, teacher, labels)
    torch.testing.assert_close(found, rivals.hinton_loss(logits, teacher, labels))
    right = torch.eye(6, 9)[[0, 1, 2, 4, 3, 5]]
    assert repdistiller.top_accuracies(right, labels)[0] == pytest.approx(100 * 4 / 6)
    assert repdistiller.top_accuracies(torch.eye(6), labels) == [100, 100]


def test_the_loops_that_are_compared_train_and_their_differences_are_paired():
    found = same_accuracy.accuracies(seeds=1, epochs=12)
    assert list(found) == list(same_accuracy.here())
    assert {same_accuracy.FP32, same_accuracy.BF16, same_accuracy.PLAIN} <= set(found)
    assert all(values[0] > 50 for values in found.values())
    steady = {
        same_accuracy.FP32: [71.0, 81.2, 90.8],
        same_accuracy.BF16: [69.0, 81.0, 90.0],
        same_accuracy.PLAIN: [70.0, 80.0, 90.0],
    }
    fp32, bf16, _ = same_accuracy.accuracy_table(steady)
    assert fp32["more than the plain loop"] == "+1.0 (+0.5 to +1.5)"
    assert (fp32["no difference within noise"], bf16["no difference within noise"]) == (
        "**no**",
        "yes",
    )


def test_a_sweep_says_how_its_time_and_memory_grow():
    points = [
        measure_training.Sweep(count, trained=0.5 * count, read=0.001, memory=1e8 * count**0.5)
        for count in (1, 4, 16)
    ]
    words = measure_training.sweep_growth(points)
    assert "From 4 to 16 students time grows as their number to the power 1.00" in words
    assert "memory to the power 0.50" in words
    assert [row["times one"] for row in measure_training.sweep_table(points)] == [
        "1.00", "4.00", "16.00",
    ]  # fmt: skip


def test_ways_to_train_ten_students_are_compared_with_one_of_the_same_turn():
    found = {
        many_students.ONE: [many_students.Cost(0, 0, 5e8)]
        + [many_students.Cost(t, t) for t in (1, 3)],
        "ten": [many_students.Cost(0, 0, 1e9)] + [many_students.Cost(4 * t, 6 * t) for t in (1, 3)],
    }
    one, ten = many_students.together_rows(found)
    assert (one["times one"], ten["times one"]) == ("1.00", "4.00")
    assert (ten["processor time, times one"], ten["time"]) == ("6.00", "8.00 s")
    assert ten["memory of all processes"] == "1.00 GB"


def test_work_costs_time_and_processor_time():
    spent = many_students.cost(lambda: sum(i * i for i in range(3_000_000)))
    assert 0 < spent.processor <= 1.2 * spent.wall + 0.1


def test_every_way_trains_as_many_students_as_it_says():
    for device in ("cpu", "cuda"):
        ways = many_students.ways(device)
        assert ways.pop(many_students.ONE).students == 1
        assert {way.students for way in ways.values()} == {many_students.STUDENTS}
    assert len({spec.id for spec in many_students.students(10)}) == 10
