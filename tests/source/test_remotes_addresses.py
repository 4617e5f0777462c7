"""What may stand in a ``*.url`` file."""

from __future__ import annotations

from pathlib import Path

import pytest

from kploy.core.masking import MASK
from kploy.model.findings import Finding, Line, Place
from kploy.source.pointers import Remote, read_pointer
from kploy.source.text import Text
from kploy.source.urls import BadUrl, Url, parse_url, redirected

from .conftest import Write

FILE = "rcs/web.yaml.url"


def pointer(content: str) -> tuple[Remote | None, list[Finding]]:
    findings: list[Finding] = []
    return read_pointer(Text(FILE, content), findings.append), findings


@pytest.mark.parametrize(
    "content",
    [
        "https://example.com/web.yaml",
        "https://example.com/web.yaml\n",
        "  https://example.com/web.yaml\t\r\n\r\n",
        "# the web\n\n  # of acme\rhttps://example.com/web.yaml\n# that is all",
    ],
)
def test_one_address_beside_comments_is_read(content: str) -> None:
    remote, findings = pointer(content)
    assert findings == []
    assert remote is not None
    assert remote.url == Url("https://example.com/web.yaml", "example.com", 443, "/web.yaml")


def test_the_place_is_that_of_the_address() -> None:
    remote, _ = pointer("# the web\n  https://example.com:8443/web.yaml?token=hunter2\n")
    shown = "https://example.com:8443/web.yaml?…"
    assert remote == Remote(
        Url("https://example.com:8443/web.yaml?token=hunter2", "example.com", 8443, "/web.yaml?token=hunter2"),
        FILE,
        Place(FILE, 2, 3, len(shown), (Line(2, f"  {shown}"),)),
    )
    assert "hunter2" not in repr(remote)


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        ("", None, f"`{FILE}` names no address"),
        ("# nothing\n \n", None, f"`{FILE}` names no address"),
        ("https://a.example/x\nhttps://b.example/x\n", "2:1", "a second address"),
        ("https://a.example/x https://b.example/x", "1:1", "an address has no spaces"),
        ("https://a.example/x # why", "1:1", "an address has no spaces"),
        ("\nhttp://a.example/x", "2:1", "`http:` is not fetched: only https is"),
        ("file:///etc/passwd", "1:1", "`file:` is not fetched"),
        ("FTP://a.example/x", "1:1", "`ftp:` is not fetched"),
        ("a.example/x", "1:1", "this is no address: only https is"),
        ("[InternetShortcut]\nURL=https://a.example/x", "2:1", "a second address"),
        ("https://", "1:1", "an address without a host"),
        ("https:///x", "1:1", "an address without a host"),
        ("https://:443/x", "1:1", "an address without a host"),
        ("https://user:hunter2@a.example/x", "1:1", "an address with a user or password"),
        ("https://hunter2@a.example/x", "1:1", "an address with a user or password"),
        ("https://user:hunt/er2@a.example/x", "1:1", "this is no address"),
        ("https://a.example/x#hunter2", "1:1", "what follows the `#` is never sent"),
        ("https://a.example:0/x", "1:1", "port 0 is no port"),
        ("https://a.example:99999/x", "1:1", "this is no address"),
        ("https://a.example:x/x", "1:1", "this is no address"),
        ("https://a%2eexample/x", "1:1", "an address with an invalid host"),
        ("https://[fe80::1%25eth0]/x", "1:1", "an address with an invalid host"),
        ("https://[v1.x]/x", "1:1", ""),
        ("https://[::1/x", "1:1", "this is no address"),
        ("https://a.example\\@b.example/x", "1:1", "an address has no spaces, no `\\`"),
        ("https://é.example/x", "1:1", "an address has no spaces"),
        ("https://a.example/é", "1:1", "an address has no spaces"),
        ("https://a.example/\x1b[31m", "1:1", "an address has no spaces"),
        ("https://a.example/\0", "1:1", "an address has no spaces"),
        ("https://a.example/" + "x" * 5000, "1:1", "an address of more than 4000 characters"),
    ],
)
def test_what_is_no_address_is_refused_with_place_and_remedy(
    content: str, place: str | None, message: str
) -> None:
    remote, findings = pointer(content)
    assert remote is None
    assert [finding.rule for finding in findings] == ["invalid-url"]
    assert findings[0].message.startswith(message)
    assert findings[0].hint
    assert (str(findings[0].place), findings[0].subject) == ((f"{FILE}:{place}", "") if place else ("None", FILE))


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("http://a.example/x", "http://a.example/x"),
        ("http://user:hunter2@a.example", MASK),
        ("http://a.example/x?hunter2", MASK),
        ("http://a.example/x#hunter2", MASK),
        ("http://a.example/" + "x" * 99, "http://a.example/" + "x" * 22 + "…"),
    ],
)
def test_of_a_refused_address_nothing_secret_is_shown(content: str, shown: str) -> None:
    _, findings = pointer(content)
    assert findings[0].place == Place(FILE, 1, 1, len(shown), (Line(1, shown),))


def test_a_file_that_is_not_utf8_is_refused(write: Write, tmp_path: Path) -> None:
    from kploy.source.app import read_app

    reading = read_app(write({FILE: b"https://a.example/\xff\n"}))
    assert [(finding.rule, str(finding.place)) for finding in reading.findings] == [("not-utf8", f"{FILE}:1:19")]
    assert not (tmp_path / "shop/Kployfile.lock").exists()


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b", "https://a.example/b"),
        ("c?x=1", "https://a.example/d/c?x=1"),
        ("//b.example/c#part", "https://b.example/c"),
        ("https://b.example:8443", "https://b.example:8443"),
    ],
)
def test_a_redirect_is_relative_to_where_it_was_found(location: str, expected: str) -> None:
    assert redirected(parse_url("https://a.example/d/a"), location).text == expected


def test_an_ipv6_address_is_a_host() -> None:
    assert parse_url("https://[2606:4700::1111]:8443") == Url(
        "https://[2606:4700::1111]:8443", "2606:4700::1111", 8443, "/"
    )


def test_a_bad_address_is_not_in_the_message() -> None:
    with pytest.raises(BadUrl) as caught:
        parse_url("https://hunter2@a.example/")
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"
