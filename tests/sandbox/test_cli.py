from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kploy.cli.sandbox import Meter, sandbox_command
from kploy.sandbox import find
from kploy.sandbox.errors import NotRunning, WrongUsage
from kploy.sandbox.progress import Phase, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("own_state")
def test_without_a_sandbox_status_says_how_to_start_one() -> None:
    ended = CliRunner().invoke(sandbox_command, ["status"])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == "There is no sandbox. Start it with `kploy sandbox up`.\n"


@pytest.mark.usefixtures("own_state")
def test_without_a_sandbox_the_json_is_an_empty_list() -> None:
    ended = CliRunner().invoke(sandbox_command, ["status", "--name", "mine", "-o", "json"])
    assert (ended.exit_code, ended.stdout) == (1, "[]\n")
    assert ended.stderr == "There is no sandbox mine. Start it with `kploy sandbox up --name mine`.\n"


@pytest.mark.usefixtures("own_state")
def test_without_a_sandbox_there_is_no_kubeconfig() -> None:
    ended = CliRunner().invoke(sandbox_command, ["kubeconfig", "--name", "mine"])
    assert isinstance(ended.exception, NotRunning)
    assert (ended.exception.message, ended.exception.hint) == (
        "sandbox mine does not run",
        "Start it with `kploy sandbox up --name mine`.",
    )
    assert ended.stdout == ""


@pytest.mark.usefixtures("own_state")
def test_down_without_a_sandbox_is_no_failure() -> None:
    ended = CliRunner().invoke(sandbox_command, ["down"])
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "There is no sandbox default.\n")


def test_down_takes_a_name_or_all() -> None:
    ended = CliRunner().invoke(sandbox_command, ["down", "--all", "--name", "mine"])
    assert ended.exit_code == 2
    assert "--all and --name exclude each other." in ended.stderr


@pytest.mark.usefixtures("own_state")
@pytest.mark.parametrize("command", ["up", "down", "status", "kubeconfig"])
def test_refuses_a_name_that_leads_elsewhere(command: str) -> None:
    ended = CliRunner().invoke(sandbox_command, [command, "--name", "../elsewhere"])
    assert isinstance(ended.exception, WrongUsage)


@pytest.mark.cluster
def test_a_sandbox_from_up_to_down(own_state: Path) -> None:
    started = CliRunner().invoke(sandbox_command, ["up", "--name", "mine", "--nodes", "1"])
    one = find("mine")
    assert one
    assert (started.exit_code, started.stdout) == (0, "")
    assert started.stderr.splitlines()[-4:] == [
        f"Sandbox mine is up: Kubernetes v1.37.2 at {one.server}, 1 simulated node.",
        "Its pods are simulated: they are scheduled and become Running, but no container runs.",
        "  use it:   export KUBECONFIG=$(kploy sandbox kubeconfig --name mine)",
        "  stop it:  kploy sandbox down --name mine",
    ]

    shown = CliRunner().invoke(sandbox_command, ["kubeconfig", "--name", "mine"])
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, f"{own_state}/mine/kubeconfig\n", "")

    asked = CliRunner().invoke(sandbox_command, ["status", "--name", "mine", "-o", "json"])
    (facts,) = json.loads(asked.stdout)
    assert facts.pop("memory") > 10**8
    assert asked.exit_code == 0
    assert facts == {
        "name": "mine",
        "running": True,
        "server": one.server,
        "version": "v1.37.2",
        "nodes": 1,
        "kubeconfig": f"{own_state}/mine/kubeconfig",
        "pids": one.pids,
    }

    table = CliRunner().invoke(sandbox_command, ["status"])
    assert table.exit_code == 0
    assert table.stdout.splitlines()[0].split() == ["NAME", "STATUS", "VERSION", "NODES", "MEMORY", "SERVER"]
    assert table.stdout.splitlines()[1].split()[:4] == ["mine", "running", "v1.37.2", "1"]
    assert max(map(len, table.stdout.splitlines())) <= 80

    ended = CliRunner().invoke(sandbox_command, ["down", "--all"])
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "Sandbox mine is down.\n")
    assert find("mine") is None


def test_in_a_pipe_progress_is_a_line_for_each_phase_and_then_few() -> None:
    stream = io.StringIO()
    meter = Meter(stream)
    meter.show(Progress(Phase.DOWNLOADING, 1))
    for done in range(100):
        meter.show(Progress(Phase.COMPILING, done, 100))
    meter.clear()
    assert stream.getvalue() == (
        "The sandbox is built now; this happens once, and takes about ten minutes on two cores.\n"
        "downloading modules: 1 so far\n"
        "compiling\n"
    )


def test_in_a_pipe_a_long_phase_speaks_up_again() -> None:
    stream = io.StringIO()
    meter = Meter(stream, every=0)
    for done in (1, 2):
        meter.show(Progress(Phase.COMPILING, done, 100))
    assert stream.getvalue() == "compiling: 1 of 100 packages\ncompiling: 2 of 100 packages\n"


def test_on_a_terminal_progress_is_one_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    meter = Meter(stream)
    meter.show(Progress(Phase.COMPILING, 1, 100))
    meter.show(Progress(Phase.STARTING))
    meter.clear()
    assert stream.getvalue() == "\r\x1b[Kcompiling: 1 of 100\r\x1b[Kstarting the contro\r\x1b[K"
