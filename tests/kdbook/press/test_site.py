"""Sphinx and what surrounds it: the pages, the swap, nothing from the network."""

from importlib import metadata

import pytest
import yaml
from click.testing import CliRunner
from site_addresses import outside_addresses
from tiny_book import TinyBook

from kdbook.press import BuildSettings, build_book, site, staging
from kdbook.press.address import set_address
from kdbook.press.commands import book, parse_parameters
from kdbook.press.errors import PressError
from kdbook.press.staging import site_config
from kdlib.errors import SettingError


@pytest.fixture(scope="module")
def said_and_built(tmp_path_factory):
    """What ``kdlib book build`` prints, and the site that it builds; once for all that look."""
    tiny = TinyBook(tmp_path_factory.mktemp("tiny"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny.root)
        result = CliRunner().invoke(book, ["build", "-p", "size=4", "--jobs", "2"])
    assert result.exit_code == 0, result.output
    return result.output, tiny.project.html


@pytest.fixture
def tiny_site(said_and_built):
    return said_and_built[1]


pages = pytest.mark.chapters


def test_jupyter_book_is_of_the_first_generation():
    assert metadata.version("jupyter-book").startswith("1.")
    site.check_jupyter_book()


def test_another_generation_is_refused(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "2.0.1")
    with pytest.raises(PressError, match=r"jupyter-book 2.0.1 is installed; use 1.x"):
        site.check_jupyter_book()


def test_a_build_that_could_not_be_finished_does_not_begin(monkeypatch):
    site.check_finishing_tools()
    monkeypatch.setattr(site.util, "find_spec", lambda name: None)
    with pytest.raises(PressError, match="mini-racer is missing"):
        site.check_finishing_tools()


@pages
def test_every_page_is_made_and_shows_what_ran(tiny_site):
    for page in ("index", "book/intro", "book/part/one", "book/part/two"):
        assert (tiny_site / f"{page}.html").is_file()
    html = (tiny_site / "book/part/one.html").read_text()
    assert "quick 4" in html
    assert "pip install" not in html


@pages
def test_no_page_loads_anything_from_elsewhere(tiny_site):
    assert outside_addresses(tiny_site) == []


@pages
def test_the_offline_assets_lie_where_pages_look_for_them(tiny_site):
    vega = tiny_site / "_static/vega/vega-bundle.js"
    assert 500_000 < vega.stat().st_size < 2_000_000
    assert "window.vegaEmbed=" in vega.read_text()
    assert list((tiny_site / "_static/mathjax/output/chtml/fonts/woff-v2").glob("*.woff"))
    intro = (tiny_site / "book/intro.html").read_text()
    assert "_static/mathjax/formulas.css" in intro and "<mjx-container" in intro
    assert "tex-chtml.js" not in intro and (tiny_site / "_static/mathjax/formulas.css").is_file()
    assert "vega-bundle" not in intro


@pages
def test_a_warning_stops_the_build_and_the_old_site_stays(tiny):
    tiny.write("_toc.yml", "format: jb-book\nroot: book/intro\n")
    tiny.write("book/intro.md", "# Old\n")
    built = build_book(tiny.project, BuildSettings())
    old = (built.html / "book/intro.html").read_text()
    tiny.write("book/intro.md", "# New\n\nA [dead link](part/none.ipynb) here.\n")
    with pytest.raises(PressError, match=r"did not build the pages(?s:.)*none\.ipynb"):
        build_book(tiny.project, BuildSettings())
    assert (built.html / "book/intro.html").read_text() == old
    with pytest.raises(PressError):  # and it is no weaker the second time
        build_book(tiny.project, BuildSettings())


def test_the_swap_replaces_the_old_site_whole(tmp_path):
    new, place = tmp_path / "new", tmp_path / "html"
    for folder, name in ((new, "b"), (place, "a")):
        folder.mkdir()
        (folder / name).touch()
    site.swap(new, place)
    assert [path.name for path in place.iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["html"]


def test_a_swap_that_was_cut_short_is_undone(tmp_path):
    place = tmp_path / "html"
    (tmp_path / ".html-previous").mkdir()
    (tmp_path / ".html-previous" / "a").touch()
    site.restore(place)
    assert (place / "a").exists()


def test_a_swap_of_nothing_keeps_the_old_site(tmp_path):
    place = tmp_path / "html"
    place.mkdir()
    with pytest.raises(OSError):
        site.swap(tmp_path / "absent", place)
    assert place.is_dir()


def test_a_site_that_lacks_a_page_is_refused(tiny):
    from kdbook.press.toc import read_pages

    html = tiny.root / "html/book"
    html.mkdir(parents=True)
    (html / "intro.html").touch()
    with pytest.raises(PressError, match="made no page for book/part/one, book/part/two"):
        site.check_pages(tiny.root / "html", read_pages(tiny.root))


def test_buttons_wait_for_the_address(tiny):
    config = site_config(tiny.root)
    assert "launch_buttons" not in config
    assert config["html"]["use_issues_button"] is False
    assert config["execute"]["execute_notebooks"] == "off"

    set_address(tiny.root, "https://github.com/someone/book")
    config = site_config(tiny.root)
    assert config["launch_buttons"] == {"colab_url": "https://colab.example"}
    assert config["html"]["use_issues_button"] is True
    assert config["repository"]["url"] == "https://github.com/someone/book"


def test_the_code_beside_the_chapters_is_no_part_of_the_site(tiny, monkeypatch):
    monkeypatch.setattr(staging, "add_offline_assets", lambda *_: None)
    tiny.write("book/kdbook/module.py", "x = 1")
    folder = staging.stage(tiny.project, "quick")
    assert (folder / "book/part/one.ipynb").is_file()
    assert not list(folder.rglob("*.py"))


def test_the_source_configuration_is_valid_yaml_for_every_mode(tiny):
    for gaps in (True, False):
        assert yaml.safe_load(yaml.safe_dump(site_config(tiny.root, gaps)))
    assert "mystnb.glue" in site_config(tiny.root, True)["sphinx"]["config"]["suppress_warnings"]


@pages
def test_the_command_says_what_it_does_and_where_the_book_lies(said_and_built):
    said, html = said_and_built
    assert "one: ran in" in said
    assert said.splitlines()[-1].startswith("The book is ready after")
    assert f"file://{html}/index.html" in said


def test_the_command_shows_a_wrong_setting_as_one_line(tiny, monkeypatch):
    monkeypatch.chdir(tiny.root)
    result = CliRunner().invoke(book, ["build", "--profile", "huge"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: profile = 'huge' is not allowed: ")
    assert len(result.output.splitlines()) == 1


def test_parameters_are_read_as_json_or_text():
    pairs = ["a=1", "b=1e-3", "c=true", "d=null", "e=text", 'f="3"', "g=a=b", "h=", "i=[5, 20]"]
    assert parse_parameters(pairs) == {
        "a": 1, "b": 0.001, "c": True, "d": None, "e": "text", "f": "3", "g": "a=b", "h": "",
        "i": [5, 20],
    }  # fmt: skip


@pytest.mark.parametrize(
    "pair",
    [
        "a",
        "=1",
        "a b=1",
        "a=[[1]]",
        "a=[1, NaN]",
        "a=[{}]",
        "a={}",
        "a=NaN",
        "a=1e999",
        "profile=quick",
        "1a=2",
    ],
)
def test_a_wrong_parameter_is_refused(pair):
    with pytest.raises(SettingError, match="is not allowed"):
        parse_parameters([pair])


def test_profiles_are_those_of_the_studies():
    from kdbook.press.build import PROFILES
    from kdbook.profiles import PROFILES as STUDIED

    assert set(PROFILES) == set(STUDIED)


@pytest.mark.parametrize(
    ("pages", "said"),
    [("two", "there is no page book/part/two"), ("twoo", "'twoo' is not in the book")],
)
def test_a_page_that_cannot_be_printed_is_named(tiny, monkeypatch, pages, said):
    monkeypatch.chdir(tiny.root)
    result = CliRunner().invoke(book, ["pdf", "--pages", pages])
    assert result.exit_code == 1 and said in result.output
    assert len(result.output.splitlines()) == 1
