"""The objective: its checks, and the batch loss against torch's own cross-entropy."""

import pytest
import torch
from small_training import CLASSES

from kdlib.errors import SettingError
from kdlib.training import LossVectors, batch_loss


def some_logits(seed):
    return torch.randn(8, CLASSES, generator=torch.Generator().manual_seed(seed))


LABELS = torch.arange(8) % CLASSES


def vectors(mix=0.5, log_cost=0.0, temperature=2.0):
    return LossVectors(torch.full((CLASSES,), mix), torch.full((CLASSES,), log_cost), temperature)


def test_one_hot_is_cross_entropy():
    loss = batch_loss(some_logits(0), LABELS, None, LossVectors.constant(CLASSES))
    assert torch.allclose(loss, torch.nn.functional.cross_entropy(some_logits(0), LABELS))


def test_full_trust_is_cross_entropy_with_the_softened_teacher():
    soft = torch.softmax(some_logits(1) / 3, dim=1)
    expected = torch.nn.functional.cross_entropy(some_logits(0), soft)
    loss = batch_loss(some_logits(0), LABELS, some_logits(1), vectors(mix=1.0, temperature=3.0))
    assert torch.allclose(loss, expected)


def test_temperature_may_be_a_tensor():
    as_float, as_tensor = vectors(temperature=3.0), vectors(temperature=torch.tensor(3.0))
    losses = [batch_loss(some_logits(0), LABELS, some_logits(1), v) for v in (as_float, as_tensor)]
    assert torch.allclose(*losses)
    assert as_float.digest == as_tensor.digest


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"mix": 1.5}, "mix holds 1.5"),
        ({"mix": -0.5}, "mix holds -0.5"),
        ({"mix": float("nan")}, "mix holds nan"),
        ({"log_cost": float("inf")}, "log_cost holds inf"),
        ({"temperature": 0.0}, "temperature = 0.0"),
        ({"temperature": float("nan")}, "temperature = nan"),
    ],
)
def test_values_outside_their_range_are_refused(values, named):
    with pytest.raises(SettingError, match=named):
        vectors(**values).prepared(CLASSES, "cpu")


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(SettingError, match=r"mix has shape \(4,\): must be \(5,\)"):
        vectors().prepared(5, "cpu")


def test_prepared_vectors_are_float32():
    doubles = LossVectors(torch.ones(CLASSES).double(), torch.ones(CLASSES).double())
    prepared = doubles.prepared(CLASSES, "cpu")
    assert prepared.mix.dtype == prepared.log_cost.dtype == torch.float32


def test_the_digest_tells_objectives_apart():
    kinds = [vectors(), vectors(mix=0.4), vectors(log_cost=0.1), vectors(temperature=2.5)]
    assert len({kind.digest for kind in kinds}) == len(kinds)
    assert vectors().digest == vectors().digest


def test_only_a_mix_above_zero_needs_a_teacher():
    rare_only = torch.zeros(CLASSES)
    rare_only[-1] = 0.1
    assert LossVectors(rare_only, torch.zeros(CLASSES)).needs_teacher
    assert not LossVectors.constant(CLASSES).needs_teacher


def test_weighted_terms_are_the_plain_ones_times_their_weights():
    logits, teacher = torch.randn(2, 6, CLASSES, generator=torch.Generator().manual_seed(5))
    labels = torch.arange(6) % CLASSES
    weighted = LossVectors(torch.full((CLASSES,), 0.5), torch.zeros(CLASSES), 2.0, weighted=True)
    ce = torch.nn.functional.cross_entropy
    own, theirs = (ce(f, labels, reduction="none") for f in (logits, teacher))
    soft = ce(logits, (teacher / 2).softmax(1), reduction="none")
    expected = (0.5 * own + 0.5 * (1 - torch.exp(-own / theirs)) * soft).mean()
    torch.testing.assert_close(batch_loss(logits, labels, teacher, weighted), expected)
    assert weighted.digest != LossVectors(weighted.mix, weighted.log_cost, 2.0).digest
    assert weighted.prepared(CLASSES, "cpu").weighted
