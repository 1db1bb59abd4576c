"""What the chapter's teachers, and the theorems' terms, come to, by rule."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kdbook import compare
from kdbook.chapters.calibration import TeacherCalibration, agreement, balanced_probabilities
from kdbook.chapters.calibration.theory import (
    calibrated_for_all,
    cat_and_panda,
    guarantee,
    hardest_student,
    random_problem,
    recall_and_error,
    worst_ratio,
)
from kdlib import metrics
from kdlib.data import long_tailed_counts
from kdlib.runs import RunResult
from kdlib.training import PRESETS, steps_per_epoch

WORDS = {"std": "standard", "bal": "balanced", "rob": "robust"}
CUT = 1000
"""Cross-entropy is cut at the probability 1 / CUT, so that no loss exceeds its logarithm."""

_MOVE_EVERY, _STEP = 32, 0.1


def pairs(errors: pd.DataFrame, taught: pd.DataFrame) -> pd.DataFrame:
    """One row per teacher and seed: its largest error, and the worst class of its robust student.

    Args:
        errors: as ``TeacherCalibration.per_seed`` gives them.
        taught: as ``TeacherCalibration.students`` gives them.

    Returns:
        Columns: teacher (in words), seed, error (0 to 2), worst (percent).
    """
    largest = _largest(errors).assign(teacher=lambda t: t["method"].str.removeprefix("teacher "))
    worst = taught.assign(teacher=taught["method"].str.split(" / ").str[0])
    both = largest.merge(worst[["teacher", "seed", "worst_1"]], on=["teacher", "seed"])
    shown = both.rename(columns={"calibration_error": "error", "worst_1": "worst"})
    order = shown["teacher"].map(list(WORDS).index)
    shown = shown.iloc[order.argsort(kind="stable")].replace({"teacher": WORDS})
    return shown[["teacher", "seed", "error", "worst"]].reset_index(drop=True)


def headline(found: pd.DataFrame) -> str:
    """The title of the first figure: the best calibrated teacher, and whose student is best.

    Args:
        found: as ``pairs`` gives it.
    """
    means = found.groupby("teacher", sort=False)[["error", "worst"]].mean()
    near, best = means["error"].idxmin(), means["worst"].idxmax()
    return (
        f"The {near} teacher is calibrated best ({means['error'].min():.2f}); "
        f"the {best} teacher's student has the best worst class ({means['worst'].max():.0f} %)"
    )


def in_short(errors: pd.DataFrame, taught: pd.DataFrame) -> str:
    """Two sentences: what the theorem asks for, and whether its order is that of the students."""
    means = pairs(errors, taught).groupby("teacher", sort=False)["error"].mean()
    near, far = str(means.idxmin()), str(means.idxmax())
    ranks = agreement(errors, taught)
    answer = "an answer" if ranks["low"] > 0 or ranks["high"] < 0 else "no clear answer"
    return (
        f"A robust student needs a teacher whose probabilities have the right shape in each class, "
        f"which here the {near} teacher has most (largest error {means[near]:.2f}, the {far} one's "
        f"{means[far]:.2f}). Whether such a teacher makes the better student the trainings leave "
        f"open: the rank correlation of error and worst class within a seed is "
        f"{ranks['mean']:+.2f} ({ranks['low']:+.2f} to {ranks['high']:+.2f}, "
        f"{ranks['seeds']:.0f} seeds), where the theorem's message would be a negative number, so "
        f"this is {answer}."
    )


def bound_said(problems: int = 2000) -> str:
    """How much of Theorem 2's bound random problems use, and the hardest student."""
    problem = random_problem(0)
    hardest = hardest_student(problem)
    return (
        f"In {problems} random problems the gap takes up at most {worst_ratio(problems):.2f} of "
        f"the bound. The first of them takes up {problem.gap() / problem.bound_of_gap():.2f}, and "
        f"with the hardest losses {hardest.gap() / hardest.bound_of_gap():.2f}."
    )


def moved_panda() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two frames of ``charts.panda_explorer``."""
    factors = [round(0.1 + 0.05 * k, 2) for k in range(9)]
    curves = {factor: cat_and_panda(factor) for factor in factors}
    outcomes = [recall_and_error(rows).assign(shrink=f) for f, rows in curves.items()]
    lines = [rows.assign(shrink=f) for f, rows in curves.items()]
    return pd.concat(lines, ignore_index=True), pd.concat(outcomes)


def doubled_said(outcomes: pd.DataFrame) -> str:
    """Why the cat is not doubled, and the error that is left for the class ``other``.

    Args:
        outcomes: as ``moved_panda`` gives them.
    """
    doubled = cat_and_panda(0.5, stretch=2.0).groupby("x")["teacher"].min().min()
    other = outcomes[outcomes["label"] == "other"].set_index("shrink")["error"]
    return (
        f"With factor 2, *other* would get a probability of {doubled:.3f}; with 1.8 its error is "
        f"{other[0.5]:.2f}."
    )


def made_for_all() -> pd.DataFrame:
    """Recall and error of a teacher that is calibrated for all classes, and the truth's."""
    made = calibrated_for_all()
    truth = recall_and_error(made.assign(teacher=made["truth"])).set_index("label")
    said = recall_and_error(made).set_index("label")
    columns = {
        "prior": made.groupby("label")["truth"].mean(),
        "recall of the truth": truth["recall"],
        "recall of the teacher": said["recall"],
        "calibration error": said["error"].abs(),
    }
    return pd.DataFrame(columns).map("{:.2f}".format).rename_axis("class")


