"""Daemons: start them, recognise them later, end them. A recycled pid is never taken for one of ours.

Linux only: /proc says who a process is, and a pidfd makes sure that a signal
goes to the process that was looked at.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from kploy.model.frozen import dataclass
from kploy.sandbox.errors import StartFailed, Unsupported

PROC = Path("/proc")

_DETACH = '"$@" >>"$LOG" 2>&1 </dev/null & echo $!'
"""Start "$@" in the background and end: the daemon is init's child, not ours, so nobody has to wait for it."""


@dataclass(frozen=True, slots=True)
class Process:
    """One daemon: which component it is, and what tells it from a later process of the same pid.

    ``started`` is in clock ticks since boot (field 22 of /proc/PID/stat).
    """

    component: str
    pid: int
    started: int
    executable: str

    @property
    def alive(self) -> bool:
        """Whether this very process runs."""
        return identify(self.component, self.pid) == self

    @property
    def memory(self) -> int:
        """Its resident memory in bytes; 0 if it is gone."""
        return _resident(self.pid) if self.alive else 0


def require_linux() -> None:
    """Raise Unsupported where there is no /proc to recognise processes by."""
    if not (PROC / "self" / "stat").exists():
        raise Unsupported(
            "the sandbox needs Linux, and this machine has no /proc",
            "Run kploy in a Linux container or virtual machine, or use another cluster.",
        )


def identify(component: str, pid: int) -> Process | None:
    """The process that has ``pid`` now, as ``component``; None if there is none, or it is a zombie."""
    try:
        state, started = parse_stat((PROC / str(pid) / "stat").read_text())
        executable = str((PROC / str(pid) / "exe").readlink()).removesuffix(" (deleted)")
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else Process(component, pid, started, executable)


def parse_stat(text: str) -> tuple[str, int]:
    """State and start time of a /proc/PID/stat; the command name in it may hold blanks and brackets."""
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def spawn(component: str, command: Sequence[str], directory: Path, log: Path) -> Process:
    """Start a daemon in a session of its own, in ``directory``, everything it says into ``log``.

    It inherits no environment and no open file: its home is ``directory``, so
    what it may write goes there. Raises StartFailed if it does not even start.
    """
    environment = {"PATH": os.defpath, "HOME": str(directory), "TMPDIR": str(directory), "LOG": str(log)}
    answer = subprocess.run(  # noqa: S603 -- programs of our own build
        ["/bin/sh", "-c", _DETACH, "sh", *command],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=True,
    )
    return _settled(component, int(answer.stdout), str(Path(command[0]).resolve()), log)


def end(processes: Iterable[Process], patience: float = 10.0) -> None:
    """Kill the processes, and come back when they are gone.

    SIGKILL: their data is thrown away, and nothing they could do before they end
    is worth waiting for.
    """
    handles = [handle for process in processes if (handle := _kill(process)) is not None]
    deadline = time.monotonic() + patience
    for handle in handles:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        ended.poll(max(0.0, deadline - time.monotonic()) * 1000)
        os.close(handle)


def living_in(directory: Path, components: Iterable[str]) -> tuple[Process, ...]:
    """The components whose working directory is ``directory``, whether or not anybody wrote them down."""
    names, home = set(components), str(directory.resolve())
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit() and _working_directory(entry) == home:
            process = identify("", int(entry.name))
            if process and (name := Path(process.executable).name) in names:
                found.append(Process(name, process.pid, process.started, process.executable))
    return tuple(found)


def _settled(component: str, pid: int, executable: str, log: Path) -> Process:
    """The process, as soon as the shell that carries it has become the program.

    A ready-made program may be a script that becomes another one: after a
    second, whatever it is by then is taken.
    """
    for _ in range(200):
        process = identify(component, pid)
        if process is None or process.executable == executable:
            break
        time.sleep(0.005)
    if process is None:
        raise StartFailed(f"{component} could not be started", f"{log} says why:\n{tail(log)}")
    return process


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16384))
            last = file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return "  (no log)"
    return "\n".join(f"  {line[:400]}" for line in last)


def _kill(process: Process) -> int | None:
    """Send SIGKILL to this very process; the answer is readable when it has ended."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if process.alive:  # checked after the pidfd is open: from here on it cannot be another one
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return handle
    os.close(handle)
    return None


def _working_directory(entry: Path) -> str:
    try:
        return str((entry / "cwd").readlink()).removesuffix(" (deleted)")
    except OSError:
        return ""


def _resident(pid: int) -> int:
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
