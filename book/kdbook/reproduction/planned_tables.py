"""The tables of the page on the planned evidence, all from records by rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from kdbook.compare import level, p_said, signed
from kdbook.evidence import cost
from kdbook.evidence.blocks import BLOCKS, Block
from kdbook.evidence.members import LONG, LONG_TEMPERATURE
from kdbook.evidence.outcomes import blocks_folder
from kdbook.evidence.records import TWO_CORES, recorded_runs
from kdbook.published import published
from kdbook.reproduction import planned
from kdbook.tables import shown, unbroken

ON_CORES = "two cores"


def outcomes_table(primary: pd.DataFrame) -> Styler:
    """The primary outcomes as a page shows them."""
    return shown(
        unbroken(_cells(primary)),
        "Primary outcomes of the plan, paired over seeds, on test images: points with 95 % "
        "intervals, p corrected for all six.",
    )


def longer_table(longer: pd.DataFrame) -> Styler:
    """The first three at 200 epochs.

    Args:
        longer: as ``kdbook.evidence.outcomes.longer`` gives it.
    """
    return shown(
        unbroken(_cells(longer)),
        f"The first three outcomes at {LONG} epochs, T = {LONG_TEMPERATURE:g}: points with 95 % "
        "intervals, p corrected for these three.",
    )


def _cells(primary: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Outcome": [f"{n}. {_named(row)}" for n, row in primary.set_index("number").iterrows()],
            "Points": [_cell(row) for _, row in primary.iterrows()],
            "Seeds": primary["seeds"].map("{:.0f}".format),
            "p": [p_said(p, "–") for p in primary["p_corrected"]],
        }
    )


def secondary_table(secondary: pd.DataFrame, dataset: str) -> Styler:
    """The secondary outcomes, which have intervals and no verdict.

    Args:
        secondary: as ``kdbook.evidence.outcomes.secondary`` gives it, of a block that was run.
        dataset: as the caption calls it.
    """
    cells = [signed(row, planned.digits(row)) for _, row in secondary.iterrows()]
    wide = secondary.assign(cell=cells).pivot(index="measure", columns="comparison", values="cell")
    order = list(dict.fromkeys(secondary["measure"]))
    table = wide.loc[order, list(dict.fromkeys(secondary["comparison"]))].fillna("–")
    return shown(
        unbroken(table).rename_axis("Measure").rename_axis(columns=None),
        f"Secondary outcomes on {dataset}: differences with 95 % intervals over seeds; accuracies "
        "in points.",
    )


def cells_table(cells: pd.DataFrame) -> Styler:
    """What students reach on CIFAR-10-LT, beside what the paper prints for a teacher per student.

    Args:
        cells: as ``kdbook.evidence.outcomes.cells`` gives it.
    """
    rows = [_reached(str(name), rows) for name, rows in cells.groupby("method", sort=False)]
    return shown(
        unbroken(pd.DataFrame(rows)),
        "Teacher and student on CIFAR-10-LT, accuracy in percent: ours with 95 % intervals over "
        f"{cells['seeds'].min():.0f} seeds (which are paired, so these test no difference), and as "
        "the paper's Supplementary Table 3 prints it, where too each student has its own teacher, "
        "for a larger network, a longer training and temperatures chosen on validation images.",
    )


def _reached(method: str, rows: pd.DataFrame) -> dict[str, str]:
    teacher, _, student = method.partition("/")
    ours = {str(row["measure"]): row for _, row in rows.iterrows()}
    printed = published(
        paper="robust_distillation", table="Supp Table 3", dataset="cifar10_lt",
        teacher_objective=teacher, student_objective=student,
    )  # fmt: skip
    by_teacher = printed[printed["validation_labels"] != "onehot"].set_index("metric")["value"]
    return {
        "Pair": method.replace("-", "\u2011"),  # no line breaks there
        "Worst class": level(ours["worst_1"]),
        "printed": f"{by_teacher['worst_1']:.1f}",
        "Mean": level(ours["mean"]),
        "mean printed": f"{by_teacher['mean_accuracy']:.1f}",
    }


def progress(folder: Path | None = None) -> Styler:
    """A row for each block of the plan: what is there of it, and what the rest would take."""
    place = folder or blocks_folder()
    rows = [_progress_of(block, place) for block in BLOCKS.values()]
    return shown(
        pd.DataFrame(rows),
        "Blocks of the plan. Hours are what two cores would take for what they lack, at "
        f"{cost.TWO_CORES.images_per_second} images of a ResNet-20 per second and core; other "
        f"processors differ. {cost.on_a_gpu(cost.GPU_MINUTES, place)}.",
    )


def _progress_of(block: Block, folder: Path) -> dict[str, str]:
    there = {where: recorded_runs(place, block) for where, place in _places(folder).items()}
    whole = any(len(ids) == len(block.runs) for ids in there.values())
    left = [] if whole else [s for s in block.runs if s.id not in there[ON_CORES]]
    done = [f"{len(ids)} on {where}" for where, ids in there.items() if ids]
    return {
        "Block": block.name,
        "What": block.what,
        "Trainings": f"{', '.join(done) or '0'} of {len(block.runs)}",
        "Hours left": f"{cost.TWO_CORES.seconds(left) / 3600:.1f}" if left else "–",
    }


def _places(folder: Path) -> dict[str, Path]:
    return {"a GPU": folder, ON_CORES: folder / TWO_CORES}


def _named(row: pd.Series) -> str:
    return f"{row['comparison']}, {row['measure']}"


def _cell(row: pd.Series) -> str:
    return "not run" if np.isnan(row["mean"]) else signed(row, 1)
