"""What the browser computes in Vega equals what the library computes."""

import altair as alt
import chart_frames as frames
import numpy as np
import pandas as pd
import pytest
import torch

from kdbook.chapters.architectures.charts import pair_explorer
from kdbook.chapters.distillation.charts import soft_label_explorer, soft_label_frame
from kdbook.chapters.groups_that_are_not_classes.charts import (
    printed_and_measured,
    threshold_explorer,
)
from kdbook.chapters.measuring.charts import worst_class_explorer
from kdbook.chapters.natural_long_tails.charts import tail_explorer
from kdbook.chapters.number_of_classes.charts import class_count_explorer
from kdbook.chapters.provable_harm import ridge
from kdbook.chapters.provable_harm.explorer import harm_explorer
from kdbook.chapters.rare_classes.charts import imbalance_explorer
from kdbook.chapters.repeated_distillation.charts import round_explorer
from kdbook.chapters.trusting_the_teacher_less.charts import adaptive_mix_explorer
from kdbook.worst_by_chance import exact_worst, expected_worst
from kdlib.errors import SettingError
from kdlib.losses import teacher_probabilities

pytest.importorskip("vl_convert", reason="vl-convert-python (extra: book) is not installed")


@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 1.0), (3.0, 0.5), (0.5, 0.0)])
def test_soft_labels_target_and_gradient(temperature, alpha):
    logits, student = frames.logits(seed=1), frames.logits(seed=2)
    frame = soft_label_frame(logits, student, [2, 0, 1], frames.NAMES)
    drawn = soft_panels(soft_label_explorer(frame, temperature=temperature, alpha=alpha))
    teacher = teacher_probabilities(torch.from_numpy(logits[:1]), temperature)[0].numpy()
    q = torch.from_numpy(student[0]).softmax(dim=0).numpy()
    target = (1 - alpha) * np.eye(4)[2] + alpha * teacher
    expected = {"teacher": teacher, "target": target, "student": q, "gradient": q - target}
    for name, values in expected.items():
        np.testing.assert_allclose(drawn[name], values, atol=6e-4)  # tooltips show 3 digits


def test_soft_labels_do_not_overflow():
    logits = np.array([[1e4, -1e4, 0.0, 5.0]])
    frame = soft_label_frame(logits, logits, [0], frames.NAMES)
    drawn = soft_panels(soft_label_explorer(frame, temperature=0.5))
    np.testing.assert_array_equal(drawn["teacher"], [1, 0, 0, 0])


def soft_panels(chart):
    """Panel name to the four bars' values in the order of the classes."""
    bars = pd.DataFrame(frames.marks(chart, "rect")).set_index("class_name")
    names = ("teacher", "target", "student", "gradient")
    return {name: bars[name].dropna().loc[frames.NAMES].to_numpy() for name in names}


@pytest.mark.parametrize(
    ("classes", "images", "accuracy"), [(10, 30, 90), (1, 20, 75), (100, 500, 99), (7, 5, 50)]
)
def test_the_worst_of_equal_classes_is_exact(classes, images, accuracy):
    chart = worst_class_explorer(classes=classes, images=images, accuracy=accuracy)
    exact = exact_worst([accuracy] * classes, [images] * classes)
    bars = pd.DataFrame(frames.marks(chart, "rect"))
    bars = bars[(bars["which"] == "worst of all classes") & (bars["chance"] > 1e-5)]
    likely = exact[exact["probability"] > 1e-5]
    np.testing.assert_allclose(bars["chance"], likely["probability"], rtol=1e-6)
    rules = frames.marks(chart, "rule")
    mean = next(row["expected"] for row in rules if "expected" in row)
    assert mean == pytest.approx(expected_worst([accuracy] * classes, [images] * classes), abs=1e-6)


