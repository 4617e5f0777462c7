"""Whatever answers: a manifest, or a finding within the time."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from kploy.source.fetch import FetchFailed, fetch, fetch_all
from kploy.source.files import LARGEST
from kploy.source.network import Network, is_public
from kploy.source.urls import parse_url
from tests.https_server import HOST, OTHER_HOST, UNTRUSTED_HOST, Answer, HttpsServer, answer, moved, serving

BODY = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    with serving(tmp_path, monkeypatch) as running:
        yield running


def fetched(server: HttpsServer, path: str = "/a", host: str = HOST, network: Network | None = None) -> bytes:
    return fetch(parse_url(server.url(path, host)), network or server.network)


def failure(server: HttpsServer, path: str = "/a", host: str = HOST, network: Network | None = None) -> str:
    with pytest.raises(FetchFailed) as caught:
        fetched(server, path, host, network)
    return f"{caught.value.rule}: {caught.value.message}"


def drip(connection: ssl.SSLSocket, data: bytes) -> None:
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def cut(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + BODY.encode())


@pytest.mark.parametrize(
    "said",
    [
        answer(BODY),
        answer(BODY, Content_Type="text/html"),
        answer(BODY, Content_Encoding="identity"),
        chunked(BODY[:9].encode(), BODY[9:].encode()),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(BODY),
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY.encode(),
        moved("/b"),
        moved("/hop/1"),
    ],
)
def test_a_manifest_is_fetched_however_it_is_sent(said: Answer, server: HttpsServer) -> None:
    server.answers |= {
        "/a": said,
        "/b": answer(BODY),
        "/hop/1": moved("./2"),
        "/hop/2": moved(server.url("/b", OTHER_HOST)),
    }
    assert fetched(server) == BODY.encode()


def test_the_request_says_no_more_than_it_must(server: HttpsServer) -> None:
    server.answers["/a?ref=1"] = answer(BODY)
    fetched(server, "/a?ref=1")
    names = [line.partition(":")[0] for line in server.heads[0].split("\r\n")[1:] if line]
    assert names == ["Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"]
    assert "Accept-Encoding: identity" in server.heads[0]
    assert f"Host: {HOST}:{server.port}" in server.heads[0]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(status="404 Not Found"), f"remote-unreachable: {HOST} answers 404 Not Found"),
        (answer(status="401 \x1b[31mred"), f"remote-unreachable: {HOST} answers 401 Unauthorized"),
        (answer(status="503 x"), f"remote-unreachable: {HOST} answers 503 Service Unavailable"),
        (answer(status="204 x"), f"remote-unreachable: {HOST} answers 204 No Content"),
        (answer(status="299 x"), f"remote-unreachable: {HOST} answers 299"),
        (answer(status="302 x"), f"remote-unreachable: {HOST} answers 302 Found"),
        (
            answer(gzip.compress(b"a" * 10_000_000), Content_Encoding="gzip"),
            f"remote-refused: {HOST} sends compressed content, which was not asked for",
        ),
        (
            answer(b"a", Transfer_Encoding="gzip, chunked"),
            f"remote-refused: {HOST} sends compressed content, which was not asked for",
        ),
        (answer(b"a" * (LARGEST + 1)), f"remote-refused: {HOST} sends more than 5 MiB"),
        (answer(Content_Length="99999999999999"), f"remote-refused: {HOST} sends more than 5 MiB"),
        (chunked(b"a" * (LARGEST + 1)), f"remote-refused: {HOST} sends more than 5 MiB"),
        (answer(BODY, Content_Length="999"), f"remote-unreachable: {HOST} sent {len(BODY)} of 999 bytes"),
        (
            chunked(b"abc", end=b"9\r\nabc"),
            f"remote-unreachable: the connection to {HOST} broke off: it was closed too early",
        ),
        (b"", f"remote-unreachable: the connection to {HOST} broke off: it was closed too early"),
        (b"SSH-2.0-x\r\n", f"remote-unreachable: the connection to {HOST} broke off: this is not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
            f"remote-unreachable: the connection to {HOST} broke off: this is not HTTP",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_good_answer_is_named(said: Answer, expected: str, server: HttpsServer) -> None:
    server.answers["/a"] = said
    assert failure(server) == expected


def test_content_that_ends_without_the_end_of_tls_may_be_cut(server: HttpsServer) -> None:
    server.answers["/a"] = cut
    assert failure(server) == f"remote-unreachable: the connection to {HOST} broke off: it was closed too early"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (
            "http://manifests.example/b",
            "redirects to an address that kploy does not go to: `http:` is not fetched",
        ),
        ("file:///etc/passwd", "redirects to an address that kploy does not go to: `file:` is not fetched"),
        ("https://user:hunter2@manifests.example/b", "redirects to an address that kploy does not go to: an add"),
        ("//[::1/", "redirects to an address that kploy does not go to: this is no address"),
        ("https://:8/b", "redirects to an address that kploy does not go to: an address without a host"),
        ("/b c", "redirects to an address that kploy does not go to: an address has no spaces"),
    ],
)
def test_a_redirect_leads_only_to_https(location: str, expected: str, server: HttpsServer) -> None:
    server.answers["/a"] = moved(location)
    said = failure(server)
    assert said.startswith(f"remote-refused: {HOST} {expected}")
    assert "hunter2" not in said


def test_redirects_in_a_circle_end(server: HttpsServer) -> None:
    server.answers |= {"/a": moved("/b"), "/b": moved("/a#again")}
    assert failure(server) == "remote-refused: redirects in a circle"
    assert server.requests == ["/a", "/b"]


def test_three_redirects_are_followed_and_no_more(server: HttpsServer) -> None:
    server.answers |= {f"/{number}": moved(f"/{number + 1}") for number in range(9)}
    server.answers["/4"] = answer(BODY)
    assert fetched(server, "/1") == BODY.encode()
    assert failure(server, "/0") == "remote-refused: redirects more than 3 times"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_a_private_address_is_refused_before_anything_is_sent(address: str, server: HttpsServer) -> None:
    network = Network(resolve=lambda _: ["127.0.0.1", address] if address == "127.0.0.1" else ["8.8.8.8", address])
    assert failure(server, network=network) == (
        f"remote-refused: {HOST} leads to {address}, which is no public address"
    )
    assert server.requests == []


def test_a_literal_private_address_is_refused(server: HttpsServer) -> None:
    for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "localhost"):
        with pytest.raises(FetchFailed) as caught:
            fetch(parse_url(server.url("/a", host)), Network())
        assert caught.value.rule == "remote-refused"
    assert server.requests == []


def test_a_redirect_to_a_private_address_is_refused(server: HttpsServer) -> None:
    server.answers |= {"/a": moved(server.url("/b", OTHER_HOST)), "/b": answer(BODY)}
    network = Network(
        resolve=lambda host: ["127.0.0.1" if host == HOST else "127.0.0.2"],
        allows=lambda address: str(address) == "127.0.0.1",
    )
    assert failure(server, network=network) == (
        f"remote-refused: {OTHER_HOST} leads to 127.0.0.2, which is no public address"
    )
    assert server.requests == ["/a"]


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(server: HttpsServer) -> None:
    server.answers["/a"] = answer(BODY)
    given: list[str] = []
    checked: list[str] = []

    def rebinding(_: str) -> list[str]:
        given.append("127.0.0.1" if not given else "127.0.0.9")
        return [given[-1]]

    def noted(address: object) -> bool:
        checked.append(str(address))
        return True

    assert fetched(server, network=Network(rebinding, noted)) == BODY.encode()
    assert (given, checked) == (["127.0.0.1"], ["127.0.0.1"])


def test_the_next_address_is_tried_when_one_does_not_answer(server: HttpsServer) -> None:
    server.answers["/a"] = answer(BODY)
    network = replace(server.network, resolve=lambda _: ["127.0.0.77", "127.0.0.1"])
    assert fetched(server, network=network) == BODY.encode()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("224.0.0.1", False),
        ("239.1.1.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("192.0.2.1", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2001:0:1::1", False),
        ("2001:db8::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("ff0e::1", False),
    ],
)
def test_only_public_addresses_are_public(address: str, expected: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is expected


def test_a_name_that_is_in_nobodys_certificate_is_not_trusted(server: HttpsServer) -> None:
    said = failure(server, host=UNTRUSTED_HOST)
    assert said.startswith(f"remote-unreachable: the certificate of {UNTRUSTED_HOST} is not trusted: Hostname mis")
    assert server.requests == []


def test_an_authority_that_nobody_knows_is_not_trusted(
    server: HttpsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert failure(server).startswith(f"remote-unreachable: the certificate of {HOST} is not trusted: unable")
    assert server.requests == []


def test_a_port_without_anybody_is_unreachable(server: HttpsServer) -> None:
    network = replace(server.network, resolve=lambda _: ["127.0.0.77"])
    assert failure(server, network=network) == f"remote-unreachable: {HOST} cannot be reached: Connection refused"


def test_a_name_without_addresses_is_unreachable(server: HttpsServer) -> None:
    def unknown(_: str) -> list[str]:
        raise OSError(-2, "Name or service not known")

    network = replace(server.network, resolve=unknown)
    assert failure(server, network=network) == (
        f"remote-unreachable: {HOST} was not found: Name or service not known"
    )
    nothing = replace(server.network, resolve=lambda _: [])
    assert failure(server, network=nothing) == f"remote-unreachable: {HOST} cannot be reached: it has no address"


def test_proxies_are_not_used_and_the_remedy_says_so(server: HttpsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    server.answers["/a"] = answer(BODY)
    assert fetched(server) == BODY.encode()
    with pytest.raises(FetchFailed) as caught:
        fetched(server, network=replace(server.network, resolve=lambda _: ["127.0.0.77"]))
    assert caught.value.hint.startswith("kploy uses no proxy")


def slow_head(connection: ssl.SSLSocket) -> None:
    drip(connection, answer(BODY * 10))


def slow_body(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    drip(connection, b"a" * 500)


def slow_chunks(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(connection, b"1\r\na\r\n" * 100)


def endless_hints(connection: ssl.SSLSocket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


def silence(connection: ssl.SSLSocket) -> None:
    connection.recv(1)


@pytest.mark.parametrize("said", [slow_head, slow_body, slow_chunks, endless_hints, silence])
def test_however_slowly_it_drips_it_ends_in_time(said: Answer, server: HttpsServer) -> None:
    server.answers["/a"] = said
    network = replace(server.network, fetch_seconds=0.4)
    began = time.monotonic()
    assert failure(server, network=network) == f"remote-unreachable: {HOST} was not done after 0.4 seconds"
    assert time.monotonic() - began < 5


def test_all_redirects_share_one_time(server: HttpsServer) -> None:
    def slowly(connection: ssl.SSLSocket) -> None:
        time.sleep(1.0)
        connection.sendall(moved("/b"))

    server.answers |= {"/a": slowly, "/b": silence}
    network = replace(server.network, fetch_seconds=1.2)
    began = time.monotonic()
    assert "was not done after 1.2 seconds" in failure(server, network=network)
    assert time.monotonic() - began < 2.1


def test_a_lookup_that_hangs_does_not_hold_up_anybody(server: HttpsServer) -> None:
    ended = Event()

    def hanging(_: str) -> list[str]:
        ended.wait(30)
        return []

    network = Network(hanging, connect_seconds=0.2)
    began = time.monotonic()
    assert failure(server, network=network) == f"remote-unreachable: {HOST} does not answer within 0.2 seconds"
    assert time.monotonic() - began < 10
    ended.set()


@contextmanager
def plain_server(said: bytes) -> Iterator[int]:
    """Takes a connection, says something that is no TLS, and waits."""
    ended = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(said)
                ended.wait(30)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def test_a_server_that_never_answers_in_tls_does_not_hold_up_anybody(server: HttpsServer) -> None:
    network = replace(server.network, connect_seconds=0.2)
    with plain_server(b"") as port, pytest.raises(FetchFailed) as caught:
        fetch(parse_url(f"https://{HOST}:{port}/a"), network)
    assert caught.value.message == f"{HOST} does not answer within 0.2 seconds"


def test_a_server_without_tls_is_named(server: HttpsServer) -> None:
    with plain_server(answer(BODY)) as port, pytest.raises(FetchFailed) as caught:
        fetch(parse_url(f"https://{HOST}:{port}/a"), server.network)
    assert caught.value.message == f"the connection to {HOST} broke off: TLS failed, wrong version number"


def test_several_are_fetched_at_the_same_time(server: HttpsServer) -> None:
    together = Barrier(4, timeout=5)

    def wait_for_the_others(connection: ssl.SSLSocket) -> None:
        together.wait()
        connection.sendall(answer(BODY))

    urls = [parse_url(server.url(f"/{number}")) for number in range(4)]
    server.answers |= dict.fromkeys(("/0", "/1", "/2", "/3"), wait_for_the_others)
    missing = parse_url(server.url("/missing"))
    found = fetch_all([*urls, missing, urls[0]], server.network)
    assert [found[url] for url in urls] == [BODY.encode()] * 4
    assert isinstance(found[missing], FetchFailed)
    assert len(server.requests) == 5