def guarantees() -> tuple[pd.DataFrame, str]:
    """The terms of Theorem 4 that need no data at the paper's settings, and what they ask."""
    tens, hundreds = (long_tailed_counts(n, m, 100.0) for n, m in ((5000, 10), (500, 100)))
    cases = {
        "CIFAR-10": ("cifar10", [5000] * 10),
        "CIFAR-10-LT": ("cifar10_lt", tens),
        "CIFAR-100-LT": ("cifar100_lt", hundreds),
    }
    terms = pd.DataFrame({name: _terms(*case) for name, case in cases.items()}).T
    ratios = _STEP / terms["step"]
    return terms.map("{:,.4g}".format).rename_axis("data"), (
        f"The theorem asks for steps {ratios.min():,.0f} to {ratios.max():,.0f} times smaller than "
        f"the experiments' {_STEP}."
    )


def _terms(name: str, counts: list[int]) -> dict[str, float]:
    recipe, inverse = PRESETS[f"{name}_robust_paper"], sum(counts) / min(counts)
    steps = recipe.epochs * steps_per_epoch(recipe, sum(counts))
    found = guarantee(len(counts), inverse, bound=np.log(CUT), rounds=steps // _MOVE_EVERY)
    words = {"optimisation": "optimisation term", "rounds for 0.1": "moves for a term of 0.1"}
    own = {words.get(term, term): value for term, value in found.items()}
    return {"batch": recipe.batch_size, "SGD steps": steps} | own


def ensemble_said(study: TeacherCalibration, networks: list[RunResult]) -> str:
    """How good the plug-in is, and below which size an error may be noise."""
    balanced, labels = balanced_probabilities(networks), networks[0].labels("test")
    right = 100 * np.mean(balanced.argmax(axis=1) == labels)
    loss = metrics.log_loss(np.log(balanced), labels).mean()
    return (
        f"Here the ensemble is right on {right:.1f} % of the test images, with a log-loss of "
        f"{loss:.3f}. Let one half of it play the teacher and the other the truth, and the largest "
        f"calibration error is {study.noise_floor(networks):.2f}: what is smaller may be noise."
    )


def teachers_compared(errors: pd.DataFrame) -> pd.DataFrame:
    """The teachers' largest errors against each other within seeds, corrected for three."""
    largest = _largest(errors)
    rows = [
        compare.paired_rows(
            largest, "calibration_error", (f"teacher {a}", f"teacher {b}"), []
        ).assign(comparison=f"{WORDS[a]} minus {WORDS[b]}")
        for a, b in (("bal", "std"), ("rob", "std"), ("rob", "bal"))
    ]
    found = compare.with_holm(pd.concat(rows), ["comparison"], metrics.DIFFERENCE)
    return pd.DataFrame(
        {
            "teacher": found["comparison"],
            "largest error (95 % interval)": [
                compare.signed(row, digits=2) for _, row in found.iterrows()
            ],
            "p, corrected": found["p_holm"].map(compare.p_said),
        }
    )


def by_class(errors: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Each teacher's error by class with intervals, and for which class it is largest."""
    teachers = errors["method"].str.removeprefix("teacher ").map(WORDS) + " teacher"
    rows = compare.with_intervals(
        errors.assign(method=teachers), "calibration_error", ["method", "label"]
    )
    worst = rows.loc[rows.groupby("method")["mean"].idxmax(), "label"].unique()
    classes = " or ".join(str(label) for label in sorted(worst))
    return rows, f"Every teacher is calibrated worst for class {classes}"


def terms_in_nats(errors: pd.DataFrame) -> pd.DataFrame:
    """The calibration term of Theorem 4 at each teacher's error, as printed and with our half."""
    means = _largest(errors).groupby("method")["calibration_error"].mean()
    own = pd.Series({WORDS[name]: means[f"teacher {name}"] for name in WORDS})
    bound = np.log(CUT)
    columns = {"largest error": own, "as printed, 2B × error": 2 * bound * own}
    columns["with our half, B × error"] = bound * own
    return pd.DataFrame(columns).map("{:.2f}".format).rename_axis("teacher")


def largest_by_teacher(table: pd.DataFrame) -> pd.DataFrame:
    """Each teacher's largest error with its interval, as text."""
    rows = compare.with_intervals(_largest(table), "calibration_error", ["method"])
    text = [compare.level(row, digits=2) for _, row in rows.iterrows()]
    return pd.DataFrame({"teacher": rows["method"], "largest calibration error": text})


def _largest(errors: pd.DataFrame) -> pd.DataFrame:
    return errors.groupby(["method", "seed"])["calibration_error"].max().reset_index()
