"""What the official client would do, and kploy does not: nothing of it is on the wire, on the disk or in an error.

Its other traps have their tests where they belong: names that are paths, arguments that it drops and watches in
test_adapter; kubeconfigs and plugins in test_connection and test_credentials; replays in test_retries.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.cluster.keys import private_directory
from kploy.cluster.port import ClusterError, ServerFailed
from kploy.model.objects import Resource
from tests.cluster.servers import OK, Answer, Server, hangs, html, refuses, resets, says, serving
from tests.cluster.wires import VERSION, Wires

SECRET = "hunter2hunter2"  # noqa: S105 - one that must never show
ROW = {"name": "gadgets", "kind": "Gadget", "namespaced": True}


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for temporary files."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def api(server: Server, directory: Path) -> ApiServer:
    Wires(directory).to(server.url)
    return ApiServer(connect(Choice(kubeconfig=str(directory / "kubeconfig"))))


def test_discovery_leaves_nothing_on_the_disk_and_trusts_nothing_there(tmp_path: Path, scratch: Path) -> None:
    with serving(says(200, {"resources": [ROW]})) as server:
        for _ in range(2):
            found = api(server, tmp_path).resource("example.com/v1", "Gadget")
            assert found == Resource("example.com", "v1", "Gadget", "gadgets", namespaced=True)
        assert len(server.requests) == 2
    assert list(scratch.iterdir()) == []


def test_an_api_group_that_does_not_answer_is_no_unknown_kind(tmp_path: Path) -> None:
    with serving(refuses(503, "the server is currently unable to handle the request")) as server:
        bounded = api(server, tmp_path).until(time.monotonic() + 0.1)
        with pytest.raises(ServerFailed, match="unable to handle"):
            bounded.resource("example.com/v1", "Gadget")


@pytest.mark.parametrize("answer", [refuses(500, "odd", X_Token=SECRET), html(200), resets, hangs])
def test_no_error_shows_a_token_or_what_was_sent(wires: Wires, answer: Answer) -> None:
    from kploy.cluster.transport import Request

    request = Request("PATCH", "/api/v1/secrets/a", (), {"data": {"password": SECRET}})
    with serving(answer) as server, pytest.raises(ClusterError) as raised:
        wires.to(server.url, 0.2, SECRET).send(request, patience=0)
    shown = "".join(traceback.format_exception(raised.value))
    assert SECRET not in shown + repr(raised.value) + raised.value.hint


def test_the_client_says_nothing_by_itself(
    wires: Wires, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(refuses(401, "no"), OK) as server, caplog.at_level(logging.INFO):
        wires.to(server.url).send(VERSION)
    assert capfd.readouterr() == ("", "")
    assert [record.getMessage() for record in caplog.records] == []


def left_behind(scratch: Path, name: str, age: float) -> Path:
    directory = scratch / name
    directory.mkdir()
    (directory / "key").write_text(SECRET)
    then = time.time() - age
    os.utime(directory, (then, then))
    return directory


def test_keys_that_a_killed_process_left_are_removed_by_the_next(wires: Wires, scratch: Path) -> None:
    old = left_behind(scratch, "kploy-keys-old", 100)
    young = left_behind(scratch, "kploy-keys-young", 0)
    others = left_behind(scratch, "others", 100)
    link = scratch / "kploy-keys-link"
    link.symlink_to(others)
    wires.to("https://one.example")
    assert (old.exists(), young.exists(), others.exists(), link.is_symlink()) == (False, True, True, True)
    assert (others / "key").read_text() == SECRET


def test_where_no_directory_can_be_made_it_is_said(wires: Wires, scratch: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(scratch / "missing"))
    with pytest.raises(ClusterError, match="cannot use context x: "):
        wires.to("https://one.example")


def test_a_private_directory_is_gone_even_if_it_failed(scratch: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_directory() as directory:
        (directory / "key").write_text(str(1 // len(list(directory.iterdir()))))
    assert list(scratch.iterdir()) == []
