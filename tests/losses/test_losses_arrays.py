"""Arguments as arrays, lists and tables: taken, or refused in one line."""

import numpy as np
import pandas as pd
import pytest
import torch
from loss_problem import L, arguments, close, float64, problem

from kdlib.errors import SettingError
from kdlib.losses import (
    adaptive_mix,
    class_errors,
    exponentiated_gradient,
    margin_log_cost,
    soft_label_weights,
    soft_target_loss,
    teacher_probabilities,
    traded_off_log_weights,
)


def read_only(tensor):
    array = tensor.numpy().copy()
    array.setflags(write=False)
    return array


AS = {
    "numpy": lambda tensor: tensor.numpy(),
    "read-only": read_only,
    "big-endian": lambda tensor: tensor.numpy().astype(tensor.numpy().dtype.newbyteorder(">")),
    "backwards": lambda tensor: np.ascontiguousarray(tensor.numpy()[::-1])[::-1],
    "lists": lambda tensor: tensor.tolist(),
    "table": lambda tensor: (pd.Series if tensor.ndim == 1 else pd.DataFrame)(tensor.numpy()),
}


@pytest.mark.parametrize("kind", AS)
def test_everything_that_torch_takes_is_taken(kind):
    given = arguments()
    other = {name: AS[kind](values) for name, values in given.items()}
    close(soft_target_loss(**other), soft_target_loss(**given), check_dtype=False)
    f, y, p, a = (other[name] for name in ("logits", "labels", "teacher_probs", "mix"))
    ours = {name: given[name] for name in ("logits", "labels", "teacher_probs", "mix")}
    logits, labels, probs, mix = ours.values()
    pairs = [
        (adaptive_mix(p, y, L), adaptive_mix(probs, labels, L)),
        (teacher_probabilities(f, 2.0), teacher_probabilities(logits, 2.0)),
        (soft_label_weights(f, f, y), soft_label_weights(logits, logits, labels)),
        (margin_log_cost(a, 0.1), margin_log_cost(mix, 0.1)),
        (class_errors(f, p, a), class_errors(logits, probs, mix)),
        (exponentiated_gradient(a, a, 0.1), exponentiated_gradient(mix, mix, 0.1)),
        (traded_off_log_weights(a, 0.5), traded_off_log_weights(mix, 0.5)),
    ]
    for found, expected in pairs:
        close(found, expected, check_dtype=False)


@pytest.mark.parametrize("nothing", [{"logits": 1}, None, "text", [[1.0], [1.0, 2.0]], object()])
def test_what_torch_does_not_take_is_named_with_its_type(nothing):
    _, labels, probs, *_ = problem()
    for call in (
        lambda: soft_target_loss(nothing, labels),
        lambda: soft_target_loss(probs, nothing),
        lambda: teacher_probabilities(nothing, 2.0),
        lambda: adaptive_mix(nothing, labels, L),
        lambda: margin_log_cost(nothing, 0.1),
        lambda: class_errors(probs, nothing, probs[0]),
    ):
        with pytest.raises(SettingError, match=f"is of type {type(nothing).__name__}: expected"):
            call()


def test_a_teachers_dictionary_is_said_to_be_the_teachers():
    with pytest.raises(SettingError, match=r"the teacher's answer is of type dict.*\[N, L\]"):
        teacher_probabilities({"logits": torch.zeros(2, 3)}, 2.0)


def tables():
    """Arguments as pandas tables, rows named a, b, c, ... and classes by words."""
    given = arguments()
    rows, classes = list("abcdefghijkl"), ["cat", "dog", "fox", "hen", "owl"]
    one = {name: pd.Series(given[name], rows) for name in ("labels", "weight")}
    by_class = {name: pd.Series(given[name], classes) for name in ("mix", "log_cost")}
    two = {name: pd.DataFrame(given[name], rows, classes) for name in ("logits", "teacher_probs")}
    return one | by_class | two


def test_tables_that_share_their_index_are_taken():
    given = arguments()
    expected = soft_target_loss(**{name: given[name] for name in tables()})
    close(soft_target_loss(**tables()), expected)


@pytest.mark.parametrize("name", ["labels", "weight", "logits", "teacher_probs"])
def test_rows_in_another_order_are_refused(name):
    for other in (tables()[name].iloc[::-1], torch.as_tensor(tables()[name].to_numpy())):
        with pytest.raises(SettingError, match=r"has an index that .* does not share"):
            soft_target_loss(**tables() | {name: other})


@pytest.mark.parametrize("name", ["mix", "log_cost"])
def test_classes_in_another_order_are_refused(name):
    with pytest.raises(SettingError, match=r"has an index that .* does not share"):
        soft_target_loss(**tables() | {name: tables()[name].iloc[::-1]})
    shuffled = pd.Series(arguments()[name], [0, 2, 1, 3, 4])
    with pytest.raises(SettingError, match=f"{name} has classes in the order 0, 2, 1, 3, 4"):
        soft_target_loss(**arguments() | {name: shuffled})


def test_columns_that_number_the_classes_otherwise_are_refused():
    logits, labels, *_ = problem()
    frame = pd.DataFrame(logits, columns=[4, 3, 2, 1, 0])
    with pytest.raises(SettingError, match="logits has classes in the order 4, 3, 2, 1, 0"):
        soft_target_loss(frame, labels)


def test_an_index_that_counts_from_zero_says_no_more_than_the_position():
    logits, labels, *_ = problem()
    close(soft_target_loss(logits, pd.Series(labels)), soft_target_loss(logits, labels))


def test_labels_of_no_integer_type_are_refused_and_bits_of_two_classes_are_labels():
    with pytest.raises(SettingError, match=r"labels has type .*expected whole"):
        soft_target_loss(float64(2, 2), np.array([0.0, 1.0]))
    logits = float64(2, 2)
    close(soft_target_loss(logits, [False, True]), soft_target_loss(logits, [0, 1]))
