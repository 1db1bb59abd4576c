"""The benchmark of the GPU: all of it at the size of a toy on a CPU, and its arithmetic."""

import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import gpu_profile  # noqa: E402
import gpu_trainings  # noqa: E402
import measure_gpu  # noqa: E402
import readme  # noqa: E402
import results_file  # noqa: E402

from kdlib.training import steps  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    steps.forget()


def test_a_dry_run_measures_every_part_and_leaves_the_results_alone(tmp_path):
    before = results_file.RESULTS.read_text(encoding="utf-8")
    measure_gpu.main(["--dry", "--out", str(tmp_path / "out.md")])
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert all(f"**{part.title}**" in text for part in measure_gpu.PARTS)
    assert "none: a dry run" in text
    assert "Left out" not in text and "Failed" not in text
    assert results_file.RESULTS.read_text(encoding="utf-8") == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_nothing_is_measured(capsys):
    measure_gpu.main([])
    assert "No GPU here" in capsys.readouterr().out


def parts(*measures, needs=10.0):
    return tuple(measure_gpu.Part(m.__name__, needs, m) for m in measures)


def fine(scale, found):
    return "measured"


def broken(scale, found):
    raise RuntimeError("no memory\nmore")


def test_a_part_that_fails_or_does_not_fit_costs_only_itself(monkeypatch):
    monkeypatch.setattr(measure_gpu, "PARTS", (*parts(broken, fine), *parts(fine, needs=99.0)))
    written = []
    text = measure_gpu.measure(gpu_trainings.DRY, lambda: 50.0, written.append)
    assert "**broken**\n\nFailed: RuntimeError: no memory\n\n**fine**\n\nmeasured" in text
    assert text.endswith("Left out: 50 s were left, and it may need 99 s.")
    assert len(written) == 3 and written[-1] == text


def test_the_parts_of_most_worth_fit_the_budget_together():
    needs = [part.needs for part in measure_gpu.PARTS]
    assert sum(needs[:9]) <= measure_gpu.BUDGET
    assert measure_gpu.BUDGET + measure_gpu.OVERRUN < 540


def test_the_limit_scales_with_the_speed_of_memory():
    assert measure_gpu.limit(4.8e12) == pytest.approx(83)
    assert measure_gpu.limit(2.4e12) == pytest.approx(166)


def test_a_training_at_half_the_limits_speed_reaches_half_of_it():
    speed = gpu_trainings.Speed("captured", 22.5e6 / 166, 0.3, 5.0, 0.1, 2 * 10**9)
    row = measure_gpu.against_limit(speed, 4.8e12)
    assert row["450 epochs of CIFAR-100, extrapolated"] == "166 s"
    assert row["of the limit"] == "50 %"
    assert row["below 125 s"] == "no"


def test_images_a_second_are_those_of_whole_batches():
    speed = gpu_trainings.speed(gpu_trainings.DRY, "captured", batch=4, images=6)
    assert speed.images_a_second == pytest.approx(4 / speed.epoch)


@pytest.mark.parametrize(
    ("intervals", "share"),
    [([], 0.0), ([(0, 4)], 0.0), ([(0, 1), (3, 4)], 0.5), ([(0, 3), (1, 2), (2, 4)], 0.0),
     ([(5, 6), (0, 1), (0, 2)], 0.5)],
)  # fmt: skip
def test_time_is_idle_where_no_kernel_runs(intervals, share):
    kernels = [gpu_profile.Kernel("k", *interval) for interval in intervals]
    assert gpu_profile.idle_share(kernels) == pytest.approx(share)


def test_kernels_are_ranked_by_their_share():
    kernels = [gpu_profile.Kernel(n, 0, t) for n, t in (("a", 1), ("b|c", 6), ("a", 2), ("d", 1))]
    rows = gpu_profile.top_kernels(kernels, count=2)
    assert [(r["kernel"], r["calls"], r["share of kernel time"]) for r in rows] == [
        ("`b c`", "1", "60.0 %"),
        ("`a`", "2", "30.0 %"),
    ]


def test_the_results_have_a_block_for_it():
    text = results_file.RESULTS.read_text(encoding="utf-8")
    assert readme.replace_block(text, "gpu", "x") != text
