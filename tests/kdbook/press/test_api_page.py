"""The page of functions and classes lists what kdlib's docstring calls public, and nothing else."""

import re
from pathlib import Path

import kdlib

PAGE = (Path(__file__).parents[3] / "book/api.md").read_text(encoding="utf-8")


def test_the_page_lists_each_public_name_below_its_package():
    public = re.findall(r"(?s)\* ``kdlib\.(\w+)``: (.*?)(?=\n\* |\Z)", kdlib.__doc__)
    listed = re.findall(r"(?s)currentmodule:: kdlib\.(\w+)\n(.*?)```", PAGE)
    assert [name for name, _ in listed] == [name for name, _ in public]
    for (_, names), (_, lines) in zip(public, listed, strict=True):
        assert re.findall(r"(?m)^\.\. (?:auto\w+|py:data):: (\w+)", lines) == re.findall(
            r"``(\w+)``", names
        )
