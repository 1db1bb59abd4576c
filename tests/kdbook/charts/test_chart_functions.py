"""Every chart: a valid specification, words where words are needed, clear refusals."""

import importlib
import importlib.util
import inspect
import itertools
import pkgutil

import altair as alt
import chart_frames as frames
import numpy as np
import pandas as pd
import pytest

from kdbook import chapters, charts
from kdbook.chapters.ablations.charts import ablation_explorer
from kdbook.chapters.adamargin.charts import class_weights, offset_explorer
from kdbook.chapters.architectures.charts import pair_explorer
from kdbook.chapters.baselines_and_compression.charts import baseline_scatter, failure_bars
from kdbook.chapters.calibration.charts import (
    class_error_points,
    error_against_worst,
    panda_explorer,
)
from kdbook.chapters.distillation.charts import (
    digit_image,
    soft_label_bars,
    soft_label_explorer,
    soft_label_frame,
)
from kdbook.chapters.distillation.pictures import seed_lines, six_images, told
from kdbook.chapters.gains_are_not_uniform.charts import (
    class_scatter,
    cumulative_gain,
    gain_explorer,
)
from kdbook.chapters.groups_that_are_not_classes.charts import (
    printed_and_measured,
    threshold_explorer,
)
from kdbook.chapters.measuring.charts import worst_class_explorer, worst_class_simulation
from kdbook.chapters.multipliers.charts import changed_choices, multiplier_explorer
from kdbook.chapters.natural_long_tails.charts import printed_and_luck, tail_explorer
from kdbook.chapters.number_of_classes.charts import class_count_explorer
from kdbook.chapters.objectives.charts import effect_by_length, objective_explorer
from kdbook.chapters.provable_harm.charts import added_risk_curves, risk_parts
from kdbook.chapters.provable_harm.explorer import harm_explorer
from kdbook.chapters.rare_classes.charts import imbalance_explorer, tails, teacher_length_panels
from kdbook.chapters.regularisation_samples.charts import regularisation_explorer
from kdbook.chapters.repeated_distillation.charts import round_explorer
from kdbook.chapters.results.charts import change_by_subgroup, temperature_explorer
from kdbook.chapters.teacher_and_student.charts import (
    effective_class_lines,
    image_strips,
    objective_grid,
)
from kdbook.chapters.trade_offs.charts import trade_off_explorer
from kdbook.chapters.trusting_the_teacher_less.charts import (
    adaptive_mix_bars,
    adaptive_mix_explorer,
    trust_estimate_explorer,
)
from kdbook.chapters.what_decides_who_pays.charts import alone_and_beside, harm_by_share
from kdbook.chapters.what_decides_who_pays.panel import share_by_class
from kdbook.chapters.where_the_teacher_errs.charts import bucket_explorer, bucket_panels
from kdbook.charts.over_steps import over_steps
from kdbook.charts.style import (
    METHOD_COLOURS,
    METHOD_SHAPES,
    SPARE_COLOURS,
    interval_words,
    method_colour,
)
from kdbook.reproduction.charts import answer_bars, printed_and_ours, standing_bars, verdict_bars
from kdlib.errors import SettingError


def soft_frame():
    labels, logits = [0, 1, 2], frames.logits()
    images = np.full((3, 1, 8, 8), 128, dtype=np.uint8)
    return soft_label_frame(logits, -logits, labels, frames.NAMES, images=images)


def bars_frame():
    return pd.DataFrame({"label": 0, "class_index": [0, 1], "class_name": ["a", "b"],
                         "teacher": [0.7, 0.3], "target": [0.8, 0.2],
                         "student": [0.5, 0.5], "gradient": [-0.3, 0.3]})  # fmt: skip


