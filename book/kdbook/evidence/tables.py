"""What a block comes to: a row per run, and a row per run and class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kdbook import tables
from kdbook.evidence.blocks import Block
from kdbook.tables import Member, off_label_by_class
from kdlib import metrics
from kdlib.runs import RunResult, Store
from kdlib.runs.build import dataset_for
from kdlib.runs.official_test import MEASURED
from kdlib.runs.vectors import loss_vectors


def per_seed(block: Block, results: Sequence[RunResult | None]) -> pd.DataFrame:
    """One row per finished run of the block.

    Columns: method, imbalance, temperature, seed, what else names the member; in percent on the
    block's test images ``mean`` over classes, ``worst_k`` of the k worst classes, ``rarest`` fifth
    of the classes; of these ``log_loss_rarest`` in nats and ``margin_rarest`` from -1 to 1;
    ``dev``, mean accuracy over the classes with dev images; and of students with a teacher, in
    percent of the target on unaugmented training images, ``off_label``, the share that does not lie
    on the label, and ``off_label_rarest``. Then status and run.
    """
    pairs = _finished(block, results)
    rows = [
        {
            **m.key(),
            **_summary(block, m, r),
            **_off_label_means(m, r),
            "status": r.status,
            "run": r.spec.id,
        }
        for m, r in pairs
    ]
    return pd.DataFrame(rows)


def per_class(block: Block, results: Sequence[RunResult | None]) -> pd.DataFrame:
    """One row per finished run and class: run, label, train_count, count, accuracy, ...

    Accuracy in percent, mean log-loss in nats and mean margin on the block's test images; and
    ``off_label``, as in ``per_seed``, of the class's training images.
    """
    pieces = [
        result.class_rows(block.test).assign(
            run=member.spec.id,
            train_count=tables.training_counts(member.spec),
            off_label=_off_label(member, result),
        )
        for member, result in _finished(block, results)
    ]
    table = pd.concat(pieces, ignore_index=True)
    table["accuracy"] *= 100
    table["off_label"] = table["off_label"].astype(float)
    return table[["run", "label", "train_count", "count", *MEASURED, "off_label"]]


def _finished(block: Block, results: Sequence[RunResult | None]) -> list[tuple[Member, RunResult]]:
    pairs = zip(block.members, results, strict=True)
    return [(member, result) for member, result in pairs if result is not None]


def _summary(block: Block, member: Member, result: RunResult) -> dict[str, float]:
    rows = result.class_rows(block.test)
    rows = rows[rows["count"] > 0]
    accuracy, rare = 100 * rows["accuracy"].to_numpy(), _rare(member, rows)
    worst = {f"worst_{k}": float(metrics.worst_k(accuracy, k)) for k in tables.worst_ks(len(rows))}
    return {
        "mean": float(accuracy.mean()),
        **worst,
        "rarest": float(accuracy[rare].mean()),
        "log_loss_rarest": float(rows["log_loss"].to_numpy()[rare].mean()),
        "margin_rarest": float(rows["margin"].to_numpy()[rare].mean()),
        "dev": float(100 * np.nanmean(result.class_rows("dev")["accuracy"])),
    }


def _rare(member: Member, rows: pd.DataFrame) -> np.ndarray:
    """Places in ``rows`` of the rarest fifth of the classes."""
    labels = tables.rarest_fifth(tables.training_counts(member.spec))
    return np.flatnonzero(rows["label"].isin(labels))


def _off_label_means(member: Member, result: RunResult) -> dict[str, float]:
    by_class = _off_label(member, result)
    if by_class is None:
        return {"off_label": np.nan, "off_label_rarest": np.nan}
    rare = tables.rarest_fifth(tables.training_counts(member.spec))
    return {
        "off_label": float(np.nanmean(by_class)),
        "off_label_rarest": float(by_class[rare].mean()),
    }


def _off_label(member: Member, result: RunResult) -> np.ndarray | None:
    """Percent of a student's target off the label, mean in each class; ``None`` without a teacher.

    The teacher's part of the target (``mix``, which AdaAlpha sets class by class) times what the
    teacher puts there.
    """
    spec, folder = member.spec, result.folder.parent
    if spec.teacher is None:
        return None
    mix = loss_vectors(spec, dataset_for(spec), Store(folder)).mix.numpy()
    return mix * off_label_by_class(spec.teacher, folder, member.temperature)
