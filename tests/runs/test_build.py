"""From rules to the two vectors, on stored dev logits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_runs import ablation, ada_alpha, one_hot

from kdlib.losses import average_margins, teacher_probabilities
from kdlib.runs import Store, dev_margins, dev_mix, execute, hardest_removed, loss_vectors
from kdlib.runs.build import dataset_for


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    execute([one_hot(200, part="train_minus_dev")], store=store, progress=False)
    return store


def vectors(spec, store):
    return loss_vectors(spec, dataset_for(spec), store)


def source():
    return one_hot(200, part="train_minus_dev")


def test_dev_margins_are_those_of_the_stored_logits(store):
    result = store.finished(source())
    probs = teacher_probabilities(torch.from_numpy(result.logits("dev")), 3.0)
    labels = torch.from_numpy(result.labels("dev"))
    torch.testing.assert_close(
        dev_margins(source(), 3.0, store), average_margins(probs, labels, 10), equal_nan=True
    )


def test_the_mix_is_the_margin_cut_at_zero(store):
    margins = dev_margins(source(), 3.0, store)
    assert (margins < 0).any() and (margins > 0).any()
    torch.testing.assert_close(dev_mix(source(), 3.0, store), margins.clamp(min=0))


def test_shuffled_weights_are_the_same_weights_elsewhere(store):
    plain, shuffled = vectors(ada_alpha(), store).mix, vectors(ablation("shuffled"), store).mix
    assert torch.equal(plain.sort().values, shuffled.sort().values)
    assert not torch.equal(plain, shuffled)


def test_the_hardest_get_no_teacher_and_the_others_all_of_it(store):
    mix = vectors(ablation("hardest removed"), store).mix
    margins = dev_margins(source(), 3.0, store)
    assert (mix == 0).sum() == 3 and (mix[mix != 0] == 1).all()
    assert margins[mix == 0].max() <= margins[mix == 1].min()


def test_of_equally_hard_classes_the_rarer_goes_first():
    mix = hardest_removed(torch.tensor([0.5, 0.1, 0.1, 0.9]), alpha=0.7, share=0.25)
    assert mix.tolist() == pytest.approx([0.7, 0.7, 0.0, 0.7])


def test_a_class_that_nobody_judged_is_hardest():
    mix = hardest_removed(torch.tensor([-0.1, float("nan"), 0.2]), alpha=1.0, share=0.3)
    assert mix.tolist() == [1.0, 0.0, 1.0]


@given(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=30), st.floats(0.01, 0.99))
def test_hardest_removed_takes_a_share_of_smallest_margin(margins, share):
    values = torch.tensor(margins)
    mix = hardest_removed(values, alpha=1.0, share=share)
    removed = mix == 0
    assert removed.sum() == max(1, round(share * len(margins)))
    if not removed.all():
        assert values[removed].max() <= values[~removed].min()


def test_only_the_weighted_method_weighs(store):
    assert vectors(ablation("weighted"), store).weighted
    assert not vectors(ada_alpha(), store).weighted
