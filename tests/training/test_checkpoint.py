"""Checkpoints: resuming to the same bits, refusing what does not fit, never trusting damage."""

import errno
import json
import os
import warnings

import pytest
import torch
from safetensors import safe_open
from small_training import (
    CLASSES,
    RECIPE,
    changed,
    network,
    random_split,
    results,
    run,
    same_state,
)

from kdlib.training import CheckpointError, DamagedCheckpointWarning, LossVectors
from kdlib.training.checkpoint import load_checkpoint, restore

DISTILLED = LossVectors.constant(CLASSES, mix=0.7, temperature=2.0)


class Stopped(Exception):
    """Ends a training in the middle."""


def stop_after(epoch):
    def on_epoch(record):
        if record["epoch"] == epoch:
            raise Stopped

    return on_epoch


def interrupted(path, *, epoch=4, every=2, recipe=RECIPE, **options):
    """Leave the checkpoint of a training that died after ``epoch`` epochs."""
    with pytest.raises(Stopped):
        run(recipe, checkpoint=path, checkpoint_every=every, on_epoch=stop_after(epoch), **options)


def contents(path):
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.mark.parametrize(
    ("epoch", "every"), [(4, 2), (5, 2), (1, 1), (3, 5)], ids=["on", "between", "first", "none"]
)
def test_a_resumed_training_ends_in_the_same_bits(tmp_path, epoch, every):
    options = {"vectors": DISTILLED, "teacher": network(9), "checkpoint_every": every}
    whole, one = run(checkpoint=tmp_path / "whole", **options)
    interrupted(
        tmp_path / "killed", epoch=epoch, every=every, vectors=DISTILLED, teacher=network(9)
    )
    # Another initial network shows that nothing of it is used once there is a checkpoint.
    start = network(0 if epoch < every else 77)
    resumed, other = run(model=start, checkpoint=tmp_path / "killed", **options)
    assert same_state(whole, resumed)
    assert results(one) == results(other)


@pytest.mark.parametrize(
    "values",
    [
        {"precision": "bf16"},
        {"momentum": 0.0, "nesterov": False},
        {"schedule": {"kind": "step", "epochs": (2, 5)}},
    ],
    ids=["bf16", "no momentum", "steps"],
)
def test_other_recipes_resume_to_the_same_bits(tmp_path, values):
    recipe = changed(**values)
    whole, _ = run(recipe)
    interrupted(tmp_path / "killed", recipe=recipe)
    resumed, _ = run(recipe, checkpoint=tmp_path / "killed", checkpoint_every=2)
    assert same_state(whole, resumed)


def test_colour_images_resume_to_the_same_bits(tmp_path):
    split = random_split(channels=3)
    whole, _ = run(model=network(channels=3), split=split)
    interrupted(tmp_path / "killed", model=network(channels=3), split=split)
    resumed, _ = run(model=network(channels=3), split=split, checkpoint=tmp_path / "killed")
    assert same_state(whole, resumed)


def test_momentum_and_batch_norm_are_saved_and_count(tmp_path):
    """Final checkpoints agree in every tensor, momentum included; without it they would not."""
    run(checkpoint=tmp_path / "whole", checkpoint_every=6)
    interrupted(tmp_path / "killed")
    run(checkpoint=tmp_path / "killed", checkpoint_every=2)
    whole, resumed = contents(tmp_path / "whole"), contents(tmp_path / "killed")
    assert whole.keys() == resumed.keys()
    assert {"momentum.stem.weight", "model.stem_norm.running_var"} <= whole.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert all(v.abs().sum() > 0 for k, v in whole.items() if k.startswith("momentum."))


def test_restoring_keeps_the_memory_layout(tmp_path):
    model = network().to(memory_format=torch.channels_last)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    interrupted(tmp_path / "killed")
    snapshot = load_checkpoint(tmp_path / "killed", model, _identity_of(tmp_path / "killed"))
    restore(snapshot, model, sgd)
    for parameter in model.parameters():
        assert sgd.state[parameter]["momentum_buffer"].stride() == parameter.stride()


