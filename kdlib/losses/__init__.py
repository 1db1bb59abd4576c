"""The one loss of the book: cross-entropy with a soft target and two vectors over the classes.

For logits ``f``, label ``y`` and teacher probabilities ``p``::

    target = (1 - mix[y]) * onehot(y) + mix[y] * p
    loss   = cross_entropy(f - log_cost, target)        # predictions use the raw f

A method is a choice of the two vectors. One-hot training has ``mix = 0``. Distillation has
``mix = alpha``. AdaAlpha has ``mix = adaptive_mix(...)``. AdaMargin has ``mix = 1`` and
``log_cost = margin_log_cost(...)``. Logit adjustment has ``log_cost = -log(class prior)``.

Sources: "Teacher's pet" (Lukasik et al., 2022), equations 1 to 4; "Robust distillation"
(Wang et al., 2023), equation 9.

All functions take what ``torch.as_tensor`` takes, and check labels and probabilities where reading
them waits for no device; elsewhere a wrong value gives NaN. They work under ``torch.compile`` and
``torch.vmap``. A training step calls ``kdlib.losses.in_step``, which reads no value at all.
"""

from kdlib.aligned import IGNORED
from kdlib.losses.class_weights import (
    ClassError,
    class_errors,
    exponentiated_gradient,
    traded_off_log_weights,
)
from kdlib.losses.soft_targets import (
    Reduction,
    soft_label_weights,
    soft_target_loss,
    teacher_probabilities,
)
from kdlib.losses.trust import adaptive_mix, average_margins, margin_log_cost

__all__ = [
    "adaptive_mix",
    "average_margins",
    "class_errors",
    "exponentiated_gradient",
    "margin_log_cost",
    "soft_target_loss",
    "teacher_probabilities",
    "traded_off_log_weights",
]
