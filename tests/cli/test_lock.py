from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kploy.cli.lock import lock_command
from kploy.source.lockfile import read_lock
from tests.https_server import HttpsServer, answer, serving

A = "a" * 64
EARLIER = f"version: 1\nremotes:\n- url: https://example.com/x?token=hunter2\n  digest: sha256:{A}\n  size: 1\n"
WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    with serving(tmp_path, monkeypatch) as running:
        yield running


def app(tmp_path: Path, url: str, lock: str = "") -> Path:
    root = tmp_path / "shop"
    (root / "rcs").mkdir(parents=True)
    (root / "Kployfile").write_text("name: shop\n")
    (root / "rcs/web.url").write_text(url)
    if lock:
        (root / "Kployfile.lock").write_text(lock)
    return root


def lock(server: HttpsServer, *arguments: str | Path) -> Result:
    return CliRunner().invoke(lock_command, [*map(str, arguments)], obj=server.network, standalone_mode=False)


def test_pins_are_data_without_what_may_be_a_token(tmp_path: Path, server: HttpsServer) -> None:
    root = app(tmp_path, "https://example.com/x?token=hunter2", EARLIER)
    ended = lock(server, root)
    assert ended.return_value == 0
    assert ended.stdout == f"https://example.com/x?…  sha256:{A}\n"
    assert ended.stderr == ""


def test_pins_as_json_hide_the_same(tmp_path: Path, server: HttpsServer) -> None:
    ended = lock(server, app(tmp_path, "https://example.com/x?token=hunter2", EARLIER), "-o", "json")
    assert (ended.return_value, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == {
        "apiVersion": "kploy.dev/v1",
        "kind": "Pins",
        "remotes": [{"url": "https://example.com/x?…", "digest": f"sha256:{A}", "size": 1}],
    }


def test_no_pins_are_valid_json_too(tmp_path: Path, server: HttpsServer) -> None:
    ended = lock(server, app(tmp_path, server.url("/web"), "broken: ["), "-o", "json")
    assert (ended.return_value, json.loads(ended.stdout)["remotes"]) == (3, [])


def test_what_has_no_pin_is_named(tmp_path: Path, server: HttpsServer) -> None:
    ended = lock(server, app(tmp_path, server.url("/web")))
    assert (ended.return_value, ended.stdout) == (0, "")
    assert ended.stderr.splitlines()[0] == "no pin yet: rcs/web.url"
    assert server.requests == []


def test_update_says_what_changed(tmp_path: Path, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = app(tmp_path, server.url("/web"), EARLIER)
    ended = lock(server, root, "--update")
    pin = read_lock(root)[server.url("/web")]
    assert ended.return_value == 0
    assert ended.stdout == f"{server.url('/web')}  sha256:{pin.digest}\n"
    assert ended.stderr.splitlines() == [
        "  - https://example.com/x?…",
        f"  + {server.url('/web')}  {pin.short}",
    ]
    assert lock(server, root, "--update").stderr == "nothing has changed\n"
    server.answers["/web"] = answer(WEB + "# new\n")
    now = lock(server, root, "--update")
    new = read_lock(root)[server.url("/web")]
    assert now.stderr == f"  ~ {server.url('/web')}  {pin.short} → {new.short}\n"
    assert pin.short != new.short


def test_what_cannot_be_fetched_is_a_finding_and_changes_nothing(tmp_path: Path, server: HttpsServer) -> None:
    root = app(tmp_path, server.url("/missing"), EARLIER)
    ended = lock(server, root, "--update")
    assert ended.return_value == 3
    assert "error[remote-unreachable]" in ended.stderr
    assert ended.stderr.endswith("Kployfile.lock was left as it was\n")
    assert (root / "Kployfile.lock").read_text() == EARLIER
    assert "hunter2" not in ended.output


def test_a_damaged_lock_is_a_finding(tmp_path: Path, server: HttpsServer) -> None:
    ended = lock(server, app(tmp_path, server.url("/web"), "broken: ["))
    assert ended.return_value == 3
    assert "error[invalid-lock]" in ended.stderr
    assert "Kployfile.lock:1:9" in ended.stderr


def test_an_app_without_remotes_says_so(tmp_path: Path, server: HttpsServer) -> None:
    root = app(tmp_path, "")
    (root / "rcs/web.url").unlink()
    for arguments in ([root], [root, "--update"]):
        ended = lock(server, *arguments)
        assert (ended.return_value, ended.stdout) == (0, "")
        assert ended.stderr.splitlines()[-1] == "there are no remote manifests"
    assert not (root / "Kployfile.lock").exists()