@pytest.mark.parametrize(
    ("noise", "alpha", "n"), [(0.5, 1.0, 5), (2.0, 0.4, 30), (0.0, 1.0, 1), (3.0, 0.0, 2)]
)
def test_the_map_of_harm_is_the_closed_form(noise, alpha, n):
    chart = harm_explorer(noise=noise, alpha=alpha, n_minority=n, ridge_lambda=2.5)
    map_and_bars = pd.DataFrame(frames.marks(chart, "rect"))
    cells = map_and_bars.dropna(subset=["added"])
    assert len(cells) == 48 * 40
    steps = [(np.arange(k) + 0.5) / k for k in (48, 40)]
    sizes, lambdas = np.meshgrid(10 ** (3 * steps[0]), 0.05 * 400 ** steps[1])
    expected = ridge.added_risk(sizes, lambdas, 1, noise, alpha=alpha).ravel()
    np.testing.assert_allclose(cells["added"], expected, atol=6e-6)  # tooltips show 5 digits

    bars = map_and_bars.dropna(subset=["risk"])
    for name, size in (("minority", n), ("majority", 500)):
        for student, rounds in (("one-hot", 0), ("distilled", 1)):
            mine = bars[bars["who"] == f"{name}, {student}"].set_index("part")["risk"]
            risk = ridge.group_risk(size, 2.5, 1, noise, alpha=alpha, rounds=rounds)
            assert mine["bias²"] == pytest.approx(risk.bias_squared, rel=1e-3)
            assert mine["variance"] == pytest.approx(risk.variance, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(("noise", "alpha"), [(1.0, 1.0), (2.0, 0.5), (4.0, 0.0)])
def test_the_line_on_the_map_is_the_critical_lambda(noise, alpha):
    chart = harm_explorer(noise=noise, alpha=alpha)
    line = next(
        layer for layer in chart.to_dict()["vconcat"][0]["layer"] if layer["mark"]["type"] == "line"
    )
    only = alt.Chart.from_dict({k: line[k] for k in ("data", "transform")} | {"mark": "point"})
    values = {"noise": noise, "alpha": alpha}
    only = only.encode(x="n:Q", y="lam:Q").add_params(*(alt.param(k, v) for k, v in values.items()))
    points = pd.DataFrame(frames.marks(only, "symbol"))
    assert len(points) > 20
    # Where lambda is what the line says one round of distillation adds nothing, and above it harms.
    for at, harmed in ((1 - 1e-5, False), (1 + 1e-5, True)):
        world = (points["n"], points["lam"] * at, 1, noise)
        assert (ridge.harms(*world, alpha=alpha) == harmed).all()


@pytest.mark.parametrize(
    ("noise", "minority"), [(0.5, "pays 0.055 β²"), (1.0, "pays 0.023 β²"), (2.0, "gains 0.1 β²")]
)
def test_a_sentence_says_what_each_group_pays(noise, minority):
    chart = harm_explorer(noise=noise)
    said = {row["said"] for row in frames.marks(chart, "text") if "said" in row}
    added = ridge.added_risk(np.array([5, 500]), 1, 1, noise)
    assert minority.split()[1] == f"{abs(added[0]):.2g}" and abs(added[1]) < 0.0005
    verb = "pays" if added[1] > 0 else "gains"
    assert said == {f"The minority of 5 {minority}", f"The majority of 500 {verb} next to nothing"}


def test_a_start_beyond_a_slider_moves_to_its_end():
    chart = harm_explorer(n_minority=5000, ridge_lambda=0.001, noise=9)
    starts = {p["name"]: p["value"] for p in chart.to_dict()["params"]}
    assert starts == {"size": 100, "ridge_lambda": 0.05, "noise": 5, "alpha": 1.0}


def test_only_the_chosen_ratio_is_drawn_below():
    chart = imbalance_explorer(frames.worst(), frames.per_class_and_ratio(), ratio=1.0)
    below = [row for row in frames.marks(chart, "symbol") if "class_name" in row]
    assert len(below) == len(frames.METHODS) * len(frames.CLASSES)
    assert {row["mean"] for row in below} == {51.0}


def test_each_method_shows_its_temperature_nearest_to_the_slider():
    blind = frames.per_class(temperature=np.nan).query("method == 'one-hot'")
    taught = [frames.per_class(temperature=t).query("method != 'one-hot'").assign(mean=t)
              for t in (1.0, 3.0)]  # fmt: skip
    accuracy = pd.concat([blind, *taught])
    chart = adaptive_mix_explorer(frames.mix(), accuracy, temperature=1.5)
    drawn = pd.DataFrame([r for r in frames.marks(chart, "symbol") if "method" in r])
    assert set(drawn.query("method == 'AdaAlpha'")["mean"]) == {1.0}
    assert len(drawn.query("method == 'one-hot'")) == len(frames.CLASSES)


def test_the_mix_of_the_chosen_temperature_is_drawn():
    chart = adaptive_mix_explorer(frames.mix(), frames.per_class(), temperature=1.5)
    bars = [row["mean"] for row in frames.marks(chart, "rect")]
    np.testing.assert_allclose(bars, [0.6 - 0.1 * c for c in frames.CLASSES], atol=0.006)


@pytest.mark.parametrize("k", [1, 4])
def test_tail_means_are_those_at_the_chosen_k(k):
    tails = frames.tails()
    chart = tail_explorer(frames.ranks(), tails, k=k)
    drawn = [mark for mark in frames.marks(chart, "symbol") if "measure" in mark]
    found = {(mark["method"], mark["measure"]): mark["mean"] for mark in drawn}
    expected = tails[tails["k"] == k].set_index(["method", "measure"])["mean"].to_dict()
    assert found == expected and len(drawn) == 9


def test_the_tail_slider_starts_at_a_fifth_of_the_classes():
    chart = tail_explorer(frames.ranks(10), frames.tails(10)).to_dict()
    (slider,) = [p for p in chart["params"] if p["name"] == "k"]
    assert slider["value"] == 2 and slider["bind"]["max"] == 10


@pytest.mark.parametrize("k", [0, 6])
def test_a_k_that_is_not_there_is_refused(k):
    with pytest.raises(SettingError, match=f"k = {k} is not allowed: 1 to 5"):
        tail_explorer(frames.ranks(), frames.tails(), k=k)


@pytest.mark.parametrize(("chosen", "drawn"), [(None, 50.0), (("large", "small"), 70.0)])
def test_the_chosen_pair_is_drawn_below(chosen, drawn):
    chart = pair_explorer(frames.cells(), frames.per_class_and_pair(), chosen=chosen)
    points = [row for row in frames.marks(chart, "symbol") if "class_name" in row]
    assert len(points) == len(frames.METHODS) * len(frames.CLASSES)
    assert {row["mean"] for row in points} == {drawn}


@pytest.mark.parametrize(("depth", "alpha", "threshold"), [(4, 0.9, 0.3), (8, 0.5, 0.4)])
def test_the_threshold_explorer_shows_what_was_chosen(depth, alpha, threshold):
    grid = frames.threshold_grid()
    starts = {"depth": depth, "alpha": alpha, "threshold": threshold}
    chart = threshold_explorer(grid, **starts)
    points = pd.DataFrame(frames.marks(chart, "symbol"))
    assert set(points["group"]) == {"men", "women"}
    chosen = 100 * threshold + depth + 10 * alpha
    np.testing.assert_allclose(points["mean"], chosen, atol=0.05)


def test_printed_and_measured_changes_stand_in_one_row_each():
    frame = frames.group_changes()
    points = pd.DataFrame(frames.marks(printed_and_measured(frame), "symbol"))
    assert sorted(points["group"].unique()) == sorted(frame["group"])
    assert len(points) == 2 * len(frame)


@pytest.mark.parametrize("ratio", [1.0, 20.0])
def test_worst_classes_of_the_chosen_ratio_are_drawn(ratio):
    chart = class_count_explorer(frames.class_counts(), ratio=ratio, student="distilled")
    drawn = {(m["method"], m["classes"]): m["mean"] for m in frames.marks(chart, "symbol")}
    expected = {(w, n): n + ratio + 10 * i for i, w in enumerate(frames.WAYS) for n in (2, 5, 10)}
    assert drawn == expected


@pytest.mark.parametrize(("chain", "number"), [(None, 1), ("T = 1", 3)])
def test_the_chosen_round_is_drawn(chain, number):
    chart = round_explorer(frames.rounds(), frames.entropies(), chain=chain, first=number)
    shift = frames.CHAINS.index(chain or frames.CHAINS[-1])
    points = pd.DataFrame([m for m in frames.marks(chart, "symbol") if "class_name" in m])
    taught = points[points["method"] == "distilled"]
    assert len(points) == 8 and set(taught["mean"]) == {90 - 10 * number - shift}
    bars = [m["mean"] for m in frames.marks(chart, "rect") if "mean" in m]
    np.testing.assert_allclose(
        bars, [0.1 * number + 0.01 * y + shift for y in frames.CLASSES], atol=0.006
    )
