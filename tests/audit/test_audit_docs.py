"""``book/practice/audit.md`` says what the code does."""

import re
import tomllib
from pathlib import Path

import pytest
from made_predictions import predictions

import kdlib
from kdlib.audit import parse_limit
from kdlib.audit.files import READERS
from kdlib.audit.limits import NAMED, WHOLE
from kdlib.audit_command import audit

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "practice" / "audit.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = predictions(size=600)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    frame = {"sex": ["F", "M"] * 300, "age": ["old", "young", "young"] * 200}
    scope = {**given, "frame": frame, "names": list("abcdef"), "dev_labels": given["labels"],
             "dev_teacher": given["teacher"]}  # fmt: skip
    exec(compile(code, "book/practice/audit.md", "exec"), scope)
    assert (tmp_path / "audit.html").is_file()
    assert "sex=F & age=old" in list(scope["report"].by_group["name"])


def test_the_options_of_the_commands_exist():
    known = {name for option in audit.params for name in option.opts}
    whole = PAGE.replace("\\\n", "")  # a command may go on in the next line
    commands = re.findall(r"^kdlib audit .*$", whole, flags=re.MULTILINE)
    used = set(re.findall(r"--[a-z-]+", " ".join(commands)))
    assert commands and used <= known


def test_the_table_has_every_limit():
    shown = re.findall(r"^\| `([^`]+)` \|", PAGE, flags=re.MULTILINE)
    kinds = {parse_limit(text).kind for text in shown}
    assert kinds == {*WHOLE, *NAMED}


def test_the_file_of_limits_is_one(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert set(tomllib.loads(text)) == {"worst-class", "classes", "groups"}
    path = tmp_path / "limits.toml"
    path.write_text(text)
    assert len(kdlib.audit.read_limits(path)) == 3


def test_every_kind_of_file_is_named():
    assert all(f"`{ending}`" in PAGE or ending[1:] in PAGE for ending in READERS)


def rows():
    """Both tables together, a row per truth."""
    block = PAGE.partition("<!-- error rates -->")[2].partition("<!-- /error rates -->")[0]
    tables = [table_of(part) for part in block.split("\n\n") if "|" in part]
    return [first | second for first, second in zip(*tables, strict=True)]


def table_of(text):
    cells = [re.split(r"\s*\|\s*", line.strip("| ")) for line in text.strip().splitlines()]
    names, _, *found = cells
    return [dict(zip(names, row, strict=True)) for row in found]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["truth"])
def test_the_recorded_rates_hold_what_the_page_promises(row):
    covered = ("class", "group", "mean", "balanced", "rarest fifth")
    assert all(float(row[name]) >= 93 for name in covered)
    kept = [float(value) for name, value in row.items() if name.startswith("false")]
    assert len(kept) == 4 and max(kept) <= 7


def test_the_command_of_the_table_audits_every_world_of_it(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import audit_error_rates

    rows = re.findall(r"(?m)^\| (.*?) \| [\d.]+ \|", PAGE)
    worlds = audit_error_rates.worlds()
    assert rows == 2 * [world.name for world in worlds]
    for world in worlds:
        found = audit_error_rates.outcomes(world, 0)
        assert all(f"| {name} |" in PAGE for name in found)
        assert all(0 <= share <= 1 for share in found.values())
