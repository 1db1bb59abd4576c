"""A tiny training that all tests here share: 64 random 8x8 images, ResNet-8."""

import torch

from kdlib.data import Split
from kdlib.models import ModelSpec, build
from kdlib.training import CosineDecay, LossVectors, Recipe, train

CLASSES = 4
RECIPE = Recipe(
    epochs=6,
    batch_size=16,
    peak_rate=0.05,
    warmup_epochs=1,
    schedule=CosineDecay(),
    weight_decay=1e-4,
    momentum=0.9,
    nesterov=True,
    crop_padding=1,
    flip=True,
    input_scaling="centre",
    precision="fp32",
)


def random_split(n=64, channels=1, seed=0):
    stream = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, channels, 8, 8), dtype=torch.uint8, generator=stream)
    return Split("train", images, torch.arange(n) % CLASSES, torch.arange(n) + seed, CLASSES)


def network(seed=0, channels=1, width=4, num_classes=CLASSES):
    spec = ModelSpec(depth=8, width=width)
    return build(spec, num_classes=num_classes, channels=channels, image_size=8, seed=seed)


def changed(**values):
    return Recipe.parse(**RECIPE.model_dump() | values)


def one_hot():
    return LossVectors.constant(CLASSES)


def run(recipe=RECIPE, *, model=None, split=None, vectors=None, seed=0, **options):
    """Train with small defaults; return the network and the outcome."""
    model = model or network()
    chosen = split or random_split(), vectors or one_hot(), recipe
    return model, train(model, *chosen, seed=seed, bar=False, **options)


def same_state(first, second):
    """Whether two networks agree in every bit of every weight and buffer."""
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def results(outcome):
    """The history without the fields that are measured."""
    wanted = ("epoch", "loss", "accuracy", "rate")
    return [{name: record[name] for name in wanted} for record in outcome.history]
