"""What the students show, in sentences and tables that follow from their numbers by rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from torch import Tensor

from kdbook import compare, tables
from kdbook.published import printed_grid
from kdbook.study import say
from kdlib.losses import adaptive_mix, teacher_probabilities
from kdlib.runs import RunResult, RunSpec

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from kdbook.chapters.trusting_the_teacher_less import TrustingTheTeacherLess

_RAREST = {"rarest": "rarest fifth"}


def headline(study: TrustingTheTeacherLess) -> str:
    """The title of the first figure: where both taught students end at the highest temperature."""
    hot = study.settings.temperatures[-1]
    equal, own = (_end(effect(study, method, hot)) for method in ("distilled", "AdaAlpha"))
    return f"Rarest fifth, T = {hot:g}: equal trust {equal}, trust per class {own}"


def in_short(study: TrustingTheTeacherLess) -> str:
    """Two sentences: both taught students against one-hot, at both ends of the temperatures."""
    warm, hot = study.settings.temperatures[0], study.settings.temperatures[-1]
    first = (
        f"At T = {hot:g}, accuracy in the rarest fifth of the classes "
        f"{_said(study, 'distilled', hot)} against a one-hot student when "
        "the teacher is trusted alike in every class, and it "
        f"{_said(study, 'AdaAlpha', hot)} when each class has a trust of its own (AdaAlpha)."
    )
    if warm == hot:
        return first
    equal, own = (_end(effect(study, method, warm)) for method in ("distilled", "AdaAlpha"))
    if equal == own:
        return f"{first} At T = {warm:g} it {own} with either."
    return f"{first} At T = {warm:g} equal trust {equal}, and AdaAlpha {own}."


def remember(study: TrustingTheTeacherLess) -> Any:
    """The result as the first line of a Markdown list."""
    hot = study.settings.temperatures[-1]
    name = compare.method_name("AdaAlpha", hot), compare.method_name("distilled", hot)
    mended = study.compare(*name, measures=_RAREST).iloc[0]
    return say([
        f"At T = {hot:g}, trust per class instead of equal trust: the rarest fifth "
        f"{compare.change(mended)}. Against one-hot, which is what counts, it "
        f"{_said(study, 'AdaAlpha', hot)}."
    ])  # fmt: skip


def effect(study: TrustingTheTeacherLess, method: str, temperature: float) -> pd.Series:
    """One taught student minus the one-hot student in the rarest fifth of the classes."""
    name = compare.method_name(method, temperature)
    return study.compare(name, "one-hot", measures=_RAREST).iloc[0]


def comparisons(study: TrustingTheTeacherLess) -> pd.DataFrame:
    """At every temperature AdaAlpha against distilled, and both against one-hot, all measures."""
    return compare.compare(study.table, _pairs(study), study.measures())


def differences(gaps: pd.DataFrame) -> Styler:
    """All of ``comparisons`` as one table: a row per pair, a column per measure."""
    wide = gaps.pivot(index="comparison", columns="measure", values="cell")
    wide = wide.loc[gaps["comparison"].unique(), gaps["measure"].unique()].rename_axis(columns=None)
    return tables.shown(
        tables.unbroken(wide), "Points of accuracy, paired by seed, with 95 % intervals."
    )


def counts(study: TrustingTheTeacherLess) -> pd.DataFrame:
    """Images of each class: all training images, those left for the initial teacher, and dev."""
    data = study.data
    parts = {"training": data.train, "without dev": data.train_minus_dev, "dev": data.dev}
    rows = [part.class_counts.numpy() for part in parts.values()]
    return pd.DataFrame(rows, pd.Index(parts, name="images"), list(data.class_names))


def curves(study: TrustingTheTeacherLess) -> pd.DataFrame:
    """Accuracy by class, a line per student and temperature, with intervals over seeds."""
    students = study.class_table[study.class_table["method"] != "teacher"]
    by = ["method", "temperature", "label"]
    rows = compare.with_intervals(students, "accuracy", by)
    return rows.assign(class_name=rows["label"].map(study.class_tags))


def trust_on_grid(study: TrustingTheTeacherLess) -> pd.DataFrame:
    """Trust by class, mean over the seeds, at temperatures from 0.5 to the highest, or to 6."""
    grid = np.arange(0.5, max(6.0, study.settings.temperatures[-1]) + 0.1, 0.25)
    rows = compare.with_intervals(study.trust(grid.tolist()), "mix", ["temperature", "label"])
    return rows.assign(class_name=rows["label"].map(study.class_tags))


def nearest(values: pd.Series, wanted: float) -> float:
    """The one of ``values`` that is nearest to ``wanted``."""
    return float(values.iloc[(values - wanted).abs().argmin()])


def levels(study: TrustingTheTeacherLess) -> Styler:
    """Accuracies of all methods, a column per measure."""
    caption = "Accuracy in percent on the test images, means over seeds with 95 % intervals."
    return tables.shown(tables.unbroken(study.overview()), caption)


def counts_shown(rows: pd.DataFrame) -> Styler:
    """``counts`` as a table, at most ten of the classes."""
    return tables.shown(every_tenth(rows), "Images per class: all, without dev, and dev.")


def against_twin(
    study: TrustingTheTeacherLess, twins: Sequence[tables.Member], results: Sequence[RunResult]
) -> Styler:
    """AdaAlpha minus students that trust every class alike and as much as it does on average."""
    both = pd.concat([study.table, tables.per_seed(twins, results)])
    hot = study.settings.temperatures[-1]
    pair = compare.method_name("AdaAlpha", hot), compare.method_name("constant α", hot)
    rows = compare.compare(both, [pair], study.measures())[["measure", "cell", "seeds"]]
    rows = rows.rename(columns={"cell": "AdaAlpha − constant α"})
    return tables.shown(rows, f"Points of accuracy at T = {hot:g}, paired by seed.")


def sources(study: TrustingTheTeacherLess, temperature: float) -> Styler:
    """Trust by class, from the final teacher's own training images and from dev images."""
    pairs = zip(study.members(), study.results(), strict=False)  # the rest choose temperatures
    seen = [_trust_in_sample(r, temperature) for m, r in pairs if m.method == "teacher"]
    held_out = study.trust([temperature]).groupby("label")["mix"].mean()
    rows = pd.DataFrame([pd.DataFrame(seen).mean(), held_out]).set_axis(study.class_names, axis=1)
    rows.index = pd.Index(["own training images", "dev images"], name="trust from")
    own, dev = rows.iloc[:, -1]
    text = every_tenth(rows).map("{:.2f}".format)
    return tables.shown(
        text,
        f"Trust per class at T = {temperature:g}, mean over the seeds. The rarest class gets "
        f"{own:.2f} from the images that its teacher was trained on, and {dev:.2f} from images "
        "that it never saw.",
    )


