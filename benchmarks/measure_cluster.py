"""Measure what a cluster adds to a run: ``.venv/bin/python benchmarks/measure_cluster.py``.

1,000 tiny runs on a Dask cluster of two local workers.
The runs are trainings of one epoch on digits, each of another seed, into an empty store. Counted
as a run's own work is what its ``environment.json`` says: from its start to the end of its
evaluation. The rest of the workers' time is overhead: planning, messages, locks, hashes, files.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass

from machine import machine_rows
from results_file import fill_results, markdown

from kdlib.models import ModelSpec
from kdlib.runs import DataSpec, RunSpec, Store
from kdlib.runs.cluster import local_cluster, train_on
from kdlib.training import CosineDecay, Recipe

RUNS, WORKERS = 1000, 2
LIMIT = 150.0
"""Milliseconds per run."""


@dataclass(frozen=True)
class Measured:
    """Of some runs: seconds until all were there, and seconds of each run's own work."""

    wall: float
    own: list[float]

    @property
    def overhead(self) -> float:
        """Milliseconds of a worker's time for each run beyond its own work."""
        return 1000 * (WORKERS * self.wall / len(self.own) - statistics.fmean(self.own))


def tiny_runs(count: int) -> list[RunSpec]:
    """Trainings of one epoch on digits, which differ in their seed."""
    recipe = Recipe(
        epochs=1, batch_size=64, peak_rate=0.05, warmup_epochs=0, schedule=CosineDecay(),
        weight_decay=1e-4, momentum=0.9, nesterov=True, crop_padding=1, flip=False,
        input_scaling="centre", precision="fp32",
    )  # fmt: skip
    data, model = DataSpec(name="digits", imbalance=20), ModelSpec(depth=8)
    return [RunSpec(data=data, model=model, recipe=recipe, seed=seed) for seed in range(count)]


def measured(count: int) -> Measured:
    """Train that many runs on a fresh cluster whose workers have loaded what they need."""
    with tempfile.TemporaryDirectory() as folder, local_cluster(WORKERS, device="cpu") as client:
        warm = Store(f"{folder}/warm")
        train_on(client, tiny_runs(4 * WORKERS), store=warm, share=WORKERS, progress=False)
        store, specs = Store(f"{folder}/runs"), tiny_runs(count)
        started = time.perf_counter()
        failures = train_on(client, specs, store=store, share=WORKERS, progress=False)
        wall = time.perf_counter() - started
        assert not failures, failures
        return Measured(wall, [store.finished(s).environment["seconds"] for s in specs])


def table(found: Measured) -> list[dict[str, str]]:
    """One row: what was run, and what of it was overhead."""
    return [
        {
            "runs": f"{len(found.own):,}",
            "workers": str(WORKERS),
            "all of them": f"{found.wall:.0f} s",
            "own work of a run": f"{1000 * statistics.fmean(found.own):.0f} ms",
            "overhead of a run": f"{found.overhead:.0f} ms",
            f"under {LIMIT:.0f} ms": "yes" if found.overhead < LIMIT else "no",
        }
    ]


def main() -> None:
    """Measure, and write the section of ``benchmarks/RESULTS.md``."""
    found = measured(RUNS)
    fill_results("cluster", f"{markdown([machine_rows()])}\n\n{markdown(table(found))}")
    print(markdown(table(found)))


if __name__ == "__main__":
    main()
