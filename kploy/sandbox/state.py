"""What is known about sandboxes on disk: one directory each, with a state.json that says who runs there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kploy.model.frozen import dataclass
from kploy.sandbox.errors import WrongUsage
from kploy.sandbox.processes import Process

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A control plane on this machine: where it is, and the processes it consists of.

    ``server`` is an https URL on 127.0.0.1, ``version`` the API server's own
    word (``v1.37.2``), ``nodes`` how many simulated nodes it has. ``kubeconfig``
    gives a cluster administrator's rights and is readable by its owner only.
    """

    name: str
    directory: Path
    server: str
    version: str
    nodes: int
    processes: tuple[Process, ...]

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig to use it with: its only context is its current one."""
        return self.directory / "kubeconfig"

    @property
    def pids(self) -> dict[str, int]:
        """The pid of each component."""
        return {process.component: process.pid for process in self.processes}

    @property
    def running(self) -> bool:
        """Whether every component runs."""
        return bool(self.processes) and all(process.alive for process in self.processes)

    @property
    def memory(self) -> int:
        """The resident memory of all components in bytes."""
        return sum(process.memory for process in self.processes)


def state_directory() -> Path:
    """Where sandboxes are kept: ``kploy/sandbox`` in the user's state directory."""
    root = os.environ.get("XDG_STATE_HOME", "")
    return (Path(root) if root.startswith("/") else Path.home() / ".local" / "state") / "kploy" / "sandbox"


def directory_of(name: str) -> Path:
    """The directory of the sandbox ``name``. Raises WrongUsage."""
    if not _NAME.fullmatch(name):
        raise WrongUsage(
            f"a sandbox cannot be called {name!r}",
            "Use up to 40 lowercase letters, digits and dashes, with a letter or digit at both ends.",
        )
    return state_directory() / name


def save(sandbox: Sandbox) -> None:
    """Write the state file; a reader sees the old one or the new one."""
    path = sandbox.directory / "state.json"
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({**asdict(sandbox), "directory": str(sandbox.directory)}, indent=2) + "\n")
    beside.replace(path)


def load(name: str) -> Sandbox | None:
    """What the state file says; None if there is none, or it cannot be read as one."""
    directory = directory_of(name)
    try:
        return decode(json.loads((directory / "state.json").read_text()), name, directory)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def decode(data: Mapping[str, Any], name: str, directory: Path) -> Sandbox:
    """The sandbox that a state file describes. Where it lies decides its name, not what it says."""
    processes = tuple(
        Process(str(one["component"]), int(one["pid"]), int(one["started"]), str(one["executable"]))
        for one in data["processes"]
    )
    return Sandbox(name, directory, str(data["server"]), str(data["version"]), int(data["nodes"]), processes)


def known_names() -> tuple[str, ...]:
    """The sandboxes that have a directory, running or not."""
    root = state_directory()
    if not root.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in root.iterdir() if entry.is_dir() and _NAME.fullmatch(entry.name)))
