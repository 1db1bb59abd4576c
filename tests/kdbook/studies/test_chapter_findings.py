"""What the first chapters say of their numbers follows from these by rule."""

import numpy as np
import pandas as pd
import pytest
import torch

from kdbook.chapters import measuring
from kdbook.chapters.distillation import pictures
from kdbook.chapters.distillation.charts import soft_label_frame
from kdbook.chapters.gains_are_not_uniform import findings as gain_findings
from kdbook.chapters.measuring import findings as measuring_findings
from kdbook.chapters.rare_classes import by_ratio
from kdbook.chapters.trusting_the_teacher_less import luck


def teacher_says():
    logits = np.array([[0.0, 3.0, 1.0], [2.0, 0.0, 0.0]])
    frame = soft_label_frame(logits, logits, [0, 0], ["8", "1", "4"])
    return logits, pictures.told(frame, (1.0, 3.0))


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_what_the_teacher_tells_is_its_softmax(temperature):
    logits, rows = teacher_says()
    found = rows[rows["temperature"] == f"T = {temperature:g}"]["probability"].to_numpy()
    expected = (torch.from_numpy(logits) / temperature).softmax(dim=1)
    np.testing.assert_allclose(found.reshape(2, 3), expected.numpy())


def test_the_title_names_the_surest_mistake_at_each_temperature():
    first, second = (torch.tensor([0.0, 3.0, 1.0]) / t for t in (1.0, 3.0))
    shares = [100 * x.softmax(dim=0)[1].item() for x in (first, second)]
    assert pictures.headline(teacher_says()[1]) == (
        f"Shown an 8, the teacher is {shares[0]:.0f} % sure of a 1; "
        f"asked at T = 3, {shares[1]:.0f} %"
    )


def curve(worst, mean):
    rows = [{"k": k, "mean": m, "low": m - 1, "high": m + 1, "seeds": 3}
            for k, m in ((1, worst), (10, mean))]  # fmt: skip
    return pd.DataFrame(rows).assign(order=gain_findings.HONEST)


@pytest.mark.parametrize(
    ("worst", "mean", "said"),
    [
        (
            -14.0,
            0.2,
            "The worst class loses 14 points, the mean of the classes shows no clear change",
        ),
        (2.0, 3.0, "The worst class gains 2 points, the mean of the classes gains 3 points"),
    ],
)
def test_the_first_figure_of_gains_says_who_gains(worst, mean, said):
    assert gain_findings.headline(curve(worst, mean)) == said


def test_the_sweep_names_the_ratios_with_a_clear_loss():
    rows = pd.DataFrame({"ratio": [1.0, 20.0, 50.0], "low": [-1, -9, -20], "high": [1, -2, 20]})
    assert by_ratio.sweep_headline(rows) == "Rarest fifth: a clear loss at ratio 20 of 3 ratios"
    assert by_ratio.sweep_headline(rows[rows["ratio"] == 1]).startswith("At no ratio")


def test_the_worst_of_equal_classes_is_said_with_its_range():
    settings = measuring.Settings(classes=1, images=100, accuracy=90.0)
    halved = pd.DataFrame({"same_half": [50.0, 52.0], "other_half": [60.0, 62.0]})
    said = measuring_findings.in_short(measuring.Measuring(settings), halved)
    assert "shows 90.0 % on average (nine of ten test sets: 85 to 95 %)" in said
    assert "says 51.0 % and the other half 61.0 %" in said


def test_luck_by_the_formula_is_that_of_normal_margins():
    rng = np.random.default_rng(0)
    margins = pd.DataFrame({"seed": 0, "label": 0, "margin": rng.normal(0.0, 0.2, 400)})
    m, s = margins["margin"].mean(), margins["margin"].std(ddof=0) / np.sqrt(5)
    drawn = np.maximum(0, rng.normal(m, s, 400_000)).mean() - max(0.0, m)
    assert luck.bias_by_formula(margins, 5) == pytest.approx(drawn, abs=1e-3)
