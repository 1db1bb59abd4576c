"""A Slurm of one node with ports, keys and state of its own, for as long as a test needs it."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager

DAEMONS = ("munged", "slurmctld", "slurmd")
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def reason_without_slurm():
    """Why no Slurm can be started here; None where it can."""
    missing = [name for name in (*DAEMONS, "sbatch") if not shutil.which(name, path=_path())]
    if missing:
        return f"NO SLURM: {missing[0]} is not installed (slurm-wlm, munge)"
    return None if os.geteuid() == 0 else "NO SLURM: its daemons are started as root only"


@contextmanager
def one_node_slurm(folder):
    """Start the daemons with their files in ``folder``; gives the environment of their commands."""
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = socket.gethostname().partition(".")[0]
    config = CONFIG.format(host=host, folder=folder, ports=[_free_port(), _free_port()])
    (folder / "slurm.conf").write_text(config)
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
    with ExitStack() as running:
        for command in _commands(folder):
            running.enter_context(_daemon(command, environment, folder))
        _wait_for_the_node(environment, folder)
        yield environment


def _commands(folder):
    munged = ("munged", "--foreground", "--force", f"--socket={folder}/munge.socket")
    files = {"key": "munge.key", "pid": "munge.pid", "seed": "munge.seed", "log": "munge.log"}
    return [
        [*munged, *(f"--{kind}-file={folder}/{name}" for kind, name in files.items())],
        ["slurmctld", "-D", "-c"],
        ["slurmd", "-D", "-c"],
    ]


@contextmanager
def _daemon(command, environment, folder):
    with (folder / f"{command[0]}.out").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for_the_node(environment, folder):
    deadline = time.monotonic() + 60
    while True:
        command = ["sinfo", "--noheader", "--format=%T"]
        told = subprocess.run(command, env=environment, capture_output=True, text=True)
        if told.stdout.strip() == "idle":
            return
        logs = "".join(path.read_text() for path in folder.glob("*.out"))
        assert time.monotonic() < deadline, f"{told.stdout}{told.stderr}{logs}"
        time.sleep(0.5)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _path():
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"
