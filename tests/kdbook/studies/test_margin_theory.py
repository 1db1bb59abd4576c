"""Equation (4) and Lemma 1, each against something that does not use the code under test."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdbook.chapters import adamargin
from kdbook.chapters.adamargin import theory
from kdlib.errors import SettingError
from kdlib.losses import margin_log_cost, soft_target_loss
from kdlib.runs import Store, dev_mix, execute

trusts = st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4)


def problem(seed=0, n=5, size=4):
    gen = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, size, generator=gen, dtype=torch.float64)
    probs = torch.rand(n, size, generator=gen, dtype=torch.float64).softmax(dim=1)
    return logits, probs


def test_equation_four_as_it_is_printed():
    logits, _ = problem()
    rho = torch.rand(4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 0.1
    f, y = logits[2], 3
    printed = 1 + sum(rho[y, other] * (f[other] - f[y]).exp() for other in (0, 1, 2))
    found = theory.pairwise_margin_losses(logits, rho)
    torch.testing.assert_close(found[2, y], printed.log())


@settings(deadline=None)  # a machine may be busy
@given(trusts, st.integers(0, 50))
def test_the_pairwise_loss_is_the_shifted_cross_entropy(a, seed):
    logits, probs = problem(seed)
    trust = torch.tensor(a, dtype=torch.float64)
    pairwise = theory.pairwise_margin_losses(logits, theory.adaptive_rho(trust))
    by_pairs = (probs * pairwise).sum(dim=1)
    labels = torch.zeros(len(logits), dtype=torch.long)
    shifted = soft_target_loss(
        logits, labels, probs, mix=1.0, log_cost=margin_log_cost(trust, 1e-6), reduction="none"
    )
    torch.testing.assert_close(by_pairs, shifted, rtol=1e-9, atol=1e-9)


def test_large_logits_and_weights_do_not_overflow():
    logits = torch.tensor([[1e4, -1e4, 0.0]])
    losses = theory.pairwise_margin_losses(logits, theory.adaptive_rho(torch.tensor([1, 1e-6, 1])))
    assert losses.isfinite().all() and losses[0, 1] > 2e4


def test_weights_of_another_size_are_refused():
    with pytest.raises(SettingError, match=r"rho has shape \(3, 3\): expected \(4, 4\)"):
        theory.pairwise_margin_losses(problem()[0], torch.ones(3, 3))


def test_gradient_descent_on_free_scores_arrives_at_lemma_one():
    _, probs = problem(3)
    a = torch.tensor([0.9, 0.5, 0.1, 0.02], dtype=torch.float64)
    scores = torch.zeros_like(probs, requires_grad=True)
    tolerances = {"tolerance_grad": 1e-12, "tolerance_change": 1e-14}
    optimiser = torch.optim.LBFGS(
        [scores], max_iter=500, line_search_fn="strong_wolfe", **tolerances
    )

    def closure():
        optimiser.zero_grad()
        pairwise = theory.pairwise_margin_losses(scores, theory.adaptive_rho(a))
        loss = (probs * pairwise).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    wanted = theory.best_scores(probs, a)
    centred = [s - s.mean(dim=1, keepdim=True) for s in (scores.detach(), wanted)]
    torch.testing.assert_close(*centred, rtol=0, atol=1e-5)


def test_no_scores_do_better_than_lemma_one():
    _, probs = problem(4)
    a = torch.tensor([0.9, 0.5, 0.1, 0.02], dtype=torch.float64)
    best = theory.best_scores(probs, a)

    def risk(scores):
        pairwise = theory.pairwise_margin_losses(scores, theory.adaptive_rho(a))
        return (probs * pairwise).sum(dim=1)

    gen = torch.Generator().manual_seed(0)
    for _ in range(50):
        elsewhere = best + 0.3 * torch.randn(best.shape, generator=gen, dtype=torch.float64)
        assert (risk(elsewhere) >= risk(best)).all()


def test_the_margin_of_cao_depends_on_the_label_only_and_is_largest_where_it_is_rare():
    rho = theory.label_margin_rho(torch.tensor([0.9, 0.09, 0.01]))
    assert torch.equal(rho[:, 0], rho[:, 2])
    assert rho[0, 1] == 1
    assert rho[2, 1] == pytest.approx(np.exp(0.01**-0.25 - 0.9**-0.25), rel=1e-5)


def test_the_margin_of_cao_is_no_shift_of_the_logits():
    # A shift c would need rho[y, y'] = exp(c_y' - c_y), so rho[0, 1] rho[1, 0] = 1.
    rho = theory.label_margin_rho(torch.tensor([0.9, 0.1]))
    assert rho[0, 1] * rho[1, 0] > 1.5
    adaptive = theory.adaptive_rho(torch.tensor([0.9, 0.1]))
    assert adaptive[0, 1] * adaptive[1, 0] == pytest.approx(1)


def test_relative_weights_by_hand():
    table = theory.relative_weights([0.8, 0.4, 0.0], [90, 9, 1], offset=0.1)
    weight = table.pivot(index="method", columns="label", values="weight")
    assert weight.loc["AdaMargin"].tolist() == pytest.approx([1, 2, 8])
    assert weight.loc["logit adjustment"].tolist() == pytest.approx([1, 10, 90])
    assert weight.loc["Cao et al.", 0] == 1 and weight.loc["Cao et al."].is_monotonic_increasing


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A teacher and an initial teacher of one seed, trained for two epochs."""
    family = adamargin.Margins(adamargin.Settings(seeds=1, epochs=2)).study_families()[0]
    store = Store(tmp_path_factory.mktemp("store"))
    execute([family.teacher(), family.initial_teacher()], store=store, jobs=1, progress=False)
    return family, store


