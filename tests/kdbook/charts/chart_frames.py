"""Small tidy frames, one for each chart, and readers of what a chart draws."""

import re

import numpy as np
import pandas as pd

from kdbook.chapters.calibration import theory
from kdbook.chapters.what_decides_who_pays.fits import bin_names

METHODS = ("one-hot", "distilled", "AdaAlpha")
CLASSES = range(4)
NAMES = ["zero", "one", "two", "three"]


def per_class(**columns):
    rows = [
        {"method": m, "label": c, "mean": 90 - 9 * c - i, "low": 80 - 9 * c, "high": 95 - 9 * c}
        for i, m in enumerate(METHODS)
        for c in CLASSES
    ]
    return pd.DataFrame(rows).assign(**columns)


def worst(ratios=(1.0, 20.0)):
    rows = [
        {"method": m, "imbalance": r, "mean": 90 - r, "low": 85 - r, "high": 95 - r}
        for m in METHODS
        for r in ratios
    ]
    return pd.DataFrame(rows)


def per_class_and_ratio(ratios=(1.0, 20.0)):
    return pd.concat([per_class(imbalance=r).assign(mean=50 + r) for r in ratios])


def mix(temperatures=(1.0, 1.5, 2.0)):
    rows = [{"temperature": t, "label": c, "mean": 0.9 / t - 0.1 * c}
            for t in temperatures for c in CLASSES]  # fmt: skip
    return pd.DataFrame(rows)


def differences():
    rows = [("distilled − one-hot", -3.0, -5.0, -1.0), ("AdaAlpha − one-hot", 2.0, np.nan, np.nan)]
    return pd.DataFrame(rows, columns=["comparison", "mean", "low", "high"])


def teacher_lengths(lengths=(40.0, 80.0), students=(40.0, 160.0)):
    """Changes of two methods at each pair of lengths, and what the first of them was told."""
    rows = [
        {"method": m, "student_epochs": s, "teacher_epochs": t, "mean": -9.0 + i, "low": -12.0,
         "high": 3.0 * i}
        for i, m in enumerate(("distilled, T = 3", "AdaAlpha, T = 3"))
        for s in students for t in lengths
    ]  # fmt: skip
    told = [{"method": "distilled, T = 3", "teacher_epochs": t, "share": 900 / t} for t in lengths]
    return pd.DataFrame(rows), pd.DataFrame(told)


