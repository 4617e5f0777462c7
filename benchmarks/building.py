"""Builds the programs that kploy is measured beside: pinned in programs/go.mod, once, into the user's cache."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from kploy.sandbox.build import cache_directory
from kploy.sandbox.toolchain import find_toolchain, go_environment

_MODULES = Path(__file__).parent / "programs"

PACKAGES = {
    "limit": "./limit",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "helm": "helm.sh/helm/v4/cmd/helm",
}
"""Every program, and the Go package it is built from."""


def build_programs() -> dict[str, Path]:
    """The path of each program, built now if these modules and sources never were: it takes some minutes.

    What go says goes to stderr. Raises NoToolchain, CalledProcessError.
    """
    shelf = cache_directory().parent / "bench" / _key()
    if not shelf.exists():
        shelf.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=shelf.parent) as folder:
            _compile(Path(folder) / "bin")
            (Path(folder) / "bin").rename(shelf)
    return {program: shelf / program for program in PACKAGES}


def version_of_modules(module: str) -> str:
    """The version that is pinned of a module, as ``v4.3.1``."""
    lines = (_MODULES / "go.mod").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.strip().startswith(f"{module} v"))


def _key() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in _MODULES.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _compile(folder: Path) -> None:
    toolchain = find_toolchain()
    command = ["build", "-trimpath", "-ldflags", "-s -w", "-o", f"{folder}/", *PACKAGES.values()]
    folder.mkdir()
    subprocess.run(  # noqa: S603 -- the user's own go, with arguments of ours
        [toolchain.go, *command], cwd=_MODULES, env=go_environment(toolchain), check=True
    )