MAKERS = {
    "soft_label_explorer": lambda: soft_label_explorer(soft_frame()),
    "six_images": lambda: six_images(told(soft_frame())),
    "seed_lines": lambda: seed_lines(frames.seed_rows(), title="Ten pairs"),
    "tails": lambda: tails(frames.class_images()),
    "share_by_class": lambda: share_by_class(np.array([2.0, 30.0]), frames.change_by_bin()),
    "printed_and_luck": lambda: printed_and_luck(
        frames.PRINTED_TAILS, frames.LUCK, title="Table 6 over luck"
    ),
    "soft_label_bars": lambda: soft_label_bars(bars_frame()),
    "per_class_accuracy": lambda: charts.per_class_accuracy(frames.per_class()),
    "imbalance_explorer": lambda: imbalance_explorer(frames.worst(), frames.per_class_and_ratio()),
    "adaptive_mix_explorer": lambda: adaptive_mix_explorer(frames.mix(), frames.per_class()),
    "adaptive_mix_bars": lambda: adaptive_mix_bars(frames.mix((1.0,))),
    "worst_class_explorer": worst_class_explorer,
    "worst_class_simulation": lambda: worst_class_simulation(frames.simulation(), truth=90),
    "harm_explorer": harm_explorer,
    "risk_parts": lambda: risk_parts(frames.risks()),
    "added_risk_curves": lambda: added_risk_curves(
        frames.added(), "cosine", axis="cosine", title="At an angle"
    ),
    "paired_differences": lambda: charts.paired_differences(frames.differences()),
    "answer_bars": lambda: answer_bars(frames.ANSWERS, title="What we can say"),
    "standing_bars": lambda: standing_bars(frames.STANDINGS, title="Where claims stand"),
    "verdict_bars": lambda: verdict_bars(frames.VERDICTS, by={"table": "table"}),
    "printed_and_ours": lambda: printed_and_ours(frames.NUMBERS),
    "tail_explorer": lambda: tail_explorer(frames.ranks(), frames.tails()),
    "change_bars": lambda: charts.change_bars(frames.changes()),
    "change_by_class": lambda: charts.change_by_class(frames.per_class()),
    "gain_explorer": lambda: gain_explorer(frames.gain_curves(), frames.class_places()),
    "class_scatter": lambda: class_scatter(frames.class_places().head(3)),
    "trust_estimate_explorer": lambda: trust_estimate_explorer(frames.trust_estimates()),
    "trade_off_explorer": lambda: trade_off_explorer(frames.trade_offs(), frames.trade_off_marks()),
    "multiplier_explorer": lambda: multiplier_explorer(frames.multiplier_path()),
    "objective_explorer": lambda: objective_explorer(*frames.objectives()),
    "effect_by_length": lambda: effect_by_length(frames.effects(), title="Effects fade"),
    "changed_choices": lambda: changed_choices(
        frames.choices(), shown="worst class", title="One choice matters"
    ),
    "error_against_worst": lambda: error_against_worst(frames.errors_and_worst(), title="No order"),
    "objective_grid": lambda: objective_grid(frames.objective_cells()),
    "image_strips": lambda: image_strips(frames.tiles(), title="Images won back"),
    "effective_class_lines": lambda: effective_class_lines(
        frames.effective_classes(), num_classes=10
    ),
    "panda_explorer": lambda: panda_explorer(*frames.pandas_and_cats()),
    "class_error_points": lambda: class_error_points(
        frames.class_errors(), title="Errors", y="error (0 to 2)"
    ),
    "class_count_explorer": lambda: class_count_explorer(frames.class_counts()),
    "over_steps": lambda: over_steps(frames.steps(), "round", "round", title="Round by round"),
    "round_explorer": lambda: round_explorer(frames.rounds(), frames.entropies()),
    "pair_explorer": lambda: pair_explorer(frames.cells(), frames.per_class_and_pair()),
    "baseline_scatter": lambda: baseline_scatter(frames.baseline_points()),
    "failure_bars": lambda: failure_bars(
        frames.failures(), measure="worst class", title="A failure"
    ),
    "teacher_length_panels": lambda: teacher_length_panels(*frames.teacher_lengths()),
    "cumulative_gain": lambda: cumulative_gain(frames.gains()),
    "ablation_explorer": lambda: ablation_explorer(*frames.ablations()),
    "class_weights": lambda: class_weights(frames.weights()),
    "offset_explorer": lambda: offset_explorer(*frames.offsets()),
    "change_by_subgroup": lambda: change_by_subgroup(frames.changes_by_subgroup()),
    "temperature_explorer": lambda: temperature_explorer(
        *frames.temperatures(), {"distilled": 2.0, "AdaAlpha": 3.0}
    ),
    "printed_and_measured": lambda: printed_and_measured(frames.group_changes()),
    "threshold_explorer": lambda: threshold_explorer(
        frames.threshold_grid(), depth=4, alpha=0.9, threshold=0.3
    ),
    "regularisation_explorer": lambda: regularisation_explorer(
        frames.sample_shares(), frames.label_probabilities(), temperature=1.0, bucket=1
    ),
    "harm_by_share": lambda: harm_by_share(frames.harm_by_share(), title="Harm by share"),
    "alone_and_beside": lambda: alone_and_beside(frames.coefficients(), title="What is left"),
    "bucket_panels": lambda: bucket_panels(frames.buckets(), frames.UNITS),
    "bucket_explorer": lambda: bucket_explorer(
        pd.concat([frames.buckets(n) for n in (2, 3)]), frames.UNITS
    ),
}
each_chart = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def views(spec):
    yield spec
    for name in ("layer", "hconcat", "vconcat"):
        for inner in spec.get(name, []):
            yield from views(inner)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def seen_without_red_green(colour):
    """The colour as a deuteranope sees it (Machado et al. 2009, severity 1, on linear RGB)."""
    matrix = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
              [-0.011820, 0.042940, 0.968881]]  # fmt: skip
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.array(matrix) @ channels**2.2


