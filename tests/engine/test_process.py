"""Which process this is, and whether another one is proven gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from kploy.engine.process import is_proven_gone, this_process

ME = this_process("kploy run")


def test_this_process_is_told_by_boot_namespace_id_and_start() -> None:
    assert ME.pid == os.getpid()
    assert ME.boot
    assert ME.pids.startswith("pid:[")
    assert ME.started.isdecimal()
    assert ME.identity != this_process("kploy run").identity


def test_a_process_that_runs_is_not_gone() -> None:
    assert not is_proven_gone(ME, ME)
    assert not is_proven_gone(replace(ME, pid=os.getppid(), started=_started(os.getppid())), ME)


@pytest.mark.parametrize("is_waited_for", [False, True], ids=["a zombie", "no such process"])
def test_a_process_that_was_killed_is_gone_whether_or_not_anybody_waited_for_it(is_waited_for: bool) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    other = replace(ME, pid=process.pid, started=_started(process.pid))
    assert not is_proven_gone(other, ME)
    process.send_signal(signal.SIGKILL)
    if is_waited_for:
        process.wait()
    else:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_proven_gone(other, ME)
    process.communicate()


def test_a_process_that_was_stopped_is_not_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert not is_proven_gone(replace(ME, pid=process.pid, started=_started(process.pid)), ME)
    process.kill()
    process.communicate()


def test_another_process_with_the_same_id_does_not_stand_for_it() -> None:
    assert is_proven_gone(replace(ME, started="1"), ME)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"boot": "another"},
        {"pids": "pid:[1]"},
        {"boot": ""},
        {"pids": ""},
        {"pid": 0},
        {"started": ""},
    ],
)
def test_of_a_process_that_is_elsewhere_nothing_is_proven(elsewhere: dict[str, str | int]) -> None:
    gone = {"started": "1", **elsewhere}
    assert not is_proven_gone(replace(ME, **gone), ME)  # type: ignore[arg-type]


def _started(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a file of the system
        return stat.read().rpartition(")")[2].split()[19]
