from __future__ import annotations

import json
from pathlib import Path

import pytest

from kploy.sandbox import Process, Sandbox, all_sandboxes, find
from kploy.sandbox.errors import WrongUsage
from kploy.sandbox.state import directory_of, known_names, load, save, state_directory

ETCD = Process("etcd", 2**22 + 1, 4711, "/cache/etcd")


@pytest.mark.usefixtures("own_state")
def test_what_is_saved_is_loaded() -> None:
    one = _saved()
    assert load("dev") == one
    assert one.pids == {"etcd": ETCD.pid}
    assert one.kubeconfig == one.directory / "kubeconfig"


@pytest.mark.usefixtures("own_state")
def test_saving_leaves_one_file() -> None:
    assert [path.name for path in _saved().directory.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"server": "", "version": "", "nodes": 1, "processes": [{}]}',
        '{"server": "", "version": "", "nodes": "many", "processes": []}',
        '{"server": "", "version": "", "nodes": 1, "processes": [1]}',
    ],
)
@pytest.mark.usefixtures("own_state")
def test_a_damaged_state_file_is_as_good_as_none(damage: str) -> None:
    (_saved().directory / "state.json").write_text(damage)
    assert load("dev") is None
    assert find("dev") is None


@pytest.mark.usefixtures("own_state")
def test_a_sandbox_whose_processes_are_gone_is_known_but_not_found() -> None:
    one = _saved()
    assert (one.running, one.memory) == (False, 0)
    assert find("dev") is None
    assert all_sandboxes() == (one,)


@pytest.mark.usefixtures("own_state")
def test_a_sandbox_that_moved_is_where_it_lies_now() -> None:
    one = _saved()
    data = json.loads((one.directory / "state.json").read_text())
    assert {**data, "directory": "/elsewhere", "name": "other"} != data
    (one.directory / "state.json").write_text(json.dumps({**data, "directory": "/elsewhere", "name": "other"}))
    assert load("dev") == one


def test_lock_files_are_no_sandboxes(own_state: Path) -> None:
    assert known_names() == ()
    own_state.mkdir(parents=True)
    (own_state / ".dev.lock").touch()
    (own_state / ".hidden").mkdir()
    (own_state / "web").mkdir()
    assert known_names() == ("web",)


@pytest.mark.parametrize("name", ["", ".", "..", "../etc", "a/b", "A", "a_b", "-a", "a-", "a" * 41, "a\n", "ä"])
def test_refuses_a_name_that_is_no_directory_name_of_ours(name: str) -> None:
    with pytest.raises(WrongUsage, match="a sandbox cannot be called"):
        directory_of(name)


def test_the_state_directory_is_the_users_unless_the_environment_names_an_absolute_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert state_directory() == Path("/var/state/kploy/sandbox")
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", ignored)
        assert state_directory() == Path("/home/me/.local/state/kploy/sandbox")


def _saved() -> Sandbox:
    one = Sandbox("dev", directory_of("dev"), "https://127.0.0.1:1", "v1.37.2", 3, (ETCD,))
    one.directory.mkdir(parents=True)
    save(one)
    return one
