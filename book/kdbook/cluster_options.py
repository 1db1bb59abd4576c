"""``--workers`` and ``--scheduler``: training on a Dask cluster where one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kdlib.errors import SettingError

if TYPE_CHECKING:
    from kdlib.runs import RunSpec, Store

_workers = click.option(
    "--workers", type=int, metavar="N",
    help="Train on a Dask cluster of N processes here: one GPU each, or a share of the cores.",
)  # fmt: skip
_scheduler = click.option(
    "--scheduler", metavar="ADDRESS", help="Train on the Dask cluster at tcp://HOST:PORT."
)


def cluster_options(command: Callable[..., None]) -> Callable[..., None]:
    """The two options."""
    return _workers(_scheduler(command))


def wants_cluster(how: Mapping[str, Any]) -> bool:
    """Whether a command's options ask for a cluster.

    Raises:
        SettingError: they ask for something else beside it.
    """
    asked = [f"--{name}" for name in ("jobs", "workers", "scheduler") if how[name] is not None]
    if how.get("together", 1) > 1:
        asked.append("--together")
    cluster = how["workers"] is not None or how["scheduler"] is not None
    if cluster and len(asked) > 1:
        raise SettingError(f"{' and '.join(asked)} say different things: name one of them")
    return cluster


def train_on_cluster(
    specs: Sequence[RunSpec], store: Store, how: Mapping[str, Any]
) -> dict[RunSpec, str]:
    """Train what the store lacks on the cluster that ``how`` names.

    Returns:
        Each run that is not finished, and the reason in one line.

    Raises:
        SettingError: no such cluster can be had.
    """
    from kdlib.runs import cluster
    from kdlib.runs.execute import missing_runs

    if not any(missing_runs(specs, store)):
        return {}
    device, workers, scheduler = how["device"], how["workers"], how["scheduler"]
    chosen = (
        cluster.local_cluster(workers, device=device)
        if scheduler is None
        else cluster.joined_cluster(scheduler)
    )
    with chosen as client:
        return cluster.train_on(client, specs, store=store, device=device, share=workers or 1)


def trained_first(specs: Sequence[RunSpec], store: Store, how: Mapping[str, Any]) -> dict[str, Any]:
    """Train on a cluster where one is asked for; ends with 1, and the reasons, where a run failed.

    Returns:
        The options without those of the cluster, for ``kdlib.runs.execute``.
    """
    failed = train_on_cluster(specs, store, how) if wants_cluster(how) else {}
    for spec, reason in failed.items():
        click.echo(f"{spec.id}  {spec.label()}: {reason}", err=True)
    if failed:
        raise SystemExit(1)
    return {name: value for name, value in how.items() if name not in ("workers", "scheduler")}
