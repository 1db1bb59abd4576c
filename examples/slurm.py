"""Run a kdlib command on Slurm: Dask workers are Slurm jobs, and one that ends is replaced.

.venv/bin/pip install dask-jobqueue
.venv/bin/python examples/slurm.py --jobs 4 --cores 8 -- .venv/bin/kdlib reproduce results --yes

Call it where jobs are submitted, with KDLIB_STORE (and KDLIB_DATA) on a file system that all nodes
see. The command gets the option --scheduler with the address of the cluster. A job that reaches its
time limit leaves its run's checkpoint, from which the next job goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from dask_jobqueue import SLURMCluster


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """The options, and the command behind ``--``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1, help="Slurm jobs, each a worker")
    parser.add_argument("--cores", type=int, default=1, help="of a job")
    parser.add_argument("--gpus", type=int, default=0, help="of a job")
    parser.add_argument("--memory", default="8GB", help="of a job")
    parser.add_argument("--walltime", default="04:00:00", help="of a job")
    parser.add_argument("--partition", help="[default: Slurm's own]")
    parser.add_argument("--logs", default="slurm-logs", help="folder of the jobs' output")
    parser.add_argument("command", nargs="+", help="a kdlib command that takes --scheduler")
    return parser.parse_args(words)


def cluster_of(options: argparse.Namespace) -> SLURMCluster:
    """A cluster without workers yet. Each trains one run at a time, with all cores of its job."""
    share = [f"export {name}={options.cores}" for name in ("LOKY_MAX_CPU_COUNT", "OMP_NUM_THREADS")]
    return SLURMCluster(
        queue=options.partition,
        cores=1,  # Dask's threads
        processes=1,
        job_cpu=options.cores,
        memory=options.memory,
        walltime=options.walltime,
        job_extra_directives=[f"--gres=gpu:{options.gpus}"] if options.gpus else [],
        job_script_prologue=share,
        log_directory=options.logs,
        python=sys.executable,
        scheduler_options={"dashboard_address": ":0"},
    )


def main() -> int:
    """Start the cluster, run the command on it, and end with its exit code."""
    options = parsed()
    with cluster_of(options) as cluster:
        cluster.adapt(minimum_jobs=options.jobs, maximum_jobs=options.jobs)
        return subprocess.call([*options.command, "--scheduler", cluster.scheduler_address])


if __name__ == "__main__":
    sys.exit(main())
