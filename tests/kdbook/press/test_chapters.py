"""Running chapters: parameters, failures, dead kernels, the cache, all through a whole build."""

import json
import os

import pytest
from press_cells import code, markdown, notebook

from kdbook.press import BuildSettings, build, build_book, chapters
from kdbook.press.chapters import default_jobs
from kdbook.press.errors import ChapterError, PressError
from kdbook.press.toc import Page
from kdlib.errors import SettingError

pytestmark = pytest.mark.chapters


def pretend_to_run(jobs, at_once, say):
    """Takes papermill's place: each source notebook becomes its own output, nothing failed."""
    for job in jobs:
        content = json.loads(job.page.source.read_text())
        content["metadata"]["papermill"] = {"exception": False}
        job.output.write_text(json.dumps(content))
    return {}


@pytest.fixture
def rehearsal(press, monkeypatch):
    """As ``press``, but chapters only seem to run: for what decides whether they do."""
    monkeypatch.setattr(build, "run_side_by_side", pretend_to_run)
    return press


@pytest.fixture
def press(tiny, monkeypatch):
    """Build a tiny book without Sphinx; returns what ran, or raises."""
    monkeypatch.setattr(build, "publish", lambda project, *_: project.html)
    lines = []

    def run(**settings):
        lines.clear()
        return build_book(tiny.project, BuildSettings.parse(**settings), lines.append)

    run.lines = lines
    return run


def printed(notebook):
    outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", [])]
    return "".join("".join(out.get("text", "")) for out in outputs)


def test_chapters_run_at_the_profile_and_not_again(tiny, press):
    asked = {"profile": "standard", "parameters": {"size": 3}}
    first = press(**asked)
    assert (set(first.ran), first.reused) == ({"one", "two"}, ())
    assert printed(tiny.staged("one", "standard")) == "standard 3\n"
    assert press(**asked).reused == ("one", "two")
    assert printed(tiny.staged("one", "standard")) == "standard 3\n"


def test_a_chapter_runs_again_where_an_input_changed(tiny, rehearsal):
    assert set(rehearsal().ran) == {"one", "two"}
    tiny.chapter("one", code("print('new', profile)"))
    assert rehearsal().ran == ("one",)
    assert "'new'" in json.dumps(tiny.staged("one"))
    assert set(rehearsal(profile="paper").ran) == {"one", "two"}
    assert rehearsal(parameters={"size": 2}, chapters=("two",)).ran == ("two",)
    assert rehearsal().ran == ()


def test_force_runs_again_and_a_damaged_file_is_run_again(tiny, rehearsal):
    rehearsal()
    assert set(rehearsal(force=True).ran) == {"one", "two"}
    for path in tiny.project.executed("quick").iterdir():
        path.write_text(path.read_text()[:-200])
    assert set(rehearsal().ran) == {"one", "two"}


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


def test_a_dead_kernel_is_reported_as_such(tiny, press):
    lines = ("import os, signal", "os.kill(os.getpid(), signal.SIGKILL)")
    tiny.chapter("one", code("fine = 1"), code(*lines))
    with pytest.raises(ChapterError, match=r"one, cell 5 \(import os.*\): the kernel died \(exit"):
        press(chapters=("one",))


def test_a_list_arrives_as_a_list(tiny, press):
    press(parameters={"size": [5, 20]}, chapters=("one",))
    assert printed(tiny.staged("one")) == "quick [5, 20]\n"


@pytest.mark.parametrize("hung", [("import time", "time.sleep(600)"), ("while True:", "    pass")])
def test_a_cell_that_hangs_is_ended_and_named(tiny, press, hung):
    tiny.chapter("one", code("fine = 1"), code(*hung))
    with pytest.raises(ChapterError) as caught:
        press(chapters=("one",), cell_timeout=1)
    words = f"one, cell 5 ({hung[0]}): the cell took longer than --cell-timeout 1 (seconds) allows"
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_line_now_and_then_says_how_many_chapters_are_done(tiny, press, monkeypatch):
    monkeypatch.setattr(chapters.PlainLines, "EVERY", 0.2)
    press()
    assert any(line.startswith("  book: 0 of 2 chapters done after") for line in press.lines)


def test_an_unknown_parameter_is_refused_before_anything_runs(tiny, press):
    with pytest.raises(
        SettingError,
        match=r"one has no parameter 'sise': did you mean size\? Allowed are profile, si",
    ):
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
    ("profile", "large"), ("jobs", 0), ("jobs", 17), ("parameters", {"a": [[1]]}),
    ("parameters", {"a": float("nan")}), ("unknown", 1), ("cell_timeout", 0),
])  # fmt: skip
def test_wrong_settings_are_refused_in_one_line(name, value):
    with pytest.raises(SettingError) as caught:
        BuildSettings.parse(**{name: value})
    assert "\n" not in str(caught.value)


def test_a_chapter_that_is_not_chosen_says_that_it_did_not_run(tiny, rehearsal):
    assert rehearsal(chapters=("two",)).ran == ("two",)
    assert "was not run in this build" in tiny.staged("one")["cells"][1]["source"]
    rehearsal()
    assert rehearsal(chapters=("two",), force=True).ran == ("two",)
    assert "was not run" not in json.dumps(tiny.staged("one"))


def test_kernels_know_that_they_make_the_site_and_share_the_cores(monkeypatch):
    for name in ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
        monkeypatch.delenv(name, raising=False)
    shared = chapters._environment(2)
    assert shared["KDLIB_SITE"] == "1"
    assert shared["OMP_NUM_THREADS"] == shared["LOKY_MAX_CPU_COUNT"]
    assert shared["OMP_NUM_THREADS"] == str(max(1, os.cpu_count() // 2))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert chapters._environment(2)["OMP_NUM_THREADS"] == "3"


def test_a_chapter_sees_an_empty_folder_and_the_sources_stay_clean(tiny, press):
    look = ("import os", "print(os.listdir(), os.environ['KDLIB_SITE'])")
    tiny.chapter("one", code(*look), code("open('made-by-chapter.txt', 'w').write('x')"))
    before = {path: path.read_bytes() for path in (tiny.root / "book").rglob("*.*")}
    press(chapters=("one",))
    assert printed(tiny.staged("one")) == "[] 1\n"
    assert not list(tiny.root.rglob("made-by-chapter.txt"))
    assert {path: path.read_bytes() for path in (tiny.root / "book").rglob("*.*")} == before


def test_a_process_that_is_killed_is_reported_as_such(tmp_path):
    job = chapters.ChapterJob(Page("book/part/one", tmp_path), "", {}, tmp_path, tmp_path / "log")
    assert "was killed (exit 137)" in chapters._how_it_ended(-9, job)
    assert f"papermill stopped (exit 1), see {tmp_path}/log" in chapters._how_it_ended(1, job)


def test_two_builds_at_once_are_refused(tiny, press):
    held = build.alone(tiny.project.build)
    with held, pytest.raises(PressError, match="another build is at work"):
        press()


def test_default_jobs_are_one_or_two():
    assert 1 <= default_jobs() <= 2


def test_a_kernel_that_never_answered_is_started_once_more():
    from kdbook.press.chapter_process import _begun

    told = []

    def fails(why):
        told.append(why)
        raise RuntimeError(why)

    with pytest.raises(RuntimeError, match="didn't respond"):
        _begun(lambda: fails("Kernel didn't respond in 60 seconds"))
    assert len(told) == 2
    with pytest.raises(RuntimeError, match="another"):
        _begun(lambda: fails("another"))
    assert len(told) == 3
