"""Training: recipes, the objective, one loop, checkpoints and predictions."""

from kdlib.training.averaged import AveragedLogits
from kdlib.training.checkpoint import CheckpointError, DamagedCheckpointWarning
from kdlib.training.held_out import HeldOut
from kdlib.training.loop import Outcome, train
from kdlib.training.many import Student, train_many
from kdlib.training.multipliers import ClassMultipliers, MultiplierRule
from kdlib.training.objective import LossVectors, batch_loss
from kdlib.training.predict import predict_logits
from kdlib.training.presets import PRESETS
from kdlib.training.progress import MEASURED, EpochRecord
from kdlib.training.recipe import (
    CosineDecay,
    Recipe,
    StepDecay,
    learning_rate,
    steps_per_epoch,
)
from kdlib.training.teacher import ForwardTeacher, TeacherSignal

__all__ = [
    "PRESETS",
    "ClassMultipliers",
    "CosineDecay",
    "HeldOut",
    "LossVectors",
    "MultiplierRule",
    "Outcome",
    "Recipe",
    "StepDecay",
    "predict_logits",
    "train",
]
