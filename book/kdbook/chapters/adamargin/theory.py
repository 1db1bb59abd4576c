"""The pairwise margin loss of equation (4), its optimum (Lemma 1), and what an offset does to it.

All of Teacher's pet, section 4.2. ``a`` are AdaAlpha's trusts by class, ``[L]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from kdbook.families import Family
from kdbook.shelf import BookStore
from kdbook.tables import class_averages, training_logits
from kdlib.errors import SettingError
from kdlib.losses import margin_log_cost, teacher_probabilities
from kdlib.runs import Store, dev_mix


def pairwise_margin_losses(logits: Tensor, rho: Tensor) -> Tensor:
    """Equation (4) for every label: log(1 + sum over y' != y of rho[y, y'] exp(f_y' - f_y)).

    Args:
        logits: ``[N, L]``.
        rho: pairwise weights ``[L, L]``, above 0; the diagonal is not used.

    Returns:
        ``[N, L]``: the loss of each example if its label were y.

    Raises:
        SettingError: ``rho`` is not ``[L, L]``.
    """
    size = logits.shape[1]
    if rho.shape != (size, size):
        raise SettingError(f"rho has shape {tuple(rho.shape)}: expected ({size}, {size})")
    log_rho = rho.log().masked_fill(torch.eye(size, dtype=torch.bool), 0.0)
    return torch.logsumexp(logits[:, None, :] + log_rho - logits[:, :, None], dim=2)


def adaptive_rho(a: Tensor) -> Tensor:
    """AdaMargin's weights rho[y, y'] = a[y'] / a[y], ``[L, L]``."""
    return a[None, :] / a[:, None]


def label_margin_rho(prior: Tensor) -> Tensor:
    """Weights proportional to exp(prior[y] ** -1/4), whatever y' is (after Cao et al. 2019).

    They are scaled so that the most frequent class has weight 1: the paper gives a proportion only.

    Args:
        prior: class frequencies ``[L]``, each above 0.

    Returns:
        ``[L, L]``; row y holds one number.
    """
    exponent = prior**-0.25
    return (exponent - exponent.min()).exp()[:, None].expand(len(prior), len(prior))


def best_scores(probs: Tensor, a: Tensor) -> Tensor:
    """Lemma 1: the scores log(p / a) that minimise the distilled margin loss, up to a constant.

    Args:
        probs: the teacher's probabilities ``[N, L]``, above 0.
        a: ``[L]``, above 0.
    """
    return probs.log() - a.log()


def relative_weights(a: Sequence[float], counts: Sequence[int], offset: float) -> pd.DataFrame:
    """How much more an error on class y counts than one on the most frequent class.

    For AdaMargin and logit adjustment it is rho[y, 0], the weight of the pair of y and class 0; for
    Cao et al.'s margin the weight of y in any pair.

    Args:
        a: trust by class ``[L]``.
        counts: training images by class ``[L]``, each above 0.
        offset: smallest a_y of AdaMargin.

    Returns:
        One row per method and class: method, label, weight (1 for the most frequent class, the
        first of equals).
    """
    first = int(np.argmax(counts))
    prior = torch.tensor(counts, dtype=torch.float64) / float(np.sum(counts))
    trust = torch.tensor(a, dtype=torch.float64).clamp(min=offset)
    weights = {
        "AdaMargin": adaptive_rho(trust)[:, first],
        "logit adjustment": adaptive_rho(prior)[:, first],
        "Cao et al.": label_margin_rho(prior)[:, first],
    }
    pieces = [
        pd.DataFrame({"method": name, "label": range(len(w)), "weight": w.numpy()})
        for name, w in weights.items()
    ]
    return pd.concat(pieces, ignore_index=True)


def costs_by_class(
    family: Family, temperature: float, offsets: Iterable[float], store: Store | None = None
) -> pd.DataFrame:
    """AdaMargin's log-cost at any offset, from the stored dev logits: nothing is trained.

    Columns: seed, offset, label, mix (a_y before the offset), log_cost (nats).
    """
    mix = dev_mix(family.initial_teacher(), temperature, store or BookStore())
    rows = [
        {"seed": family.seed, "offset": offset, "label": label, "mix": float(m), "log_cost": c}
        for offset in offsets
        for label, (m, c) in enumerate(zip(mix, margin_log_cost(mix, offset).tolist(), strict=True))
    ]
    return pd.DataFrame(rows)


def lemma_students(
    family: Family, temperature: float, offsets: Iterable[float], store: Store | None = None
) -> pd.DataFrame:
    """What Lemma 1's student does on test images, class by class. It needs no training.

    It knows the teacher's probabilities of every test image, and gives each class a probability
    proportional to p / a. Columns: seed, offset, label, accuracy (percent), share (percent: the
    mean over the classes of the probability that it gives to ``label`` on their images; 100 / L
    where no class is favoured).
    """
    shelf = store or BookStore()
    teacher = shelf.finished(family.teacher())
    probs = _positive(torch.from_numpy(teacher.logits("test")), temperature)
    labels = torch.from_numpy(teacher.labels("test"))
    mix = dev_mix(family.initial_teacher(), temperature, shelf)
    pieces = [_lemma_student(probs, labels, mix.clamp(min=o)).assign(offset=o) for o in offsets]
    return pd.concat(pieces, ignore_index=True).assign(seed=family.seed)


def _lemma_student(probs: Tensor, labels: Tensor, a: Tensor) -> pd.DataFrame:
    scores, size = best_scores(probs, a), len(a)
    right = class_averages((scores.argmax(dim=1) == labels).double(), labels, size)
    given = scores.softmax(dim=1).T
    share = [np.mean(class_averages(row, labels, size)) for row in given]
    columns = {"accuracy": right, "share": share}
    return (
        pd.DataFrame({k: 100 * np.array(v) for k, v in columns.items()})
        .rename_axis("label")
        .reset_index()
    )


def pressure(
    family: Family, temperature: float, offsets: Iterable[float], store: Store | None = None
) -> pd.DataFrame:
    """What an offset asks of a student that still scores all classes alike.

    On the training images, without crops. Columns: seed, offset, spread (largest minus smallest
    log-cost, nats), ratio (largest rho), loss (nats), gradient (mean norm of the loss's gradient
    by the logits of an example, at most the root of 2), reach (mean spread, largest minus
    smallest, of the scores log(p / a) that Lemma 1 asks for, nats).
    """
    shelf = store or BookStore()
    logits, _ = training_logits(shelf.finished(family.teacher()))
    probs = _positive(logits, temperature)
    mix = dev_mix(family.initial_teacher(), temperature, shelf)
    rows = [
        {"seed": family.seed, "offset": offset} | _pressure(probs, mix.clamp(min=offset).double())
        for offset in offsets
    ]
    return pd.DataFrame(rows)


def _positive(logits: Tensor, temperature: float) -> Tensor:
    """Probabilities in float64, where none of them comes to 0."""
    return teacher_probabilities(logits.double(), temperature).clamp(min=1e-300)


def _pressure(probs: Tensor, a: Tensor) -> dict[str, float]:
    log_prediction = torch.log_softmax(a.log(), dim=0)  # logits of zero, shifted by log a
    gradient = (log_prediction.exp() - probs).norm(dim=1)
    wanted = best_scores(probs, a)
    reach = wanted.amax(dim=1) - wanted.amin(dim=1)
    return {
        "spread": float((a.max() / a.min()).log()),
        "ratio": float(a.max() / a.min()),
        "loss": float(-(probs * log_prediction).sum(dim=1).mean()),
        "gradient": float(gradient.mean()),
        "reach": float(reach.mean()),
    }
