"""Subsets of the classes: which, in what order, and what stays the same."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdlib.data import load
from kdlib.data.class_subsets import kept_classes
from kdlib.errors import SettingError

shares = st.floats(0.01, 1.0)
seeds = st.integers(0, 1000)


@given(shares, seeds)
def test_a_share_keeps_that_many_classes_in_order(share, seed):
    kept = kept_classes("digits", 10, share, seed)
    assert len(kept) == max(2, round(share * 10))
    assert kept == sorted(set(kept)) and set(kept) <= set(range(10))


@given(shares, shares, seeds)
def test_a_smaller_share_keeps_a_subset(first, second, seed):
    few, many = sorted((first, second))
    smaller, larger = (set(kept_classes("cifar100", 100, share, seed)) for share in (few, many))
    assert smaller <= larger


def test_the_draws_differ():
    draws = {tuple(kept_classes("cifar100", 100, 0.1, seed)) for seed in range(5)}
    assert len(draws) == 5


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_subset_holds_the_same_examples_of_its_classes(share):
    whole, part = load("digits"), load("digits", class_share=share, class_seed=4)
    kept = [int(name) for name in part.class_names]
    assert kept == kept_classes("digits", 10, share, 4)
    for name in ("train", "validation", "test"):
        all_of, some = getattr(whole, name), getattr(part, name)
        wanted = torch.isin(all_of.labels, torch.tensor(kept))
        assert torch.equal(some.index, all_of.index[wanted])
        assert torch.equal(torch.tensor(kept)[some.labels], all_of.labels[wanted])
        assert some.num_classes == len(kept)


def test_all_classes_are_the_data_set_itself():
    assert load("digits", class_share=1.0, class_seed=9).train.digest == load("digits").train.digest


def test_a_long_tail_runs_over_the_kept_classes():
    tail = load("digits", imbalance=20, class_share=0.5, class_seed=1)
    counts = tail.train.class_counts.tolist()
    assert counts == sorted(counts, reverse=True) and (counts[0], counts[-1]) == (90, 4)


@pytest.mark.parametrize("share", [0.0, 1.5, -1])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(SettingError, match="class_share"):
        load("digits", class_share=share)