def harm_by_share(bins=("0–2 %", "60–100 %")):
    rows = [
        {"split": split, "group": group, "bin": b, "mean": -3.0 * i, "low": -3.0 * i - 1,
         "high": np.nan if i else 1.0, "classes": 30, "seeds": 5}
        for split, groups in {"nothing": ["all classes"], "temperature": ["T = 1", "T = 3"]}.items()
        for group in groups for i, b in enumerate(bins)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def coefficients():
    return pd.DataFrame(
        [("twice as many images", model, 1.2 - i, 0.6 - i, 1.8 - i)
         for i, model in enumerate(("without the share", "beside the share"))],
        columns=["words", "model", "mean", "low", "high"],
    )  # fmt: skip


def gains():
    return pd.DataFrame({"k": [1, 2, 3], "mean": [-4.0, -1.0, 1.0]})


def objectives(alphas=(0.0, 0.5, 1.0)):
    """Three classes at three inputs: the middle class gains with alpha."""
    truth = [[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6]]
    curves = [
        {"alpha": a, "x": x, "label": c, "eta": truth[x][c],
         "probability": truth[x][c] + (0.2 * a if c == 1 else -0.1 * a)}
        for a in alphas for x in range(3) for c in range(3)
    ]  # fmt: skip
    classes = [
        {"alpha": a, "label": c, "weight": 1 / 3, "risk": 1 + a * c, "error": 10 * c + 5 * a,
         "standard_risk": 2.0, "standard_error": 40.0}
        for a in alphas for c in range(3)
    ]  # fmt: skip
    return pd.DataFrame(curves), pd.DataFrame(classes)


def effects():
    places = ("outside the loss", "as a margin inside it")
    rows = [(p, e, 60.0 - e, 50.0 - e, 70.0 - e) for p in places for e in (10.0, 40.0)]
    return pd.DataFrame(rows, columns=["place", "epochs", "mean", "low", "high"])


def choices():
    rows = [(f"choice {n}", m, -7.0 * n, -7.0 * n - 3, -7.0 * n + 3, n == 1)
            for m in ("mean of the classes", "worst class") for n in range(2)]  # fmt: skip
    names = ["comparison", "measure", "mean", "low", "high", "holds"]
    return pd.DataFrame(rows, columns=names)


def tiles():
    rows = [("trained on", 0, "data:,", ""), ("won back", 0, "data:,", "seen as 5")]
    return pd.DataFrame(rows, columns=["strip", "place", "url", "words"])


def errors_and_worst():
    names = ("standard", "balanced", "robust")
    rows = [(t, s, 0.5 + 0.2 * n, 70.0 + n + s) for n, t in enumerate(names) for s in range(2)]
    return pd.DataFrame(rows, columns=["teacher", "seed", "error", "worst"])


def trade_offs():
    """Two panels of a grid of two; in the second every number is 10 lower."""
    cells = [(0.0, 0.0, 94.0, 88.0, True), (0.0, 1.0, 92.0, 91.0, True),
             (1.0, 0.0, 93.0, 90.0, True), (1.0, 1.0, 90.0, 87.0, False)]  # fmt: skip
    names = ["alpha_t", "alpha_s", "mean", "worst", "frontier"]
    first = pd.DataFrame(cells, columns=names).assign(panel="first")
    second = first.assign(panel="second", mean=first["mean"] - 10, worst=first["worst"] - 10)
    return pd.concat([first, second], ignore_index=True)


def trade_off_marks():
    rows = [("first", "std", 93.5, 80.0), ("second", "std", 83.5, 70.0)]
    return pd.DataFrame(rows, columns=["panel", "what", "mean", "worst"])


def multiplier_path(moves=3):
    """Three classes; from move to move the last takes over. Two runs of two seeds."""
    rows = [
        {"run": run, "seed": seed, "move": k, "step": 4 * k, "label": c, "error": 10.0 * c + seed,
         "multiplier": [0.5 - 0.1 * k, 0.5 - 0.1 * k, 0.2 * k][c]}
        for run in ("first", "second") for seed in (0, 1)
        for k in range(1, moves + 1) for c in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def changes():
    rows = [
        {"group": g, "method": m, "mean": mean, "low": mean - 1, "high": np.nan}
        for g, mean in (("average", 2.0), ("rarest class", -3.0))
        for m in ("distilled", "AdaAlpha")
    ]
    return pd.DataFrame(rows)


def gain_curves():
    rows = [
        {"teacher": t, "order": o, "k": k, "mean": mean + 10 * i + 100 * j, "low": mean - 1.0,
         "high": mean + 1.0}
        for i, t in enumerate(("full", "stopped"))
        for j, o in enumerate(("test", "validation"))
        for k, mean in enumerate((-4.0, -1.0, 1.0), start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def class_places():
    """Three classes and two seeds; under both orders class 2 is the worst of seed 0."""
    rows = [
        {"teacher": t, "order": o, "seed": s, "place": place, "label": label,
         "one_hot": 90.0 - 10 * label, "accuracy": 95.0 - 20 * label}
        for t in ("full", "stopped")
        for o in ("test", "validation")
        for s, order in enumerate(((2, 1, 0), (1, 2, 0)))
        for place, label in enumerate(order, start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def trust_estimates(classes=3, sizes=(2, 20)):
    rows = [
        {"label": c, "n": n, "true": 0.9 - 0.2 * c, "mean": 0.91 - 0.2 * c, "low": 0.8 - 0.2 * c,
         "high": 0.95 - 0.2 * c, "bias": 0.01, "flips": 0.2 / n}
        for c in range(classes)
        for n in sizes
    ]  # fmt: skip
    return pd.DataFrame(rows)


def ablations():
    """Weights of AdaAlpha and two ablations, and the accuracies of these and of one-hot."""
    names = ("AdaAlpha", "shuffled", "distilled")
    weights = pd.DataFrame([{"method": m, "label": c, "mean": 0.1 * c + 0.2 * i}
                            for i, m in enumerate(names) for c in CLASSES])  # fmt: skip
    shuffled = per_class().query("method == 'distilled'").assign(method="shuffled", mean=33.0)
    return weights, pd.concat([per_class(), shuffled])


def weights():
    return pd.DataFrame([{"method": m, "label": c, "weight": 10.0 ** (c * i)}
                         for i, m in enumerate(("AdaMargin", "Cao et al."), start=1)
                         for c in CLASSES])  # fmt: skip


def offsets(grid=(-4.0, -3.0, -2.0)):
    """Classes, accuracy and notes on a grid of offsets; AdaMargin trained at two of them."""
    classes = pd.DataFrame([{"log_offset": g, "label": c, "log_cost": -g, "share": 25.0 + g}
                            for g in grid for c in CLASSES])  # fmt: skip
    trained = [per_class(log_offset=g).assign(mean=50 - g) for g in grid[::2]]
    accuracy = pd.concat(trained).query("method == 'distilled'").assign(method="AdaMargin")
    plain = per_class(log_offset=np.nan).query("method == 'one-hot'")
    notes = pd.DataFrame({"log_offset": grid, "text": [f"offset {g}" for g in grid]})
    return classes, pd.concat([accuracy, plain]), notes


def changes_by_subgroup():
    return pd.DataFrame([{"method": m, "subgroup": g, "mean": 2.0, "low": -1.0, "high": 5.0}
                         for m in METHODS[1:] for g in ("mean", "worst class")])  # fmt: skip


def temperatures():
    """Levels of three methods and changes of two, for two measures at three temperatures."""
    rows = [{"method": m, "temperature": t, "measure": measure, "mean": 70 + 5 * place + t,
             "low": 60.0, "high": 90.0}
            for m in METHODS
            for t in ((np.nan,) if m == "one-hot" else (1.0, 2.0, 3.0))
            for place, measure in enumerate(("mean", "worst class"))]  # fmt: skip
    levels = pd.DataFrame(rows)
    changes = levels[levels["temperature"].notna()].assign(low=-9.0, high=9.0)
    said = changes["method"] + " at " + changes["temperature"].astype(str)
    return levels, changes.assign(mean=lambda f: f["mean"] - 75, said=said)


PAIRS = [("small", "small"), ("small", "large"), ("large", "small"), ("large", "large")]


def cells():
    return pd.DataFrame(
        [{"teacher": t, "student": s, "mean": place - 3.0, "low": place - 5.0, "high": place - 1.0,
          "said": f"{t} teaches {s}"}
         for place, (t, s) in enumerate(PAIRS)]
    )  # fmt: skip


WAYS = ("picked", "retrained")


def class_counts():
    return pd.DataFrame(
        [{"method": way, "student": s, "imbalance": r, "classes": n, "mean": n + r + 10 * i,
          "low": np.nan, "high": np.nan}
         for i, way in enumerate(WAYS) for s in ("one-hot", "distilled")
         for r in (1.0, 20.0) for n in (2, 5, 10)]
    )  # fmt: skip


CHAINS = ("T = 1", "T = 3")


def rounds(last=3):
    taught = [per_class(chain=c, round=n, mean=90 - 10 * n - t).query("method == 'distilled'")
              for t, c in enumerate(CHAINS) for n in range(1, last + 1)]  # fmt: skip
    blind = per_class(chain="", round=np.nan).query("method == 'one-hot'")
    return pd.concat([blind, *taught])


def steps(last=3):
    return pd.DataFrame(
        [{"measure": measure, "method": c, "round": n, "mean": 90 - 10 * n - t, "low": 50,
          "high": 95}
         for measure in ("mean", "rarest fifth") for t, c in enumerate(CHAINS)
         for n in range(last + 1)]
    )  # fmt: skip


def entropies(last=3):
    return pd.DataFrame(
        [{"chain": c, "round": n, "label": y, "mean": 0.1 * n + 0.01 * y + t}
         for t, c in enumerate(CHAINS) for n in range(1, last + 1) for y in CLASSES]
    )  # fmt: skip


def per_class_and_pair():
    return pd.concat(
        per_class(teacher=t, student=s, mean=50 + 10 * place) for place, (t, s) in enumerate(PAIRS)
    )


def simulation():
    return pd.DataFrame({"estimate": [80.0, 90.0] * 2, "probability": [0.4, 0.6, 0.41, 0.59],
                         "source": ["exact"] * 2 + ["simulated"] * 2})  # fmt: skip


def risks():
    parts = {"bias squared": 0.1, "variance": 0.2, "excess risk": 0.3}
    rows = [{"method": m, "group": g, "measure": name, "formula": v, "mean": v, "low": v, "high": v}
            for m in ("one-hot", "distilled", "distilled − one-hot")
            for g in ("majority", "minority") for name, v in parts.items()]  # fmt: skip
    return pd.DataFrame(rows)


def added():
    return pd.DataFrame({"cosine": [-0.5, 0.5] * 2, "added": [0.2, 0.1, 0.0, 0.01],
                         "series": ["minority"] * 2 + ["majority"] * 2})  # fmt: skip


def ranks(classes=5):
    rows = [{"method": m, "rank": r, "mean": 50 + 8 * r - i} for i, m in enumerate(METHODS)
            for r in range(1, classes + 1)]  # fmt: skip
    return pd.DataFrame(rows)


def tails(classes=5):
    rows = [{"method": m, "k": k, "measure": name, "mean": base + k - i, "low": base - 3,
             "high": base + 9} for i, m in enumerate(METHODS) for k in range(1, classes + 1)
            for name, base in (("worst k", 50), ("top k", 80), ("mean − worst k", 20))]  # fmt: skip
    return pd.DataFrame(rows)


def group_changes():
    rows = [
        ("Male, label 0", 700, -2.0, -3.0, -1.0, -2.2),
        ("Female, label 1", 3, 5.0, np.nan, np.nan, 0.0),
    ]
    return pd.DataFrame(rows, columns=["group", "people", "mean", "low", "high", "printed"])


def threshold_grid():
    rows = [{"depth": d, "alpha": a, "threshold": t, "group": g, "mean": 100 * t + d + 10 * a,
             "low": 100 * t, "high": 100 * t + 20}
            for d in (4, 8) for a in (0.5, 0.9) for t in (0.3, 0.4, 0.5)
            for g in ("men", "women")]  # fmt: skip
    return pd.DataFrame(rows)


UNITS = {"accuracy": "accuracy (%)", "margin": "margin"}


def buckets(count=3):
    rows = [{"method": m, "statistic": s, "bucket": b, "mean": 80.0 - b - i, "low": np.nan,
             "high": np.nan, "buckets": count, "order": "test accuracy"}
            for i, m in enumerate(METHODS) for s in UNITS for b in range(1, count + 1)]  # fmt: skip
    return pd.DataFrame(rows)


def logits(count=3, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(scale=3, size=(count, classes))


def marks(chart, kind):
    """The drawn marks of a kind, each as the fields that its accessible description names."""
    import vl_convert

    graph = vl_convert.vegalite_to_scenegraph(chart.to_dict())["scenegraph"]
    return [_fields(item["description"]) for item in _items(graph, kind) if "description" in item]


def _items(node, kind):
    if node.get("marktype") == kind and node.get("role") == "mark":
        yield from node["items"]
        return
    for inner in node.get("items", []):
        yield from _items(inner, kind)


def _fields(description):
    pairs = (part.split(": ", 1) for part in description.split("; "))
    return {name: _number(value) for name, value in pairs}


def _number(text):
    plain = text.replace("−", "-").replace(",", "")
    return float(plain) if re.fullmatch(r"[-+]?[0-9.]+(e-?[0-9]+)?", plain) else text


VERDICTS = pd.DataFrame(
    {
        "table": ["Table 1", "Table 1", "Table 3"],
        "dataset": ["Adult", "CIFAR-100", "CIFAR-100"],
        "verdict": ["differs", "same sign", "same sign"],
    }
)
NUMBERS = pd.DataFrame(
    {
        "table": ["Table 1", "Table 3"],
        "what": ["one", "two"],
        "compared": [1.0, -2.0],
        "mean": [2.0, 3.0],
        "low": [1.0, 2.0],
        "high": [3.0, 4.0],
        "verdict": ["same sign", "differs"],
    }
)


def sample_shares():
    rows = [{"split": s, "temperature": t, "bucket": b, "mean": 10.0 * b + t,
             "low": 5.0, "high": 60.0}
            for s in ("training", "test") for t in (1.0, 3.0) for b in (1, 2)]  # fmt: skip
    return pd.DataFrame(rows)


def label_probabilities():
    rows = [{"split": s, "temperature": t, "bucket": b, "teacher": 0.2 * b, "student": 0.1 * t}
            for s in ("training", "test") for t in (1.0, 3.0) for b in (1, 2)]  # fmt: skip
    return pd.DataFrame(rows)


def baseline_points():
    return pd.DataFrame(
        {
            "data": ["a", "a", "b"],
            "method": ["distilled", "post shift", "distilled"],
            "variant": ["std teacher", "rob teacher", "std teacher"],
            "average": [90.0, 88.0, 70.0],
            "worst": [50.0, 71.25, 10.0],
        }
    )


def failures():
    return pd.DataFrame(
        {
            "teacher": ["std", "rob"] * 2,
            "student": ["std-d"] * 4,
            "measure": ["worst class"] * 2 + ["average"] * 2,
            "value": [0.0, 10.71, 67.0, 63.0],
        }
    )


def objective_cells():
    rows = [
        {"data": "digits", "labels": labels, "teacher": teacher, "student": student,
         "measure": "worst class", "mean": 50.0, "low": float("nan"), "high": float("nan")}
        for labels in ("teacher", "one-hot")
        for teacher in ("std", "bal", "rob")
        for student in ("none", "std-d", "bal-d", "rob-d")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def effective_classes():
    return pd.DataFrame({"method": ["a", "a", "b", "b"], "step": [4, 8] * 2, "effective": 3.0})


def pandas_and_cats():
    factors = (0.1, 0.2)
    curves = {f: theory.cat_and_panda(f, points=11) for f in factors}
    outcomes = [theory.recall_and_error(curve).assign(shrink=f) for f, curve in curves.items()]
    every = [curve.assign(shrink=f) for f, curve in curves.items()]
    return pd.concat(every, ignore_index=True), pd.concat(outcomes, ignore_index=True)


def class_errors():
    rows = [
        {"method": m, "label": k, "mean": 0.1 * k, "low": float("nan"), "high": float("nan")}
        for m in ("teacher std", "teacher rob")
        for k in range(3)
    ]
    return pd.DataFrame(rows)


def seed_rows():
    """Accuracy of two students of three seeds, as ``seed_lines`` draws it."""
    return pd.DataFrame(
        {"seed": seed, "method": method, "measure": "mean", "accuracy": 80.0 - 5 * taught + seed}
        for seed in range(3)
        for taught, method in enumerate(("one-hot", "distilled"))
    )


def class_images():
    """Training images of two classes at two ratios, as ``tails`` draws them."""
    return pd.DataFrame(
        {"label": label, "class_name": NAMES[label], "ratio": f"ratio {ratio}",
         "images": 20 // ratio**label}
        for ratio in (1, 20)
        for label in (0, 1)
    )  # fmt: skip


PRINTED_TAILS = pd.DataFrame(
    [("one-hot", "worst 20", 10.0), ("one-hot", "top 20", 90.0)],
    columns=["method", "measure", "value"],
)
LUCK = pd.DataFrame(
    [("worst 20", 5.0, 8.0, 12.0), ("top 20", 88.0, 92.0, 95.0)],
    columns=["measure", "low", "median", "high"],
)


def change_by_bin():
    """A change for every bin of the share off the label."""
    return pd.Series(np.linspace(2.0, -20.0, len(bin_names())), bin_names())


STANDINGS = pd.DataFrame(
    {
        "paper": ["teachers_pet", "teachers_pet", "robust_distillation"],
        "standing": ["replicated", "not run", "replicated"],
    }
)
ANSWERS = pd.DataFrame(
    {
        "paper": "Teacher's pet",
        "answer": ["agrees, at least in sign", "we cannot say"],
        "numbers": [17, 33],
    }
)
