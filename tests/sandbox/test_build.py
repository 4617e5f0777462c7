from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import kploy
from kploy.sandbox.binaries import find_binaries, ready_made
from kploy.sandbox.build import PACKAGES, Modules, built, cache_directory, is_package, link_flags, pinned_modules
from kploy.sandbox.errors import BuildFailed
from kploy.sandbox.processes import identify
from kploy.sandbox.progress import Phase, Progress, silent
from tests.eventually import eventually

MODULES = Modules(b"require (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)\n", b"sums")


def test_the_key_names_the_version_and_changes_with_every_byte_of_the_modules() -> None:
    assert MODULES.key == "v1.37.2-f92d87f93719"
    assert Modules(MODULES.mod + b"\n", MODULES.sum).key != MODULES.key
    assert Modules(MODULES.mod, MODULES.sum + b"\n").key != MODULES.key


def test_the_pinned_modules_are_of_one_kubernetes() -> None:
    modules = pinned_modules()
    assert modules.version == "v1.37.2"
    assert b"k8s.io/api => k8s.io/api v0.37.2" in modules.mod


def test_the_programs_are_told_their_version() -> None:
    assert link_flags("v1.37.2") == (
        "-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2 -X k8s.io/component-base/version.gitMajor=1 "
        "-X k8s.io/component-base/version.gitMinor=37 -X k8s.io/component-base/version.gitTreeState=clean"
    )


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("k8s.io/kubernetes/cmd/kube-apiserver", True),
        ("fmt", True),
        ("", False),
        ("go: downloading k8s.io/api v0.37.2", False),
        ("# k8s.io/api", False),
        ("\tundefined: x", False),
        ("no space left on device", False),
    ],
)
def test_only_a_package_path_counts_as_compiled(line: str, counts: bool) -> None:
    assert is_package(line) is counts


def test_builds_every_program_once_under_its_usual_name(fake_go: Path) -> None:
    paths = built(list(PACKAGES), silent)
    shelf = cache_directory() / pinned_modules().key
    assert paths == {program: shelf / program for program in PACKAGES}
    assert sorted(path.name for path in shelf.iterdir()) == sorted(PACKAGES)
    calls = fake_go.read_text()
    assert built(list(PACKAGES), silent) == paths
    assert fake_go.read_text() == calls


@pytest.mark.usefixtures("fake_go")
def test_tells_how_far_it_is() -> None:
    reports: list[Progress] = []
    built(["kwok"], reports.append)
    assert [(one.phase, one.done, one.total) for one in reports] == [
        (Phase.DOWNLOADING, 1, 0),
        (Phase.COMPILING, 1, 2),
        (Phase.COMPILING, 2, 2),
    ]


@pytest.mark.usefixtures("fake_go")
def test_nothing_but_the_programs_and_the_lock_stays_in_the_cache() -> None:
    built(["kwok"], silent)
    key = pinned_modules().key
    assert sorted(str(path.relative_to(cache_directory())) for path in cache_directory().rglob("*")) == [
        f".{key}.lock",
        key,
        f"{key}/kwok",
    ]


@pytest.mark.usefixtures("fake_go")
def test_a_failing_build_shows_what_go_said_and_leaves_nothing_half_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_DOES", "fail")
    with pytest.raises(BuildFailed) as caught:
        built(["kwok"], silent)
    assert caught.value.message == "`go build` failed with exit code 1"
    assert caught.value.hint.endswith(
        "go said last:\n  go: example.com/module: reading the proxy: connection refused"
    )
    assert "HTTPS_PROXY" in caught.value.hint
    assert _remnants() == []


def test_a_second_builder_waits_for_the_first_and_builds_nothing(
    fake_go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_DOES", "slow")
    with _builder() as first:
        eventually(lambda: "build" in fake_go.read_text() if fake_go.exists() else False)
        reports: list[Progress] = []
        built(["kwok"], reports.append)
        assert first.wait() == 0
    assert reports == [Progress(Phase.WAITING)]
    assert fake_go.read_text().count("build -v") == 1


@pytest.mark.usefixtures("fake_go")
def test_an_interrupt_ends_go_and_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_DOES", "hang")
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pid"))
    with _builder() as builder:
        eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
        builder.send_signal(signal.SIGINT)
        assert builder.wait() == -signal.SIGINT
    assert identify("go", int((tmp_path / "pid").read_text())) is None
    assert _remnants() == []


@pytest.mark.usefixtures("fake_go")
def test_the_next_builder_clears_away_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_DOES", "hang")
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pid"))
    with _builder() as builder:
        eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
        builder.kill()
        builder.wait()
    os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert len(_remnants()) == 1
    monkeypatch.setenv("GO_DOES", "")
    built(["kwok"], silent)
    assert _remnants() == []


@pytest.mark.usefixtures("fake_go")
def test_ready_made_programs_win_and_only_the_missing_ones_are_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, envtest = tmp_path / "ours", tmp_path / "envtest"
    for path in (ours / "etcd", envtest / "etcd", envtest / "kube-apiserver"):
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o755)
    monkeypatch.setenv("KPLOY_SANDBOX_ASSETS", str(ours))
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(envtest))
    shelf = cache_directory() / pinned_modules().key
    assert find_binaries(silent) == {
        "etcd": ours / "etcd",
        "kube-apiserver": envtest / "kube-apiserver",
        "kube-controller-manager": shelf / "kube-controller-manager",
        "kube-scheduler": shelf / "kube-scheduler",
        "kwok": shelf / "kwok",
    }
    assert sorted(path.name for path in shelf.iterdir()) == ["kube-controller-manager", "kube-scheduler", "kwok"]


def test_a_file_that_cannot_be_executed_is_not_a_program(tmp_path: Path) -> None:
    (tmp_path / "etcd").touch(mode=0o644)
    (tmp_path / "kwok").mkdir()
    assert ready_made({"KPLOY_SANDBOX_ASSETS": str(tmp_path)}) == {}


def test_works_from_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """From a zip file, which is read-only and no directory at all."""
    package = Path(kploy.__file__).parent
    archive = tmp_path / "kploy.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in package.rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                out.write(path, path.relative_to(package.parent))
    code = (
        "from kploy.sandbox.build import pinned_modules; from kploy.sandbox.components import stages;"
        "import kploy; print(kploy.__file__, pinned_modules().key, 'pod-running' in stages())"
    )
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {code}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [f"{archive}/kploy/__init__.py", pinned_modules().key, "True"]


def _builder() -> subprocess.Popen[bytes]:
    """Another process that builds kwok."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from kploy.sandbox.build import built; from kploy.sandbox.progress import silent; built(['kwok'], silent)"
    )
    root = Path(kploy.__file__).parent.parent
    return subprocess.Popen([sys.executable, "-c", code], cwd=root, stderr=subprocess.DEVNULL)


def _remnants() -> list[Path]:
    return [path for path in cache_directory().glob(".*") if path.is_dir()]
