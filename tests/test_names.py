import pytest

from kdlib.names import choices, closest

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
