"""The mapping names things as the studies do."""

from importlib import import_module
from importlib.util import find_spec

import pytest

from kdbook.reproduction import mapping, robust_mapping
from kdbook.studies import STUDIES
from kdbook.studies import groups_that_are_not_classes as adult


def test_mapped_studies_are_there():
    """As modules at least: a study whose chapter is still to come answers nothing yet."""
    named = {study for answer in mapping.METHODS.values() for study in answer.studies}
    named |= {study for studies in mapping.TABLES.values() for study in studies}
    named -= {mapping.BLOCKS}
    assert {name for name in named if find_spec(f"kdbook.studies.{name}") is None} == set()
    assert named & set(STUDIES)


def test_mapped_methods_are_trained_by_their_studies():
    for answer in mapping.METHODS.values():
        for name in set(answer.studies) - {mapping.BLOCKS}:
            module = import_module(f"kdbook.studies.{name}")
            methods = {member.method for member in module.members(module.Settings(seeds=1))}
            assert answer.method in methods, name


@pytest.mark.parametrize(
    ("dataset", "drops"), [("cifar100", (200, 300, 400)), ("cifar100_lt", None)]
)
def test_the_papers_setting_is_that_of_appendix_b(dataset, drops):
    theirs = mapping.SETTINGS[dataset]
    printed = {"epochs": 450, "batch_size": 1024, "peak_rate": 1.0, "warmup_epochs": 15,
               "weight_decay": 1e-4, "momentum": 0.9, "nesterov": True}  # fmt: skip
    assert {key: theirs.recipe[key] for key in printed} == printed
    assert theirs.recipe["schedule"].get("epochs") == (drops and list(drops))
    assert theirs.temperatures == (1, 2, 3, 4, 5) and theirs.test_images == 10_000
    assert (theirs.dataset, theirs.imbalance) == ("cifar100", 1.0 if drops else 100.0)


@pytest.mark.parametrize(
    ("dataset", "epochs", "batch"),
    [("cifar10", 450, 128), ("cifar100", 450, 1024), ("cifar10_lt", 256, 128),
     ("cifar100_lt", 256, 1024)],
)  # fmt: skip
def test_the_other_papers_setting_is_that_of_its_section_e2(dataset, epochs, batch):
    theirs = robust_mapping.SETTINGS[dataset]
    assert (theirs.recipe["epochs"], theirs.recipe["batch_size"]) == (epochs, batch)
    drops = [96, 192, 224] if epochs == 256 else [200, 300, 400]
    assert theirs.recipe["schedule"]["epochs"] == drops
    assert theirs.temperatures == (1, 3, 5) and theirs.test_images == 5_000


def test_the_papers_forest_is_that_of_the_larger_profiles():
    for profile, same in (("quick", False), ("standard", True), ("paper", True)):
        model = adult.provenance(adult.Settings(profile=profile))["model"]
        assert (model == mapping.NETWORKS["random_forest_1"]) == same
    assert adult.__name__.rpartition(".")[2] == mapping.ADULT
