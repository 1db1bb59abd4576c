import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from kdlib.data import torchvision_import
from kdlib.errors import SettingError
from kdlib.models import AnyModel, EfficientNetV2, ImageNetResNet, ModelSpec, build, parameter_count


def make(depth=18, seed=0, classes=10, channels=3):
    spec = ImageNetResNet(depth=depth, image_size=32)
    return built(spec, seed, classes, channels)


def built(spec, seed=0, classes=10, channels=3):
    return build(spec, num_classes=classes, channels=channels, image_size=32, seed=seed)


@pytest.mark.parametrize(("depth", "count"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)])
def test_parameter_counts_are_those_that_torchvision_publishes(depth, count):
    networks = torchvision_import.module("torchvision.models")
    weights = getattr(networks, f"ResNet{depth}_Weights").IMAGENET1K_V1
    assert parameter_count(make(depth, classes=1000)) == count == weights.meta["num_params"]


@pytest.mark.parametrize("scale", ["s", "m", "l"])
def test_so_are_those_of_efficientnets(scale):
    networks = torchvision_import.module("torchvision.models")
    weights = getattr(networks, f"EfficientNet_V2_{scale.upper()}_Weights").IMAGENET1K_V1
    ours = built(EfficientNetV2(scale=scale), classes=1000)
    assert parameter_count(ours) == weights.meta["num_params"]


SMALL = {
    "resnet18": ImageNetResNet(depth=18, image_size=32),
    "efficientnet_v2_s": EfficientNetV2(scale="s", image_size=32),
}


@pytest.mark.parametrize("name", SMALL)
def test_it_is_torchvisions_network(name):
    theirs = getattr(torchvision_import.module("torchvision.models"), name)(num_classes=10).eval()
    ours, images = built(SMALL[name]).eval(), torch.randn(2, 3, 32, 32)
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(ours(images), theirs(images))


def test_an_efficientnet_trains_without_chance():
    """Neither dropout nor dropped blocks: the same answer twice."""
    network, images = built(SMALL["efficientnet_v2_s"]), torch.randn(2, 3, 64, 64)
    assert network.training and torch.equal(network(images), network(images))


@pytest.mark.parametrize("spec", SMALL.values(), ids=SMALL)
def test_weights_follow_from_the_seed_alone(spec):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = built(spec, 1), built(spec, 1), built(spec, 2)
    assert torch.equal(torch.random.get_rng_state(), before)
    states = [model.state_dict() for model in (first, again, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    first_layer = next(iter(states[0]))
    assert not torch.equal(states[0][first_layer], states[2][first_layer])


@pytest.mark.parametrize("network", SMALL)
def test_weights_are_distributed_as_torchvisions(network):
    make_theirs = getattr(torchvision_import.module("torchvision.models"), network)
    theirs = dict(make_theirs().named_parameters())
    for name, weight in built(SMALL[network], classes=1000).named_parameters():
        if weight.numel() < 1000 and weight.std() > 0:
            continue  # too few to compare
        assert weight.mean().item() == pytest.approx(theirs[name].mean().item(), abs=0.01)
        assert weight.std().item() == pytest.approx(theirs[name].std().item(), rel=0.1, abs=1e-6)


@pytest.mark.parametrize("spec", SMALL.values(), ids=SMALL)
def test_buffers_are_initialised(spec):
    for module in built(spec).modules():
        if isinstance(module, nn.BatchNorm2d):
            assert (module.running_mean == 0).all() and (module.running_var == 1).all()
            assert module.num_batches_tracked == 0


def test_grey_images_are_refused():
    with pytest.raises(SettingError, match="channels = 1 is not allowed"):
        make(channels=1)


@pytest.mark.parametrize("values", [{"depth": 101}, {"depth": 18, "image_size": 31}])
def test_other_networks_are_refused(values):
    with pytest.raises(SettingError, match="is not allowed"):
        ImageNetResNet.parse(**values)


def test_the_family_tells_the_two_networks_apart():
    adapter = TypeAdapter(AnyModel)
    small, large, other = ModelSpec(depth=50), ImageNetResNet(depth=50), EfficientNetV2(scale="l")
    for spec in (small, large, other):
        assert adapter.validate_python(spec) is spec
        assert adapter.validate_json(spec.model_dump_json()) == spec
    with pytest.raises(ValidationError, match="family"):
        adapter.validate_python({"depth": 50, "family": "vit"})
