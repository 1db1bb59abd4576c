"""Steps for training in float32 on a CPU that read and write memory less often.

Small networks on a CPU wait for memory: batch norm, shortcut and ReLU each read and write whole
layers. Here they are one (``norm_relu.cpp``), and the teacher's convolutions do the rest of its
blocks themselves. Results are those of the plain step up to rounding.
"""

from kdlib.training.fused.library import CannotFuseError
from kdlib.training.fused.rewriting import fused_for_answering, fused_for_training

__all__ = ["CannotFuseError", "fused_for_answering", "fused_for_training"]
