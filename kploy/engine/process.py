"""Which process this is, and whether another one is proven gone. What /proc tells, as far as there is one."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from kploy.core.lease import is_same_place
from kploy.model.holder import Holder

_PROC = Path("/proc")


def this_process(what: str) -> Holder:
    """This process, as the holder of a lock; ``what`` it does is a command. Each call gives another identity."""
    pid = os.getpid()
    return Holder(
        identity=f"{_host()}_{pid}_{os.urandom(16).hex()}",
        who=f"{_user()}@{_host()}",
        what=what,
        boot=_read(_PROC / "sys/kernel/random/boot_id"),
        pids=_link(_PROC / "self/ns/pid"),
        pid=pid,
        started=_started(pid) or "",
    )


def is_proven_gone(holder: Holder, me: Holder) -> bool:
    """Whether ``holder`` was a process of this very machine, and does not run any more.

    False wherever that cannot be known: on another machine, in another container, without /proc.
    """
    if not is_same_place(holder, me) or not holder.pid or not holder.started:
        return False
    started = _started(holder.pid)
    return started is not None and started != holder.started


def _started(pid: int) -> str | None:
    """When a process began, in clock ticks after the boot; "" if there is no such process, None if nobody says."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except FileNotFoundError:
        return "" if (_PROC / "self/stat").exists() else None
    except OSError:
        return None
    # The name of the program, in parentheses, may hold anything.
    fields = stat.rpartition(")")[2].split()
    # proc_pid_stat(5): field 3 is the state, 22 the start. A zombie has ended.
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _host() -> str:
    return socket.gethostname() or "unknown-host"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
