"""Random arguments of the losses, that all tests here share."""

from functools import partial

import torch

N, L = 12, 5
float64 = partial(torch.randn, dtype=torch.float64)
close = torch.testing.assert_close


def problem(seed=0, n=N, classes=L):
    """Random logits, labels, teacher probabilities, mix and log_cost in float64."""
    rng = torch.Generator().manual_seed(seed)
    logits = 3 * float64(n, classes, generator=rng)
    labels = torch.randint(classes, (n,), generator=rng)
    probs = float64(n, classes, generator=rng).softmax(1)
    mix = torch.rand(classes, generator=rng, dtype=torch.float64)
    return logits, labels, probs, mix, float64(classes, generator=rng)


def arguments(rows=slice(None)):
    """Of ``soft_target_loss``, with every array there is, for those rows."""
    logits, labels, probs, mix, log_cost = problem()
    weight = torch.linspace(0.1, 1, N, dtype=torch.float64)
    given = {"logits": logits, "labels": labels, "teacher_probs": probs, "weight": weight}
    by_class = {"mix": mix, "log_cost": log_cost, "class_weight": 0.1 + mix}
    return {name: values[rows] for name, values in given.items()} | by_class
