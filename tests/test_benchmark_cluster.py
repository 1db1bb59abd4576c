"""The benchmark of the cluster: its runs, and what counts as overhead, by hand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import measure_cluster as bench
import results_file
from readme import replace_block


@pytest.mark.parametrize(("wall", "overhead", "verdict"), [(2.2, 100, "yes"), (2.4, 200, "no")])
def test_overhead_is_the_time_of_the_workers_beyond_the_work_of_the_runs(wall, overhead, verdict):
    """Four runs of a second each on two workers would take two seconds."""
    found = bench.Measured(wall, [0.5, 1.5, 1.0, 1.0])
    assert found.overhead == pytest.approx(overhead)
    (row,) = bench.table(found)
    assert row["overhead of a run"] == f"{overhead} ms" and row["under 150 ms"] == verdict


def test_the_runs_are_distinct():
    assert len({spec.id for spec in bench.tiny_runs(50)}) == 50


def test_the_results_have_a_place_for_them():
    replace_block(results_file.RESULTS.read_text(encoding="utf-8"), "cluster", "")
