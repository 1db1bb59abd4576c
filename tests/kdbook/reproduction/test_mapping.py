"""The mapping names things as the studies do."""

import pytest

from kdbook.chapters import STUDIES, study
from kdbook.chapters import groups_that_are_not_classes as adult
from kdbook.reproduction import mapping

ADULT = "groups_that_are_not_classes"


def answers(paper="teachers_pet"):
    return mapping.PAPERS[paper].answers


@pytest.mark.parametrize("paper", mapping.PAPERS)
def test_mapped_studies_are_there(paper):
    named = {name for answer in answers(paper) for name in answer.studies}
    assert named - {mapping.BLOCKS} <= set(STUDIES)


def test_mapped_methods_are_trained_by_their_studies():
    for answer in answers():
        for name in set(answer.studies) - {mapping.BLOCKS, ADULT}:
            methods = {member.method for member in study(name).parse(seeds=1).members()}
            assert {answer.method, answer.less} - {None} <= methods, name


@pytest.mark.parametrize(
    ("dataset", "drops"), [("cifar100", (200, 300, 400)), ("cifar100_lt", None)]
)
def test_the_papers_setting_is_that_of_appendix_b(dataset, drops):
    theirs = mapping.PAPERS["teachers_pet"].settings[dataset]
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
    theirs = mapping.PAPERS["robust_distillation"].settings[dataset]
    assert (theirs.recipe["epochs"], theirs.recipe["batch_size"]) == (epochs, batch)
    drops = [96, 192, 224] if epochs == 256 else [200, 300, 400]
    assert theirs.recipe["schedule"]["epochs"] == drops
    assert theirs.temperatures == (1, 3, 5) and theirs.test_images == 5_000


def test_the_papers_forest_is_that_of_the_larger_profiles():
    for profile, same in (("quick", False), ("standard", True), ("paper", True)):
        model = adult.GroupsThatAreNotClasses(adult.Settings(profile=profile)).provenance()["model"]
        assert (model == mapping.NETWORKS["random_forest_1"]) == same
    assert adult.__name__.rpartition(".")[2] == ADULT
