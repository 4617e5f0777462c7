from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kploy.sandbox.errors import StartFailed
from kploy.sandbox.processes import Process, end, identify, living_in, parse_stat, spawn, tail


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = spawn("sleeper", ["/bin/sleep", "60"], tmp_path, tmp_path / "log")
    yield process
    end([process])


def test_reads_the_stat_of_a_program_whose_name_looks_like_fields() -> None:
    fields = " ".join(str(number) for number in range(4, 53))
    assert parse_stat(f"17 (a) R (b) S {fields}") == ("S", 22)


def test_a_daemon_is_in_a_session_of_its_own_and_nobodys_to_wait_for(sleeper: Process) -> None:
    assert sleeper.alive
    assert os.getsid(sleeper.pid) != os.getsid(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(sleeper.pid, os.WNOHANG)


def test_a_daemon_has_no_environment_and_no_terminal_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETCD_NAME", "not-for-you")
    log = tmp_path / "log"
    process = spawn("shell", ["/bin/sleep", "60"], tmp_path, log)
    environment = Path(f"/proc/{process.pid}/environ").read_text().strip("\0").split("\0")
    streams = [str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)]
    end([process])
    assert sorted(line.partition("=")[0] for line in environment if "PWD" not in line) == [
        "HOME",
        "LOG",
        "PATH",
        "TMPDIR",
    ]
    assert streams == ["/dev/null", str(log), str(log)]


def test_end_comes_back_when_the_process_is_gone(sleeper: Process) -> None:
    end([sleeper])
    assert not sleeper.alive
    assert identify("sleeper", sleeper.pid) is None


def test_ending_twice_is_nothing_the_second_time(sleeper: Process) -> None:
    end([sleeper])
    end([sleeper])


@pytest.mark.parametrize("change", [{"started": 1}, {"executable": "/usr/bin/something-else"}])
def test_a_recycled_pid_is_not_taken_for_ours_and_not_killed(
    sleeper: Process, change: dict[str, int | str]
) -> None:
    predecessor = replace(sleeper, **change)  # type: ignore[arg-type]
    assert not predecessor.alive
    assert predecessor.memory == 0
    end([predecessor])
    assert sleeper.alive


def test_finds_who_works_in_a_directory_without_a_note_of_it(sleeper: Process, tmp_path: Path) -> None:
    name = Path(sleeper.executable).name
    assert living_in(tmp_path, [name]) == (replace(sleeper, component=name),)
    assert living_in(tmp_path, ["etcd"]) == ()
    assert living_in(tmp_path / "elsewhere", [name]) == ()


def test_finds_them_through_a_symlink_too(sleeper: Process, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert [one.pid for one in living_in(link, [Path(sleeper.executable).name])] == [sleeper.pid]


def test_a_program_that_is_not_there_is_a_failed_start_with_the_shells_word(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="etcd could not be started") as caught:
        spawn("etcd", [str(tmp_path / "etcd")], tmp_path, tmp_path / "log")
    assert "not found" in caught.value.hint


def test_shows_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert tail(log, lines=2) == "  line 98\n  line 99"
    assert tail(tmp_path / "none") == "  (no log)"
