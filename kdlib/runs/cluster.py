"""Runs on a Dask cluster: of this machine's cores or GPUs, or any that a scheduler leads.

A run goes to a worker once those that it builds on are done; no generation waits for another. All
workers must see one store, which a shared file system holds. A worker that dies gives its run to
another, which goes on from the last checkpoint.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from kdlib.data.cores import cores
from kdlib.errors import SettingError
from kdlib.runs.cluster_workers import check_workers, wait_for_a_worker
from kdlib.runs.execute import chosen_device, missing_runs, refuse_other_versions, threads_for
from kdlib.runs.spec import RunSpec
from kdlib.runs.store import Store
from kdlib.runs.train_each import attempt, needs_failed
from kdlib.training.progress import progress as bar_over

if TYPE_CHECKING:
    from distributed import Client, Future, SpecCluster

MOST_WORKERS = 256
_PATIENCE = 20.0
"""Seconds in which a scheduler must answer."""
LATE = 60.0
"""Seconds after which a network's file system shows a new file, at the latest."""
_INSTALL = "Dask is not installed: pip install 'kdlib[cluster]'"
_one_at_a_time = threading.Lock()


@contextmanager
def local_cluster(workers: int, *, device: str | None = None) -> Iterator[Client]:
    """A cluster of this machine: each worker has one GPU, or a share of the cores.

    Args:
        workers: 1 to 256 processes; on GPUs no more than there are.
        device: ``cpu`` or ``cuda``; by default ``cuda`` where there is one.

    Raises:
        SettingError: a number or device that is not there, or Dask is not installed.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise SettingError(f"workers = {workers} is not allowed: 1 to {MOST_WORKERS}")
    shares = _shares(workers, chosen_device(device))
    distributed = _distributed()
    options = {
        "nthreads": 1,
        "memory_limit": 0,
        "dashboard": False,
        "silence_logs": logging.CRITICAL,
    }
    nannies = {
        place: {"cls": distributed.Nanny, "options": options | {"env": share}}
        for place, share in enumerate(shares)
    }
    leader = {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.SpecCluster(
            workers=nannies, scheduler={"cls": distributed.Scheduler, "options": leader},
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        client.wait_for_workers(workers)
        with _ends_at_once(cluster):
            yield client


@contextmanager
def _ends_at_once(cluster: SpecCluster) -> Iterator[None]:
    """End the workers where the block is interrupted: asked kindly, they would train on first."""
    try:
        yield
    except KeyboardInterrupt:
        for nanny in cluster.workers.values():
            nanny.auto_restart = False
            os.kill(nanny.pid, signal.SIGTERM)
        raise


def _shares(workers: int, device: str) -> list[dict[str, str]]:
    """The environment of each worker: which GPU it sees, or how many cores it uses."""
    if device == "cpu":
        return [{"OMP_NUM_THREADS": str(max(1, cores() // workers))}] * workers
    import torch

    gpus = torch.cuda.device_count()
    if workers > gpus:
        raise SettingError(f"workers = {workers} is not allowed on cuda: there are {gpus} GPUs")
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = seen.split(",") if seen else [str(number) for number in range(workers)]
    return [{"CUDA_VISIBLE_DEVICES": name} for name in names[:workers]]


@contextmanager
def joined_cluster(address: str) -> Iterator[Client]:
    """The cluster that the scheduler at ``address``, e.g. ``tcp://host:8786``, leads.

    It waits for the first worker, and says so after a few seconds and every half a minute.

    Raises:
        SettingError: nobody answers there, a worker has another kdlib, or Dask is not installed.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise SettingError(f"no Dask scheduler answers at {address!r}: {_line(error)}") from None
    with client:
        wait_for_a_worker(client, address)
        check_workers(client)
        yield client


def train_on(
    client: Client,
    specs: Iterable[RunSpec],
    *,
    store: Store | None = None,
    device: str | None = None,
    share: int = 1,
    progress: bool = True,
) -> dict[RunSpec, str]:
    """As ``kdlib.runs.train_each``, on a cluster.

    Args:
        client: of ``local_cluster`` or ``joined_cluster``.
        specs: the wanted runs. Their teachers are trained too, first.
        store: where runs are kept; every worker must see its folder.
        device: ``cpu`` or ``cuda``; by default each worker uses ``cuda`` where it has one.
        share: workers that share a machine's cores.
        progress: show a bar; where no terminal is, a line every 30 s.

    Returns:
        Each run that is not finished, and the reason in one line; empty when all went well.

    Raises:
        SettingError: a spec of another results version.
    """
    wanted, store = list(specs), store or Store()
    refuse_other_versions(wanted)
    missing = [spec for generation in missing_runs(wanted, store) for spec in generation]
    futures = _submitted(client, missing, store, device, share)
    reasons: dict[RunSpec, str] = {}
    with bar_over("training", "run", total=len(missing), shown=progress and bool(missing)) as bar:
        for spec, reason in _ended(futures):
            if reason is not None:
                reasons[spec] = reason
            bar.update()
    elsewhere = f"a worker finished it, but not into {store.root}: is that folder shared?"
    lost = _not_seen([spec for spec in missing if spec not in reasons], store)
    return reasons | dict.fromkeys(lost, elsewhere)


def _not_seen(specs: Sequence[RunSpec], store: Store) -> list[RunSpec]:
    """The runs that the store does not show; one of another machine may show them late."""
    deadline = time.monotonic() + LATE
    while lost := [spec for spec in specs if store.look(spec) is None]:
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    return lost


def _submitted(
    client: Client, specs: Iterable[RunSpec], store: Store, device: str | None, share: int
) -> dict[RunSpec, Future]:
    """A future for each run, which waits for those of the runs that it builds on."""
    futures: dict[RunSpec, Future] = {}
    call = uuid4().hex[:8]
    for spec in specs:
        parents = [futures[parent] for parent in spec.parents() if parent in futures]
        futures[spec] = client.submit(
            _task, spec.canonical_json(), str(store.root), device, share, *parents,
            key=f"kdlib-{spec.id}-{call}", pure=False,
        )  # fmt: skip
    return futures


def _task(
    spec_json: str, root: str, device: str | None, share: int, *parents: str | None
) -> str | None:
    """Train one run in a worker; the reason where it is not finished.

    torch's threads and random numbers are the process's own, so a worker trains one run at a time.
    """
    spec = RunSpec.model_validate_json(spec_json)
    if any(parents):
        return needs_failed(spec, dict.fromkeys(spec.parents(), ""))
    with _one_at_a_time:
        return attempt(spec, root, chosen_device(device), threads_for(spec, share))


def _ended(futures: Mapping[RunSpec, Future]) -> Iterator[tuple[RunSpec, str | None]]:
    """Each run as it ends, and the reason where it is not finished."""
    by_key = {future.key: spec for spec, future in futures.items()}
    for future in _distributed().as_completed(futures.values()):
        error = future.exception()
        yield by_key[future.key], future.result() if error is None else _told(error)


def _told(error: BaseException) -> str:
    if isinstance(error, _distributed().KilledWorker):
        return "its workers were killed, one after the other, perhaps for want of memory"
    return f"{type(error).__name__}: {_line(error)}"


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise SettingError(_INSTALL) from None
    return distributed
