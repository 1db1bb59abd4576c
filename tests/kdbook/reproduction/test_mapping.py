"""The mapping names things as the studies do."""

from importlib import import_module
from importlib.util import find_spec

import pytest

from kdbook.reproduction import mapping
from kdbook.studies import STUDIES
from kdbook.studies import groups_that_are_not_classes as adult
from kdlib.training import PRESETS


def test_mapped_studies_are_there():
    """As modules at least: a study whose chapter is still to come answers nothing yet."""
    named = {study for answer in mapping.METHODS.values() for study in answer.studies}
    named |= {study for studies in mapping.TABLES.values() for study in studies}
    assert {name for name in named if find_spec(f"kdbook.studies.{name}") is None} == set()
    assert named & set(STUDIES)


def test_mapped_methods_are_trained_by_their_studies():
    for answer in mapping.METHODS.values():
        for name in answer.studies:
            module = import_module(f"kdbook.studies.{name}")
            methods = {member.method for member in module.members(module.Settings(seeds=1))}
            assert answer.method in methods, name


@pytest.mark.parametrize(
    ("dataset", "preset"), [("cifar100", "cifar100_paper"), ("cifar100_lt", "cifar100_lt_paper")]
)
def test_the_papers_setting_is_that_of_its_recipe(dataset, preset):
    theirs, recipe = mapping.SETTINGS[dataset], PRESETS[preset]
    assert (theirs.epochs, theirs.schedule) == (recipe.epochs, recipe.schedule.kind)


def test_the_papers_forest_is_that_of_the_larger_profiles():
    for profile, same in (("quick", False), ("standard", True), ("paper", True)):
        model = adult.provenance(adult.Settings(profile=profile))["model"]
        assert (model == mapping.NETWORKS["random_forest_1"]) == same
    assert adult.__name__.rpartition(".")[2] == mapping.ADULT
