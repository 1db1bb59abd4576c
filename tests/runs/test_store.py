import errno
import functools
import json
import os
import shutil
import warnings

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from small_runs import ada_alpha, ada_margin, distilled, one_hot

from kdlib import losses, metrics
from kdlib.cli import cli
from kdlib.data import load
from kdlib.errors import SettingError, StoreError
from kdlib.runs import DamagedRunWarning, Store, dev_mix, execute, missing_runs, run_files
from kdlib.runs import store as store_module
from kdlib.runs import train_one as train_one_module
from kdlib.runs.store import default_root
from kdlib.runs.train_one import per_class_table, train_one
from kdlib.training import train


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A store with an AdaAlpha student, its teacher, its initial teacher and an AdaMargin one."""
    store = Store(tmp_path_factory.mktemp("store"))
    execute([ada_alpha(), ada_margin()], store=store, jobs=1, progress=False)
    return store


@pytest.fixture
def own(shelf, tmp_path):
    """A copy of that store that a test may damage."""
    shutil.copytree(shelf.root, tmp_path / "store")
    return Store(tmp_path / "store")


def test_teachers_come_first():
    generations = missing_runs([ada_alpha(), distilled(), one_hot()], Store("/nowhere"))
    seeds = [{spec.seed for spec in generation} for generation in generations]
    assert seeds == [{0, 100, 200}, {0}]


def test_results_come_in_the_order_asked_for_and_once_each(shelf):
    wanted = [ada_margin(), ada_alpha(), ada_margin()]
    results = execute(wanted, store=shelf, progress=False)
    assert [r.spec for r in results] == wanted
    assert len(list(shelf.results())) == 4


def test_per_class_results_agree_with_the_stored_logits(shelf):
    result = shelf.get(ada_alpha())
    for split in ("dev", "validation", "test"):
        rows = result.per_class[result.per_class["split"] == split]
        logits, labels = result.logits(split), result.labels(split)
        expected = metrics.per_class_accuracy(logits.argmax(1), labels, 10)
        np.testing.assert_allclose(rows["accuracy"], expected)
        assert rows["count"].sum() == len(labels)


def test_a_class_without_dev_images_is_nan_with_count_0_and_no_warning():
    table = per_class_table("dev", np.eye(3)[:2], np.array([0, 1]), 3)
    assert table["count"].tolist() == [1, 1, 0]
    assert table["accuracy"].tolist()[:2] == [1, 1]
    assert table.iloc[2][["accuracy", "log_loss", "margin"]].isna().all()


def test_the_stored_weights_give_the_stored_logits(shelf):
    result = shelf.get(ada_alpha())
    images = load("digits", imbalance=20).test.images
    with torch.no_grad():
        logits = result.model()(images / 255 - 0.5)
    np.testing.assert_allclose(logits.numpy(), result.logits("test"), atol=1e-4)


def test_trust_is_equation_3_on_the_dev_examples_of_the_initial_teacher(shelf):
    source = ada_alpha().objective.mix.estimated_by
    result = shelf.get(source)
    p = np.exp(result.logits("dev") / 3.0)
    p /= p.sum(1, keepdims=True)
    labels = result.labels("dev")
    own_p = p[np.arange(len(p)), labels]
    margins = own_p - (1 - own_p) / 9
    expected = [max(0.0, margins[labels == y].mean()) for y in range(10)]
    np.testing.assert_allclose(dev_mix(source, 3.0, shelf), expected, rtol=1e-4, atol=1e-6)


def test_the_dev_examples_were_not_trained_on(shelf):
    source = ada_alpha().objective.mix.estimated_by
    dev = set(shelf.get(source).index("dev").tolist())
    trained = set(load("digits", imbalance=20).train_minus_dev.index.tolist())
    assert dev and not dev & trained


def test_logit_adjustment_uses_the_training_prior():
    from kdlib.runs import Objective, PriorCost, RunSpec, loss_vectors

    plain = one_hot()
    spec = RunSpec(
        data=plain.data,
        model=plain.model,
        recipe=plain.recipe,
        objective=Objective(log_cost=PriorCost()),
    )
    data = load("digits", imbalance=20)
    counts = data.train.class_counts.double()
    vectors = loss_vectors(spec, data, Store("/nowhere"))
    torch.testing.assert_close(vectors.log_cost.double(), -(counts / counts.sum()).log())
    assert vectors.mix.eq(0).all()


def test_ada_margin_costs_come_from_the_same_trust(shelf):
    from kdlib.runs import loss_vectors

    spec = ada_margin()
    vectors = loss_vectors(spec, load("digits", imbalance=20), shelf)
    trust = dev_mix(spec.objective.log_cost.estimated_by, 1.0, shelf)
    torch.testing.assert_close(vectors.log_cost, losses.margin_log_cost(trust, 0.1))
    assert vectors.mix.eq(1).all()


def test_environment_names_versions_device_and_data(shelf):
    environment = shelf.get(ada_alpha()).environment
    assert {"kdlib", "torch", "device", "threads", "commit", "seconds"} <= environment.keys()
    assert environment["splits"]["test"] == load("digits", imbalance=20).test.digest


@pytest.mark.parametrize("kind", ["captured", "compiled"])
def test_the_environment_names_the_kind_of_step(shelf, tmp_path, monkeypatch, kind):
    plain = shelf.finished(one_hot(100))  # the teacher
    assert plain.environment["step"] == "eager"
    monkeypatch.setattr(train_one_module, "train", functools.partial(train, step=kind))
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    (static,) = execute([plain.spec], store=Store(tmp_path), jobs=1, progress=False)
    assert static.environment["step"] == kind
    assert static.environment.keys() == plain.environment.keys()
    if kind == "captured":
        assert _bits(static) == _bits(plain)


def _bits(result):
    """The files that follow from the spec."""
    names = ("spec.json", "history.csv", "per_class.csv", "weights.safetensors")
    return {name: (result.folder / name).read_bytes() for name in names}


def test_a_run_that_had_nothing_to_train_names_no_step(tmp_path):
    wild = one_hot(100, peak_rate=100.0, weight_decay=1.0, epochs=8)
    lost = distilled(0).model_copy(update={"teacher": wild})
    (result,) = execute([lost], store=(store := Store(tmp_path)), jobs=1, progress=False)
    assert result.status == "diverged" and result.environment["step"] is None
    assert store.finished(wild).environment["step"] == "eager"


def test_a_run_from_before_steps_were_named_is_read_everywhere(own):
    folder = own.folder(ada_alpha())
    environment = json.loads((folder / "environment.json").read_text())
    for name in ("step", "together", "processes"):
        del environment[name]
    run_files.write_json(folder / "environment.json", environment)
    run_files.finish(folder)
    assert list(own.complaints()) == [] and missing_runs([ada_alpha()], own) == []
    assert own.finished(ada_alpha()).together == 1
    shown = CliRunner().invoke(cli, ["store", "show", ada_alpha().id, "--store", str(own.root)])
    assert shown.exit_code == 0 and '"together"' not in shown.output


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("weights.safetensors", lambda content: content[:-1]),
        ("per_class.csv", lambda content: content.replace(b"test", b"best", 1)),
        ("spec.json", lambda content: content.replace(b'"seed":0', b'"seed":1', 1)),
        ("done", lambda content: b"{}"),
        ("done", lambda content: b"not json"),
        ("logits.safetensors", None),
    ],
)
def test_a_damaged_run_is_named_set_aside_and_trained_again(own, name, change):
    spec = ada_alpha()
    before = own.get(spec).logits("test")
    path = own.folder(spec) / name
    path.unlink() if change is None else path.write_bytes(change(path.read_bytes()))
    assert [folder.name for folder, _ in own.complaints()] == [spec.id]
    with pytest.warns(DamagedRunWarning, match=spec.id):
        assert own.get(spec) is None
    assert len(list((own.root / "damaged").iterdir())) == 1
    (again,) = execute([spec], store=own, progress=False)
    np.testing.assert_array_equal(again.logits("test"), before)


def test_a_warning_about_damage_says_which_file_and_where_it_went(own):
    spec = one_hot(100)
    (own.folder(spec) / "per_class.csv").write_text("")
    with pytest.warns(DamagedRunWarning, match=r"per_class.csv was altered.*damaged"):
        own.get(spec)


def test_a_run_that_is_found_damaged_under_its_lock_is_trained_again(own):
    spec = one_hot(100)
    before = own.get(spec).logits("test")
    (own.folder(spec) / "per_class.csv").write_text("")
    with pytest.warns(DamagedRunWarning, match=spec.id):
        again = train_one(spec, own, device="cpu", threads=1)
    np.testing.assert_array_equal(again.logits("test"), before)


def test_a_run_that_another_process_has_mended_meanwhile_is_there(own, monkeypatch):
    complaints = iter(["weights.safetensors was altered", None])
    monkeypatch.setattr(store_module, "damage", lambda folder: next(complaints))
    assert own.get(one_hot(100)) is not None
    assert not (own.root / "damaged").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_store_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, number):
    def refuse(path, content):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("kdlib.runs.train_one.write_atomically", refuse)
    with pytest.raises(StoreError, match=os.strerror(number)) as error:
        execute([one_hot()], store=Store(tmp_path), progress=False)
    assert "\n" not in str(error.value)


def test_a_folder_without_done_is_not_a_result(own):
    spec = ada_alpha()
    (own.folder(spec) / "done").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert own.get(spec) is None


def test_a_result_of_other_fields_is_passed_over(own):
    folder = own.folder(one_hot(100))
    text = folder.joinpath("spec.json").read_text().replace('"seed"', '"sead"', 1)
    folder.joinpath("spec.json").write_text(text)
    assert len(list(own.results())) == 3


def test_a_list_that_leaves_files_out_is_damage(own):
    spec = one_hot(100)
    done = own.folder(spec) / "done"
    hashes = json.loads(done.read_text())["sha256"]
    done.write_text(json.dumps({"sha256": {k: v for k, v in hashes.items() if "weights" not in k}}))
    assert [words for _, words in own.complaints()] == ["done does not list weights.safetensors"]


def test_a_disk_that_fails_is_not_the_runs_fault(own, monkeypatch):
    spec = one_hot(100)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("kdlib.runs.run_files.sha256_of", refuse)
    with pytest.raises(StoreError, match=f"{spec.id} .*Permission denied"):
        own.get(spec)
    assert own.folder(spec).exists() and not (own.root / "damaged").exists()


def test_what_is_all_there_needs_no_lock(shelf, monkeypatch):
    monkeypatch.setattr(Store, "lock", lambda *_: pytest.fail("a lock was taken"))
    assert len(execute([ada_alpha(), one_hot(100)], store=shelf, progress=False)) == 2


def test_students_of_a_diverged_teacher_are_recorded_as_diverged(tmp_path):
    teacher = one_hot(100, peak_rate=100.0, epochs=6)
    student = distilled().model_copy(update={"teacher": teacher})
    (result,) = execute([student], store=Store(tmp_path), progress=False)
    assert (result.status, result.diverged_step) == ("diverged", None)
    assert np.isnan(result.accuracy("test")).all() and len(result.history) == 0


def test_a_checkpoint_of_other_code_is_dropped(tmp_path, monkeypatch):
    from kdlib.runs import train_one

    spec, store = one_hot(epochs=12), Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(train_one, "code_digest", lambda: "of yesterday")
        patch.setattr(train_one, "_write_outcome", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            execute([spec], store=store, progress=False)
    assert (store.folder(spec) / "checkpoint.safetensors").exists()
    with pytest.warns(UserWarning, match=f"run {spec.id} starts again"):
        (result,) = execute([spec], store=store, progress=False)
    assert len(result.history) == 12
    assert not (result.folder / "checkpoint.safetensors").exists()


def test_a_checkpoint_depends_on_every_source_of_a_step():
    names = {path.name for path in train_one_module.sources()}
    assert {"loop.py", "build.py", "seeds.py", "norm_relu.cpp", "rewriting.py"} <= names


def test_find_takes_the_beginning_of_an_id(shelf):
    spec = ada_alpha()
    assert shelf.find(spec.id[:6]).spec == spec
    with pytest.raises(StoreError, match="4 runs"):
        shelf.find("")
    with pytest.raises(StoreError, match="no run"):
        shelf.find("zzz")


def test_a_run_of_another_version_is_refused(shelf):
    old = one_hot().model_copy(update={"version": 999})
    with pytest.raises(SettingError, match="results version 999"):
        execute([old], store=shelf, progress=False)


def test_an_unknown_device_is_refused(shelf):
    with pytest.raises(SettingError, match="cpu or cuda"):
        execute([one_hot()], store=shelf, device="tpu")


def test_a_diverged_training_is_a_recorded_outcome(tmp_path):
    store = Store(tmp_path)
    (result,) = execute([one_hot(peak_rate=100.0, epochs=6)], store=store, progress=False)
    assert result.status == "diverged"
    assert result.diverged_step >= 0
    assert np.isnan(result.accuracy("test")).all()
    with pytest.raises(StoreError, match="diverged"):
        result.logits("test")
    assert json.loads((result.folder / "outcome.json").read_text())["status"] == "diverged"


def test_the_store_follows_its_environment_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("KDLIB_STORE", str(tmp_path / "elsewhere"))
    assert default_root() == tmp_path / "elsewhere"
    monkeypatch.delenv("KDLIB_STORE")
    assert default_root().parts[-2:] == ("kdlib", "runs")


def test_files_left_half_written_are_not_results(own):
    spec = one_hot(100)
    (own.folder(spec) / ".weights.safetensors.x1").write_bytes(b"half")
    assert own.get(spec) is not None


def a_file(folder):
    shutil.rmtree(folder)
    folder.write_text("a file")


def a_broken_link(folder):
    shutil.rmtree(folder)
    folder.symlink_to("nowhere")


def an_unreadable_file(folder):
    (folder / "history.csv").unlink()
    (folder / "history.csv").symlink_to("history.csv")  # a circle, which root cannot read either


def a_circle(folder):
    shutil.rmtree(folder)
    folder.symlink_to(folder.name)


def deep_json(folder):
    (folder / "done").write_text("[" * 100_000)


def a_pipe(folder):
    (folder / "history.csv").unlink()
    os.mkfifo(folder / "history.csv")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (a_file, "is a file, not a folder"),
        (a_broken_link, "is a link to nothing"),
        (an_unreadable_file, "cannot be read: Too many levels of symbolic links"),
        (a_circle, "is a link to nothing"),
        (deep_json, "unreadable: RecursionError"),
        (a_pipe, "history.csv is a pipe"),
    ],
)
def test_each_damaged_run_is_one_line_and_all_others_are_checked(own, damage, words):
    damage(own.folder(one_hot(100)))
    (own.folder(ada_alpha()) / "per_class.csv").write_text("")
    result = CliRunner().invoke(cli, ["store", "check", "--store", str(own.root)])
    lines = result.output.splitlines()
    assert result.exit_code == 1 and lines.pop() == (
        "Error: 2 damaged runs; they are redone when next asked for"
    )
    told = dict(line.removeprefix(f"{own.root}/").split(": ", 1) for line in lines)
    assert told == {one_hot(100).id: words, ada_alpha().id: "per_class.csv was altered"}
    assert {r.spec for r in own.results()} == {ada_margin(), ada_alpha().objective.mix.estimated_by}


def test_a_done_that_is_nested_too_deeply_is_trained_again(own):
    deep_json(own.folder(one_hot(100)))
    with pytest.warns(DamagedRunWarning, match="unreadable: RecursionError"):
        assert own.get(one_hot(100)) is None
