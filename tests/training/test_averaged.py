"""The averaged iterate: against an average by hand, resumed after a kill, and changing no bit."""

import pytest
import torch
import torch.nn.functional as F
from small_training import CLASSES, RECIPE, random_split, run, same_state

from kdlib.errors import SettingError
from kdlib.training import (
    AveragedLogits,
    CheckpointError,
    ClassMultipliers,
    HeldOut,
    MultiplierRule,
)

JUDGED = random_split(20, seed=5)
PRIOR = torch.tensor([0.4, 0.3, 0.2, 0.1])


class Killed(Exception):
    pass


def multipliers(*, averaged=True, **rule):
    split = random_split(40, seed=9)
    labels = F.one_hot(split.labels, CLASSES).float()
    held_out = HeldOut(split.images, labels, RECIPE.input_scaling, "")
    values = {"update_every": 4, "step": 0.5} | rule
    average = AveragedLogits({"judged": JUDGED.images}, RECIPE.input_scaling, "")
    return ClassMultipliers(
        MultiplierRule(**values), PRIOR, held_out, 3, average if averaged else None
    )


def scores(model):
    """In evaluation mode, by plain torch."""
    mode = model.training
    with torch.no_grad():
        found = model.eval()(JUDGED.images.float() / 255 - 0.5)
    model.train(mode)
    return found


def test_it_is_the_mean_over_the_networks_at_the_moves():
    """Moves come at the end of each epoch of 4 steps; the network is looked at there by hand."""
    from small_training import network

    model, seen = network(), []
    _, outcome = run(
        model=model, multipliers=multipliers(), on_epoch=lambda _: seen.append(scores(model))
    )
    assert len(seen) == 6
    torch.testing.assert_close(outcome.averaged["judged"], torch.stack(seen).mean(0))
    assert not torch.allclose(outcome.averaged["judged"], seen[-1], atol=1e-3)


def test_one_move_at_the_end_is_the_last_iterate():
    model, outcome = run(multipliers=multipliers(update_every=24))
    torch.testing.assert_close(outcome.averaged["judged"], scores(model))


@pytest.mark.parametrize("batch_size", [None, 10])
def test_it_changes_no_bit_of_the_training(batch_size):
    first, with_average = run(multipliers=multipliers(batch_size=batch_size))
    second, without = run(multipliers=multipliers(averaged=False, batch_size=batch_size))
    assert same_state(first, second)
    assert without.averaged is None
    assert with_average.multipliers.keys() == without.multipliers.keys()
    for name, tensor in without.multipliers.items():
        assert torch.equal(tensor, with_average.multipliers[name])


@pytest.mark.parametrize("every", [1, 5])
def test_a_training_killed_and_resumed_gives_the_same_bits(tmp_path, every):
    def kill(record):
        if record["epoch"] == 3:
            raise Killed

    options = {"checkpoint": tmp_path / "c.safetensors", "checkpoint_every": 1}
    _, whole = run(multipliers=multipliers(update_every=every))
    with pytest.raises(Killed):
        run(on_epoch=kill, multipliers=multipliers(update_every=every), **options)
    _, resumed = run(multipliers=multipliers(update_every=every), **options)
    assert torch.equal(whole.averaged["judged"], resumed.averaged["judged"])


def test_a_training_killed_before_the_first_move_goes_on(tmp_path):
    def kill(record):
        if record["epoch"] == 2:
            raise Killed

    options = {"checkpoint": tmp_path / "c.safetensors", "checkpoint_every": 1}
    _, whole = run(multipliers=multipliers(update_every=11))
    with pytest.raises(Killed):
        run(on_epoch=kill, multipliers=multipliers(update_every=11), **options)
    _, resumed = run(multipliers=multipliers(update_every=11), **options)
    assert torch.equal(whole.averaged["judged"], resumed.averaged["judged"])


def test_a_checkpoint_without_the_average_is_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    run(multipliers=multipliers(averaged=False), checkpoint=path, checkpoint_every=1)
    with pytest.raises(CheckpointError, match="its multipliers is"):
        run(multipliers=multipliers(), checkpoint=path, checkpoint_every=1)


def test_the_mean_of_no_network_is_refused():
    with pytest.raises(SettingError, match="nothing to average"):
        AveragedLogits({"judged": JUDGED.images}, RECIPE.input_scaling, "").mean()


def test_the_network_keeps_its_mode():
    from small_training import network

    model, average = network().train(), AveragedLogits({"j": JUDGED.images}, "centre", "")
    average.add(model)
    assert model.training
    torch.testing.assert_close(average.mean()["j"], scores(model))
