"""What the changed choices and the multipliers' paths say, by rule."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kdbook.chapters.multipliers import DEFAULT, ONE_HOT, STANDARD, ClassMultipliers, endings
from kdbook.compare import compare, overview, row_of, signed
from kdbook.profiles import multiplier_rule
from kdbook.published import beside_paper, printed_difference, published
from kdlib import training
from kdlib.runs import RobustCost

_METRICS = {"mean of the classes": "mean_accuracy", "worst class": "worst_1"}
_PUBLIC_EPOCHS, _IMAGES, _MOVE_EVERY = 1241, 12_406, 32


def headline(gaps: pd.DataFrame, measure: str) -> str:
    """The title of the first figure: how many changed choices matter, and the largest change.

    Args:
        gaps: as ``ClassMultipliers.differences`` gives them.
        measure: in words.
    """
    rows = gaps[gaps["measure"] == measure]
    clear = rows[rows["holds"]]
    if clear.empty:
        return f"None of {len(rows)} changed choices clearly moves the {measure}"
    far = clear.iloc[int(clear["mean"].abs().argmax())]
    return (
        f"Of {len(rows)} changed choices {len(clear)} clearly moves the {measure}: "
        f"{far['comparison']}, by {far['mean']:+.0f} points"
    )


def in_short(
    study: ClassMultipliers, summary: pd.DataFrame, gaps: pd.DataFrame, rows: pd.DataFrame
) -> str:
    """Two sentences: what Algorithm 1 gains, and which choice can undo it.

    Args:
        study: the chapter's.
        summary: its table.
        gaps: as ``ClassMultipliers.differences`` gives them.
        rows: as ``ClassMultipliers.multiplier_paths`` gives them.
    """
    measure = list(dict.fromkeys(gaps["measure"]))[-1]
    column = "worst_1" if measure == "worst class" else measure
    table = summary.assign(temperature=float("nan"))
    gain = compare(table, [(DEFAULT, STANDARD)], {column: measure}).iloc[0]
    worst = gaps[gaps["measure"] == measure]
    clear = list(worst[worst["holds"]]["comparison"])
    moves = f"only {clear[0]} moves" if len(clear) == 1 else f"{', '.join(clear) or 'none'} move"
    last = extreme(study)
    ends = endings(rows).set_index("method").loc[[last]]
    return (
        f"Multipliers move the {measure} of a distilled student by {signed(gain)} points "
        f"({int(gain['seeds'])} seeds). Of the {len(worst)} choices that we changed one by one, "
        f"{moves} it significantly after correction, and at {last} the weight ends on a single "
        f"class in {int(ends['collapsed'].sum())} of {len(ends)} seeds."
    )


def larger_steps(study: ClassMultipliers) -> list[str]:
    """The runs with larger steps, the largest last."""
    return [name for name in study.choices() if name.startswith("step ")]


def extreme(study: ClassMultipliers) -> str:
    """The run with the largest steps."""
    return larger_steps(study)[-1]


def budgets(study: ClassMultipliers, rows: pd.DataFrame) -> pd.DataFrame:
    """Step times moves of every run, and where its multipliers end; means over seeds."""
    ends = endings(rows).groupby("method", sort=False)
    step = multiplier_rule(study.settings).step
    steps = dict.fromkeys(ends.groups, step)
    steps |= {name: float(name.split()[1]) for name in larger_steps(study)}
    means = ends[["moves", "log_ratio", "effective"]].mean()
    return pd.DataFrame(
        {
            "moves": means["moves"].map("{:.0f}".format),
            "step × moves": (means["moves"] * pd.Series(steps)).map("{:g}".format),
            "log-ratio": means["log_ratio"],
            "classes that share": means["effective"],
            "seeds collapsed": ends["collapsed"].sum().astype(str)
            + " of "
            + ends.size().astype(str),
        }
    ).rename_axis("run")


def heaviest_said(rows: pd.DataFrame, name: str) -> str:
    """Whether the class that has all the weight has lost its errors.

    Args:
        rows: as ``ClassMultipliers.multiplier_paths`` gives them.
        name: of a run.
    """
    ran = rows[rows["method"] == name]
    last = ran[ran["step"] == ran["step"].max()]
    top = last.loc[last.groupby("seed")["multiplier"].idxmax()]
    return (
        f"At {name}, after the last move, the heaviest class has {top['multiplier'].mean():.0%} "
        f"of the weight. Before that move its error was {top['error'].mean():.0f} %, that of all "
        f"classes {last['error'].mean():.0f} % (validation images, mean over seeds)."
    )


def lengths() -> pd.DataFrame:
    """The paper's epochs read literally, and those of the public code of its base method."""
    preset = training.PRESETS["cifar10_lt_robust_paper"]
    epochs = {
        f"{preset.epochs} epochs, literally": preset.epochs,
        "the public code": _PUBLIC_EPOCHS,
    }
    steps = {name: n * training.steps_per_epoch(preset, _IMAGES) for name, n in epochs.items()}
    rows = [
        {"reading": name, "epochs": n, "steps": f"{steps[name]:,}",
         "moves, one in 32": steps[name] // _MOVE_EVERY,
         "step × moves": 0.1 * (steps[name] // _MOVE_EVERY)}
        for name, n in epochs.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def recipe(study: ClassMultipliers) -> pd.DataFrame:
    """The choices of Algorithm 1 here, in words."""
    spec = study.robust_student(study.study_families()[0])
    cost = spec.objective.log_cost
    assert isinstance(cost, RobustCost)
    words = {
        "steps between two moves": cost.rule.update_every,
        "step of a move": cost.rule.step,
        "base rate": f"of the {cost.base_rate}",
        "labels on validation": f"the {cost.validation_labels}'s",
        "the teacher's temperature there": f"{cost.validation_temperature:g}",
        "epochs": spec.recipe.epochs,
    }
    return pd.DataFrame({"choice": list(words), "here": [str(one) for one in words.values()]})


def cost_of_a_move(study: ClassMultipliers) -> str:
    """The images that a move measures, beside those trained on."""
    spec, rule = study.robust_student(study.study_families()[0]), multiplier_rule(study.settings)
    assert rule.batch_size is not None
    trained = rule.update_every * spec.recipe.batch_size
    return (
        f"Here a move measures {rule.batch_size} images for {trained} trained on: about "
        f"{rule.batch_size / trained / 3:.0%} more work."
    )


def levels(summary: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """Every run's accuracies as text: means with intervals."""
    table = summary.assign(temperature=float("nan"))  # all students have one training temperature
    return overview(table, measures).rename_axis("run")


def in_print() -> pd.DataFrame:
    """The paper's robust students of a standard teacher on CIFAR-10-LT (Supplementary Table 3)."""
    rows = published(paper="robust_distillation", table="Supp Table 3", dataset="cifar10_lt")
    kept = (rows["teacher_objective"] == "std") & (rows["student_objective"] == "rob-d")
    return rows[kept]


def printed() -> pd.DataFrame:
    """``in_print`` as a table: labels on validation by measure."""
    rows = in_print().pivot(index="validation_labels", columns="metric", values="value")
    shown = rows.loc[["onehot", "teacher"], list(_METRICS.values())].map("{:.2f}".format)
    shown.index = pd.Index(["one-hot", "the teacher's"], name="labels on validation")
    return shown.rename(columns={metric: words for words, metric in _METRICS.items()})


def beside(gaps: pd.DataFrame) -> pd.DataFrame:
    """One-hot minus the teacher's labels on validation: printed, ours, and whether they agree."""
    at = in_print()
    ours = gaps[gaps["comparison"] == ONE_HOT].set_index("measure")
    words = [one for one in _METRICS if one in ours.index]
    paper = [
        printed_difference(
            *(
                row_of(at, metric=_METRICS[one], validation_labels=labels)
                for labels in ("onehot", "teacher")
            )
        )
        for one in words
    ]
    rows = ours.loc[words]
    columns = {"paper": [signed(row) for row in paper], "ours": list(rows["cell"])}
    table = pd.DataFrame(columns, index=pd.Index(words, name="measure"))
    return table.assign(sign=beside_paper(rows, paper))
