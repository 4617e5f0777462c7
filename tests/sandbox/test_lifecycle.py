"""Sandboxes that come and go, on the real programs."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kploy.sandbox import Phase, Process, Progress, Sandbox, all_sandboxes, down, find, up
from kploy.sandbox.api import api_of
from kploy.sandbox.binaries import find_binaries
from kploy.sandbox.components import NAMES
from kploy.sandbox.errors import PortTaken, StartFailed, Unsupported, WrongUsage
from kploy.sandbox.processes import end, living_in
from kploy.sandbox.progress import silent
from kploy.sandbox.start import Launch
from tests.eventually import eventually

pytestmark = pytest.mark.cluster


@pytest.mark.usefixtures("own_state")
def test_up_twice_is_one_sandbox() -> None:
    first = up("one")
    reports: list[Progress] = []
    assert up("one", report=reports.append) == first == find("one")
    assert reports == []
    assert all_sandboxes() == (first,)


@pytest.mark.usefixtures("own_state")
def test_up_at_once_is_one_sandbox() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: up("one"), range(4)))
    assert found == [found[0]] * 4
    assert len(living_in(found[0].directory, NAMES)) == 5


@pytest.mark.usefixtures("own_state")
def test_two_sandboxes_do_not_know_each_other() -> None:
    one, two = up("one"), up("two", nodes=1)
    assert set(one.pids.values()).isdisjoint(two.pids.values())
    assert one.server != two.server
    api_of(one).create("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "mine"}})
    assert api_of(one).get("/api/v1/namespaces/mine")["metadata"]["name"] == "mine"
    assert api_of(two).get("/api/v1/namespaces/mine") == {}
    assert [_node_count(each) for each in (one, two)] == [3, 1]
    assert down("one")
    assert find("two") == two


@pytest.mark.parametrize(
    "victims", [["kwok"], ["etcd", "kube-apiserver"], list(NAMES)], ids=["one", "two", "all of them"]
)
@pytest.mark.usefixtures("own_state")
def test_a_sandbox_with_dead_parts_is_cleared_away_and_started_afresh(victims: list[str]) -> None:
    old = up("one", nodes=1)
    for victim in victims:
        os.kill(old.pids[victim], signal.SIGKILL)
    _wait_until_dead([process for process in old.processes if process.component in victims])
    assert find("one") is None
    new = up("one", nodes=1)
    assert new.running
    assert [process.alive for process in old.processes] == [False] * 5
    assert len(living_in(new.directory, NAMES)) == 5


@pytest.mark.usefixtures("own_state")
def test_daemons_are_found_and_ended_when_nobody_wrote_them_down() -> None:
    old = up("one", nodes=1)
    (old.directory / "state.json").unlink()
    assert find("one") is None
    assert down("one")
    assert [process.alive for process in old.processes] == [False] * 5


def test_down_ends_every_process_frees_the_port_and_removes_the_directory(own_state: Path) -> None:
    old = up("one", nodes=1)
    port = int(old.server.rpartition(":")[2])
    assert down("one")
    assert [process.alive for process in old.processes] == [False] * 5
    assert find("one") is None
    assert [path.name for path in own_state.iterdir()] == [".one.lock"]
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    assert not down("one")


@pytest.mark.usefixtures("own_state")
def test_another_number_of_nodes_makes_or_removes_nodes_and_keeps_the_rest() -> None:
    first = up("one", nodes=1)
    more = up("one", nodes=4)
    assert (more.nodes, more.pids, _node_count(more)) == (4, first.pids, 4)
    fewer = up("one", nodes=2)
    assert (fewer.nodes, fewer.pids, _node_count(fewer)) == (2, first.pids, 2)
    assert up("one") == fewer == find("one")


def test_only_the_owner_can_read_what_is_there(cluster: Sandbox) -> None:
    modes = {
        path: stat.S_IMODE((cluster.directory / path).stat().st_mode)
        for path in ("..", ".", "pki", "data", "logs", "kubeconfig", "pki/tokens.csv", "pki/service-account.key")
    }
    assert modes == {
        "..": 0o700,
        ".": 0o700,
        "pki": 0o700,
        "data": 0o700,
        "logs": 0o700,
        "kubeconfig": 0o600,
        "pki/tokens.csv": 0o600,
        "pki/service-account.key": 0o600,
    }


def test_the_home_directory_is_left_alone(
    own_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"))
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    (home / ".kube" / "config").write_text("mine")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KUBECONFIG", str(home / ".kube" / "config"))
    assert up("one", nodes=1).directory == own_state / "one"
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*")) == [".kube", ".kube/config"]
    assert (home / ".kube" / "config").read_text() == "mine"


def test_listens_on_loopback_only_and_on_the_ports_of_the_api_server_and_the_kubelet(cluster: Sandbox) -> None:
    port = int(cluster.server.rpartition(":")[2])
    node = api_of(cluster).get("/api/v1/nodes/node-0")
    kubelet = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    assert _listening(cluster) == {("0100007F", port), ("0100007F", kubelet)}


def test_who_has_no_token_may_not_look(cluster: Sandbox) -> None:
    stranger = replace(api_of(cluster), token="guessed")  # noqa: S106 -- that is the point
    assert stranger.request("GET", "/api/v1/secrets").code == 401


@pytest.mark.usefixtures("own_state")
def test_a_component_that_ends_is_named_with_its_last_words_and_nothing_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "kube-scheduler").write_text("#!/bin/sh\necho no such flag >&2\nexit 1\n")
    (tmp_path / "assets" / "kube-scheduler").chmod(0o755)
    monkeypatch.setenv("KPLOY_SANDBOX_ASSETS", str(tmp_path / "assets"))
    with pytest.raises(StartFailed, match="kube-scheduler") as caught:
        up("one")
    assert "no such flag" in caught.value.hint
    assert find("one") is None
    assert [(one.name, one.processes) for one in all_sandboxes()] == [("one", ())]
    assert living_in(all_sandboxes()[0].directory, NAMES) == ()


@pytest.mark.usefixtures("own_state")
def test_an_interrupted_start_leaves_nothing_running() -> None:
    def interrupt(progress: Progress) -> None:
        if progress.phase is Phase.JOINING:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        up("one", report=interrupt)
    assert living_in(all_sandboxes()[0].directory, NAMES) == ()
    assert find("one") is None


@pytest.mark.usefixtures("own_state")
def test_whoever_comes_second_waits_and_says_so() -> None:
    told = threading.Event()

    def on_report(progress: Progress) -> None:
        if progress.phase is Phase.WAITING:
            told.set()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(up, "one", nodes=1)
        eventually(all_sandboxes)
        second = up("one", report=on_report)
        assert told.is_set()
        assert first.result() == second


@pytest.mark.usefixtures("own_state")
@pytest.mark.parametrize("nodes", [0, -1, 1001])
def test_refuses_a_number_of_nodes_that_makes_no_sense(nodes: int) -> None:
    with pytest.raises(WrongUsage, match=f"cannot have {nodes} nodes"):
        up("one", nodes=nodes)


def test_a_port_that_somebody_else_has_is_told_from_other_failures(own_state: Path) -> None:
    own_state.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        plan = Sandbox("one", own_state / "one", f"https://127.0.0.1:{port}", "", 1, ())
        launch = Launch(plan, find_binaries(silent), port, 0, time.monotonic() + 20, silent)
        with pytest.raises(PortTaken, match=f"kube-apiserver could not listen on https://127.0.0.1:{port}"):
            launch.run()


def test_a_state_directory_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(Unsupported, match="/file/kploy/sandbox, and that cannot be written: Not a directory"):
        up("one")


def _node_count(one: Sandbox) -> int:
    return len(api_of(one).get("/api/v1/nodes")["items"])


def _wait_until_dead(processes: list[Process]) -> None:
    end(processes)
    assert [process.alive for process in processes] == [False] * len(processes)


def _listening(one: Sandbox) -> set[tuple[str, int]]:
    """Address (hexadecimal, as /proc has it) and port of every TCP socket that its processes listen on."""
    inodes = {_target(handle) for pid in one.pids.values() for handle in Path(f"/proc/{pid}/fd").iterdir()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found


def _target(handle: Path) -> str:
    try:
        return str(handle.readlink())
    except FileNotFoundError:
        return ""
