"""The wheel: what is in it, and that it works from where nothing can be written."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import start

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_has_all_that_is_not_python_and_nothing_but_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
    data = {
        "kploy/py.typed",
        "kploy/core/data/api-lifecycle.json",
        *(f"kploy/core/data/kubernetes-1.{minor}.json.gz" for minor in range(33, 38)),
        "kploy/sandbox/controlplane/go.mod",
        "kploy/sandbox/controlplane/go.sum",
        "kploy/sandbox/stages/pod.yaml",
        "kploy/source/kployfile.schema.json",
    }
    assert data - set(files) == set()
    assert {file.partition("/")[0] for file in files if ".dist-info/" not in file} == {"kploy"}
    assert {file.rpartition("/")[2] for file in files if "/licenses/" in file} == {"LICENSE", "NOTICE"}


def test_the_wheel_installs_kploy_and_the_kubectl_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(file for file in archive.namelist() if file.endswith("entry_points.txt"))
        scripts = configparser.ConfigParser()
        scripts.read_string(archive.read(name).decode())
    assert dict(scripts["console_scripts"]) == {
        "kploy": "kploy.__main__:main",
        "kubectl-kploy": "kploy.__main__:main",
    }


def test_as_a_kubectl_plugin_it_calls_itself_so() -> None:
    plugin = Path(sys.executable).with_name("kubectl-kploy")
    done = subprocess.run([plugin, "run", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: kubectl kploy run [OPTIONS] [DIR]\n")


@pytest.mark.cluster
def test_the_wheel_works_from_where_nothing_can_be_written(wheel: Path, tmp_path: Path) -> None:
    # Inside the zip file itself nobody can write, root included.
    here = {"PYTHONPATH": str(wheel), "PYTHONSAFEPATH": "1", "XDG_STATE_HOME": str(tmp_path / "state")}
    where = subprocess.run(
        [sys.executable, "-c", "import kploy; print(kploy.__file__)"],
        env={**os.environ, **here},
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout == f"{wheel}/kploy/__init__.py\n"
    try:
        assert start("init", "shop", "--namespace", "shop", cwd=tmp_path, **here).code == 0
        result = start("run", "shop", "--sandbox", cwd=tmp_path, **here)
        assert result.lines[-1] == "✓ shop is up: 3 created"
        assert result.code == 0
    finally:
        start("sandbox", "down", "--all", cwd=tmp_path, **here)
