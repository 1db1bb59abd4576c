"""What the tests of several processes train: in one process, or in two of ``torchrun``.

``torchrun two_processes.py OUT IMAGES`` writes what each rank came to into OUT.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from small_training import CLASSES, changed, network, random_split, results, run

from kdlib.data import Split
from kdlib.data.image_files import ImageFiles
from kdlib.losses import teacher_probabilities
from kdlib.training import (
    ClassMultipliers,
    HeldOut,
    LossVectors,
    MultiplierRule,
    predict_logits,
    processes,
)


class Killed(Exception):
    pass


def resident(**options):
    """64 images in memory, cropped and mirrored, in 24 steps."""
    return run(**options)


def uneven():
    """61 images in batches of 16 and 15, so that the parts of the processes differ in size."""
    return run(split=random_split(61))


def with_multipliers(measured_on):
    """A student of an untrained teacher whose class multipliers move at every second step."""
    teacher, held_out = network(seed=9), random_split(n=32, seed=5)
    logits = predict_logits(teacher, held_out.images, scaling="centre", dataset_name="")
    held = HeldOut(held_out.images, teacher_probabilities(logits, 1.0), "centre", "")
    rule = MultiplierRule(update_every=2, step=0.5, measured_on=measured_on)
    moving = ClassMultipliers(
        rule, torch.full((CLASSES,), 1 / CLASSES), held if measured_on == "held_out" else None
    )
    vectors = LossVectors.constant(CLASSES, mix=0.5)
    return run(vectors=vectors, teacher=teacher, multipliers=moving, split=random_split(seed=3))


def folder_split(images):
    """The made images below ``images``, three classes."""
    paths = sorted(Path(images).rglob("*_train_*.JPEG"))
    names = np.array([path.relative_to(images).as_posix() for path in paths], dtype=object)
    labels = torch.tensor([int(path.parent.name[1:]) - 1 for path in paths])
    return Split("train", ImageFiles(Path(images), names, 32), labels, torch.arange(len(paths)), 3)


def from_files(images, **options):
    """36 images in files, in random crops; three epochs of batches of 12.

    The rate is small: at 0.05 a change of the weights by 1e-7 grows to 1e-3.
    """
    recipe = changed(epochs=3, batch_size=12, crop_padding=0, peak_rate=0.002)
    model = network(channels=3, num_classes=3)
    split, vectors = folder_split(images), LossVectors.constant(3)
    return run(recipe, model=model, split=split, vectors=vectors, **options)


def exact_step():
    """Gradients and buffers after one backward pass of a batch of 12, in float64."""
    model = network(channels=3, num_classes=3).double()
    images = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    labels = torch.arange(12) % 3
    forward = processes.together(model)  # kept until the gradients are there: it averages them
    logits = forward(processes.share(images))
    torch.nn.functional.cross_entropy(logits, processes.share(labels)).backward()
    gradients = {f"gradient.{name}": weight.grad for name, weight in model.named_parameters()}
    return gradients | dict(model.named_buffers())


def killed_after(epochs, train_it, checkpoint):
    """Train until that many epochs, of which each second left a checkpoint, are done."""

    def kill(record):
        if record["epoch"] == epochs:
            raise Killed

    try:
        train_it(checkpoint=checkpoint, checkpoint_every=2, on_epoch=kill)
    except Killed:
        return
    raise AssertionError("the training was not killed")


def main(out, images):
    torch.set_num_threads(1)
    processes.join("cpu")
    rank = os.environ["RANK"]

    def keep(name, model, outcome):
        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        save_file(state, out / f"{name}-{rank}.safetensors")
        history = results(outcome)
        (out / f"{name}-{rank}.json").write_text(json.dumps(history))

    save_file(exact_step(), out / f"exact-{rank}.safetensors")
    keep("resident", *resident())
    keep("files", *from_files(images))
    for measured_on in ("held_out", "training"):
        model, outcome = with_multipliers(measured_on)
        keep(measured_on, model, outcome)
        save_file(outcome.multipliers, out / f"path-{measured_on}-{rank}.safetensors")
    checkpoint = out / f"{rank}.checkpoint"  # only the first process's is written and read
    killed_after(5, resident, checkpoint)
    processes.from_first(lambda: (out / "kept").write_bytes(checkpoint.read_bytes()) and None)
    keep("resumed", *resident(checkpoint=checkpoint, checkpoint_every=2))
    keep("uneven", *uneven())
    try:
        processes.check_shares(1)
    except ValueError as error:
        (out / f"refused-{rank}").write_text(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
