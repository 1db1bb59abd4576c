"""Studies ask for the runs that they asked for when they were recorded, so no result is lost.

``run_ids.txt`` pins what each study asks for at each profile, which records do not all hold. Where
an id must change (see RESULTS_VERSION in CONTRIBUTING), run this file as a script to write it anew.
"""

import hashlib
from pathlib import Path

import pytest

from kdbook.chapters import STUDIES, study
from kdbook.records import read_records
from kdlib.runs import RESULTS_VERSION

PINNED = Path(__file__).with_name("run_ids.txt")
PROFILES = ("quick", "standard", "paper")


def ids(name, profile, values):
    return {spec.id for spec in study(name).parse(profile=profile, **values).runs()}


def recorded():
    """Records of trained runs, by name."""
    return {record.name: record.about for record in read_records() if record.about.runs}


def asked_for():
    """A line per study and profile, and an older version's record: how many runs, and a digest."""
    questions = {f"{name}-{p}": (name, p, {}) for name in STUDIES for p in PROFILES}
    questions |= {
        name: (about.study, about.profile, about.settings)
        for name, about in recorded().items()
        if about.results_version != RESULTS_VERSION
    }
    for label, (name, profile, values) in sorted(questions.items()):
        if study(name).trains:
            found = sorted(ids(name, profile, values))
            yield f"{label} {len(found)} {hashlib.sha256(' '.join(found).encode()).hexdigest()}"


def of_this_version():
    return {n: about for n, about in recorded().items() if about.results_version == RESULTS_VERSION}


@pytest.mark.parametrize("name", of_this_version())
def test_a_record_holds_the_runs_that_its_settings_name(name):
    about = of_this_version()[name]
    assert set(about.runs) == ids(about.study, about.profile, about.settings)
    assert about.missing_runs == 0


def test_each_study_asks_for_the_same_runs_as_ever():
    assert list(asked_for()) == PINNED.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    PINNED.write_text("\n".join(asked_for()) + "\n", encoding="utf-8")
