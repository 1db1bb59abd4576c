import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdlib.names import choices, closest, first_twice

KNOWN = ("rare_classes", "margins", "measuring")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("rare_clases", "rare_classes"), ("rare", "rare_classes"), ("RARE", "rare_classes"),
     ("margin", "margins"), ("xyz", None), ("", None)],
)  # fmt: skip
def test_the_likely_name_is_a_slip_or_a_part(name, meant):
    assert closest(name, KNOWN) == meant


def test_all_names_are_told_and_a_likely_one_first():
    assert choices("xyz", KNOWN) == "allowed are rare_classes, margins, measuring"
    assert choices("margin", KNOWN) == (
        "did you mean margins? Allowed are rare_classes, margins, measuring"
    )
    assert choices("margin", []) == "allowed are none"


def test_of_very_many_names_the_first_are_told_and_how_many_more():
    said = choices("nothing", map(str, range(100_000)))
    assert said.endswith("198, 199 and 99,800 more")


@given(st.lists(st.sampled_from("abcdefgh"), max_size=8))
def test_the_first_name_that_was_there_before(names):
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    assert first_twice(names) == (twice[0] if twice else None)
