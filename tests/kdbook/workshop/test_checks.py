"""A check says of right answers that they are, and of others where they differ and why."""

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from scipy.stats import t

from kdbook.workshop import checks
from kdbook.workshop.verdicts import Check, NotYet

MISTAKES = [(check, hint) for check in checks.CHECKS for hint in check.mistakes]


def why_not(check, answer):
    with pytest.raises(NotYet) as caught:
        check(answer)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Right answers, written as a reader would, without the library.


def soften(logits, temperature):
    powers = torch.exp(logits / temperature)
    return powers / powers.sum(dim=1, keepdim=True)


def target_of(labels, teacher_probs, mix):
    label = torch.eye(teacher_probs.shape[1])[labels]
    share = mix[labels].unsqueeze(1)
    return label + share * (teacher_probs - label)


def soft_target_loss(logits, labels, teacher_probs, mix):
    target = target_of(labels, teacher_probs, mix)
    return torch.nn.functional.cross_entropy(logits, target)


def gradient(logits, labels, teacher_probs, mix):
    return (logits.softmax(1) - target_of(labels, teacher_probs, mix)) / logits.shape[0]


def accuracy_by_class(predictions, labels, num_classes):
    shares = []
    for label in range(num_classes):
        own = [p for p, y in zip(predictions, labels, strict=True) if y == label]
        shares.append(own.count(label) / len(own))
    return shares


def paired_interval(a, b):
    d = a - b
    low, high = t.interval(0.95, len(d) - 1, d.mean(), d.std(ddof=1) / len(d) ** 0.5)
    return d.mean(), low, high


def margins(probs, labels):
    return [row[y] - np.delete(row, y).mean() for row, y in zip(probs, labels, strict=True)]


def trust(probs, labels, num_classes):
    found = np.array(margins(probs, labels))
    return [max(0, found[labels == label].mean()) for label in range(num_classes)]


def worst_shown(hits, images):
    return [min(row) / images for row in hits]


def honest_worst(validation, test):
    return [b[np.argsort(a)[0]] for a, b in zip(validation, test, strict=True)]


def next_weights(weights, errors, step):
    return np.exp(np.log(weights) + step * errors - np.log(np.sum(weights * np.exp(step * errors))))


def with_floor(weights, alpha):
    return [(1 - alpha) / 4 + alpha * weight for weight in weights]


RIGHT = (
    soften, soft_target_loss, gradient, accuracy_by_class, paired_interval, margins, trust,
    worst_shown, honest_worst, next_weights, with_floor,
)  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.__name__)
def test_a_right_answer_is_told_so(answer, capsys):
    getattr(checks, answer.__name__)(answer)
    assert capsys.readouterr().out.startswith(f"Right: {answer.__name__} ")


def test_every_check_has_a_right_answer_here():
    assert [check.name for check in checks.CHECKS] == [answer.__name__ for answer in RIGHT]


@pytest.mark.parametrize(("check", "hint"), MISTAKES, ids=[f"{c.name}-{h}" for c, h in MISTAKES])
def test_each_mistake_is_told_from_all_others(check, hint):
    assert why_not(check, check.mistakes[hint]).endswith(hint)


# Typical wrong answers, written as a reader would.


def test_a_trust_that_is_not_cut_names_the_class():
    def uncut(probs, labels, num_classes):
        found = np.array(margins(probs, labels))
        return [found[labels == label].mean() for label in range(num_classes)]

    said = why_not(checks.trust, uncut)
    assert "differs for class " in said
    assert "instead of 0: did you cut at zero?" in said


def test_a_softened_student_is_told_which_way():
    said = why_not(checks.soften, lambda f, t: torch.softmax(f * t, 1))
    assert "divide the logits, or multiply" in said


def test_a_loss_with_swapped_weights_is_told_so():
    def swapped(logits, labels, teacher_probs, mix):
        return soft_target_loss(logits, labels, teacher_probs, 1 - mix)

    assert "weigh the teacher, or the label" in why_not(checks.soft_target_loss, swapped)


def test_unpaired_seeds_are_told_so():
    def unpaired(a, b):
        error = (a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)) ** 0.5
        return (a - b).mean(), *t.interval(0.95, 2 * len(a) - 2, (a - b).mean(), error)

    assert "pair the seeds" in why_not(checks.paired_interval, unpaired)


# What no mistake explains


def raises(*_):
    raise ValueError("no such axis")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda *_: None, "trust returns nothing: does it end with return?"),
        (lambda *_: "much", "trust returns str, which holds no numbers"),
        (lambda *_: np.zeros(3), "trust gives shape (3,) instead of (10,)"),
        (lambda *_: torch.full((10,), 5.0), "trust differs for class 0: 5 instead of 0."),
        (lambda *_: np.full(10, np.nan), "trust differs for class 0: nan instead of 0."),
        (raises, "trust stops with ValueError: no such axis"),
    ],
)
def test_other_answers_are_described(answer, said):
    assert said in why_not(checks.trust, answer)


def test_an_empty_stub_says_what_to_write():
    def stub(*_):
        raise NotImplementedError("trust: cut the mean margin of each class at zero")

    assert why_not(checks.trust, stub) == "trust: cut the mean margin of each class at zero"


def test_an_answer_that_changes_its_arguments_does_not_change_the_examples():
    def greedy(weights, errors, step):
        weights *= np.exp(step * errors)
        weights /= weights.sum()
        return weights

    for _ in range(2):
        checks.next_weights(greedy)


def test_a_notebook_shows_the_line_alone(capsys):
    code = "from kdbook.workshop.checks import trust\ntrust(lambda *_: None)"
    InteractiveShell().run_cell(code, store_history=False)
    said = "Not yet: trust returns nothing: does it end with return?"
    assert capsys.readouterr().out.strip() == said


def test_common_mistakes_are_listed_for_the_instructor():
    check = Check("f", lambda x: x, [(1,)], {"did you add one?": lambda x: x + 1})
    listed = check.common_mistakes().splitlines()
    assert "`f`" in listed[0]
    assert listed[2:] == ["* did you add one?"]
