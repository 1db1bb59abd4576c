"""Finished runs move between stores whole or not at all."""

import hashlib
import json
import pickle
import shutil
import zipfile

import pytest
from click.testing import CliRunner
from small_runs import distilled, one_hot

from kdlib.cli import cli
from kdlib.errors import StoreError
from kdlib.runs import Store, execute
from kdlib.runs.contents import contents, delete, in_use
from kdlib.runs.exchange import export_runs, import_runs
from kdlib.runs.exchange_file import MANIFEST

STUDENT = distilled()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A student, its teacher, and a run that has nothing to do with them."""
    shelf = Store(tmp_path_factory.mktemp("store"))
    execute([STUDENT, one_hot(7)], store=shelf, jobs=1, progress=False)
    return shelf


@pytest.fixture
def exported(store, tmp_path):
    export_runs(store.results(), tmp_path / "runs.zip")
    return tmp_path / "runs.zip"


def content_of(root):
    """Every file of every run, by its path in the store."""
    files = [path for folder in Store(root).entries() for path in folder.iterdir()]
    return {path.relative_to(root): path.read_bytes() for path in files}


def rewritten(path, change):
    """The zip in ``path`` again, after ``change`` of its entries by name."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def test_runs_come_out_as_they_went_in(store, exported, tmp_path):
    other = Store(tmp_path / "other")
    done = import_runs(exported, other)
    assert len(done.new) == 3 and not done.there
    assert content_of(other.root) == content_of(store.root)
    assert (
        other.finished(STUDENT).accuracy().tolist() == store.finished(STUDENT).accuracy().tolist()
    )
    assert [item for item in contents(other) if item.kind == "temporary"] == []


def test_both_ways_can_be_taken_twice(store, exported, tmp_path):
    before = exported.read_bytes()
    export_runs(store.results(), exported)
    export_runs(reversed(list(store.results())), tmp_path / "again.zip")
    assert exported.read_bytes() == before == (tmp_path / "again.zip").read_bytes()
    other = Store(tmp_path / "other")
    import_runs(exported, other)
    written = content_of(other.root)
    done = import_runs(exported, other)
    assert not done.new and len(done.there) == 3
    assert content_of(other.root) == written


def test_an_unfinished_or_damaged_run_makes_room(store, exported, tmp_path):
    other = Store(tmp_path / "other")
    other.folder(STUDENT).mkdir(parents=True)
    (other.folder(STUDENT) / "checkpoint.safetensors").write_text("half")
    shutil.copytree(store.folder(one_hot(7)), other.folder(one_hot(7)))
    (other.folder(one_hot(7)) / "history.csv").write_text("")
    with pytest.warns(UserWarning, match=r"history\.csv was altered"):
        import_runs(exported, other)
    assert content_of(other.root) == content_of(store.root)


ID = STUDENT.id


def manifest_with(change):
    def changed(entries):
        manifest = json.loads(entries[MANIFEST])
        change(manifest)
        entries[MANIFEST] = json.dumps(manifest).encode()

    return changed


def put(name, content):
    """Replace a file of a run and make manifest and ``done`` agree with it."""

    def change(entries):
        entries[f"{ID}/{name}"] = content
        done = json.loads(entries[f"{ID}/done"])
        done["sha256"][name] = hashlib.sha256(content).hexdigest()
        entries[f"{ID}/done"] = json.dumps(done).encode()
        manifest = json.loads(entries[MANIFEST])
        for own in (name, "done"):
            digest = hashlib.sha256(entries[f"{ID}/{own}"]).hexdigest()
            manifest["runs"][ID][own] = digest
        entries[MANIFEST] = json.dumps(manifest).encode()

    return change


DAMAGES = {
    "a file of other content": (
        lambda e: e.update({f"{ID}/history.csv": b"x"}), f"{ID}/history.csv was altered"),
    "a file too many": (lambda e: e.update({"../evil.sh": b"x"}), "holds '../evil.sh', which"),
    "a file too few": (lambda e: e.pop(f"{ID}/timing.csv"), f"{ID}/timing.csv is missing"),
    "no manifest": (lambda e: e.pop(MANIFEST), "is no export of kdlib: it holds no manifest.json"),
    "another format": (manifest_with(lambda m: m.update(format=2)), "as kdlib writes it (format)"),
    "a run of another name": (
        manifest_with(lambda m: m["runs"].update({"../../x": {}})), "not as kdlib writes it"),
    "a spec of another run": (put("spec.json", b"{}"), "spec.json belongs to another run"),
    "a pickle": (
        put("weights.safetensors", pickle.dumps({})), "weights.safetensors holds no safetensors"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_nothing_comes_in_of_an_export_with(what, exported, tmp_path):
    change, complaint = DAMAGES[what]
    rewritten(exported, change)
    with pytest.raises(StoreError) as error:
        import_runs(exported, Store(tmp_path / "other"))
    message = str(error.value)
    assert message.startswith(str(exported)) and complaint in message and "\n" not in message
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("cut", [0, 100, 2000, -1, -5000])
def test_an_export_that_was_cut_short_is_named(cut, exported, tmp_path):
    exported.write_bytes(exported.read_bytes()[:cut])
    with pytest.raises(StoreError, match=r"runs\.zip is damaged or no export of kdlib"):
        import_runs(exported, Store(tmp_path / "other"))


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_one_altered_bit_is_found(part, exported, tmp_path):
    content = bytearray(exported.read_bytes())
    content[int(part * len(content))] ^= 1
    exported.write_bytes(content)
    with pytest.raises(StoreError, match=r"runs\.zip"):
        import_runs(exported, Store(tmp_path / "other"))
    assert list((tmp_path / "other").iterdir()) == []


def test_an_export_overwrites_nothing_else(store, exported, tmp_path):
    with pytest.raises(StoreError, match=r"runs\.zip is there already and holds other runs"):
        export_runs([store.finished(STUDENT)], exported)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"notes\.txt is damaged or no export .* name another"):
        export_runs(store.results(), tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_a_killed_import_left_can_be_pruned_and_a_living_one_not(tmp_path):
    from kdlib.locks import held

    shelf = Store(tmp_path)
    (tmp_path / ".importing-123" / ID).mkdir(parents=True)
    (left,) = contents(shelf)
    with held(left.lock, "the import"):
        assert in_use(shelf, [left]) == {left.id} and not delete(left)
    assert delete(left) and not list(tmp_path.iterdir())


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, ["store", *(str(word) for word in words)])


def test_a_run_is_exported_with_its_teacher(call, store, tmp_path):
    dest = tmp_path / "one.zip"
    result = call("export", dest, "--id", ID[:6], "--store", store.root)
    assert result.exit_code == 0 and "one.zip: 2 runs, " in result.output
    with zipfile.ZipFile(dest) as archive:
        assert set(json.loads(archive.read(MANIFEST))["runs"]) == {ID, STUDENT.teacher.id}
    result = call("import", dest, "--store", tmp_path / "other")
    assert "2 runs are new, 0 were there" in result.output


def test_an_export_of_nothing_is_refused(call, store, tmp_path):
    result = call("export", tmp_path / "a.zip", "--store", tmp_path / "empty")
    assert result.exit_code == 1 and "nothing to export" in result.output
    result = call("export", tmp_path / "a.zip", "--id", "xyz", "--store", store.root)
    assert result.exit_code == 1 and "no run with an id that begins with 'xyz'" in result.output
    result = call("import", tmp_path / "a.zip", "--store", store.root)
    assert result.exit_code == 1 and result.output.count("\n") == 1 and "a.zip" in result.output
    assert not (tmp_path / "a.zip").exists()
