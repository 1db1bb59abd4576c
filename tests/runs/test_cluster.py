"""Runs on a Dask cluster: in order, once, and in spite of a worker that is killed."""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from small_runs import distilled, one_hot

from kdlib.errors import SettingError
from kdlib.runs import Store, execute
from kdlib.runs.run_files import CHECKPOINT, is_finished

distributed = pytest.importorskip("distributed", reason="Dask is not installed: no cluster tests")

from kdlib.runs import cluster, cluster_workers  # noqa: E402
from kdlib.runs.cluster import joined_cluster, local_cluster, train_on  # noqa: E402

pytestmark = pytest.mark.slow
TEACHER, STUDENT, OTHER = one_hot(100), distilled(), one_hot(7)


@pytest.fixture(scope="module")
def client():
    with local_cluster(2, device="cpu") as client:
        yield client


def test_runs_of_a_cluster_have_the_bits_of_those_in_process(client, tmp_path):
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    execute([STUDENT, OTHER], store=here, jobs=1, progress=False)
    assert train_on(client, [STUDENT, OTHER, STUDENT], store=there, share=2, progress=False) == {}
    for spec in (TEACHER, STUDENT, OTHER):
        files = [s.folder(spec) / "weights.safetensors" for s in (here, there)]
        assert files[0].read_bytes() == files[1].read_bytes()
    started = there.finished(STUDENT).environment["started"]
    assert train_on(client, [STUDENT], store=there, progress=False) == {}
    assert there.finished(STUDENT).environment["started"] == started


def test_a_failing_run_stops_only_what_builds_on_it(client, tmp_path):
    (tmp_path / TEACHER.id).write_text("")  # a file where its folder belongs
    failures = train_on(client, [STUDENT, OTHER], store=Store(tmp_path), progress=False)
    assert set(failures) == {TEACHER, STUDENT}
    assert f"run {TEACHER.id} cannot be kept" in failures[TEACHER]
    assert failures[STUDENT].startswith(f"it builds on run {TEACHER.id}")
    assert Store(tmp_path).get(OTHER) is not None


def wait_for(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_a_run_of_a_killed_worker_goes_on_elsewhere(client, tmp_path):
    long = one_hot(3, epochs=30)
    store, answers = Store(tmp_path), []
    workers = client.run(os.getpid)
    training = threading.Thread(
        target=lambda: answers.append(train_on(client, [long], store=store, progress=False))
    )
    training.start()
    wait_for((store.folder(long) / CHECKPOINT).exists)
    (busy,) = (address for address, keys in client.processing().items() if keys)
    os.kill(workers[busy], signal.SIGKILL)
    assert not is_finished(store.folder(long))
    training.join()
    client.wait_for_workers(2)  # the cluster starts another in its place
    assert answers == [{}]
    result = store.finished(long)
    assert result.environment["process"] != workers[busy]
    (undisturbed,) = execute([long], store=Store(tmp_path / "other"), progress=False)
    weights = [r.folder / "weights.safetensors" for r in (result, undisturbed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    seconds = result.timing["seconds"]
    assert len(seconds) == 30  # those before the kill came with the checkpoint


def test_a_scheduler_is_joined_by_its_address(client, tmp_path):
    with joined_cluster(client.scheduler.address) as other:
        assert train_on(other, [OTHER], store=Store(tmp_path), progress=False) == {}


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_where_no_scheduler_answers_it_is_one_line(address, monkeypatch):
    monkeypatch.setattr("kdlib.runs.cluster._PATIENCE", 2)
    with pytest.raises(SettingError, match="no Dask scheduler answers at"), joined_cluster(address):
        pass


def test_a_run_that_shows_late_is_waited_for(tmp_path, monkeypatch):
    seen = iter([None, None, "the run"])
    monkeypatch.setattr(Store, "look", lambda self, spec: next(seen))
    monkeypatch.setattr(cluster.time, "sleep", lambda seconds: None)
    assert cluster._not_seen([OTHER], Store(tmp_path)) == []


def test_a_folder_that_workers_do_not_share_is_named(client, tmp_path, monkeypatch):
    monkeypatch.setattr(Store, "look", lambda self, spec: None)
    monkeypatch.setattr(cluster, "LATE", 0)
    failures = train_on(client, [OTHER], store=Store(tmp_path), progress=False)
    assert "is that folder shared?" in failures[OTHER]


@pytest.mark.parametrize(
    ("visible", "expected"), [(None, ["0", "1"]), ("2,GPU-a,7", ["2", "GPU-a"])]
)
def test_each_worker_sees_one_gpu(visible, expected, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    shares = cluster._shares(2, "cuda")
    assert [share["CUDA_VISIBLE_DEVICES"] for share in shares] == expected
    with pytest.raises(SettingError, match="there are 3 GPUs"):
        cluster._shares(4, "cuda")


def test_workers_without_a_gpu_share_the_cores(monkeypatch):
    monkeypatch.setattr(cluster, "cores", lambda: 9)
    assert cluster._shares(4, "cpu") == [{"OMP_NUM_THREADS": "2"}] * 4


@pytest.mark.parametrize("number", [0, 257])
def test_a_number_of_workers_out_of_range_is_refused(number):
    with pytest.raises(SettingError, match=f"workers = {number} is not"), local_cluster(number):
        pass


HOLDS_A_CLUSTER = """
import sys
from kdlib.runs.cluster import local_cluster
if __name__ == "__main__":
    with local_cluster(1, device="cpu"):
        open(sys.argv[1], "w").close()
        input()
"""


def test_no_worker_outlives_a_killed_command(tmp_path):
    script, up = tmp_path / "holds.py", tmp_path / "up"
    script.write_text(HOLDS_A_CLUSTER)
    process = subprocess.Popen([sys.executable, script, up], stdin=subprocess.PIPE)
    wait_for(up.exists)
    children = psutil.Process(process.pid).children(recursive=True)
    assert any("spawn_main" in " ".join(child.cmdline()) for child in children)  # the worker
    process.kill()
    process.wait()
    assert psutil.wait_procs(children, timeout=30)[1] == []


class WithoutKdlib:
    """A client whose workers lack the package."""

    def run(self, function):
        raise ModuleNotFoundError("No module named 'kdlib'")


def test_a_worker_without_kdlib_is_told_in_one_line():
    with pytest.raises(SettingError, match=r"could not be asked .*No module named 'kdlib'"):
        cluster_workers.check_workers(WithoutKdlib())


class WorkersLate:
    """A client whose scheduler has a worker at the fourth look."""

    def __init__(self):
        self.looks = iter([{}, {}, {}, {"tcp://x": 1}])

    def nthreads(self):
        return next(self.looks)


def test_a_cluster_without_workers_is_waited_for_aloud(monkeypatch, capsys):
    clock = iter(range(0, 1000, 10))  # ten seconds between any two looks at it
    monkeypatch.setattr(cluster_workers.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(cluster_workers.time, "sleep", lambda seconds: None)
    cluster_workers.wait_for_a_worker(WorkersLate(), "tcp://host:8786")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("waiting for workers: the scheduler at tcp://host:8786 has 0 after")
    assert len(lines) == 1  # the next half a minute later


def test_a_joined_scheduler_trains_with_the_worker_that_comes_late(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(cluster_workers, "_SILENCE", 0.5)
    scheduler = distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    )
    with scheduler:
        late = threading.Timer(3, scheduler.scale, [1])
        late.start()
        with joined_cluster(scheduler.scheduler_address) as client:
            assert train_on(client, [OTHER], store=Store(tmp_path), progress=False) == {}
    assert capfd.readouterr().err.count("waiting for workers") == 1
