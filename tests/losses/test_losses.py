"""The loss against closed forms, the papers' own formulas and torch; the vectors by plain loops."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from loss_problem import L, N, close, float64, problem
from torch.autograd import gradcheck

from kdlib.errors import SettingError
from kdlib.losses import (
    adaptive_mix,
    margin_log_cost,
    soft_target_loss,
    teacher_probabilities,
)

seeds = st.integers(0, 2**31)


# --- the loss against other computations of it ---


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_without_teacher_it_is_torch_cross_entropy(reduction):
    logits, labels, *_ = problem()
    ours = soft_target_loss(logits, labels, reduction=reduction)
    close(ours, F.cross_entropy(logits, labels, reduction=reduction), rtol=0, atol=1e-12)


def test_mix_zero_ignores_the_teacher():
    logits, labels, probs, *_ = problem()
    ours = soft_target_loss(logits, labels, probs, mix=torch.zeros(L), log_cost=torch.zeros(L))
    close(ours, F.cross_entropy(logits, labels))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_it_is_alpha_kl_plus_cross_entropy_plus_the_teachers_entropy(alpha):
    logits, labels, probs, *_ = problem()
    kl = F.kl_div(logits.log_softmax(1), probs, reduction="batchmean")
    entropy = torch.distributions.Categorical(probs).entropy().mean()
    expected = alpha * (kl + entropy) + (1 - alpha) * F.cross_entropy(logits, labels)
    close(soft_target_loss(logits, labels, probs, mix=alpha), expected)


def test_vectors_against_a_loop_over_examples():
    logits, labels, probs, mix, log_cost = problem()
    expected = []
    for f, y, p in zip(logits, labels, probs, strict=True):
        target = (1 - mix[y]) * F.one_hot(y, L) + mix[y] * p
        expected.append(F.cross_entropy((f - log_cost)[None], target[None]))
    ours = soft_target_loss(logits, labels, probs, mix=mix, log_cost=log_cost, reduction="none")
    close(ours, torch.stack(expected))


def pairwise_margin_loss(logits, probs, rho):
    """Equation (4) of "Teacher's pet" inside the distillation sum, written out pair by pair."""
    total = 0.0
    for f, p in zip(logits, probs, strict=True):
        for y in range(L):
            others = [rho(y, j) * torch.exp(f[j] - f[y]) for j in range(L) if j != y]
            total += p[y] * torch.log(1 + sum(others))
    return total / len(logits)


def test_ada_margin_is_the_pairwise_margin_loss_of_equation_4():
    logits, labels, probs, mix, _ = problem()
    expected = pairwise_margin_loss(logits, probs, lambda y, j: mix[j] / mix[y])
    log_cost = margin_log_cost(mix, offset=1e-6)
    close(soft_target_loss(logits, labels, probs, mix=1.0, log_cost=log_cost), expected)


def test_logit_adjustment_is_the_pairwise_margin_loss_with_class_priors():
    logits, labels, *_ = problem()
    prior = torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.0625], dtype=torch.float64)
    one_hot = F.one_hot(labels, L).double()
    expected = pairwise_margin_loss(logits, one_hot, lambda y, j: prior[j] / prior[y])
    close(soft_target_loss(logits, labels, log_cost=-prior.log()), expected)


def test_margin_surrogate_of_robust_distillation_equation_9():
    logits, labels, probs, *_ = problem()
    cost = probs.mean(0).reciprocal()  # the balanced student: c = 1 / teacher marginal
    surrogate = 0.0
    for f, p in zip(logits, probs, strict=True):
        for y in range(L):
            gaps = [torch.log(cost[y] / cost[j]) - (f[y] - f[j]) for j in range(L) if j != y]
            surrogate += p[y] * torch.log(1 + torch.exp(torch.stack(gaps)).sum()) / L
    ours = soft_target_loss(logits, labels, probs, mix=1.0, log_cost=cost.log())
    close(ours, L * surrogate / N)  # the paper's factor 1/m only rescales


def test_weight_of_zhou_scales_the_teacher_term_only():
    logits, labels, probs, *_ = problem()
    own = torch.arange(N)
    student = F.cross_entropy(logits, labels, reduction="none")
    weight = 1 - torch.exp(-student / -probs[own, labels].log())
    teacher_terms = -(probs * logits.log_softmax(1)).sum(1)
    expected = (0.4 * student + 0.6 * weight * teacher_terms).sum() / N
    close(soft_target_loss(logits, labels, probs, mix=0.6, weight=weight), expected)


# log softmax of (1, 2, 3) is (-2.407606, -1.407606, -0.407606). Costs (2, 1, 1) turn the logits
# into (0.306853, 2, 3), whose log softmax is (-3.054693, -1.361546, -0.361546).
@pytest.mark.parametrize(
    ("mix", "cost", "expected"),
    [
        (0.0, [1, 1, 1], 2.407606),
        (1.0, [1, 1, 1], 0.5 * 2.407606 + 0.3 * 1.407606 + 0.2 * 0.407606),  # 1.707606
        (0.25, [1, 1, 1], 2.232606),
        (0.0, [2, 1, 1], 3.054693),
        (0.25, [2, 1, 1], 0.75 * 3.054693 + 0.25 * 2.008120),
    ],
)
def test_golden_values_by_hand(mix, cost, expected):
    ours = soft_target_loss(
        torch.tensor([[1.0, 2.0, 3.0]]),
        torch.tensor([0]),
        torch.tensor([[0.5, 0.3, 0.2]]),
        mix=mix,
        log_cost=torch.tensor(cost).log(),
    )
    assert ours.item() == pytest.approx(expected, abs=2e-6)


# --- gradients and optima ---


def test_gradient_is_shifted_softmax_minus_target():
    logits, labels, probs, mix, log_cost = problem()
    logits.requires_grad_()
    soft_target_loss(logits, labels, probs, mix=mix, log_cost=log_cost, reduction="sum").backward()
    share = mix[labels][:, None]
    target = (1 - share) * F.one_hot(labels, L) + share * probs
    close(logits.grad, (logits.detach() - log_cost).softmax(1) - target)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_gradients_in_every_input(reduction):
    logits, labels, probs, mix, log_cost = problem(n=4, classes=3)
    inputs = [logits, mix, log_cost, torch.rand(4, dtype=torch.float64)]

    def loss(f, m, c, w):
        return soft_target_loss(f, labels, probs, mix=m, log_cost=c, weight=w, reduction=reduction)

    assert gradcheck(loss, [tensor.requires_grad_() for tensor in inputs])


def test_gradient_without_teacher():
    logits, labels, *_ = problem(n=4, classes=3)
    assert gradcheck(lambda f: soft_target_loss(f, labels), logits.requires_grad_())


def test_lemma_1_direct_optimisation_reaches_log_p_over_a():
    _, labels, probs, mix, _ = problem()
    free = torch.zeros(N, L, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [free], max_iter=500, tolerance_grad=1e-9, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    log_cost = margin_log_cost(mix, offset=1e-6)

    def step():
        optimiser.zero_grad()
        loss = soft_target_loss(free, labels, probs, mix=1.0, log_cost=log_cost, reduction="sum")
        loss.backward()
        return loss

    optimiser.step(step)
    lemma = (probs / mix).log()
    # Scores are defined up to one constant per example.
    close(free.detach().log_softmax(1), lemma.log_softmax(1), rtol=0, atol=1e-5)


# --- extreme values, types, devices of calling ---


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_huge_logits_stay_finite(dtype):
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], dtype=dtype, requires_grad=True)
    probs = torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]], dtype=dtype)
    labels = torch.tensor([1, 1])
    loss = soft_target_loss(logits, labels, probs, mix=0.5, reduction="none")
    big = logits[0, 0].item()  # bfloat16 rounds 1e4 to 9984
    close(loss, torch.tensor([1.75 * big, big]), check_dtype=False)
    loss.sum().backward()
    assert logits.grad.isfinite().all()
    assert logits.grad.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_input_is_computed_in_float32(dtype):
    logits, labels, probs, mix, log_cost = problem()
    half = logits.to(dtype)
    ours = soft_target_loss(half, labels, probs, mix=mix, log_cost=log_cost)
    assert ours.dtype == torch.float32
    close(ours, soft_target_loss(half.float(), labels, probs, mix=mix, log_cost=log_cost))
    assert teacher_probabilities(half, 2.0).dtype == torch.float32


def test_inputs_are_left_as_they_were():
    inputs = problem()
    before = [tensor.clone() for tensor in inputs]
    logits, labels, probs, mix, log_cost = inputs
    weight = torch.ones(N)
    soft_target_loss(logits, labels, probs, mix=mix, log_cost=log_cost, weight=weight)
    teacher_probabilities(logits, 2.0)
    adaptive_mix(probs, labels, L)
    margin_log_cost(mix, 0.1)
    for now, then in zip(inputs, before, strict=True):
        assert torch.equal(now, then)
    assert torch.equal(weight, torch.ones(N))


def test_vmap_over_students_with_their_own_vectors():
    _, labels, probs, *_ = problem()
    logits, mix, log_cost = float64(3, N, L), torch.rand(3, L).double(), float64(3, L)

    def loss(f, m, c):
        return soft_target_loss(f, labels, probs, mix=m, log_cost=c)

    each = torch.stack([loss(*student) for student in zip(logits, mix, log_cost, strict=True)])
    close(torch.vmap(loss)(logits, mix, log_cost), each)


def test_compiles_into_one_graph():
    logits, labels, probs, mix, log_cost = problem()
    compiled = torch.compile(soft_target_loss, fullgraph=True, backend="eager")
    for kwargs in ({"mix": mix, "log_cost": log_cost}, {"mix": 0.5}):
        close(
            compiled(logits, labels, probs, **kwargs),
            soft_target_loss(logits, labels, probs, **kwargs),
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_without_waiting_for_the_device():
    inputs = problem()
    logits, labels, probs, mix, log_cost = (tensor.cuda() for tensor in inputs)
    torch.cuda.set_sync_debug_mode("error")
    try:
        ours = soft_target_loss(logits, labels, probs, mix=mix, log_cost=log_cost)
        teacher_probabilities(logits, 2.0)
        vector = adaptive_mix(probs, labels, L)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    logits, labels, probs, mix, log_cost = inputs
    close(ours.cpu(), soft_target_loss(logits, labels, probs, mix=mix, log_cost=log_cost))
    close(vector.cpu(), adaptive_mix(probs, labels, L))


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
def test_small_integer_labels(dtype):
    logits, labels, probs, mix, _ = problem()
    close(
        soft_target_loss(logits, labels.to(dtype), probs, mix=mix),
        soft_target_loss(logits, labels, probs, mix=mix),
    )


# --- properties ---


@given(seeds, st.floats(-1e3, 1e3))
def test_shifting_all_logits_of_an_example_changes_nothing(seed, shift):
    logits, labels, probs, mix, log_cost = problem(seed)
    loss = partial(soft_target_loss, labels=labels, teacher_probs=probs, mix=mix)
    close(loss(logits + shift, log_cost=log_cost), loss(logits, log_cost=log_cost))
    close(loss(logits, log_cost=log_cost + shift), loss(logits, log_cost=log_cost))


@given(seeds, st.floats(0, 1))
def test_linear_in_the_target(seed, part):
    logits, labels, probs, mix, log_cost = problem(seed)
    other = probs.flip(0)
    loss = partial(soft_target_loss, logits, labels, mix=mix, log_cost=log_cost)
    close(loss(part * probs + (1 - part) * other), part * loss(probs) + (1 - part) * loss(other))


@given(seeds)
def test_renaming_the_classes_changes_nothing(seed):
    logits, labels, probs, mix, log_cost = problem(seed)
    order = torch.randperm(L, generator=torch.Generator().manual_seed(seed))
    renamed = torch.argsort(order)[labels]
    ours = soft_target_loss(
        logits[:, order], renamed, probs[:, order], mix=mix[order], log_cost=log_cost[order]
    )
    close(ours, soft_target_loss(logits, labels, probs, mix=mix, log_cost=log_cost))
    close(adaptive_mix(probs[:, order], renamed, L), adaptive_mix(probs, labels, L)[order])


# --- refusals ---


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"logits": torch.zeros(3)}, "logits has shape"),
        ({"labels": torch.zeros(4, dtype=torch.long)}, "labels has shape (4,): expected (3,)"),
        ({"labels": torch.zeros(3)}, "expected whole numbers"),
        ({"teacher_probs": torch.zeros(3, 3)}, "teacher_probs has shape"),
        ({"mix": 1.5}, "mix = 1.5 is not allowed"),
        ({"mix": -0.1}, "mix = -0.1 is not allowed"),
        ({"mix": float("nan")}, "mix = nan is not allowed"),
        ({"mix": True}, "mix = True is not allowed"),
        ({"mix": "half"}, "mix = 'half' is not allowed"),
        ({"mix": torch.zeros(3)}, "mix has shape (3,): expected (2,)"),
        ({"log_cost": torch.zeros(1)}, "log_cost has shape (1,): expected (2,)"),
        ({"weight": torch.zeros(2)}, "weight has shape"),
        ({"reduction": "average"}, "reduction = 'average' is not allowed"),
        ({"teacher_probs": None, "mix": 0.5}, "mix = 0.5 needs teacher_probs"),
        ({"teacher_probs": None, "weight": torch.ones(3)}, "weight needs teacher_probs"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(change, words):
    arguments = {
        "logits": torch.zeros(3, 2),
        "labels": torch.zeros(3, dtype=torch.long),
        "teacher_probs": torch.full((3, 2), 0.5),
    }
    with pytest.raises(SettingError) as refusal:
        soft_target_loss(**{**arguments, **change})
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_mix_vector_that_needs_a_missing_teacher_gives_nan_not_plain_training():
    logits, labels, *_ = problem()
    mix = torch.zeros(L, dtype=torch.float64)
    close(soft_target_loss(logits, labels, mix=mix), F.cross_entropy(logits, labels))
    mix[labels[0]] = 0.5
    losses = soft_target_loss(logits, labels, mix=mix, reduction="none")
    assert torch.equal(losses.isnan(), labels == labels[0])
