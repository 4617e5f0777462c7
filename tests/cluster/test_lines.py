"""Connections: made through whatever stands in between, kept, and not used when they are dead."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
import urllib3

from kploy.cluster.exchange import Answer, Garbled, request
from kploy.cluster.lines import Line, Lines
from kploy.cluster.port import ClusterError, Unreachable
from tests.cluster import servers
from tests.cluster.servers import OK, Handler, Server, hangs, refuses, says, serving, streams, tls_of
from tests.cluster.wires import GOOD, QUICK, VERSION, Hurried, Wires
from tests.eventually import eventually

CLOSES = says(200, {"gitVersion": "v1.37.2"}, Connection="close")


@pytest.mark.parametrize(("first", "connections"), [(OK, 1), (refuses(403, "no"), 1), (CLOSES, 2)])
def test_a_connection_is_used_again_as_long_as_it_lasts(
    wires: Wires, first: servers.Answer, connections: int
) -> None:
    peers = []

    def noted(handler: Handler) -> None:
        peers.append(handler.client_address)
        (first if len(peers) == 1 else OK)(handler)

    with serving(noted) as server:
        transport = wires.to(server.url)
        with suppress(ClusterError):
            transport.send(VERSION)
        assert transport.send(VERSION, patience=0) == GOOD
    assert (len(peers), len(set(peers))) == (2, connections)


def asked_by(lines: Lines, server: Server) -> Line:
    """The line by which a server was asked; it may be used again."""
    line = lines.take(5)
    line.send(request("GET", "/version", {**lines.headers, "X-Server": server.url}), 5)
    answer = Answer(line.source)
    while answer.read():
        pass
    assert answer.can_go_on
    return line


def test_a_connection_that_the_server_has_ended_meanwhile_is_not_used_again() -> None:
    def hangs_up_afterwards(handler: Handler) -> None:
        OK(handler)
        handler.close_connection = True

    with serving(hangs_up_afterwards) as server:
        lines = Lines(urllib3.PoolManager(), server.url)
        line = asked_by(lines, server)
        lines.give_back(line)
        eventually(lambda: not line.is_quiet)
        time.sleep(0.6)  # It may be used at once, but not after this.
        another = lines.take(5)
        assert another is not line
        another.close()


def test_two_that_ask_at_the_same_time_have_a_connection_each_and_both_are_kept_until_the_end() -> None:
    with serving(OK) as server:
        lines = Lines(urllib3.PoolManager(), server.url)
        one, other = asked_by(lines, server), asked_by(lines, server)
        lines.give_back(one)
        lines.give_back(other)
        assert (lines.take(5), lines.take(5)) == (other, one)
        lines.give_back(one)
        lines.close()
        lines.give_back(other)
        assert (one.source.closed, other.source.closed) == (True, True)


def tunnels(handler: Handler) -> None:
    """What a proxy does that is asked to CONNECT: from then on it only passes on."""
    host, _, port = handler.path.rpartition(":")
    with socket.create_connection((host, int(port))) as there:
        handler.send_response(200)
        handler.end_headers()
        back = threading.Thread(target=pump, args=(there, handler.connection), daemon=True)
        back.start()
        pump(handler.connection, there)
        back.join()
    handler.close_connection = True


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_a_server_is_reached_by_tls_through_a_proxy(wires: Wires, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = tls_of(authority, "127.0.0.1")
    with serving(OK, tls=tls) as server, serving(tunnels) as proxy:
        trust = {"certificate-authority": str(tmp_path / "authority.pem"), "proxy-url": proxy.url}
        transport = wires.to(server.url, trust=trust)
        assert [transport.send(VERSION), transport.send(VERSION)] == [GOOD, GOOD]
        transport.close()
        assert [seen.method for seen in proxy.requests] == ["CONNECT"]
        assert [seen.headers["host"] for seen in server.requests] == [server.url.removeprefix("https://")] * 2
        assert "authorization" not in proxy.requests[0].headers


def test_only_the_first_connection_by_tls_greets_in_full(wires: Wires, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = tls_of(authority, "127.0.0.1")
    short: list[bool] = []
    together = threading.Barrier(1)

    def notes(handler: Handler) -> None:
        assert isinstance(handler.connection, ssl.SSLSocket)
        short.append(bool(handler.connection.session_reused))
        together.wait(10)
        OK(handler)

    with serving(notes, tls=tls) as server:
        transport = wires.to(server.url, trust={"certificate-authority": str(tmp_path / "authority.pem")})
        assert transport.send(VERSION) == GOOD
        together = threading.Barrier(3)
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(transport.send, [VERSION] * 3)) == [GOOD] * 3
        # One of the three came through the first connection.
        assert sorted(short) == [False, False, True, True]


def test_who_never_finishes_the_greeting_of_tls_does_not_answer(wires: Wires) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unreachable, match=f"^{url} does not answer"):
            wires.to(url, QUICK).send(VERSION, patience=0)


def test_who_is_behind_a_proxy_that_says_nothing_does_not_answer(wires: Wires) -> None:
    with serving(hangs) as proxy:
        transport = wires.to("https://one.example", QUICK, trust={"proxy-url": proxy.url})
        with pytest.raises(Unreachable, match=r"^https://one\.example does not answer"):
            transport.send(VERSION, patience=0)


def test_who_finds_a_connection_dead_uses_none_of_the_others(wires: Wires) -> None:
    peers, both_there = [], threading.Barrier(2)

    def ends_all(handler: Handler) -> None:
        peers.append(handler.client_address)
        is_early = len(peers) <= 2
        if is_early:
            both_there.wait(20)  # So that the second does not take the connection of the first.
        OK(handler)
        handler.close_connection = is_early

    with serving(ends_all) as server:
        time = Hurried()
        transport = wires.to(server.url, pace=time.pace)
        first = [threading.Thread(target=transport.send, args=(VERSION,)) for _ in range(2)]
        for thread in first:
            thread.start()
        for thread in first:
            thread.join()
        assert transport.send(VERSION) == GOOD
        assert len(time.pauses) <= 1


def test_a_server_without_tls_is_asked_for_by_its_address_where_the_proxy_has_tls() -> None:
    authority = trustme.CA()
    tls = tls_of(authority, "127.0.0.1")
    trusting = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    with serving(OK, tls=tls) as proxy:
        headers = {"Proxy-Authorization": "Basic eA=="}
        manager = urllib3.ProxyManager(proxy.url, proxy_headers=headers, proxy_ssl_context=trusting)
        lines = Lines(manager, "http://one.example")
        assert lines.headers["Proxy-Authorization"] == "Basic eA=="
        line = lines.take(5)
        line.send(request("GET", "http://one.example/version", lines.headers), 5)
        assert Answer(line.source).status == 200
        line.close()
        assert [(seen.method, seen.headers["host"]) for seen in proxy.requests] == [("GET", "one.example")]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_is_reached_by_tls_through_a_proxy_of_either_kind(scheme: str) -> None:
    authority = trustme.CA()
    tls = tls_of(authority, "127.0.0.1")
    trusting = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    with serving(streams(b"one\n", then=hangs), tls=tls) as server:
        with serving(tunnels, tls=tls if scheme == "https" else None) as proxy:
            manager = urllib3.ProxyManager(proxy.url, proxy_ssl_context=trusting, ssl_context=trusting)
            lines = Lines(manager, server.url)
            line = lines.take(5)
            line.send(request("GET", "/watch", lines.headers), 20)
            answer = Answer(line.source)
            assert answer.read() == b"one\n"
            threading.Timer(0.2, line.stop).start()
            with suppress(Garbled, OSError):
                answer.read()
            line.stop()
            line.close()
            line.stop()
        assert [seen.method for seen in proxy.requests] == ["CONNECT"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://one.example", "one.example"),
        ("https://one.example:443", "one.example"),
        ("http://one.example:80", "one.example"),
        ("https://one.example:80", "one.example:80"),
        ("https://one.example.:6443/k8s", "one.example:6443"),
        ("https://[::1]:6443", "[::1]:6443"),
        ("https://[::1]", "[::1]"),
    ],
)
def test_a_server_is_called_by_its_name_and_its_port_unless_that_is_the_usual_one(url: str, host: str) -> None:
    assert Lines(urllib3.PoolManager(), url).headers == {"Host": host, "Accept-Encoding": "identity"}
