import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdlib.data.longtail import dev_count, long_tailed_counts, training_splits
from kdlib.data.split import Split

heads = st.integers(1, 6000)
class_numbers = st.integers(2, 120)
imbalances = st.floats(1, 1000)


def test_published_sizes_of_long_tailed_cifar():
    assert sum(long_tailed_counts(500, 100, 100.0)) == 10_847
    assert sum(long_tailed_counts(5000, 10, 100.0)) == 12_406
    assert long_tailed_counts(5000, 10, 100.0) == [
        5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50,
    ]  # fmt: skip


@pytest.mark.parametrize(("head", "classes", "tail"), [(500, 100, 5), (5000, 10, 50)])
def test_last_class_at_ratio_100(head, classes, tail):
    assert long_tailed_counts(head, classes, 100.0)[-1] == tail


@given(heads, class_numbers, imbalances)
def test_counts_fall_from_the_head_to_the_ratio(head, classes, imbalance):
    counts = long_tailed_counts(head, classes, imbalance)
    assert counts[0] == head and len(counts) == classes
    assert all(first >= second >= 1 for first, second in itertools.pairwise(counts))
    assert counts[-1] == max(1, int(head / imbalance + 1e-9))


@given(st.integers(1, 1000), st.integers(1, 1000), class_numbers)
def test_whole_numbers_survive_rounding(tail, imbalance, classes):
    # 428 * 107 ** -1.0 is 3.9999999999999996 in floating point.
    assert long_tailed_counts(tail * imbalance, classes, float(imbalance))[-1] == tail


@given(heads, st.integers(1, 120))
def test_ratio_1_is_balanced(head, classes):
    assert long_tailed_counts(head, classes, 1.0) == [head] * classes


@given(heads, class_numbers, imbalances, imbalances)
def test_more_imbalance_never_keeps_more(head, classes, first, second):
    low, high = sorted((first, second))
    pairs = zip(
        long_tailed_counts(head, classes, low),
        long_tailed_counts(head, classes, high),
        strict=True,
    )
    assert all(small >= large for small, large in pairs)


@given(st.integers(1, 6000))
def test_dev_rule(count):
    assert dev_count(count, 1.0) == int(0.2 * count + 1e-9)
    assert dev_count(count, 100.0) == (count // 2 if count <= 40 else 20)


def make_train(per_class, classes, seed):
    labels = torch.arange(classes).repeat(per_class)
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    images = torch.arange(len(labels)).to(torch.uint8)[:, None, None, None]
    return Split("train", images, labels, 1000 + torch.arange(len(labels)), classes)


trains = st.builds(make_train, st.integers(1, 60), st.integers(2, 8), st.integers(0, 9))


@given(trains, imbalances, st.integers(0, 2**31 - 1))
def test_dev_and_the_rest_make_up_train(whole, imbalance, seed):
    train, rest, dev = training_splits(whole, "made-up", imbalance, seed)
    assert not set(rest.index.tolist()) & set(dev.index.tolist())
    assert torch.equal(torch.cat([rest.index, dev.index]).sort().values, train.index)
    assert (train.name, rest.name, dev.name) == ("train", "train_minus_dev", "dev")


@given(trains, imbalances, st.integers(0, 9))
def test_class_counts_follow_the_rules(whole, imbalance, seed):
    train, _, dev = training_splits(whole, "made-up", imbalance, seed)
    counts = train.class_counts.tolist()
    head = len(whole) // whole.num_classes
    assert counts == long_tailed_counts(head, whole.num_classes, imbalance)
    assert dev.class_counts.tolist() == [dev_count(count, imbalance) for count in counts]


@given(trains, st.floats(1, 1000), st.integers(0, 9))
def test_every_row_keeps_its_image_and_label(whole, imbalance, seed):
    for split in training_splits(whole, "made-up", imbalance, seed):
        rows = split.index - 1000
        assert torch.equal(split.images, whole.images[rows])
        assert torch.equal(split.labels, whole.labels[rows])


@given(trains, imbalances, imbalances, st.integers(0, 9))
def test_a_larger_imbalance_keeps_a_subset(whole, first, second, seed):
    low, high = sorted((first, second))
    large = set(training_splits(whole, "made-up", low, seed)[0].index.tolist())
    small = set(training_splits(whole, "made-up", high, seed)[0].index.tolist())
    assert small <= large


def test_subset_depends_on_seed_and_data_set_name():
    whole = make_train(60, 8, 0)
    digests = {
        training_splits(whole, name, 20.0, seed)[0].digest
        for name, seed in (("a", 0), ("a", 1), ("b", 0))
    }
    assert len(digests) == 3
