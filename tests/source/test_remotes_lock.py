"""Kployfile.lock: what is wrong in it, and taking new pins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kploy.source.app import read_app
from kploy.source.lockfile import Pin, WrongLock, read_lock, write_lock
from kploy.source.pins import NotWritten, look, update
from tests.https_server import HttpsServer, answer, serving

from .conftest import Write

WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"
FILE = "rcs/web.yaml.url"
URL = "https://example.com/web.yaml"
A, B = "a" * 64, "b" * 64
GOOD = f"version: 1\nremotes:\n- url: {URL}\n  digest: sha256:{A}\n  size: 4\n"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    with serving(tmp_path, monkeypatch) as running:
        yield running


@pytest.mark.parametrize(
    "pins",
    [
        {},
        {URL: Pin(A, 4)},
        {f"{URL}?{'x' * 300}": Pin("1" * 64, 0), URL: Pin("1e" + "0" * 62, 4), f"{URL}?ref=1&b=': #": Pin(B, 1)},
    ],
)
def test_what_is_written_is_read_again_in_one_order(pins: dict[str, Pin], tmp_path: Path) -> None:
    pins = {url.replace(" ", "").replace("#", ""): pin for url, pin in pins.items()}
    write_lock(tmp_path, pins)
    first = (tmp_path / "Kployfile.lock").read_bytes()
    assert read_lock(tmp_path) == pins
    write_lock(tmp_path, dict(reversed(pins.items())))
    assert (tmp_path / "Kployfile.lock").read_bytes() == first


def test_the_file_has_the_ordinary_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_lock(tmp_path, {URL: Pin(A, 4)})
    finally:
        os.umask(before)
    assert (tmp_path / "Kployfile.lock").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("", "1:1", "Kployfile.lock is empty"),
        ("# nothing\n", "1:1", "Kployfile.lock is empty"),
        ("broken: [", "1:9", "this is not valid YAML"),
        ("<<<<<<< HEAD\n" + GOOD, "", ""),
        (b"version: \xff", "1:10", "this byte is not UTF-8"),
        ("- a\n", "1:1", "Kployfile.lock is a mapping, this is a list"),
        (GOOD + "---\n" + GOOD, "1:1", "Kployfile.lock has more than one document"),
        (GOOD.replace("version: 1\n", ""), "1:1", "`version` must be 1"),
        (GOOD.replace("version: 1", "version: '1'"), "1:10", "`version` must be 1"),
        (GOOD.replace("version: 1", "version: true"), "1:10", "`version` must be 1"),
        (
            GOOD.replace("version: 1", "version: 2"),
            "1:10",
            "Kployfile.lock has version 2; this kploy knows version 1",
        ),
        (GOOD + "extra: 1\n", "6:1", "`extra` is not a key of Kployfile.lock"),
        (GOOD + "version: 1\n", "6:1", "`version` stands here for the second time"),
        ("version: 1\n", "1:1", "`remotes` must be a list"),
        ("version: 1\nremotes: {}\n", "2:1", "`remotes` must be a list"),
        ("version: 1\nremotes: [a]\n", "2:11", "a pin has `url`, `digest` and `size`"),
        (GOOD.replace("  size: 4\n", ""), "3:3", "a pin has `url`, `digest` and `size`"),
        (GOOD.replace("https", "http"), "3:8", "`url` must be an https address"),
        (GOOD.replace(f"url: {URL}", "url: 5"), "3:8", "`url` must be an https address"),
        (GOOD.replace(A, A[1:]), "4:11", "`digest` must be `sha256:` and 64 hexadecimal digits"),
        (GOOD.replace(A, A.upper()), "4:11", "`digest` must be `sha256:` and 64 hexadecimal digits"),
        (GOOD.replace(A, f"../{A}"), "4:11", "`digest` must be `sha256:` and 64 hexadecimal digits"),
        (GOOD.replace("size: 4", "size: -4"), "5:9", "`size` must be a number of bytes"),
        (GOOD.replace("size: 4", "size: true"), "5:9", "`size` must be a number of bytes"),
        (GOOD + GOOD.partition("remotes:\n")[2], "6:8", "this address has two pins"),
    ],
)
def test_a_damaged_lock_is_an_error_with_place_and_remedy(
    content: str | bytes, place: str, message: str, write: Write, server: HttpsServer
) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({FILE: server.url("/web"), "Kployfile.lock": content})
    for offline in (False, True):
        findings = read_app(root, offline=offline, network=server.network).findings
        assert {finding.rule for finding in findings} == {"invalid-lock"}
        assert findings[0].hint
        assert str(findings[0].place).startswith(f"Kployfile.lock:{place}")
        assert findings[0].message.startswith(message)
    assert server.requests == []
    assert look(root).findings == findings


def test_no_address_of_a_damaged_lock_is_shown(write: Write) -> None:
    damaged = GOOD.replace("web.yaml", "web.yaml?token=hunter2").replace("size: 4", "size: x")
    findings = look(write({"Kployfile.lock": damaged, FILE: URL})).findings
    assert [finding.rule for finding in findings] == ["invalid-lock"]
    assert "hunter2" not in repr(findings)


@pytest.mark.parametrize("kind", ["pipe", "directory", "link"])
def test_a_lock_that_is_no_file_is_an_error(kind: str, write: Write, tmp_path: Path) -> None:
    root = write({FILE: URL})
    path = root / "Kployfile.lock"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case _:
            (tmp_path / "elsewhere").write_text(GOOD)
            path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WrongLock) as caught:
        read_lock(root)
    assert [(finding.rule, finding.subject) for finding in caught.value.findings] == [
        ("invalid-lock", "Kployfile.lock")
    ]


def test_update_takes_what_is_there_now_and_drops_what_nobody_asks_for(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    url = server.url("/web")
    old = GOOD.replace(URL, url) + f"- url: {URL}\n  digest: sha256:{B}\n  size: 4\n"
    root = write({FILE: url, "Kployfile.lock": old})
    pinned = update(root, server.network)
    assert pinned.findings == ()
    assert pinned.before == {url: Pin(A, 4), URL: Pin(B, 4)}
    assert list(pinned.now) == [url]
    assert read_lock(root) == pinned.now
    assert read_app(root, offline=True).findings == ()


@pytest.mark.parametrize("other", ["http://x.example/", "https://127.0.0.1:9/"])
def test_update_writes_nothing_unless_all_could_be_had(other: str, write: Write, server: HttpsServer) -> None:
    root = write({FILE: server.url("/missing"), "Kployfile.lock": GOOD, "rcs/b.url": other})
    pinned = update(root, server.network)
    assert not pinned.is_valid
    assert len(pinned.findings) == 2
    assert pinned.now == pinned.before == {URL: Pin(A, 4)}
    assert (root / "Kployfile.lock").read_text() == GOOD


def test_update_replaces_a_damaged_lock_but_none_of_a_newer_kploy(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({FILE: server.url("/web"), "Kployfile.lock": "broken: ["})
    assert update(root, server.network).is_valid
    assert list(read_lock(root)) == [server.url("/web")]
    newer = GOOD.replace("version: 1", "version: 2")
    (root / "Kployfile.lock").write_text(newer)
    pinned = update(root, server.network)
    assert [finding.hint for finding in pinned.findings] == ["use a newer kploy"]
    assert (root / "Kployfile.lock").read_text() == newer


def test_update_says_when_the_lock_cannot_be_written(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({FILE: server.url("/web"), "Kployfile.lock/file": ""})
    with pytest.raises(NotWritten) as caught:
        update(root, server.network)
    assert caught.value.message.startswith("Kployfile.lock cannot be written: ")
    assert sorted(path.name for path in root.iterdir()) == ["Kployfile", "Kployfile.lock", "rcs"]


def test_without_remotes_there_is_no_lock(write: Write) -> None:
    root = write({"rcs/web.yaml": WEB})
    assert update(root).now == {}
    assert not (root / "Kployfile.lock").exists()


def test_a_directory_without_a_kployfile_is_no_app(tmp_path: Path) -> None:
    for pinned in (look(tmp_path), update(tmp_path)):
        assert [finding.rule for finding in pinned.findings] == ["no-kployfile"]
    assert list(tmp_path.iterdir()) == []
