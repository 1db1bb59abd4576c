"""Running chapters: parameters, failures, dead kernels, the cache, all through a whole build."""

import os

import pytest
from press_cells import code, markdown, notebook

from kdlib.errors import SettingError
from kdlib.press import BuildSettings, build, build_book
from kdlib.press.chapters import default_jobs
from kdlib.press.errors import ChapterError, PressError

pytestmark = pytest.mark.chapters


@pytest.fixture
def press(tiny, monkeypatch):
    """Build a tiny book without Sphinx; returns what ran, or raises."""
    monkeypatch.setattr(build, "publish", lambda project, staging, pages: project.html)
    lines = []

    def run(**settings):
        lines.clear()
        return build_book(tiny.project, BuildSettings.parse(**settings), lines.append)

    run.lines = lines
    return run


def printed(notebook):
    outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", [])]
    return "".join("".join(out.get("text", "")) for out in outputs)


def test_chapters_run_at_the_profile_once_and_again_where_an_input_changed(tiny, press):
    first = press(profile="standard", parameters={"size": 3})
    assert (set(first.ran), first.reused) == ({"one", "two"}, ())
    assert printed(tiny.staged("one", "standard")) == "standard 3\n"
    assert press(profile="standard", parameters={"size": 3}).reused == ("one", "two")
    assert printed(tiny.staged("one", "standard")) == "standard 3\n"

    tiny.chapter("one", code("print('new', profile)"))
    assert press(profile="standard", parameters={"size": 3}).ran == ("one",)
    assert printed(tiny.staged("one", "standard")) == "new standard\n"

    tiny.write("book/results/numbers.csv", "a\n5\n")
    assert set(press(profile="standard", parameters={"size": 3}).ran) == {"one", "two"}
    assert "5" in printed(tiny.staged("two", "standard"))


def test_force_runs_again_and_a_damaged_file_is_run_again(tiny, press):
    press()
    assert set(press(force=True, jobs=1).ran) == {"one", "two"}
    for path in tiny.project.executed("quick").iterdir():
        path.write_text(path.read_text()[:-200])
    assert set(press().ran) == {"one", "two"}


def test_every_failing_chapter_is_named_with_cell_error_and_notebook(tiny, press):
    tiny.chapter("one", code("good = 1"), code("# a comment", "raise ValueError('so not', 7)"))
    tiny.chapter("two", code("1 / 0"))
    with pytest.raises(ChapterError) as caught:
        press()
    first, second = sorted(str(caught.value).splitlines())
    output = tiny.project.staging("quick") / "book/part/one.ipynb"
    assert first == (
        "book/part/one, cell 5 (# a comment): ValueError: ('so not', 7); "
        f"the failed notebook: {output}"
    )
    assert second.startswith("book/part/two, cell 4 (1 / 0): ZeroDivisionError: division by zero;")
    assert output.is_file()


def test_a_chapter_that_went_well_beside_a_failing_one_is_kept(tiny, press):
    tiny.chapter("two", code("1 / 0"))
    with pytest.raises(ChapterError, match="book/part/two"):
        press()
    assert any("two: FAILED after" in line for line in press.lines)
    tiny.chapter("two", code("1 / 1"))
    assert press().reused == ("one",)


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGSEGV"])
def test_a_dead_kernel_is_reported_as_such(tiny, press, signal):
    lines = ("import os, signal", f"os.kill(os.getpid(), signal.{signal})")
    tiny.chapter("one", code("fine = 1"), code(*lines))
    with pytest.raises(ChapterError, match=r"one, cell 5 \(import os.*\): the kernel died \(exit"):
        press(chapters=("one",))


def test_an_unknown_parameter_is_refused_before_anything_runs(tiny, press):
    with pytest.raises(SettingError, match="one has no parameter 'sise': allowed are profile, si"):
        press(parameters={"sise": 3})
    assert not any("running" in line for line in press.lines)


def test_a_parameters_cell_without_profile_is_refused(tiny, press):
    cells = markdown("# One"), code("size = 1", tags=["parameters"])
    tiny.write("book/part/one.ipynb", notebook(*cells))
    with pytest.raises(SettingError, match="one has no parameter 'profile': allowed are size"):
        press()


def test_a_notebook_without_parameters_runs_but_takes_none(tiny, press):
    tiny.write("book/part/one.ipynb", notebook(markdown("# One"), code("print('here')")))
    press(chapters=("one",))
    assert printed(tiny.staged("one")) == "here\n"
    with pytest.raises(SettingError, match="one has no parameter"):
        press(chapters=("one",), parameters={"size": 2})


@pytest.mark.parametrize(("name", "value"), [
    ("profile", "large"), ("jobs", 0), ("jobs", 17), ("parameters", {"a": [1]}),
    ("parameters", {"a": float("nan")}), ("unknown", 1),
])  # fmt: skip
def test_wrong_settings_are_refused_in_one_line(name, value):
    with pytest.raises(SettingError) as caught:
        BuildSettings.parse(**{name: value})
    assert "\n" not in str(caught.value)


def test_a_chapter_that_is_not_chosen_says_that_it_did_not_run(tiny, press):
    assert press(chapters=("two",)).ran == ("two",)
    assert "was not run in this build" in tiny.staged("one")["cells"][1]["source"]
    press()
    assert press(chapters=("two",), force=True).ran == ("two",)
    assert printed(tiny.staged("one")) == "quick 1\n"


def test_kernels_know_that_they_make_the_site_and_share_the_cores(tiny, press, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    names = "os.environ['KDLIB_SITE'], os.environ['OMP_NUM_THREADS']"
    for name in ("one", "two"):
        tiny.chapter(name, code("import os", f"print({names})"))
    press(jobs=2)
    threads = max(1, os.cpu_count() // 2)
    assert printed(tiny.staged("one")) == f"1 {threads}\n"


def test_a_number_of_threads_that_is_set_is_kept(tiny, press, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    tiny.chapter("one", code("import os", "print(os.environ['OMP_NUM_THREADS'])"))
    press(chapters=("one",))
    assert printed(tiny.staged("one")) == "3\n"


def test_relative_paths_work_and_the_sources_stay_clean(tiny, press):
    before = {path: path.read_bytes() for path in (tiny.root / "book").rglob("*.*")}
    tiny.chapter("two", code("open('made-by-chapter.txt', 'w').write('x')"))
    before[tiny.root / "book/part/two.ipynb"] = (tiny.root / "book/part/two.ipynb").read_bytes()
    press()
    assert {path: path.read_bytes() for path in (tiny.root / "book").rglob("*.*")} == before


def test_two_builds_at_once_are_refused(tiny, press):
    with build._alone(tiny.project), pytest.raises(PressError, match="another build is at work"):
        press()


def test_default_jobs_are_one_or_two():
    assert 1 <= default_jobs() <= 2
