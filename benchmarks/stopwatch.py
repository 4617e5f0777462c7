"""What a program costs: wall time, CPU and peak memory of it and of what it started."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that went by, seconds of CPU (user and system), and the most memory in bytes it had at a time.

    Linux counts into a program's peak what its parent had when it was started: a
    bench that is small itself is what makes the last one true.
    """

    wall: float
    cpu: float
    memory: int

    def __add__(self, other: Cost) -> Cost:
        """Of one program after the other."""
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))


class Failed(Exception):
    """A program that is measured has not done what it was called for, or took too long."""


def measured(command: Sequence[str | Path], environment: Mapping[str, str], patience: float = 900.0) -> Cost:
    """Run a command to its end, and tell what it cost. Raises Failed with what it said last."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 -- programs of this bench
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        status, usage = _awaited(process, patience)
        wall = time.perf_counter() - start
        if status:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            raise Failed(f"{Path(command[0]).name} ended with {status} after {wall:.1f} s:\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _awaited(process: subprocess.Popen[bytes], patience: float) -> tuple[int, resource.struct_rusage]:
    """The exit code and what was used. Nobody of its session lives on if the wait is cut off."""
    alarm = threading.Timer(patience, os.killpg, (process.pid, signal.SIGKILL))
    alarm.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        alarm.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage
