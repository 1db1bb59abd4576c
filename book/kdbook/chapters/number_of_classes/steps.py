"""Fewer classes bring fewer steps: the fewest of them, trained for as many as all get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.number_of_classes import differences
from kdbook.chapters.number_of_classes.class_draws import over_draws
from kdbook.tables import Member, shown, unbroken
from kdlib.runs.build import dataset_for
from kdlib.training import steps_per_epoch

if TYPE_CHECKING:
    from kdbook.chapters.number_of_classes import NumberOfClasses


def sizes(member: Member) -> dict[str, Any]:
    """What a student is trained on, by headings in words."""
    data, recipe = dataset_for(member.spec), member.spec.recipe
    images = len(data.train)
    return {
        "imbalance ratio": f"{member.imbalance:g}",
        "classes": data.num_classes,
        "images": images,
        "in the rarest class": int(data.train.class_counts.min()),
        "steps": recipe.last_epoch * steps_per_epoch(recipe, images),
    }


def as_many_steps(study: NumberOfClasses) -> tuple[Styler, str] | None:
    """The fewest long-tailed classes, trained for as many steps as all get.

    Returns:
        A table and a sentence; ``None`` where the profile is not ``quick`` or all
        classes are kept.
    """
    ratio, fewest = max(study.ratios()), min(study.shares())
    settings = study.settings
    if settings.profile != "quick" or fewest == 1 or settings.draws < 2:
        return None
    first = [m for m in study.members() if m.imbalance == ratio and m.method == "one-hot"]
    steps = [sizes(m)["steps"] for m in (first[0], first[-1])]
    epochs = round(first[0].spec.recipe.epochs * steps[1] / steps[0])
    changes = {"shares": (fewest,), "imbalances": (ratio,), "seeds": 1, "epochs": epochs}
    again = study.at(settings.model_copy(update=changes)).table
    table = study.table
    same = (table["imbalance"] == ratio) & (table["seed"] == 0) & (table["share"] == fewest)
    return _lengths({"as many epochs": table[same], "as many steps": again})


def _lengths(kinds: dict[str, pd.DataFrame]) -> tuple[Styler, str]:
    rows = {name: differences(table, "worst_1") for name, table in kinds.items()}
    cells = [
        {
            "trained for": name,
            "worst class, one-hot (%)": kinds[name].query("method == 'one-hot'")["worst_1"].mean(),
            "distilled − one-hot (points)": compare.signed(over_draws(d, "difference").iloc[0]),
        }
        for name, d in rows.items()
    ]
    by_draw = [one.groupby("draw")["difference"].mean() for one in rows.values()]
    moved = compare.mean_over_seeds((by_draw[1] - by_draw[0]).tolist())
    said = compare.change(moved).replace("seeds)", "draws)")
    caption = "The fewest classes of the long tail, one seed per draw."
    return (
        shown(unbroken(pd.DataFrame(cells)), caption),
        f"From as many epochs to as many steps, within each draw, the difference {said}.",
    )
