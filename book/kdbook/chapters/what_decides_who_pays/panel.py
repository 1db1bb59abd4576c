"""With a kernel: which classes would pay under this teacher, at this temperature?"""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from kdbook.chapters.rare_classes.teacher_length import TeacherLength
from kdbook.chapters.what_decides_who_pays.fits import bin_of
from kdbook.charts.style import WIDTH, describe
from kdbook.settings import Settings
from kdbook.shelf import results
from kdbook.tables import class_averages, training_logits
from kdbook.widgets.shell import Choice, Slider, panel
from kdlib.losses import teacher_probabilities


def explore_share(settings: Settings, bins: pd.DataFrame) -> None:
    """Length of the teacher and temperature, against the share off the label by class.

    A teacher that the store lacks is trained when its length is chosen.

    Args:
        settings: of the study; the first seed's teachers are shown.
        bins: as ``fits.binned`` gives it: what a share came with in the record.
    """
    lengths = [str(length) for length in TeacherLength().settings.teacher_lengths]
    found = bins.set_index(bins["bin"].astype(str))["mean"]

    def draw(teacher: str, temperature: float) -> alt.Chart:
        return share_by_class(_shares(settings, int(teacher), temperature), found)

    panel(
        draw,
        (
            Choice(
                "teacher", "Teacher's epochs", dict(zip(lengths, lengths, strict=True)), lengths[0]
            ),
            Slider("temperature", "Temperature T", 0.5, 6.0, 0.1, 3.0),
        ),
        twin=False,
    )


def share_by_class(shares: np.ndarray, found: pd.Series) -> alt.Chart:
    """A bar per class: the share off the label, coloured by what such shares came with.

    Args:
        shares: ``[L]``, percent, most frequent class first.
        found: mean change by bin, in percentage points, indexed by ``fits.bin_names``.
    """
    frame = pd.DataFrame({"label": range(len(shares)), "share": shares})
    frame["bin"] = bin_of(frame["share"]).astype(str)
    frame["change"] = frame["bin"].map(found)
    scale = alt.Scale(scheme="redblue", domain=[-30, 30])
    legend = alt.Legend(title="points found", orient="top", titleLimit=300)
    bars = alt.Chart(frame).mark_bar(stroke="gray", strokeWidth=0.5).encode(
        x=alt.X("label:O", axis=alt.Axis(labelAngle=0)).title("class, most frequent first"),
        y=alt.Y("share:Q", scale=alt.Scale(domain=[0, 100])).title("off the label (%)"),
        color=alt.Color("change:Q", scale=scale, legend=legend),
        tooltip=["label:O", alt.Tooltip("share:Q", format=".1f"), "bin:N",
                 alt.Tooltip("change:Q", format="+.1f")],
    )  # fmt: skip
    worst = int(shares.argmax())
    words = (
        f"Bars of the share that the teacher puts off the label in {len(shares)} classes; "
        f"the largest is {shares[worst]:.1f} %, in class {worst}."
    )
    return describe(bars.properties(width=WIDTH, height=220), "Which classes would pay?", words)


def _shares(settings: Settings, epochs: int, temperature: float) -> np.ndarray:
    own = settings.model_dump(include={"profile", "precision"})
    one = TeacherLength.parse(**own, seeds=1, teacher_lengths=(epochs,))
    specs = [m.spec for m in one.members() if m.method == "teacher"]
    [teacher] = results(specs, progress=False)
    logits, labels = training_logits(teacher)
    off = 1 - teacher_probabilities(logits, temperature).gather(1, labels[:, None])[:, 0]
    return np.array(class_averages(100 * off, labels, logits.shape[1]))