def every_tenth(frame: pd.DataFrame) -> pd.DataFrame:
    """Ten of many columns, evenly spaced."""
    return frame.iloc[:, :: max(1, frame.shape[1] // 10)]


def cost_said(study: TrustingTheTeacherLess) -> str:
    """How many trainings stand behind one student of each kind."""
    family, (warm, *_) = study.study_families()[0], study.settings.temperatures
    specs = family.one_hot(), family.distilled(warm, study.settings.alpha), family.ada_alpha(warm)
    plain, distilled, ada = (len(_trainings(spec)) for spec in specs)
    return (
        f"What does it cost? A one-hot student needs {plain} training, a distilled one "
        f"{distilled}, and one with AdaAlpha {ada}: the initial teacher is trained as well."
    )


def beside_paper(study: TrustingTheTeacherLess) -> Styler:
    """AdaAlpha minus distilled and minus one-hot, as the paper prints it and as found here."""
    hot, gaps = study.settings.temperatures[-1], comparisons(study)
    distilled, plain = f"AdaAlpha − distilled, T = {hot:g}", f"AdaAlpha, T = {hot:g} − one-hot"
    pairs = {distilled: "distillation", plain: "one_hot"}
    rows = pd.concat({name: _beside(study, gaps, key, name) for name, key in pairs.items()})
    size = f"{study.profile.dataset}, ratio {study.ratio:g}, {study.profile.model.title}"
    return tables.shown(
        tables.unbroken(rows.rename_axis(["difference", "measure"])),
        f"In points. Paper: CIFAR-100-LT, ratio 100, ResNet-56. Here: {size}.",
    )


def printed(study: TrustingTheTeacherLess) -> pd.DataFrame:
    """Accuracies of Table 3: a row per method, a column per measure."""
    rows = study.published(table="Table 3", dataset="cifar100_lt")
    return rows.pivot(index="method", columns="metric", values="value")


def printed_shown(study: TrustingTheTeacherLess) -> Styler:
    """``printed`` in words."""
    names = {"one_hot": "one-hot", "distillation": "distilled", "ada_alpha": "AdaAlpha"}
    words = {"mean_accuracy": "mean", "worst_1": "worst class", "worst_10": "worst 10 classes"}
    rows = printed_grid(study.published(table="Table 3", dataset="cifar100_lt"), names, words)
    text = rows.map("{:.2f}".format).rename_axis(index="method", columns=None)
    return tables.shown(
        text, "Accuracy in percent on CIFAR-100-LT, as Table 3 of the paper prints it."
    )


def _beside(
    study: TrustingTheTeacherLess, gaps: pd.DataFrame, baseline: str, name: str
) -> pd.DataFrame:
    levels, order = printed(study), ["mean_accuracy", "worst_10"]
    paper = (levels.loc["ada_alpha"] - levels.loc[baseline])[order].to_numpy()
    ours = gaps[(gaps["comparison"] == name) & (gaps["measure"] != "rarest fifth")]
    ours = ours.set_index("measure")
    signs = study.beside_paper(ours, list(paper))
    columns = {"paper": [f"{value:+.2f}" for value in paper], "here": ours["cell"], "sign": signs}
    return pd.DataFrame(columns)


def _pairs(study: TrustingTheTeacherLess) -> list[compare.Pair]:
    pairs = []
    for t in study.settings.temperatures:
        taught, ada = (compare.method_name(name, t) for name in ("distilled", "AdaAlpha"))
        pairs += [(ada, taught), (ada, "one-hot"), (taught, "one-hot")]
    return pairs


def _said(study: TrustingTheTeacherLess, method: str, temperature: float) -> str:
    return compare.change(effect(study, method, temperature))


def _end(row: pd.Series) -> str:
    where = {"up": "above", "down": "below"}.get(compare.verdict(row))
    if where is None:
        return "shows no clear change"
    return f"ends {abs(row['mean']):.0f} points {where} one-hot"


def _trust_in_sample(teacher: RunResult, temperature: float) -> list[float]:
    logits, labels = tables.training_logits(teacher)
    probs: Tensor = teacher_probabilities(logits, temperature)
    return adaptive_mix(probs, labels, probs.shape[1]).tolist()


def _trainings(spec: RunSpec) -> set[RunSpec]:
    return {spec}.union(*(_trainings(parent) for parent in spec.parents()))
