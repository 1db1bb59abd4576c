"""A tiny study, and its runs trained once for the tests of recorded runs."""

import pytest

from kdbook.chapters import study
from kdlib.runs import Store, execute


@pytest.fixture(scope="session")
def short():
    """Settings of a study that trains in seconds."""
    return {
        "profile": "quick", "epochs": 2, "teacher_epochs": 2, "seeds": 1, "imbalances": (5.0,),
    }  # fmt: skip


@pytest.fixture(scope="session")
def trained(short, tmp_path_factory):
    """The study's runs, and the store of their own in which they were trained."""
    store = Store(tmp_path_factory.mktemp("store"))
    asked = study("rare_classes").parse(**short)
    return store, execute(asked.runs(), store=store, progress=False)
