"""Remote manifests in an app: read, pinned, and held to their pins."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kploy.core.masking import MASK
from kploy.model.app import App, Directory, Reading
from kploy.model.findings import Finding, Line, Place, Severity
from kploy.source import cache
from kploy.source.access import Access
from kploy.source.app import read_app
from kploy.source.pointers import read_pointer
from kploy.source.remotes import read_contents
from kploy.source.text import Text
from tests.https_server import HttpsServer, answer, serving

from .conftest import Write

WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"
FILE = "rcs/web.yaml.url"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    with serving(tmp_path, monkeypatch) as running:
        yield running


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def lock_of(*pins: tuple[str, str]) -> str:
    rows = "".join(
        f"- url: {url}\n  digest: sha256:{digest(content)}\n  size: {len(content.encode())}\n"
        for url, content in pins
    )
    return (
        "# What the remote manifests (*.url) of this app hold. Commit this file.\n"
        f"# `kploy lock --update` writes it anew.\nversion: 1\nremotes:\n{rows}"
    )


def app_in(reading: Reading) -> App:
    assert reading.findings == ()
    assert reading.app is not None
    return reading.app


def rules(reading: Reading) -> list[tuple[str, str]]:
    return [(finding.rule, str(finding.place or finding.subject)) for finding in reading.findings]


def test_remote_manifests_stand_where_their_files_stand(write: Write, server: HttpsServer) -> None:
    listed = '{"kind": "List", "items": [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}}]}'
    server.answers |= {
        "/web.yaml": answer("\ufeff" + WEB),
        "/db.json": answer(listed),
        "/many": answer(CONFIG.format("b") + "---\n" + CONFIG.format("c")),
    }
    root = write(
        {
            FILE: server.url("/web.yaml") + "\n",
            "services/db.url": server.url("/db.json"),
            "resources/a.yaml": CONFIG.format("a"),
            "resources/many.url": f"# from elsewhere\n{server.url('/many')}\n",
            "resources/z.yaml": CONFIG.format("z"),
        }
    )
    reading = read_app(root, network=server.network)
    assert reading.files == 5
    assert [(str(m.ref), m.file, m.directory) for m in app_in(reading).manifests] == [
        ("deployment/web", FILE, Directory.RCS),
        ("service/db", "services/db.url", Directory.SERVICES),
        ("configmap/a", "resources/a.yaml", Directory.RESOURCES),
        ("configmap/b", "resources/many.url", Directory.RESOURCES),
        ("configmap/c", "resources/many.url", Directory.RESOURCES),
        ("configmap/z", "resources/z.yaml", Directory.RESOURCES),
    ]
    assert sorted(server.requests) == ["/db.json", "/many", "/web.yaml"]


def test_a_place_is_the_address_and_shows_where_in_the_remote(write: Write, server: HttpsServer) -> None:
    server.answers["/web.yaml?token=hunter2"] = answer(WEB)
    url = server.url("/web.yaml")
    app = app_in(read_app(write({FILE: f"# web\n  {url}?token=hunter2\n"}), network=server.network))
    where = f"{url}?…:4:9"
    place = app.manifests[0].positions.value(("metadata", "name"))
    assert place == Place(FILE, 2, 3, len(f"{url}?…"), (Line(2, f"  {where}  web"),))
    assert app.manifests[0].positions.key(("metadata", "name")).excerpt == (Line(2, f"  {url}?…:4:3  name: web"),)


def test_a_finding_in_a_remote_manifest_names_line_and_column(write: Write, server: HttpsServer) -> None:
    server.answers["/web.yaml"] = answer(WEB.replace("web", "Web") + "a: yes\n---\nb: [\n")
    url = server.url("/web.yaml")
    findings = read_app(write({FILE: url}), network=server.network).findings
    assert [(finding.rule, str(finding.place)) for finding in findings] == [
        ("yaml-boolean", f"{FILE}:1:1"),
        ("invalid-name", f"{FILE}:1:1"),
        ("yaml-syntax", f"{FILE}:1:1"),
    ]
    assert findings[0].message == "`yes` is a boolean to Kubernetes (line 5, column 4 of the remote manifest)"
    place = findings[1].place
    assert place is not None
    assert place.excerpt == (Line(1, f"{url}:4:9  Web"),)
    assert "(line 7, column 4 of the remote manifest)" in findings[2].message


def test_of_a_remote_secret_no_value_is_shown(write: Write, server: HttpsServer) -> None:
    content = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: yes # hunter2\n  b: hunter2\n"
    server.answers["/a"] = answer(content)
    reading = read_app(write({"resources/a.url": server.url("/a")}), network=server.network)
    assert reading.app is not None
    place = reading.app.manifests[0].positions.value(("stringData", "b"))
    assert place.excerpt == (Line(1, f"{server.url('/a')}:6:6  {MASK}"),)
    assert "hunter2" not in repr(reading)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (answer("<!DOCTYPE html><html>"), "is no manifest: it is HTML or XML"),
        (answer("\n \t<html>"), "is no manifest: it is HTML or XML"),
        (answer("\ufeff<?xml version='1.0'?>"), "is no manifest: it is HTML or XML"),
        (answer(b"a: \xff"), "is no manifest: it is not UTF-8"),
        (answer(b"\x1f\x8b\x08\x00"), "is no manifest: it is not UTF-8"),
    ],
)
def test_what_is_no_manifest_is_named_and_not_pinned(
    said: bytes, message: str, write: Write, server: HttpsServer
) -> None:
    server.answers["/a"] = said
    root = write({FILE: server.url("/a")})
    reading = read_app(root, network=server.network)
    assert rules(reading) == [("remote-not-a-manifest", f"{FILE}:1:1")]
    assert reading.findings[0].message == f"{server.url('/a')} {message}"
    assert reading.findings[0].hint
    assert not (root / "Kployfile.lock").exists()


def test_all_failures_come_in_one_go_each_at_its_file(write: Write, server: HttpsServer) -> None:
    server.answers |= {"/ok": answer(WEB), "/gone?token=hunter2": answer(status="410 Gone")}
    root = write(
        {
            "rcs/a.url": "http://a.example/x",
            "rcs/b.url": server.url("/gone?token=hunter2"),
            "rcs/c.url": server.url("/ok"),
            "services/d.url": server.url("/missing"),
            "services/e.url": server.url("/missing"),
        }
    )
    reading = read_app(root, network=server.network)
    assert rules(reading) == [
        ("invalid-url", "rcs/a.url:1:1"),
        ("remote-unreachable", "rcs/b.url:1:1"),
        ("remote-unreachable", "services/d.url:1:1"),
        ("remote-unreachable", "services/e.url:1:1"),
    ]
    assert all(finding.hint and finding.severity is Severity.ERROR for finding in reading.findings)
    assert "hunter2" not in repr(reading)
    assert reading.app is not None
    assert [str(manifest.ref) for manifest in reading.app.manifests] == ["deployment/web"]
    assert server.requests.count("/missing") == 1


def test_the_default_network_refuses_loopback(write: Write, server: HttpsServer) -> None:
    root = write({FILE: server.url("/a", "127.0.0.1")})
    reading = read_app(root)
    assert rules(reading) == [("remote-refused", f"{FILE}:1:1")]
    assert server.requests == []


def test_a_new_remote_is_pinned_and_the_others_stay(write: Write, server: HttpsServer) -> None:
    server.answers |= {"/web": answer(WEB), "/b": answer(CONFIG.format("b"))}
    web, b, unused = server.url("/web"), server.url("/b"), "https://zzz.example/x"
    root = write(
        {FILE: web, "resources/b.url": b, "Kployfile.lock": lock_of((unused, "x"), (b, CONFIG.format("b")))}
    )
    app_in(read_app(root, network=server.network))
    expected = lock_of((b, CONFIG.format("b")), (web, WEB), (unused, "x"))
    assert (root / "Kployfile.lock").read_text() == expected
    assert sorted(path.name for path in root.iterdir()) == ["Kployfile", "Kployfile.lock", "rcs", "resources"]


def test_a_lock_that_says_it_already_is_not_touched(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({FILE: server.url("/web")})
    app_in(read_app(root, network=server.network))
    before = (root / "Kployfile.lock").stat()
    app_in(read_app(root, network=server.network))
    after = (root / "Kployfile.lock").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_changed_remote_is_refused(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({FILE: server.url("/web")})
    app_in(read_app(root, network=server.network))
    lock = (root / "Kployfile.lock").read_text()
    changed = WEB + "# changed\n"
    server.answers["/web"] = answer(changed)
    reading = read_app(root, network=server.network)
    assert rules(reading) == [("remote-changed", f"{FILE}:1:1")]
    finding = reading.findings[0]
    assert finding.message == (
        f"{server.url('/web')} has changed: "
        f"it was sha256:{digest(WEB)[:12]}, and is now sha256:{digest(changed)[:12]}"
    )
    assert "kploy lock --update" in finding.hint
    assert (root / "Kployfile.lock").read_text() == lock
    assert reading.app is not None
    assert reading.app.manifests == ()


def test_with_copies_the_network_is_left_alone(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({"Kployfile": "name: shop\ncache_remotes: true\n", FILE: server.url("/web")})
    for _ in range(2):
        assert len(app_in(read_app(root, network=server.network)).manifests) == 1
    assert server.requests == ["/web"]


def test_without_copies_it_is_fetched_each_time(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({"Kployfile": "name: shop\ncache_remotes: false\n", FILE: server.url("/web")})
    for _ in range(2):
        app_in(read_app(root, network=server.network))
    assert server.requests == ["/web", "/web"]


def test_a_copy_that_was_tampered_with_is_not_used(write: Write, server: HttpsServer, tmp_path: Path) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({"Kployfile": "name: shop\ncache_remotes: true\n", FILE: server.url("/web")})
    app_in(read_app(root, network=server.network))
    copy = tmp_path / "cache/kploy/remotes" / digest(WEB)
    copy.write_text(WEB.replace("web", "bad"))
    assert rules(read_app(root, offline=True)) == [("remote-not-checked", f"{FILE}:1:1")]
    assert str(app_in(read_app(root, network=server.network)).manifests[0].ref) == "deployment/web"
    assert server.requests == ["/web", "/web"]
    assert copy.read_text() == WEB


def test_copies_are_for_their_owner(write: Write, server: HttpsServer, tmp_path: Path) -> None:
    server.answers["/web"] = answer(WEB)
    app_in(read_app(write({FILE: server.url("/web")}), network=server.network))
    shelf = tmp_path / "cache/kploy/remotes"
    assert [path.name for path in shelf.iterdir()] == [digest(WEB)]
    assert shelf.stat().st_mode & 0o777 == 0o700
    assert (shelf / digest(WEB)).stat().st_mode & 0o777 == 0o600


def test_where_copies_cannot_be_kept_the_app_is_still_read(
    write: Write, server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    server.answers["/web"] = answer(WEB)
    assert len(app_in(read_app(write({FILE: server.url("/web")}), network=server.network)).manifests) == 1


@pytest.mark.parametrize("content", ["pipe", "link", "directory"])
def test_a_copy_is_a_file_or_nothing(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    copy = tmp_path / "kploy/remotes" / digest(WEB)
    copy.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").write_text(WEB)
    match content:
        case "pipe":
            os.mkfifo(copy)
        case "link":
            copy.symlink_to(tmp_path / "elsewhere")
        case _:
            copy.mkdir()
    assert cache.find(digest(WEB)) is None


def test_copies_are_in_the_home_directory_where_nothing_else_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for said in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", said)
        assert cache.directory() == tmp_path / ".cache/kploy/remotes"


def test_offline_copies_of_what_is_pinned_are_used(write: Write, server: HttpsServer) -> None:
    server.answers["/web"] = answer(WEB)
    root = write({FILE: server.url("/web")})
    app_in(read_app(root, network=server.network))
    assert len(app_in(read_app(root, offline=True, network=server.network)).manifests) == 1
    assert server.requests == ["/web"]


def test_offline_what_has_no_pin_or_no_copy_is_not_checked(write: Write, server: HttpsServer) -> None:
    pinned = "https://example.com/pinned.yaml"
    root = write(
        {
            "rcs/a.url": server.url("/a?token=hunter2"),
            "rcs/b.url": pinned,
            "Kployfile.lock": lock_of((pinned, "never fetched here")),
        }
    )
    reading = read_app(root, offline=True, network=server.network)
    assert [(finding.severity, finding.rule, finding.message) for finding in reading.findings] == [
        (
            Severity.WARNING,
            "remote-not-checked",
            "what `rcs/a.url` names was not checked: Kployfile.lock has no pin for it",
        ),
        (
            Severity.WARNING,
            "remote-not-checked",
            "what `rcs/b.url` names was not checked: there is no copy of it here",
        ),
    ]
    assert Severity.ERROR not in {finding.severity for finding in reading.findings}
    assert server.requests == []
    assert "hunter2" not in repr(reading)


def test_a_pin_that_cannot_be_written_is_a_warning(server: HttpsServer, tmp_path: Path) -> None:
    server.answers["/web"] = answer(WEB)
    findings: list[Finding] = []
    remote = read_pointer(Text(FILE, server.url("/web")), findings.append)
    assert remote is not None
    gone = tmp_path / "a directory that is no more"
    assert read_contents(gone, [remote], Access(network=server.network), findings.append) == {remote.url: WEB}
    assert [(finding.severity, finding.rule, finding.subject) for finding in findings] == [
        (Severity.WARNING, "lock-not-written", "Kployfile.lock")
    ]


def test_without_remotes_the_lock_is_not_looked_at(write: Write) -> None:
    app_in(read_app(write({"rcs/web.yaml": WEB, "Kployfile.lock": "broken: ["})))


def test_a_kployfile_that_is_wrong_does_not_hide_what_the_remotes_are(write: Write, server: HttpsServer) -> None:
    root = write({"Kployfile": "nam: shop\n", FILE: server.url("/missing")})
    reading = read_app(root, network=server.network)
    assert [rule for rule, _ in rules(reading)] == ["missing-key", "unknown-key", "remote-unreachable"]