def test_costs_are_the_logarithms_of_the_trust(trained):
    family, store = trained
    table = theory.costs_by_class(family, 1.0, [1e-3, 1.0], store)
    mix = dev_mix(family.initial_teacher(), 1.0, store).numpy()
    low = table[table["offset"] == 1e-3].sort_values("label")
    np.testing.assert_allclose(low["log_cost"], -np.log(np.maximum(mix, 1e-3)), rtol=1e-5)
    assert (table[table["offset"] == 1.0]["log_cost"] == 0).all()


def test_at_offset_one_the_student_of_lemma_one_is_the_teacher(trained):
    family, store = trained
    table = theory.lemma_students(family, 2.0, [1.0], store).sort_values("label")
    teacher = store.finished(family.teacher()).accuracy("test")
    np.testing.assert_allclose(table["accuracy"], 100 * teacher)
    assert table["share"].sum() == pytest.approx(100)


def test_a_tiny_offset_hands_everything_to_a_class_that_was_never_trusted(trained, monkeypatch):
    family, store = trained
    untrusted = torch.ones(10)  # two epochs leave no probability below 1e-30
    untrusted[9] = 0.0
    monkeypatch.setattr(theory, "dev_mix", lambda *_: untrusted)
    table = theory.lemma_students(family, 1.0, [1e-30], store).set_index("label")
    assert table.loc[9, "accuracy"] == 100 and table["accuracy"].sum() == 100
    assert table.loc[9, "share"] == pytest.approx(100)


def test_the_pressure_of_an_offset(trained, monkeypatch):
    family, store = trained
    monkeypatch.setattr(theory, "dev_mix", lambda *_: torch.tensor([1.0] * 9 + [0.0]))
    table = theory.pressure(family, 1.0, [1.0, 1e-3], store).set_index("offset")
    assert table.loc[1.0, "spread"] == 0 and table.loc[1e-3, "ratio"] == pytest.approx(1000)
    assert table.loc[1e-3, "spread"] == pytest.approx(np.log(1000))
    assert table.loc[1.0, "loss"] == pytest.approx(np.log(10))  # a uniform guess of ten classes
    assert table["gradient"].between(0, 2**0.5).all()
    assert table.loc[1e-3, "reach"] > table.loc[1.0, "reach"]
