"""Whole runs on images in files: train, resume, distil, and estimate the trust by class."""

import numpy as np
import pytest
import torch
from made_images import CLASSES, write_imagenet, write_imagenet_lt, write_tinyimagenet

from kdlib import losses
from kdlib.data import load
from kdlib.errors import DataError, SettingError
from kdlib.models import EfficientNetV2, ImageNetResNet, ModelSpec
from kdlib.runs import (
    AdaptiveMix,
    ConstantMix,
    DataSpec,
    MarginCost,
    Objective,
    RunSpec,
    Store,
    missing_runs,
)
from kdlib.runs.build import dataset_for, model_for
from kdlib.runs.plan import estimate
from kdlib.runs.shapes import SHAPES, shape_of, training_images
from kdlib.runs.train_one import torch_threads, train_one
from kdlib.runs.vectors import loss_vectors
from kdlib.training import PRESETS, train

pytestmark = pytest.mark.filterwarnings("ignore::kdlib.data.SplitWarning")
NETWORK = ImageNetResNet(depth=18, image_size=32)
RECIPE = PRESETS["imagenet_lt_paper"].model_copy(
    update={"epochs": 2, "warmup_epochs": 1, "batch_size": 8, "peak_rate": 0.05}
)


def spec(name="imagenet_lt", part="train", recipe=RECIPE, **changes):
    data = DataSpec(name=name, part=part)
    return RunSpec.parse(data=data, recipe=recipe, **({"model": NETWORK} | changes))


def ada_alpha():
    mix = AdaptiveMix(estimated_by=spec(part="train_minus_dev", seed=200))
    return spec(objective=Objective(mix=mix, temperature=0.9), teacher=spec(seed=100))


def ada_margin():
    cost = MarginCost(offset=0.1, estimated_by=spec(part="train_minus_dev", seed=200))
    objective = Objective(mix=ConstantMix(alpha=1.0), log_cost=cost)
    return spec(objective=objective, teacher=spec(seed=100))


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDLIB_DATA", str(tmp_path / "data"))
    return write_imagenet_lt(tmp_path / "data")


def train_all(specs, store):
    """As ``execute``, on one thread: two would wait for each other at this size."""
    for generation in missing_runs(specs, store):
        for run in generation:
            train_one(run, store, device="cpu", threads=1)
    return [store.finished(run) for run in specs]


@pytest.mark.slow
def test_an_efficientnet_teaches_a_resnet_class_by_class(tmp_path, monkeypatch):
    """On TinyImageNet with a long tail, as its archive unpacks."""
    monkeypatch.setenv("KDLIB_DATA", str(write_tinyimagenet(tmp_path / "data")))
    data = DataSpec(name="tinyimagenet", imbalance=4)
    network = EfficientNetV2(scale="s", image_size=32)
    teacher = RunSpec.parse(data=data, model=network, recipe=RECIPE, seed=100)
    taught = Objective(mix=ConstantMix(alpha=1.0))
    student = RunSpec.parse(
        data=data, model=NETWORK, recipe=RECIPE, objective=taught, teacher=teacher
    )
    results = train_all([teacher, student], Store(tmp_path / "store"))
    assert [result.status for result in results] == ["completed"] * 2
    assert all(result.accuracy("test").shape == (3,) for result in results)
    assert teacher.label() == "tinyimagenet 1:4 EfficientNetV2-S one-hot s100"


@pytest.mark.slow
def test_one_hot_distilled_and_adaptive_students_train_from_files(data_folder, tmp_path):
    store = Store(tmp_path / "store")
    distilled = spec(objective=Objective(mix=ConstantMix(alpha=0.2)), teacher=spec(seed=100))
    results = train_all([spec(), distilled, ada_alpha(), ada_margin()], store)
    assert [result.status for result in results] == ["completed"] * 4
    assert [result.logits("test").shape for result in results] == [(6, 3)] * 4
    data = load("imagenet_lt", image_size=32)
    estimator = store.finished(ada_alpha().objective.mix.estimated_by)
    logits, labels = (torch.from_numpy(f("dev")) for f in (estimator.logits, estimator.labels))
    assert torch.equal(labels, data.dev.labels)
    by_hand = losses.adaptive_mix(losses.teacher_probabilities(logits, 0.9), labels, 3)
    assert torch.equal(loss_vectors(ada_alpha(), data, store).mix, by_hand)
    # The stored weights give the stored logits again, on images that are read again.
    again = results[0].model()((data.test.images.float() / 255 - mean()) / deviation())
    np.testing.assert_allclose(again.detach(), results[0].logits("test"), rtol=1e-3, atol=1e-4)


def mean():
    return torch.tensor((0.485, 0.456, 0.406))[:, None, None]


