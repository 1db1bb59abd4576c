"""Terms of the glossary on a page: linked once, never where a name means something else."""

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from kdbook.press.terms import read_definitions, show_terms

KNOWN = {"one-hot student": ("term-a", "Learns from <labels>."), "worst-k": ("term-b", "A mean.")}


def shown(text):
    """The page, and the terms that it shows, by anchor."""
    page = publish_doctree(text)
    show_terms(page, KNOWN, "../glossary.html")
    raws = [node.astext() for node in page.findall(nodes.raw)]
    return page, [name for raw in raws for name, _ in KNOWN.values() if f"#{name}" in raw]


def test_the_first_use_is_linked_and_the_second_is_not():
    page, terms = shown("A one-hot student and worst-k.\n\nOne-hot students again, and worst-k.")
    assert terms == ["term-a", "term-b"]
    assert page.astext().count("again") == 1
    raw = next(page.findall(nodes.raw)).astext()
    assert 'href="../glossary.html#term-a"' in raw and "Learns from &lt;labels&gt;." in raw
    assert 'role="tooltip"' in raw and ">one-hot student</a>" in raw


def test_the_reader_sees_the_words_as_they_were_written():
    page, _ = shown("Two One-hot students, not more.")
    raw = next(page.findall(nodes.raw)).astext()
    assert ">One-hot students</a>" in raw


@pytest.mark.parametrize(
    "text",
    [
        "Title\n=====\n\n``worst-k`` in code",
        "worst-k\n=======\n\nText",
        "A `worst-k <https://a.example>`_ link",
        "::\n\n   worst-k",
        "The worst-kind of word, and my-worst-k too",
    ],
)
def test_code_headings_links_and_other_words_stay(text):
    assert shown(text)[1] == []


def test_a_link_that_the_author_made_shows_its_definition_and_counts_as_the_first():
    _, terms = shown("See `this <../glossary.html#term-b>`_, which is worst-k.")
    assert terms == ["term-b"]


def test_definitions_are_read_with_all_their_names():
    page = nodes.document(None, None)
    term = nodes.term("", "Mix", ids=["term-mix"]), nodes.term("", "trust", ids=["term-trust"])
    meaning = nodes.definition("", nodes.paragraph("", "A\nshare."))
    page += nodes.definition_list("", nodes.definition_list_item("", *term, meaning))
    assert read_definitions(page) == {
        "mix": ("term-mix", "A share."),
        "trust": ("term-trust", "A share."),
    }
