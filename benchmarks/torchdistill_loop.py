"""Torchdistill, a package for distillation, on the same work as the other rivals."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from rivals import ALPHA, RATE, TEMPERATURE, WORKERS, Pass, Pictures, Work

from kdlib.data import torchvision_import


def with_torchdistill(work: Work) -> Pass:
    """Torchdistill's box and the steps of its example of image classification.

    Raises:
        ImportError: torchdistill is not installed.
    """
    torchvision_import.datasets()
    from torchdistill.core.distillation import DistillationBox

    logging.getLogger("torchdistill").setLevel(logging.ERROR)
    device = torch.device("cpu")
    networks = work.network(work.teacher), work.network(work.student, seed=1)
    box = DistillationBox(
        *networks, {"train": Pictures(work)}, _torchdistill_config(work), device, None, False, 1
    )

    def one_pass() -> None:
        box.pre_epoch_process(epoch=0)
        for images, labels, extra in box.train_data_loader:
            loss = box.forward_process(images.to(device), labels.to(device), extra)
            box.post_forward_process(loss=loss)
            if not np.isfinite(loss.item()):
                raise ValueError("the training loop was broken: the loss is not finite")

    return one_pass


def _torchdistill_config(work: Work) -> dict[str, Any]:
    """What torchdistill's YAML files say for plain knowledge distillation."""
    logits = {"student_module_path": ".", "student_module_io": "output"}
    logits |= {"teacher_module_path": ".", "teacher_module_io": "output"}
    weights = {"temperature": TEMPERATURE, "alpha": 1 - ALPHA}
    loss = {"key": "KDLoss", "kwargs": {**logits, **weights}}
    return {
        "num_epochs": 1,
        "train_data_loader": {
            "dataset_id": "train",
            "sampler": {"class_or_func": torch.utils.data.RandomSampler, "kwargs": {}},
            "kwargs": {
                "batch_size": work.batch_size,
                "num_workers": WORKERS,
                "persistent_workers": True,
            },
        },
        "teacher": {"requires_grad": False, "forward_proc": "forward_batch_only"},
        "student": {"requires_grad": True, "forward_proc": "forward_batch_only"},
        "optimizer": {
            "key": "SGD",
            "kwargs": {"lr": RATE, "momentum": 0.9, "weight_decay": 5e-4},
        },
        "criterion": {
            "key": "WeightedSumLoss",
            "kwargs": {"sub_terms": {"kd": {"criterion": loss, "weight": 1.0}}},
        },
    }
