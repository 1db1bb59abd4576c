"""Runs on digits that train in about a second, for the tests of the store."""

from kdlib.models import ModelSpec
from kdlib.runs import (
    AdaptiveMix,
    ConstantMix,
    DataSpec,
    HardestRemovedMix,
    MarginCost,
    Objective,
    RobustCost,
    RunSpec,
    ShuffledMix,
)
from kdlib.training import CosineDecay, MultiplierRule, Recipe


def recipe(epochs: int = 2, **changes) -> Recipe:
    values = {
        "epochs": epochs,
        "batch_size": 64,
        "peak_rate": 0.05,
        "warmup_epochs": 0,
        "schedule": CosineDecay(),
        "weight_decay": 1e-4,
        "momentum": 0.9,
        "nesterov": True,
        "crop_padding": 1,
        "flip": False,
        "input_scaling": "centre",
        "precision": "fp32",
    }
    return Recipe(**(values | changes))


def one_hot(seed: int = 0, *, part: str = "train", epochs: int = 2, **changes) -> RunSpec:
    return RunSpec(
        data=DataSpec(name="digits", imbalance=20, part=part),
        model=ModelSpec(depth=8),
        recipe=recipe(epochs, **changes),
        seed=seed,
    )


def distilled(seed: int = 0, *, temperature: float = 1.0, epochs: int = 2) -> RunSpec:
    objective = Objective(mix=ConstantMix(alpha=1.0), temperature=temperature)
    return _student(objective, seed, epochs)


def ada_alpha(seed: int = 0, *, epochs: int = 2) -> RunSpec:
    mix = AdaptiveMix(estimated_by=one_hot(200, part="train_minus_dev", epochs=epochs))
    return _student(Objective(mix=mix, temperature=3.0), seed, epochs)


def ablation(kind: str) -> RunSpec:
    """A row of Table 4: ``hardest removed``, ``shuffled`` or ``weighted``."""
    source = one_hot(200, part="train_minus_dev")
    if kind == "weighted":
        return _student(Objective(mix=ConstantMix(alpha=0.5), weighted_soft_labels=True), 0, 2)
    hardest = HardestRemovedMix(share=0.3, estimated_by=source)
    mix = hardest if kind == "hardest removed" else ShuffledMix(estimated_by=source)
    return _student(Objective(mix=mix, temperature=3.0), 0, 2)


def ada_margin(seed: int = 0, *, epochs: int = 2) -> RunSpec:
    source = one_hot(200, part="train_minus_dev", epochs=epochs)
    cost = MarginCost(offset=0.1, estimated_by=source)
    return _student(Objective(mix=ConstantMix(alpha=1.0), log_cost=cost), seed, epochs)


def robust_teacher(seed: int = 100, **cost) -> RunSpec:
    rule = MultiplierRule(update_every=2, step=0.5)
    objective = Objective(log_cost=RobustCost(**({"rule": rule} | cost)))
    return one_hot(seed).model_copy(update={"objective": objective})


def robust_student(**cost) -> RunSpec:
    rule = MultiplierRule(update_every=2, step=0.5)
    values = {"rule": rule, "base_rate": "teacher", "validation_labels": "teacher"} | cost
    objective = Objective(mix=ConstantMix(alpha=1.0), log_cost=RobustCost(**values))
    return _student(objective, 0, 2)


def _student(objective: Objective, seed: int, epochs: int) -> RunSpec:
    plain = one_hot(seed, epochs=epochs)
    return plain.model_copy(update={"objective": objective, "teacher": one_hot(100, epochs=epochs)})