def test_all_chart_functions_are_tested():
    drawn = [
        name
        for module in chart_modules()
        for name, found in inspect.getmembers(module, inspect.isfunction)
        if found.__module__ == module.__name__ and makes_a_chart(name, found)
    ]
    assert set(drawn) == set(MAKERS)


def chart_modules():
    """All modules of the chapters' rooms, of the matrix, and what they share.

    Not those of the audit chapter, which draw reports: ``test_audit_your_own_model`` has them.
    """
    found = pkgutil.walk_packages(chapters.__path__, f"{chapters.__name__}.")
    rooms = [one.name for one in found if "audit_your_own_model" not in one.name]
    more = ["kdbook.reproduction.charts", "kdbook.charts.classes", "kdbook.charts.over_steps"]
    return [importlib.import_module(name) for name in (*rooms, *more)]


def makes_a_chart(name, function):
    """Whole charts have a title; layers and parts of one have none."""
    parts = ("chosen_classes", "class_lines", "sentence", "zero_rule")
    said = inspect.get_annotations(function).get("return", "")
    return name[0] != "_" and "Chart" in str(said) and name not in parts


@each_chart
def test_a_chart_has_a_title_and_an_alt_text(make):
    spec = make().to_dict()  # validates against the schema
    assert len(spec["title"]) > 5
    assert len(spec["description"]) > 30


@each_chart
def test_quantitative_axes_are_named_in_words(make):
    for view in views(make().to_dict()):
        for channel in ("x", "y"):
            field = view.get("encoding", {}).get(channel, {})
            axis = field.get("axis") or {}
            title = field.get("title", axis.get("title"))
            assert title is None or "_" not in title


@each_chart
def test_a_chart_survives_json_with_missing_intervals(make):
    assert "NaN" not in make().to_json()


def test_methods_keep_their_colours_and_shapes_in_every_company():
    for methods in itertools.permutations(METHOD_COLOURS, 3):
        scale = method_colour(list(methods)).to_dict()["scale"]
        assert scale["range"] == [METHOD_COLOURS[name] for name in methods]
    assert METHOD_COLOURS.keys() == METHOD_SHAPES.keys()


def test_a_method_with_its_temperature_takes_the_methods_colour():
    scale = method_colour(["distilled T=3", "distilled T=1", "other"]).to_dict()["scale"]
    assert scale["range"][0] == METHOD_COLOURS["distilled"]
    assert len(set(scale["range"])) == 3


@pytest.mark.parametrize("colour", [*METHOD_COLOURS.values(), *SPARE_COLOURS])
@pytest.mark.parametrize("page", ["#ffffff", "#14181e"])
def test_colours_stand_out_on_light_and_dark_pages(colour, page):
    assert contrast(colour, page) >= 3


@pytest.mark.parametrize("pair", list(itertools.combinations(METHOD_COLOURS, 2)), ids="-".join)
def test_methods_differ_for_the_colour_blind(pair):
    one, other = (seen_without_red_green(METHOD_COLOURS[name]) for name in pair)
    assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize("missing", ["method", "label", "mean"])
def test_a_missing_column_is_named(missing):
    with pytest.raises(SettingError, match=f"lacks the column {missing}: it has"):
        charts.per_class_accuracy(frames.per_class().drop(columns=missing))


def test_an_empty_frame_is_refused():
    with pytest.raises(SettingError, match="no rows"):
        cumulative_gain(frames.gains().iloc[:0])


