"""What the plan's pilot on CIFAR says of the share off the label: one seed, dev images."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook.evidence.records import read_block
from kdbook.places import records_folder
from kdbook.tables import shown


def pilot(folder: Path | None = None) -> pd.DataFrame:
    """A row per length and temperature: share of the target off the label, and what it came with.

    Args:
        folder: where records of evidence lie; by default those of the book.

    Returns:
        Index: epochs (of teacher and student alike) and temperature. Columns in words: the share in
        percent, its mean over classes and that in the rarest fifth; mean accuracy over the classes
        on dev images, distilled minus one-hot, in percentage points.
    """
    found = read_block(folder or records_folder() / "evidence", "a")
    assert found is not None, "the record of the pilot travels with the book"
    table = found[0]
    plain = table[table["method"] == "one-hot"].set_index("epochs")["dev"]
    taught = table[table["method"] == "distilled"].sort_values(["epochs", "temperature"])
    change = taught["dev"] - taught["epochs"].map(plain)
    shown = pd.DataFrame(
        {
            "off the label (%)": taught["off_label"].map("{:.1f}".format),
            "rarest fifth (%)": taught["off_label_rarest"].map("{:.1f}".format),
            "distilled − one-hot": change.map("{:+.1f}".format),
        }
    )
    shown.index = pd.MultiIndex.from_frame(taught[["epochs", "temperature"]])
    return shown


def pilot_table(folder: Path | None = None) -> Styler:
    """``pilot`` as a page shows it."""
    return shown(
        pilot(folder),
        "CIFAR-100-LT, one seed: share of the target off the label, and the mean accuracy on dev "
        "images, distilled minus one-hot, in points.",
    )
