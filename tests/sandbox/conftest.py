"""Places of their own for the tests that start and stop sandboxes, and Go's stand-in for those that build."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kploy import sandbox

FAKE_GO = """#!/bin/sh
# Stands in for go: says what go says, and "builds" empty programs.
echo "$@" >>"$CALLS"
case "$1" in
version) echo "go version go${GO_VERSION:-1.26.8} linux/amd64" ;;
list) echo "go: downloading example.com/module v1.0.0" >&2; echo one; echo two ;;
build)
  case "$GO_DOES" in
  fail) echo "go: example.com/module: reading the proxy: connection refused" >&2; exit 1 ;;
  hang) echo $$ >"$PID_FILE"; sleep 60 ;;
  slow) sleep 1 ;;
  esac
  echo "example.com/one" >&2; echo "example.com/two" >&2
  for package; do case "$package" in
    go.etcd.io/etcd/server/v3) echo built >bin/server ;;
    */cmd/*) echo built >"bin/${package##*/}" ;;
  esac; done ;;
esac
"""


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory for this test only; whatever runs in it at the end is ended."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield tmp_path / "state" / "kploy" / "sandbox"
    for one in sandbox.all_sandboxes():
        sandbox.down(one.name)


@pytest.fixture
def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``go`` on PATH that builds nothing in no time, and a cache to build into; the file lists its calls."""
    folder = tmp_path / "go" / "bin"
    folder.mkdir(parents=True)
    (folder / "go").write_text(FAKE_GO)
    (folder / "go").chmod(0o755)
    calls = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setenv("PATH", f"{folder}:{os.defpath}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KPLOY_SANDBOX_ASSETS", raising=False)
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return calls
