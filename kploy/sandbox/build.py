"""Build the control plane from its pinned modules, once, into the user's cache.

There is no Go code of ours: controlplane/go.mod names the programs, and go.sum
holds the hash of every module, so what is built is what was reviewed.
"""

from __future__ import annotations

import hashlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from kploy.model.frozen import dataclass
from kploy.sandbox.errors import BuildFailed
from kploy.sandbox.locks import held
from kploy.sandbox.progress import Phase, Progress, Report
from kploy.sandbox.toolchain import Toolchain, find_toolchain, go_environment

PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
}
"""Every program of the control plane, and the Go package it is built from."""

_TAIL = 15
"""How many of go's last lines a failure shows."""


@dataclass(frozen=True, slots=True)
class Modules:
    """The pinned modules: go.mod and go.sum as they are in the package."""

    mod: bytes
    sum: bytes

    @property
    def version(self) -> str:
        """The version of Kubernetes they pin, ``v1.37.2``."""
        found = re.search(rb"^\s+k8s\.io/kubernetes (v\S+)", self.mod, re.MULTILINE)
        return found[1].decode() if found else "v0.0.0"

    @property
    def key(self) -> str:
        """What a build of exactly these modules is called in the cache."""
        digest = hashlib.sha256(b"\0".join((self.version.encode(), self.mod, self.sum)))
        return f"{self.version}-{digest.hexdigest()[:12]}"


def pinned_modules() -> Modules:
    """The modules this kploy builds its control plane from."""
    folder = resources.files("kploy.sandbox").joinpath("controlplane")
    return Modules(folder.joinpath("go.mod").read_bytes(), folder.joinpath("go.sum").read_bytes())


def cache_directory() -> Path:
    """Where builds are kept: ``kploy/sandbox`` in the user's cache directory."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root.startswith("/") else Path.home() / ".cache") / "kploy" / "sandbox"


def built(programs: Sequence[str], report: Report) -> dict[str, Path]:
    """The path of each program, built now if it is not in the cache.

    A program is in the cache whole or not at all. A second builder waits for
    the first. Raises NoToolchain, BuildFailed.
    """
    modules, cache = pinned_modules(), cache_directory()
    shelf = cache / modules.key
    paths = {program: shelf / program for program in programs}
    if all(path.exists() for path in paths.values()):
        return paths
    with held(cache / f".{modules.key}.lock", lambda: report(Progress(Phase.WAITING))):
        _sweep(cache, modules.key)
        missing = [program for program, path in paths.items() if not path.exists()]
        if missing:
            _build(modules, missing, shelf, report)
    return paths


def _build(modules: Modules, programs: Sequence[str], shelf: Path, report: Report) -> None:
    """Build ``programs`` beside the shelf, then put each on it in one step."""
    toolchain = find_toolchain()
    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{modules.key}.", dir=shelf.parent) as folder:
        workshop = Path(folder)
        (workshop / "go.mod").write_bytes(modules.mod)
        (workshop / "go.sum").write_bytes(modules.sum)
        (workshop / "bin").mkdir()
        packages = [PACKAGES[program] for program in programs]
        total = _download(toolchain, workshop, packages, report)
        _compile(toolchain, workshop, packages, modules.version, _counting(Phase.COMPILING, total, report))
        for program in programs:
            (workshop / "bin" / PACKAGES[program].removesuffix("/v3").rpartition("/")[2]).rename(shelf / program)


def _download(toolchain: Toolchain, workshop: Path, packages: Sequence[str], report: Report) -> int:
    """Fetch the modules the packages need, and answer how many packages there are to compile."""
    listing = workshop / "packages.txt"
    advance = _counting(Phase.DOWNLOADING, 0, report)
    with listing.open("wb") as output:
        for line in _go(toolchain, workshop, ["list", "-deps", *packages], output.fileno()):
            advance(line is not None and line.startswith("go: downloading"))
    return listing.read_bytes().count(b"\n")


def _compile(
    toolchain: Toolchain, workshop: Path, packages: Sequence[str], version: str, advance: Callable[[bool], None]
) -> None:
    command = ["build", "-v", "-trimpath", "-ldflags", link_flags(version), "-o", "bin/", *packages]
    for line in _go(toolchain, workshop, command, subprocess.DEVNULL):
        advance(line is not None and is_package(line))


def link_flags(version: str) -> str:
    """What the linker must be told so that the programs know their version."""
    major, minor, *_ = version.removeprefix("v").split(".")
    said = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(
        ["-s -w", *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in said.items())]
    )


def is_package(line: str) -> bool:
    """Whether a line of ``go build -v`` says that a package is being compiled."""
    return bool(line) and not line.startswith(("go: ", "#", "\t")) and " " not in line


def _counting(phase: Phase, total: int, report: Report) -> Callable[[bool], None]:
    """Something to call for every line: it counts the ones that matter, and reports."""
    start, done = time.monotonic(), 0

    def advance(counts: bool) -> None:
        nonlocal done
        done += counts
        report(Progress(phase, done, total, time.monotonic() - start))

    return advance


def _go(toolchain: Toolchain, folder: Path, arguments: Sequence[str], output: int) -> Iterator[str | None]:
    """Run go in ``folder``, and yield what it says line by line, and None whenever a second was silent."""
    tail: deque[str] = deque(maxlen=_TAIL)
    with _running([str(toolchain.go), *arguments], go_environment(toolchain), folder, output) as process:
        for line in _lines(process):
            if line is not None and not is_package(line):
                tail.append(line)
            yield line
        if process.wait():
            raise BuildFailed(
                f"`go {arguments[0]}` failed with exit code {process.returncode}", _remedy(tail, folder)
            )


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], folder: Path, output: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own group, which ends with everything it started when the block is left."""
    process = subprocess.Popen(  # noqa: S603 -- the user's own go, with arguments of ours
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str | None]:
    """What the process writes to stderr, and None for each second without a word."""
    if process.stderr is None:
        return
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout=1):
                yield None
                continue
            chunk = os.read(process.stderr.fileno(), 65536)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)
            if not chunk:
                return


def _remedy(tail: Sequence[str], folder: Path) -> str:
    free = shutil.disk_usage(folder).free / 1e9
    said = "\n".join(f"  {line}" for line in tail)
    return (
        "Check that the Go module proxy can be reached (`go env GOPROXY`, HTTPS_PROXY), and that there is room "
        f"for 6 GB ({free:.1f} GB free here). go said last:\n{said}"
    )


def _sweep(cache: Path, key: str) -> None:
    """Remove what builders that were killed left behind. Only for the holder of the lock."""
    for remnant in cache.glob(f".{key}.*"):
        if remnant.is_dir():
            shutil.rmtree(remnant, ignore_errors=True)
