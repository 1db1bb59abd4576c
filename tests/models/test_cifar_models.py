import pytest
import torch
from torch import nn

from kdlib.errors import SettingError
from kdlib.models import ModelSpec, build, parameter_count


def make(depth=8, shortcut="A", width=4, classes=10, channels=3, size=32, seed=0):
    spec = ModelSpec(depth=depth, shortcut=shortcut, width=width)
    return build(spec, num_classes=classes, channels=channels, image_size=size, seed=seed)


def weights(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def closed_form(depth, shortcut, width, classes, channels):
    """Convolutions, two numbers per channel for each batch norm, and the linear layer."""
    blocks = (depth - 2) // 6
    total = 9 * channels * width + 2 * width
    for stage in range(3):
        outputs = width * 2**stage
        convolutions = 9 * outputs * outputs * (2 * blocks - 1)
        first = 9 * outputs * (outputs if stage == 0 else outputs // 2)
        total += convolutions + first + 2 * outputs * 2 * blocks
        if shortcut == "B" and stage:
            total += outputs // 2 * outputs + 2 * outputs
    return total + (4 * width + 1) * classes


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.7")]
)
def test_parameter_counts_of_he_et_al_table_6(depth, millions):
    count = parameter_count(make(depth, width=16)) / 1e6
    assert f"{count:.{len(millions) - 2}f}" == millions


@pytest.mark.parametrize("depth", [8, 14, 20, 32, 56])
@pytest.mark.parametrize("shortcut", ["A", "B"])
@pytest.mark.parametrize(("width", "classes", "channels"), [(16, 10, 3), (5, 100, 1)])
def test_parameter_count_in_closed_form(depth, shortcut, width, classes, channels):
    model = make(depth, shortcut, width, classes, channels)
    assert parameter_count(model) == closed_form(depth, shortcut, width, classes, channels)


def test_depth_counts_the_layers_with_weights():
    for depth in (8, 20, 56):
        layers = [m for m in make(depth).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        assert len(layers) == depth


@pytest.mark.parametrize("size", [8, 9, 28, 32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_forward_shapes(size, channels, shortcut):
    model = make(shortcut=shortcut, channels=channels, size=size, classes=7)
    sizes = []
    for stage in model.stages:
        stage.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[1:]))
    assert model(torch.zeros(2, channels, size, size)).shape == (2, 7)
    half, quarter = (size + 1) // 2, (size + 3) // 4
    assert sizes == [(4, size, size), (8, half, half), (16, quarter, quarter)]


@pytest.mark.parametrize("size", [8, 9])
def test_the_free_shortcut_is_every_second_pixel_and_keeps_its_gradient_channels_last(size):
    shortcut = next(m for m in make().modules() if type(m).__name__ == "SubsampleAndPad")
    random = torch.Generator().manual_seed(0)
    images = torch.randn(3, 4, size, size, generator=random)
    images = images.contiguous(memory_format=torch.channels_last).requires_grad_()
    shown = shortcut(images)
    assert torch.equal(shown[:, :4], images[:, :, ::2, ::2]) and not shown[:, 4:].any()
    weight = torch.randn(shown.shape, generator=random).contiguous(
        memory_format=torch.channels_last
    )
    (weight * shown).sum().backward()
    expected = torch.zeros_like(images)
    expected[:, :, ::2, ::2] = weight[:, :4]
    assert torch.equal(images.grad, expected)
    assert images.grad.is_contiguous(memory_format=torch.channels_last)


def test_same_seed_same_bits_other_seed_others():
    assert torch.equal(weights(make(seed=3)), weights(make(seed=3)))
    assert not torch.equal(weights(make(seed=3)), weights(make(seed=4)))


def test_global_random_state_neither_used_nor_changed():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = weights(make())
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(first, weights(make()))


def test_initial_weights_follow_he_et_al():
    model = make(20, width=16)
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.in_channels > 16:
            fan_in = 9 * module.in_channels
            assert module.weight.var().item() == pytest.approx(2 / fan_in, rel=0.06)
            assert (
                abs(module.weight.mean().item()) < 4 * (2 / fan_in / module.weight.numel()) ** 0.5
            )
        if isinstance(module, nn.BatchNorm2d):
            assert torch.all(module.weight == 1) and torch.all(module.bias == 0)
            assert torch.all(module.running_mean == 0) and torch.all(module.running_var == 1)
    assert torch.all(model.classifier.bias == 0)


def test_option_a_subsamples_and_adds_zero_channels():
    shortcut = make().stages[1][0].shortcut
    images = torch.randn(2, 4, 9, 9)
    expected = torch.zeros(2, 8, 5, 5)
    expected[:, :4] = images[:, :, ::2, ::2]
    assert torch.equal(shortcut(images), expected)
    assert not list(shortcut.parameters())


def test_every_parameter_gets_a_gradient():
    model = make(14, "B", size=8)
    model(torch.randn(4, 3, 8, 8)).square().sum().backward()
    assert all(torch.any(weight.grad != 0) for weight in model.parameters())


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_channels_last_gives_the_same_logits(shortcut):
    model = make(14, shortcut).eval()
    images = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = model(images)
    model = model.to(memory_format=torch.channels_last)
    found = model(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_state_dict_round_trip():
    first, second = make(seed=0).eval(), make(seed=1).eval()
    second.load_state_dict(first.state_dict())
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(first(images), second(images))


def test_starts_in_training_mode_on_the_cpu():
    model = make()
    assert model.training
    assert {value.device.type for value in model.state_dict().values()} == {"cpu"}


@pytest.mark.parametrize(
    ("depth", "nearest"),
    [(9, "8 and 14"), (21, "20 and 26"), (55, "50 and 56"), (2, "8"), (0, "8"), (7, "8"),
     (-5, "8"), (1201, "1196 and 1202"), (1203, "1202"), (1208, "1202")],
)  # fmt: skip
def test_wrong_depth_names_the_nearest(depth, nearest):
    with pytest.raises(SettingError) as caught:
        ModelSpec.parse(depth=depth)
    message = str(caught.value)
    assert f"depth = {depth} is not allowed" in message and message.endswith(f" {nearest}")


@pytest.mark.parametrize(
    "values", [{"depth": 8, "shortcut": "C"}, {"depth": 8, "width": 0}, {"depth": 8.5}, {}]
)
def test_wrong_spec_is_refused(values):
    with pytest.raises(SettingError):
        ModelSpec.parse(**values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"size": 7}, "image_size = 7"),
        ({"classes": 1}, "num_classes = 1"),
        ({"channels": 0}, "channels = 0"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_wrong_shape_is_refused(values, named):
    with pytest.raises(SettingError, match=named):
        make(**values)
