import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from kdlib.data import torchvision_import
from kdlib.errors import SettingError
from kdlib.models import AnyModel, ImageNetResNet, ModelSpec, build, parameter_count


def make(depth=18, seed=0, classes=10, channels=3):
    spec = ImageNetResNet(depth=depth, image_size=32)
    return build(spec, num_classes=classes, channels=channels, image_size=32, seed=seed)


@pytest.mark.parametrize(("depth", "count"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)])
def test_parameter_counts_are_those_that_torchvision_publishes(depth, count):
    networks = torchvision_import.module("torchvision.models")
    weights = getattr(networks, f"ResNet{depth}_Weights").IMAGENET1K_V1
    assert parameter_count(make(depth, classes=1000)) == count == weights.meta["num_params"]


def test_it_is_torchvisions_network():
    theirs = torchvision_import.module("torchvision.models").resnet18(num_classes=10)
    ours, images = make(), torch.randn(2, 3, 32, 32)
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(ours(images), theirs(images))


def test_weights_follow_from_the_seed_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = make(seed=1), make(seed=1), make(seed=2)
    assert torch.equal(torch.random.get_rng_state(), before)
    states = [model.state_dict() for model in (first, again, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["conv1.weight"], states[2]["conv1.weight"])


def test_weights_are_distributed_as_torchvisions():
    theirs = dict(torchvision_import.module("torchvision.models").resnet18().named_parameters())
    for name, weight in make(classes=1000).named_parameters():
        assert weight.mean().item() == pytest.approx(theirs[name].mean().item(), abs=0.01)
        assert weight.std().item() == pytest.approx(theirs[name].std().item(), rel=0.1, abs=1e-6)


def test_buffers_are_initialised():
    for module in make().modules():
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
    small, large = ModelSpec(depth=50), ImageNetResNet(depth=50)
    for spec in (small, large):
        assert adapter.validate_python(spec) is spec
        assert adapter.validate_json(spec.model_dump_json()) == spec
    with pytest.raises(ValidationError, match="family"):
        adapter.validate_python({"depth": 50, "family": "vit"})
