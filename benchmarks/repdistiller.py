"""RepDistiller's way to train a student, written anew: its networks, its step, its meters.

RepDistiller (Tian, Krishnan and Isola: *Contrastive representation distillation*, 2020) is no
package that can be installed. This does what an epoch of its ``train_student.py`` does for
``--distill kd -r 0.1 -a 0.9``, but for what it prints. Two rivals come of it: on its networks, and
on kdlib's, which compares nothing but the loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from rivals import ALPHA, TEMPERATURE, Pass, Pictures, Work, batches, sgd
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, relu, softmax

WORKERS = 8
"""Its default, however many cores there are."""


class Network(nn.Module):
    """Its CIFAR ResNet of depth 6n + 2; answers with features too if asked.

    Where channels double, a 1x1 convolution with a batch norm is the shortcut. Layers have the
    names that kdlib's option B gives them, so that either takes the other's weights.
    """

    def __init__(self, depth: int, num_classes: int, channels: int = 3) -> None:
        super().__init__()
        self.stem, self.stem_norm = _convolution(channels, 16), nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        blocks = (depth - 2) // 6
        widths = ((16, 16), (16, 32), (32, 64))
        self.stages = nn.Sequential(*(_stage(*width, blocks) for width in widths))
        self.pool, self.classifier = nn.AvgPool2d(8), nn.Linear(64, num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor, is_feat: bool = False) -> Any:
        """Images ``[N, C, 32, 32]`` to logits ``[N, L]``, or to a list of features and logits."""
        features = [self.relu(self.stem_norm(self.stem(images)))]
        for stage in self.stages:
            features.append(stage(features[-1]))
        features.append(self.pool(features[-1]).flatten(1))
        logits = self.classifier(features[-1])
        return (features, logits) if is_feat else logits


class _Block(nn.Module):
    """Two convolutions and a shortcut; the second ReLU is not in place."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first, self.first_norm = _convolution(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.second, self.second_norm = _convolution(outputs, outputs), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = None if stride == 1 else _projection(inputs, outputs)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.relu(self.first_norm(self.first(images)))
        hidden = self.second_norm(self.second(hidden))
        hidden += images if self.shortcut is None else self.shortcut(images)
        return relu(hidden)


def _stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    others = (_Block(outputs, outputs) for _ in range(blocks - 1))
    return nn.Sequential(_Block(inputs, outputs), *others)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


def _projection(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs))


class _WithoutFeatures(nn.Module):
    """One of kdlib's networks, as the step below asks."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, is_feat: bool = True) -> tuple[list[Tensor], Tensor]:
        return [], self.network(images)


class _Numbered(Pictures):
    """Its data set: row numbers come with images and labels."""

    def __getitem__(self, row: int) -> tuple[Any, ...]:
        return *super().__getitem__(row), row


class Meter:
    """The last value of something, and its mean over all examples."""

    def __init__(self) -> None:
        self.last: Any = 0.0
        self.total: Any = 0.0
        self.count = 0

    def update(self, value: Any, examples: int) -> None:
        """Count ``value`` for that many examples."""
        self.last, self.count = value, self.count + examples
        self.total += value * examples

    @property
    def mean(self) -> Any:
        """Over all examples so far."""
        return self.total / self.count


def with_repdistiller(work: Work) -> Pass:
    """Its loop on its networks."""
    channels = work.images.shape[1]
    student, teacher = (
        Network(depth, work.num_classes, channels) for depth in (work.student, work.teacher)
    )
    return _passes(work, student, teacher)


def with_repdistiller_shape(work: Work) -> Pass:
    """Its loop on kdlib's networks."""
    networks = (work.network(work.student, seed=1), work.network(work.teacher))
    return _passes(work, *map(_WithoutFeatures, networks))


def _passes(work: Work, student: nn.Module, teacher: nn.Module) -> Pass:
    optimizer, loader = sgd(student), batches(_Numbered(work), work.batch_size, WORKERS)

    def one_pass() -> None:
        student.train()
        teacher.eval()
        meters = [Meter() for _ in range(3)]
        for images, labels, _ in loader:
            values = step(student, teacher, optimizer, images.float(), labels)
            for meter, value in zip(meters, values, strict=True):
                meter.update(value, len(labels))

    return one_pass


def step(
    student: nn.Module,
    teacher: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
) -> tuple[float, Tensor, Tensor]:
    """One update; the loss before it, top-1 and top-5 accuracy in percent."""
    _features, logits = student(images, is_feat=True)
    with torch.no_grad():
        teacher_features, teacher_logits = teacher(images, is_feat=True)
        _detached = [feature.detach() for feature in teacher_features]
    loss = step_loss(logits, teacher_logits, labels)
    top_1, top_5 = top_accuracies(logits, labels)
    value = loss.item()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return value, top_1, top_5


def step_loss(logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """Its sum of two terms; the divergence is summed and divided by the batch's size."""
    answers = log_softmax(logits / TEMPERATURE, dim=1)
    soft = softmax(teacher_logits / TEMPERATURE, dim=1)
    divergence = kl_div(answers, soft, reduction="sum") * TEMPERATURE**2 / len(logits)
    return (1 - ALPHA) * cross_entropy(logits, labels) + ALPHA * divergence


@torch.no_grad()
def top_accuracies(logits: Tensor, labels: Tensor, ks: Sequence[int] = (1, 5)) -> list[Tensor]:
    """For each k the percentage of labels among the k largest logits."""
    found = logits.topk(max(ks), dim=1).indices == labels[:, None]
    return [found[:, :k].float().sum() * (100 / len(labels)) for k in ks]


def multiplications(network: nn.Module, image: Tensor) -> int:
    """Of convolutions and linear layers, for one image ``[C, H, W]``."""
    found: list[int] = []

    def count(layer: nn.Module, _: Any, answer: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        found.append(answer.numel() * layer.weight[0].numel())

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        network.eval()(image[None])
    for handle in handles:
        handle.remove()
    return sum(found)


def more_multiplications(work: Work, depth: int) -> float:
    """How many more its network of that depth needs than kdlib's, in percent."""
    image = torch.zeros(work.images.shape[1:])
    theirs = multiplications(Network(depth, work.num_classes, len(image)), image)
    return 100 * (theirs / multiplications(work.network(depth), image) - 1)


def differences(work: Work) -> str:
    """How its networks differ from kdlib's."""
    more = [more_multiplications(work, depth) for depth in (work.student, work.teacher)]
    return (
        "RepDistiller's networks have a 1x1 convolution and a batch norm as shortcut where "
        f"channels double, kdlib's take every second pixel: {more[0]:.2f} % more multiplications "
        f"in ResNet-{work.student} and {more[1]:.2f} % in ResNet-{work.teacher}. They also keep "
        "each block's sum beside its ReLU, and hand out the features of all stages. Its loop and "
        "its networks are written anew (`benchmarks/repdistiller.py`); the row of its shape is its "
        "loop on kdlib's networks."
    )