def _identity_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["state"])["fingerprint"]


def test_a_finished_training_is_not_trained_again(tmp_path):
    first, one = run(checkpoint=tmp_path / "last", checkpoint_every=3)
    seen = []
    again, two = run(
        model=network(5), checkpoint=tmp_path / "last", checkpoint_every=3, on_epoch=seen.append
    )
    assert not seen
    assert same_state(first, again)
    assert one.history == two.history


def test_a_diverging_epoch_leaves_no_checkpoint(tmp_path):
    def nothing(rows, views, images):
        return torch.full((len(rows), CLASSES), torch.nan)

    path = tmp_path / "diverged"
    _, outcome = run(vectors=DISTILLED, teacher=nothing, checkpoint=path, checkpoint_every=1)
    assert outcome.status == "diverged"
    assert not path.exists()


# --- Refused ---


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"seed": 1}, "its seed is 0, not 1"),
        ({"recipe": changed(peak_rate=0.06)}, "its recipe is"),
        ({"recipe": changed(stop_after=5)}, "its recipe is"),
        ({"split": random_split(seed=1)}, "its split is"),
        ({"vectors": LossVectors(torch.zeros(4), torch.ones(4))}, "its objective is"),
        ({"fingerprint": "b"}, "its fingerprint is 'a', not 'b'"),
        ({"model": network(width=8)}, "has shape"),
        ({"model": network(channels=3)}, "its stem.weight has shape (4, 1, 3, 3)"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, options, named):
    path = tmp_path / "other"
    interrupted(path, fingerprint="a")
    with pytest.raises(CheckpointError) as error:
        run(checkpoint=path, **{"fingerprint": "a"} | options)
    assert named in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


# --- Damaged ---


def cut(content, place):
    return content[: int(place * len(content))]


def flip_a_bit(content, place):
    where = int(place * (len(content) - 1))
    return content[:where] + bytes([content[where] ^ 1]) + content[where + 1 :]


@pytest.mark.parametrize("place", [0.0, 0.01, 0.5, 0.9999])
@pytest.mark.parametrize("damage", [cut, flip_a_bit])
def test_a_damaged_checkpoint_is_never_trusted(tmp_path, damage, place):
    path = tmp_path / "damaged"
    interrupted(path, epoch=2)
    path.write_bytes(damage(path.read_bytes(), place))
    with pytest.warns(DamagedCheckpointWarning, match="starting from scratch"):
        model, outcome = run(changed(), checkpoint=path)
    assert len(outcome.history) == RECIPE.epochs
    assert same_state(model, run()[0])


def test_every_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "checkpoint"
    interrupted(path, epoch=2)
    identity, content = _identity_of(path), path.read_bytes()
    for where in range(0, len(content), max(1, len(content) // 100)):
        path.write_bytes(flip_a_bit(content, where / (len(content) - 1)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DamagedCheckpointWarning)
            assert load_checkpoint(path, network(), identity) is None


def test_a_folder_in_the_files_place_is_damage_too(tmp_path):
    with pytest.warns(DamagedCheckpointWarning):
        assert load_checkpoint(tmp_path, network(), {}) is None


# --- Atomic ---


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    interrupted(path, epoch=2)
    before = path.read_bytes()

    def no_space(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        run(checkpoint=path, checkpoint_every=2)
    assert path.read_bytes() == before
    monkeypatch.undo()
    resumed, _ = run(checkpoint=path, checkpoint_every=2)
    assert same_state(resumed, run()[0])
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


def test_the_folder_is_made(tmp_path):
    path = tmp_path / "a" / "b" / "checkpoint"
    run(changed(stop_after=1), checkpoint=path, checkpoint_every=1)
    assert path.exists()


def test_without_a_file_there_is_no_snapshot(tmp_path):
    assert load_checkpoint(tmp_path / "absent", network(), {}) is None
