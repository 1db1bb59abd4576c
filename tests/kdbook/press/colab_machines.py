"""Environments with the versions that Colab has, or with the newest, and a kernel that runs there.

``make test-colab`` keeps them below ``.venv-colab``. Where ``KDLIB_COLAB_BESIDE`` is 1, only the
packages below are installed, in front of those of the tests' own environment: fifteen seconds
instead of a minute.
"""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

COLAB = ["altair==5.5.0", "ipywidgets==7.7.1", "numpy==2.1.*", "pandas==2.2.*"]
NEWEST = ["altair", "ipywidgets", "numpy", "pandas"]
MACHINES = {"colab": COLAB, "newest": NEWEST}
OLD = ["ipython_genutils", "pytz", "tzdata"]
"""What these versions need and the newest ones do not."""
REST = [
    "torch", "torchvision", "scikit-learn", "scipy", "pydantic", "pillow", "safetensors",
    "filelock", "platformdirs", "joblib", "tqdm", "click", "ipykernel", "nbclient",
]  # fmt: skip
"""What Colab has too, at any version, and what drives the kernel."""
RUN = """
import sys, nbformat
from nbclient import NotebookClient
chapter = nbformat.read(sys.argv[1], 4)
NotebookClient(chapter, timeout=900, kernel_name="python3").execute()
nbformat.write(chapter, sys.argv[2])
"""
DRIVE = "mounted = []\nmount = mounted.append\n"


def python_of(name, root):
    """The interpreter of an environment, which is made where it is not there yet."""
    folder, beside = root / name, os.environ.get("KDLIB_COLAB_BESIDE") == "1"
    python, made = folder / "bin/python", folder / ".made"
    wanted = json.dumps([MACHINES[name], beside, sys.version])
    if not made.exists() or made.read_text() != wanted:
        _make(folder, python, MACHINES[name], beside)
        made.write_text(wanted)
    return python


def _make(folder, python, pins, beside):
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    extra = os.environ.get("TORCH_INDEX_URL")
    how = [
        "--quiet",
        "--disable-pip-version-check",
        *(["--extra-index-url", extra] if extra else []),
    ]
    packages = ["--no-deps", *pins, *OLD] if beside else [*pins, *REST]
    subprocess.run([python, "-m", "pip", "install", *how, *packages], check=True)
    if beside:
        tests = Path(sysconfig.get_path("purelib"))
        [own] = folder.glob("lib/python*/site-packages")
        (own / "tests.pth").write_text(f"{tests}\n")


def versions(python, *names):
    """The versions of the packages as that interpreter finds them."""
    ask = f"from importlib.metadata import version as v; print(*map(v, {names!r}))"
    done = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True)
    return dict(zip(names, done.stdout.split(), strict=True))


def ran(python, chapter, folder, site):
    """The chapter as it ran in an empty folder, on a machine that says that it is Colab.

    Args:
        python: of ``python_of``.
        chapter: its notebook.
        folder: an empty one.
        site: a folder with the installed packages.
    """
    machine, work = folder / "machine", folder / "content"
    (machine / "google/colab").mkdir(parents=True)
    work.mkdir()
    (machine / "google/colab/__init__.py").touch()
    (machine / "google/colab/drive.py").write_text(DRIVE)
    started, done = machine / "started.ipynb", machine / "done.ipynb"
    started.write_text(json.dumps(_begun_as_on_colab(json.loads(chapter.read_text()))))
    own = {"PYTHONPATH": os.pathsep.join(map(str, (site, machine)))}
    command = [python, "-c", RUN, started, done]
    asked = subprocess.run(command, cwd=work, env=_clean() | own, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr[-3000:]
    assert not list(work.iterdir()), "a chapter leaves files behind"
    return json.loads(done.read_text())


def _begun_as_on_colab(notebook):
    """Colab's kernel has its own package loaded before the first cell runs."""
    first = {"cell_type": "code", "id": "colab", "metadata": {}, "outputs": [],
             "execution_count": None, "source": "import google.colab"}  # fmt: skip
    return notebook | {"cells": [first, *notebook["cells"]]}


def _clean():
    """This environment without what belongs to the tests' own interpreter."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
