"""What the chapter finds, in sentences and tables that follow from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kdbook import tables
from kdbook.chapters import measuring
from kdbook.published import published
from kdlib import metrics
from kdlib.runs import RunResult

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from kdbook.chapters.measuring import Measuring


def world(study: Measuring) -> tuple[list[float], list[int]]:
    """True accuracies and test images of the simulated classes, which are all alike."""
    settings = study.settings
    return [settings.accuracy] * settings.classes, [settings.images] * settings.classes


def headline(study: Measuring) -> str:
    """The title of the first figure: what the worst of equal classes shows on average."""
    settings, shown = study.settings, measuring.expected_worst(*world(study))
    return (
        f"All {settings.classes} classes are right in {settings.accuracy:g} %. "
        f"The worst looks like {shown:.0f} %"
    )


def in_short(study: Measuring, halved: pd.DataFrame) -> str:
    """How far luck alone lowers a worst class, and what the choice of it adds on digits.

    Args:
        study: at its settings.
        halved: as ``kdbook.worst_by_chance.halves`` gives it.
    """
    settings, (low, high) = study.settings, _nine_of_ten(study)
    same, other = halved["same_half"].mean(), halved["other_half"].mean()
    return (
        f"If {settings.classes} classes are all right in {settings.accuracy:g} % of the cases and "
        f"each is measured on {settings.images} images, the worst of them shows "
        f"{measuring.expected_worst(*world(study)):.1f} % on average (nine of ten test sets: "
        f"{low:.0f} to {high:.0f} %), by luck alone. And whoever chooses the worst class must not "
        f"measure it too: of the class that one half of the digits chose, this half says "
        f"{same:.1f} % and the other half {other:.1f} %."
    )


def real_said(study: Measuring, per_class: np.ndarray) -> str:
    """The measured worst class beside what luck alone would show."""
    balanced = 100 * metrics.balanced_accuracy(per_class)
    counts = study.data.test.class_counts.numpy()
    luck = measuring.expected_worst([balanced] * len(per_class), counts)
    return (
        f"If all classes were as good as the balanced accuracy of {balanced:.1f} % says, luck "
        f"alone would show a worst class of {luck:.1f} %. Measured: {100 * per_class.min():.1f} %."
    )


def chosen_said(study: Measuring, result: RunResult) -> str:
    """The test accuracy of the class that the validation images call the worst."""
    chosen = int(np.nanargmin(result.accuracy("validation")))
    accuracy = 100 * result.accuracy("test")[chosen]
    return (
        f"Here the validation images choose class {study.class_names[chosen]}, which is right in "
        f"{accuracy:.1f} % of its test images."
    )


def sums(guesses: np.ndarray, labels: np.ndarray, num_classes: int) -> Styler:
    """One network summed up in several ways."""
    per_class = metrics.per_class_accuracy(guesses, labels, num_classes)
    rows = {
        "average": metrics.mean_accuracy(guesses, labels),
        "balanced": metrics.balanced_accuracy(per_class),
        "worst class": metrics.worst_k(per_class, 1),
        "worst three": metrics.worst_k(per_class, 3),
    }
    table = pd.DataFrame([{name: 100 * float(value) for name, value in rows.items()}])
    return tables.shown(table, "Accuracy of one student on the digits, in percent.")


def counts(study: Measuring) -> Styler:
    """Training and test images of each class, at most ten of them."""
    splits = {"training images": study.data.train, "test images": study.data.test}
    rows = [split.class_counts.numpy() for split in splits.values()]
    frame = pd.DataFrame(rows, pd.Index(splits, name="class"), list(study.class_names))
    return tables.shown(frame.iloc[:, :: max(1, frame.shape[1] // 10)], "Images per class.")


def luck_table(accuracy: float = 90.0) -> Styler:
    """What the worst class shows on average, by the number of classes and of images."""
    sizes = (10, 50, 100, 500)
    rows = {
        f"{many:,}": [measuring.expected_worst([accuracy] * many, [n] * many) for n in sizes]
        for many in (10, 100, 1000)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=[f"{n} images" for n in sizes])
    caption = (
        f"What the worst class shows on average (%) when every class truly has {accuracy:g} %, by "
        "the test images of each class. CIFAR-100 has 100 classes of 100 images, ImageNet 1,000 "
        "of 50."
    )
    return tables.shown(frame.rename_axis("classes"), caption)


def rarest_fifth(predictions: Any, labels: Any, num_classes: int) -> np.ndarray:
    """Mean accuracy in percent over the last fifth of the classes; predictions may be stacked."""
    per_class = metrics.per_class_accuracy(predictions, labels, num_classes)
    return np.asarray(100 * per_class[..., -max(1, num_classes // 5) :].mean(axis=-1))


def seeds(study: Measuring) -> pd.DataFrame:
    """Accuracy in the rarest fifth: a row per seed, a column per method."""
    return study.table.pivot(index="seed", columns="method", values="rarest")


def seeds_shown(wide: pd.DataFrame) -> Styler:
    """``seeds`` as a table."""
    rows = wide[["teacher", "one-hot", "distilled"]].rename_axis(columns=None)
    return tables.shown(rows, "Accuracy in the rarest fifth of the classes, in percent.")


def two_intervals(study: Measuring, pair: tuple[RunResult, RunResult]) -> pd.DataFrame:
    """Distilled minus one-hot in the rarest fifth, by the bootstrap and by the seeds.

    Args:
        study: its seeds.
        pair: one-hot and distilled student of one seed.
    """
    plain, taught = (each.logits("test").argmax(axis=1) for each in pair)
    labels, size = pair[0].labels("test"), len(study.class_names)
    examples = metrics.paired_bootstrap(
        lambda guesses, truth: rarest_fifth(guesses, truth, size), plain, taught, labels
    )
    wide = seeds(study)
    over = metrics.t_interval(wide["distilled"] - wide["one-hot"], scale=metrics.POINTS)
    names = ["test images, seed 0", f"{over.n} seeds"]
    return pd.DataFrame([vars(examples), vars(over)]).assign(comparison=names)


def noise_shown(noise: pd.DataFrame) -> Styler:
    """``replicates.noise`` as a table."""
    names = {"runs": "pairs", "shift": "mean shift", "largest": "largest difference"}
    rows = noise.rename(columns=names)
    return tables.shown(rows, "Two trainings of one run on two processors, in percentage points.")


def resampled_said(guesses: np.ndarray, labels: np.ndarray, num_classes: int) -> str:
    """Where the resamples of a worst class lie."""
    draws = np.random.default_rng(0).integers(len(labels), size=(1000, len(labels)))
    resampled = metrics.per_class_accuracy(guesses[draws], labels[draws], num_classes)
    worst = 100 * metrics.per_class_accuracy(guesses, labels, num_classes).min()
    return (
        f"Measured: {worst:.1f} %. Mean over the resamples: "
        f"{100 * metrics.worst_k(resampled, 1).mean():.1f} %."
    )


def ink_groups(study: Measuring, right: np.ndarray, labels: np.ndarray) -> Styler:
    """The five worst groups of class and ink."""
    ink = study.data.test.images.float().mean(dim=(1, 2, 3)).numpy()
    thirds = pd.qcut(ink, 3, labels=["little", "middle", "much"]).astype(str)
    table = pd.DataFrame({"class": labels, "ink": thirds, "right": right})
    groups = metrics.group_accuracy(table, "right", ["class", "ink"]).reset_index()
    rows = groups.sort_values("accuracy").head()[["class", "ink", "accuracy", "count"]]
    rows = rows.assign(accuracy=100 * rows["accuracy"])
    rows = rows.rename(columns={"accuracy": "accuracy (%)", "count": "test images"})
    return tables.shown(rows, "The five groups with the lowest accuracy.")


def printed() -> pd.Series:
    """What Table 3 of the paper prints of the one-hot ResNet-56 on CIFAR-100."""
    where = {"paper": "teachers_pet", "table": "Table 3"}
    rows = published(**where, dataset="cifar100", method="one_hot")
    return rows.set_index("metric")["value"]


def printed_said() -> str:
    """The printed worst class beside what luck alone would show."""
    values = printed()
    luck = measuring.expected_worst([values["mean_accuracy"]] * 100, [100] * 100)
    return (
        f"Table 3 prints a mean of {values['mean_accuracy']:.2f} %, "
        f"{values['worst_10']:.2f} % in the worst ten classes, and {values['worst_1']:.2f} % in "
        f"the worst. By luck "
        f"alone a hundred equal classes would show a worst one of {luck:.1f} %."
    )


def _nine_of_ten(study: Measuring) -> tuple[float, float]:
    exact = measuring.exact_worst(*world(study))
    below = exact["probability"].cumsum()
    low, high = (exact["estimate"][below >= share].iloc[0] for share in (0.05, 0.95))
    return float(low), float(high)
