"""Sandboxes come and go: up, down, and finding the ones that are there."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kploy.model.frozen import replace
from kploy.sandbox.api import api_of
from kploy.sandbox.components import NAMES
from kploy.sandbox.errors import PortTaken, WrongUsage
from kploy.sandbox.locks import held
from kploy.sandbox.nodes import set_nodes
from kploy.sandbox.processes import end, living_in, require_linux
from kploy.sandbox.progress import Phase, Progress, Report, silent
from kploy.sandbox.start import POLL, Launch, await_nodes, free_ports
from kploy.sandbox.state import Sandbox, directory_of, known_names, load, save, state_directory

DEFAULT_NODES = 3
_ATTEMPTS = 5


def up(
    name: str = "default", *, nodes: int | None = None, report: Report = silent, timeout: float = 60.0
) -> Sandbox:
    """A running sandbox called ``name``: the one that is there, or a new one.

    ``nodes`` is how many nodes it shall have; None leaves those it has, and
    gives a new one three. A sandbox of which a part has died is ended and
    started afresh, empty. ``timeout`` is in seconds and does not count the
    build of the binaries, which happens once and takes minutes. Processes may
    call this at once: one starts it, the others get the same one.

    Raises WrongUsage, Unsupported, NoToolchain, BuildFailed, StartFailed, NotReadyInTime.
    """
    # Here, for who only looks for a sandbox need not load what builds one.
    from kploy.sandbox.binaries import find_binaries

    require_linux()
    directory = directory_of(name)
    if nodes is not None and not 1 <= nodes <= 1000:
        raise WrongUsage(f"a sandbox cannot have {nodes} nodes", "Ask for 1 to 1000.")
    # Not under the lock: nobody who wants the sandbox down need wait for a build.
    binaries = {} if _healthy(name) else find_binaries(report)
    with _locked(name, report):
        running = _healthy(name)
        if running:
            return _with_nodes(running, nodes, report, timeout)
        _clear(directory)
        binaries = binaries or find_binaries(report)
        return _launch(Sandbox(name, directory, "", "", nodes or DEFAULT_NODES, ()), binaries, report, timeout)


def down(name: str = "default", *, report: Report = silent) -> bool:
    """End every process of the sandbox and remove its directory; whether there was one. Raises WrongUsage."""
    directory = directory_of(name)
    if not directory.exists():
        return False
    with _locked(name, report):
        was_there = directory.exists()
        _clear(directory)
        return was_there


def find(name: str = "default") -> Sandbox | None:
    """The sandbox ``name`` if it is up and all its processes run; None if not. Raises WrongUsage."""
    sandbox = load(name)
    return sandbox if sandbox and sandbox.version and sandbox.running else None


def all_sandboxes() -> tuple[Sandbox, ...]:
    """Every sandbox that has a directory, running or not, by name."""
    return tuple(load(name) or Sandbox(name, directory_of(name), "", "", 0, ()) for name in known_names())


def _locked(name: str, report: Report) -> AbstractContextManager[None]:
    return held(state_directory() / f".{name}.lock", lambda: report(Progress(Phase.WAITING)))


def _healthy(name: str, patience: float = 10.0) -> Sandbox | None:
    """The sandbox if it runs and its API server says it is ready.

    On a busy machine it may be slow to say so. It has ``patience`` seconds, for
    what is not healthy is thrown away with all that is in it.
    """
    deadline = time.monotonic() + patience
    while sandbox := find(name):
        try:
            if api_of(sandbox).ready():
                return sandbox
        except (OSError, ValueError):
            return None
        if time.monotonic() > deadline:
            return None
        time.sleep(POLL)
    return None


def _with_nodes(sandbox: Sandbox, nodes: int | None, report: Report, timeout: float) -> Sandbox:
    """The sandbox with as many nodes as are asked for."""
    if nodes in {None, sandbox.nodes}:
        return sandbox
    changed = replace(sandbox, nodes=nodes or sandbox.nodes)
    api = api_of(sandbox)
    set_nodes(api, changed.nodes, sandbox.version)
    await_nodes(changed, api, time.monotonic() + timeout, report)
    save(changed)
    return changed


def _launch(plan: Sandbox, binaries: Mapping[str, Path], report: Report, timeout: float) -> Sandbox:
    """Start the sandbox; on another port if somebody takes ours first. Nothing runs on if it fails."""
    deadline = time.monotonic() + timeout
    for attempt in range(1, _ATTEMPTS + 1):
        port, kubelet_port = free_ports(2)
        address = replace(plan, server=f"https://127.0.0.1:{port}")
        launch = Launch(address, binaries, port, kubelet_port, deadline, report)
        try:
            return launch.run()
        except PortTaken:
            _clear(plan.directory)
            if attempt == _ATTEMPTS:
                raise
        except BaseException:
            with _uninterrupted():
                _stop(plan.directory)
            raise
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Another Ctrl-C does not keep what was started from being ended. Only the main thread is ever interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _clear(directory: Path) -> None:
    """End what runs in the directory, and remove it."""
    _stop(directory)
    if directory.exists():
        shutil.rmtree(directory)


def _stop(directory: Path) -> None:
    """End what runs in the directory, written down or not. The logs stay to be read."""
    recorded = load(directory.name)
    end({*(recorded.processes if recorded else ()), *living_in(directory, NAMES)})
    (directory / "state.json").unlink(missing_ok=True)