def deviation():
    return torch.tensor((0.229, 0.224, 0.225))[:, None, None]


class Killed(Exception):
    pass


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_bits(data_folder, tmp_path):
    run = spec(name="imagenet")
    data, store = dataset_for(run), Store(tmp_path / "store")
    vectors, given = loss_vectors(run, data, store), {"dataset_name": "imagenet", "bar": False}
    whole, killed = model_for(run, data), model_for(run, data)
    with torch_threads(1):
        train(whole, data.train, vectors, run.recipe, seed=0, **given)

    def kill(record):
        raise Killed

    kept = given | {"checkpoint": tmp_path / "checkpoint", "checkpoint_every": 1}
    with torch_threads(1), pytest.raises(Killed):
        train(killed, data.train, vectors, run.recipe, seed=0, on_epoch=kill, **kept)
    resumed = model_for(run, data)
    with torch_threads(1):
        outcome = train(resumed, data.train, vectors, run.recipe, seed=0, **kept)
    assert len(outcome.history) == 2
    states = zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in states)
    assert not torch.equal(whole.conv1.weight, killed.conv1.weight)


@pytest.mark.slow
def test_an_image_that_breaks_during_training_ends_it_in_one_line(data_folder, tmp_path):
    broken = data_folder / "imagenet/train" / CLASSES[0] / f"{CLASSES[0]}_train_3.JPEG"
    broken.write_bytes(broken.read_bytes()[:400])
    with pytest.raises(DataError, match=r"n01_train_3.JPEG cannot be read") as error:
        train_all([spec()], Store(tmp_path / "store"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (
            {"model": ModelSpec(depth=8)},
            "imagenet needs an ImageNet ResNet or EfficientNetV2, not ResNet-8",
        ),
        ({"data": DataSpec(name="cifar100")}, "cifar100 needs a CIFAR ResNet, not ImageNet"),
        ({"recipe": PRESETS["cifar100_paper"]}, "crop_padding = 4: must be 0 for imagenet"),
    ],
)
def test_a_network_that_does_not_fit_the_images_is_refused(values, complaint):
    good = {"data": DataSpec(name="imagenet"), "model": NETWORK, "recipe": RECIPE}
    assert RunSpec.parse(**good).label() == "imagenet ImageNet ResNet-18 one-hot s0"
    with pytest.raises(SettingError, match=complaint):
        RunSpec.parse(**good | values)


def test_a_tail_on_top_of_a_tail_is_refused():
    with pytest.raises(SettingError, match="imagenet_lt has a long tail of its own"):
        DataSpec.parse(name="imagenet_lt", imbalance=10)


def test_teacher_and_student_see_one_size():
    larger = spec().model_copy(update={"model": ImageNetResNet(depth=18, image_size=64)})
    objective = Objective(mix=ConstantMix(alpha=0.2))
    with pytest.raises(SettingError, match="one image_size"):
        spec(objective=objective, teacher=larger)


def test_the_size_and_depth_of_the_network_are_part_of_the_id():
    ids = {
        spec().model_copy(update={"model": ImageNetResNet(depth=depth, image_size=size)}).id
        for depth in (18, 34, 50)
        for size in (32, 224)
    }
    assert len(ids) == 6
    assert RunSpec.model_validate_json(ada_alpha().canonical_json()) == ada_alpha()


def test_images_are_counted_from_the_published_sizes():
    paper = PRESETS["imagenet_paper"]
    run = spec("imagenet", recipe=paper)
    assert training_images(run) == 90 * 1_281_167
    hundred = run.model_copy(update={"data": DataSpec(name="imagenet", class_share=0.1)})
    assert shape_of(hundred).num_classes == 100
    assert training_images(hundred) == 90 * 128_117
    assert SHAPES["cifar100"].training_examples(100) == 10_847


@pytest.mark.slow
def test_the_estimate_reads_made_up_files():
    recipe = RECIPE.model_copy(update={"batch_size": 2})
    tiny = DataSpec(name="imagenet", class_share=0.001)
    run = spec(recipe=recipe).model_copy(update={"data": tiny})
    assert 0 < estimate([[[run]]], device="cpu", jobs=1).lower < 1e5


def test_ids_of_runs_on_small_images_do_not_know_of_the_other_networks():
    small = RunSpec.parse(data=DataSpec(), model=ModelSpec(depth=8), recipe=PRESETS["digits"])
    assert set(small.model_dump()["model"]) == {"depth", "shortcut", "width"}


def test_writing_the_images_twice_gives_the_same_bytes(tmp_path):
    one, two = (write_imagenet(tmp_path / name, train=1, held_out=1) for name in "ab")
    for path in sorted(one.rglob("*.JPEG")):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()
