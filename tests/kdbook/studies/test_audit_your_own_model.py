"""The chapter's own loop, and its sentences about reports that are made by hand."""

import numpy as np
import pytest
import torch

import kdlib
from kdbook.chapters.audit_your_own_model import Bench, Settings, charts, findings
from kdbook.chapters.audit_your_own_model.bench import STEP
from kdlib.data import load


@pytest.fixture(scope="module")
def bench():
    """Digits, two short trainings of each kind."""
    with pytest.MonkeyPatch.context() as patch:
        module = "kdbook.chapters.audit_your_own_model.bench"
        patch.setattr(f"{module}.images_that_are_here", lambda: load("digits", imbalance=20))
        made = Bench(Settings(seeds=3, epochs=2))
    made.passes = 2
    return made


def report(gains):
    """An audit of one training each, in which class k changes by ``gains[k]`` of 200 images."""
    labels = np.repeat(np.arange(len(gains)), 200)
    place = np.tile(np.arange(200), len(gains))
    wrong = (labels + 1) % len(gains)
    gain = np.array(gains)[labels]
    old = np.where(place < 100, labels, wrong)
    new = np.where(place < 100 + gain, labels, wrong)
    scores = [np.eye(len(gains))[guess] for guess in (new, old)]
    return kdlib.audit(labels, scores[0], one_hot=scores[1], class_names=list("abcd"))


def test_the_same_seed_trains_the_same_student(bench):
    first, again = (bench.students(bench.theirs, temperature=3.0)[0] for _ in range(2))
    torch.testing.assert_close(first, again)
    torch.testing.assert_close(first, bench.distilled[0])


def test_the_title_names_whom_distillation_harms():
    harmed = report([-60, 0, 40, 0])
    assert findings.headline(harmed, 3.0) == (
        "Distilled at T = 3, the student harms a (-30.0 points)"
    )
    calm = report([0, 0, 40, 0])
    said = "harms no class for sure, and it helps c (+20.0 points)"
    assert said in findings.headline(calm, 3.0)


def test_every_report_is_told_and_drawn(bench):
    assert set(bench.reports) == {"distilled", "AdaAlpha", "robust"}
    assert findings.in_short(bench).count("the worst class") == 3
    drawn = charts.gains(bench, bench.reports["distilled"], title="t").to_dict()
    rows = max(drawn["datasets"].values(), key=len)
    assert drawn["title"] == "t" and len(rows) == bench.classes
    assert all(row["image"].startswith("data:image/png") for row in rows)
    explorer = charts.gate_explorer(bench.reports, limit=-5.0).to_dict()
    rows = next(iter(explorer["datasets"].values()))
    assert len(rows) == 3 * bench.classes


def test_the_weights_of_the_robust_students_follow_their_errors(bench):
    class Soft:
        class_weight = torch.ones(bench.classes)

    model, soft = bench.network(1), Soft()
    bench.reweigh(model, soft)
    guesses = model(bench.data.dev.images.flatten(1).float() / 255).argmax(dim=1)
    labels = bench.data.dev.labels
    errors = [float((guesses[labels == k] != k).float().mean()) for k in range(bench.classes)]
    grown = torch.exp(STEP * torch.tensor(errors))
    expected = bench.classes * grown / grown.sum()
    torch.testing.assert_close(soft.class_weight, expected, rtol=1e-4, atol=1e-5)
