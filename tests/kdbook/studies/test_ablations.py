"""Table 4: which runs, the constant twin, and which class got which weight."""

import numpy as np
import pandas as pd
import pytest
import torch

from kdbook import tables
from kdbook.chapters import ablations
from kdbook.tables import training_logits
from kdlib.errors import SettingError
from kdlib.runs import ConstantMix, Store, dev_mix, execute


def test_every_student_of_a_seed_has_the_same_temperature():
    settings = ablations.Settings(seeds=2, temperature=2.0, alphas=(0.25,))
    members = ablations.Ablations(settings).members()
    assert len(members) == 2 * 7
    taught = [m for m in members if m.spec.teacher is not None]
    assert {m.spec.objective.temperature for m in taught} == {2.0}
    assert [m.method for m in members[:7]] == [
        "teacher", "one-hot", "distilled", "AdaAlpha", "hardest removed", "shuffled",
        "weighted labels 0.25",
    ]  # fmt: skip


def test_each_seed_deals_the_weights_anew():
    members = ablations.Ablations(ablations.Settings(seeds=3)).members()
    seeds = [m.spec.objective.mix.shuffle_seed for m in members if m.method == "shuffled"]
    assert len(set(seeds)) == 3


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1}, {"alphas": (0,)}, {"alphas": ()}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match="is not allowed"):
        ablations.Settings.parse(**wrong)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    settings = ablations.Settings(seeds=1, epochs=2, temperature=2.0, alphas=(0.5,))
    store = Store(tmp_path_factory.mktemp("store"))
    results = execute(ablations.Ablations(settings).runs(), store=store, jobs=1, progress=False)
    return settings, store, results


def test_the_twin_trusts_as_much_as_ada_alpha_does_over_the_training_images(tiny):
    settings, store, _ = tiny
    (twin,) = ablations.Ablations(settings).twins(store)
    family = ablations.Ablations(settings).study_families()[0]
    mix = dev_mix(family.initial_teacher(), 2.0, store).numpy()
    counts = tables.training_counts(family.teacher())
    by_image = np.repeat(mix, counts)
    assert isinstance(twin.spec.objective.mix, ConstantMix)
    assert twin.spec.objective.mix.alpha == pytest.approx(by_image.mean(), abs=0.005)


def test_a_table_with_and_without_twins(tiny):
    settings, store, results = tiny
    assert ablations.CONSTANT not in set(ablations.Ablations(settings).per_seed(results)["method"])
    (twin,) = ablations.Ablations(settings).twins(store)
    more = execute([twin.spec], store=store, jobs=1, progress=False)
    table = ablations.Ablations(settings).per_seed([*results, *more])
    assert table["method"].tolist()[-1] == ablations.CONSTANT
    assert len(ablations.Ablations(settings).per_class([*results, *more])) == 10 * len(table)


def test_which_class_got_which_weight(tiny):
    settings, store, results = tiny
    weights = ablations.Ablations(settings).trust(results, store)
    by = {name: rows.set_index("label")["mix"] for name, rows in weights.groupby("method")}
    family = ablations.Ablations(settings).study_families()[0]
    np.testing.assert_allclose(by["AdaAlpha"], dev_mix(family.initial_teacher(), 2.0, store))
    pd.testing.assert_series_equal(
        by["shuffled"].sort_values(), by["AdaAlpha"].sort_values(), check_index=False
    )
    assert sorted(by["hardest removed"]) == [0.0] + [1.0] * 9
    assert by["weighted labels 0.5"].between(0, 0.5).all()
    assert "one-hot" not in by


def test_the_weight_of_a_weighted_label_is_the_mean_over_the_images_of_the_class(tiny):
    settings, store, results = tiny
    weights = ablations.Ablations(settings).trust(results, store)
    found = weights[weights["method"] == "weighted labels 0.5"].set_index("label")["mix"]
    member = ablations.Ablations(settings).members()[-1]
    student, labels = training_logits(results[-1])
    teacher, _ = training_logits(store.finished(member.spec.teacher))
    losses = [torch.nn.functional.cross_entropy(f, labels, reduction="none")
              for f in (student, teacher)]  # fmt: skip
    by_hand = 1 - torch.exp(-losses[0] / losses[1])
    assert found[9] == pytest.approx(0.5 * by_hand[labels == 9].mean().item(), rel=1e-4)