def test_only_trained_ratios_can_be_chosen_first():
    with pytest.raises(SettingError, match=r"ratio = 3 is not allowed: choose one of 1, 20"):
        imbalance_explorer(frames.worst(), frames.per_class_and_ratio(), ratio=3)


@pytest.mark.parametrize("wrong", [{"depth": 5}, {"alpha": 0.8}, {"threshold": 0.35}])
def test_a_threshold_explorer_starts_in_its_grid(wrong):
    starts = {"depth": 4, "alpha": 0.9, "threshold": 0.3} | wrong
    with pytest.raises(SettingError, match=r"is not allowed: choose one of \["):
        threshold_explorer(frames.threshold_grid(), **starts)


def test_an_uneven_grid_of_temperatures_is_refused():
    with pytest.raises(SettingError, match="evenly spaced"):
        adaptive_mix_explorer(frames.mix((1.0, 2.0, 4.0)), frames.per_class())


@pytest.mark.parametrize("wrong", [{"classes": 0}, {"images": 501}, {"accuracy": 0.9}])
def test_the_worst_class_explorer_names_the_allowed_range(wrong):
    with pytest.raises(SettingError, match="is not allowed: from"):
        worst_class_explorer(**wrong)


def test_a_group_without_examples_is_refused():
    with pytest.raises(SettingError, match="n_majority = 0 is not allowed: 1 or more"):
        harm_explorer(n_majority=0)


def test_many_classes_get_a_numeric_axis():
    frame = pd.DataFrame({"method": "one-hot", "label": range(100), "mean": 50.0,
                          "low": 40.0, "high": 60.0})  # fmt: skip
    layers = charts.per_class_accuracy(frame).to_dict()["layer"]
    assert {layer["encoding"]["x"]["field"] for layer in layers} == {"label"}


def test_given_class_names_are_shown():
    named = frames.per_class().assign(class_name=lambda f: f["label"].map(dict(enumerate("abcd"))))
    assert {row["class_name"] for row in frames.marks(charts.per_class_accuracy(named), "symbol")}


def test_a_colour_image_becomes_a_picture():
    uri = digit_image(np.zeros((3, 32, 32), dtype=np.uint8))
    assert uri.startswith("data:image/png;base64,")


def test_a_caption_is_a_subtitle_outside_the_site(monkeypatch):
    monkeypatch.delenv("KDLIB_SITE", raising=False)
    chart = charts.caption(cumulative_gain(frames.gains()), "Look at k = 1.")
    title = chart.to_dict()["title"]
    assert title["subtitle"] == ["Look at k = 1."]
    assert title["text"] == "Mean gain over the k worst classes"


def test_a_caption_works_on_a_chart_without_a_title(monkeypatch):
    monkeypatch.delenv("KDLIB_SITE", raising=False)
    bare = alt.Chart(frames.gains()).mark_point()
    assert charts.caption(bare, "See.").to_dict()["title"]["subtitle"] == ["See."]


def test_a_pair_outside_the_grid_is_refused():
    with pytest.raises(
        SettingError, match="choose one of small teaches small, small teaches large"
    ):
        pair_explorer(frames.cells(), frames.per_class_and_pair(), chosen=("large", "huge"))


def test_words_on_the_heat_map_stand_out_on_every_shade():
    shades = pair_explorer(frames.cells(), frames.per_class_and_pair()).to_dict()
    colour = shades["vconcat"][0]["layer"][0]["encoding"]["color"]["scale"]["range"]
    assert min(contrast(shade, "#111111") for shade in colour) >= 7


@pytest.mark.parametrize("wrong", [{"ratio": 3}, {"student": "AdaAlpha"}])
def test_only_what_was_trained_can_be_chosen(wrong):
    with pytest.raises(SettingError, match="choose one of"):
        class_count_explorer(frames.class_counts(), **wrong)


@pytest.mark.parametrize("wrong", [{"first": 0}, {"first": 4}, {"chain": "T = 2"}])
def test_only_trained_rounds_can_be_chosen(wrong):
    with pytest.raises(SettingError, match="is not allowed"):
        round_explorer(frames.rounds(), frames.entropies(), **wrong)


def test_a_mean_without_an_interval_is_a_mean_in_words():
    assert interval_words(2.04, 1.0, 3.0) == "+2.0 (+1.0 to +3.0)"
    assert interval_words(2.04, np.nan, np.nan) == "+2.0"
    assert interval_words(91.2, 90, 92, ".1f") == "91.2 (90.0 to 92.0)"
