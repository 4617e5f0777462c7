"""The retry table, row by row, on the wire; and what it says where no test can wait."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import trustme

from kploy.cluster.port import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerFailed,
    Terminating,
    Trouble,
    Unreachable,
)
from kploy.cluster.transport import Request, Transport
from tests.cluster.servers import (
    OK,
    Answer,
    Handler,
    hangs,
    html,
    refuses,
    resets,
    says,
    serving,
    streams,
    tls_of,
    truncated,
)
from tests.cluster.wires import GOOD, QUICK, VERSION, Hurried, Wires, dead_port

BODY = {"kind": "ConfigMap", "metadata": {"name": "a"}}
WRITES = [
    Request("PATCH", "/api/v1/a", (("fieldManager", "x"),), BODY, "application/apply-patch+yaml"),
    Request("POST", "/api/v1", (), BODY),
    Request("PUT", "/api/v1/a", (), {"kind": "ConfigMap", "metadata": {"resourceVersion": "1"}}),
    Request("DELETE", "/api/v1/a", (), {"preconditions": {"uid": "u"}}),
]
WATCH = Request("GET", "/api/v1/pods", (("watch", "true"),))


def failing(transport: Transport, request: Request = VERSION) -> ClusterError:
    with pytest.raises(ClusterError) as raised:
        transport.send(request)
    return raised.value


def test_the_pauses_double_up_to_a_limit_and_a_minute_is_all_there_is(wires: Wires) -> None:
    time = Hurried()
    with dead_port() as url:
        error = failing(wires.to(url, pace=time.pace))
        assert (type(error), error.message) == (Unreachable, f"{url} refuses the connection")
    assert time.pauses == [0.25, 0.5, 1, 2, 4, *[8] * 6]
    assert sum(time.pauses) < 60


def test_a_host_without_an_address_may_get_one(wires: Wires) -> None:
    time = Hurried()
    error = failing(wires.to("http://no-such-host.invalid", pace=time.pace).until(time.seconds + 1))
    assert error.message == "cannot find the host of http://no-such-host.invalid"
    assert time.pauses == [0.25, 0.5]


@pytest.mark.parametrize("lost", [resets, truncated, hangs, html(504), html(502), refuses(503, "starting")])
@pytest.mark.parametrize("request_", WRITES, ids=lambda request: request.method)
def test_a_write_with_an_unknown_outcome_is_sent_again_as_it_was(
    wires: Wires, lost: Answer, request_: Request
) -> None:
    time = Hurried()
    with serving(lost, lost, OK) as server:
        assert wires.to(server.url, QUICK, pace=time.pace).send(request_) == GOOD
        seen = [(each.method, each.path, each.query, json.loads(each.body)) for each in server.requests]
    assert seen == [(request_.method, request_.path, request_.query, request_.body)] * 3
    assert time.pauses == [0.25, 0.5]


@pytest.mark.parametrize("request_", WRITES, ids=lambda request: request.method)
@pytest.mark.parametrize("lost", [resets, truncated])
def test_nobody_but_the_table_sends_anything_again(wires: Wires, lost: Answer, request_: Request) -> None:
    with serving(lost) as server:
        with pytest.raises(Unreachable):
            wires.to(server.url).send(request_, patience=0)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (html(200), Unreachable),
        (html(404), Unreachable),
        (html(407), Unreachable),
        (refuses(407, "log in"), Unreachable),
        (says(407, "log in", Content_Type="text/plain"), Unreachable),
        (refuses(400, "no"), Invalid),
        (refuses(405, "no"), Invalid),
        (refuses(406, "no"), Invalid),
        (refuses(413, "no"), Invalid),
        (refuses(415, "no"), Invalid),
        (refuses(422, "no"), Invalid),
        (refuses(403, "no"), Forbidden),
        (refuses(403, "no new content because it is being terminated"), Terminating),
        (refuses(404, "no"), NotFound),
        (refuses(409, 'conflict with "x": .data.a'), Conflict),
        (says(409, {"message": "it is there", "reason": "AlreadyExists"}), AlreadyExists),
        (refuses(409, "Precondition failed: UID in precondition: u, UID in object meta: v"), Conflict),
        (refuses(410, "too old"), Expired),
    ],
)
@pytest.mark.parametrize("request_", WRITES, ids=lambda request: request.method)
def test_what_will_not_pass_is_asked_once(
    wires: Wires, answer: Answer, error: type[ClusterError], request_: Request
) -> None:
    time = Hurried()
    with serving(answer) as server:
        assert type(failing(wires.to(server.url, pace=time.pace), request_)) is error
        assert (len(server.requests), time.pauses) == (1, [])


RACE = "Operation cannot be fulfilled on {}: the object has been modified; please apply your changes to the latest"
APPLY, _, REPLACE, _ = WRITES


@pytest.mark.parametrize(
    ("kind", "request_", "requests"),
    [
        ('resourcequotas "q"', APPLY, 2),
        ('resourcequotas "q"', REPLACE, 2),
        ('configmaps "a"', APPLY, 2),
        # Who says which version it replaces asked for just this answer.
        ('configmaps "a"', REPLACE, 1),
    ],
)
def test_a_race_that_the_server_lost_against_itself_is_run_again(
    wires: Wires, kind: str, request_: Request, requests: int
) -> None:
    with serving(refuses(409, RACE.format(kind)), OK) as server:
        transport = wires.to(server.url, pace=Hurried().pace)
        if requests == 1:
            assert type(failing(transport, request_)) is Conflict
        else:
            assert transport.send(request_) == GOOD
        assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        *[("1", 1), ("0.5", 0.5), ("3600", 30), ("inf", 30)],
        *[(junk, 0.25) for junk in ("0", "-5", "nan", "soon", "", "Wed, 21 Oct 2026 07:28:00 GMT")],
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_server_says_when_to_come_again_but_not_later_than_in_half_a_minute(
    wires: Wires, status: int, header: str, pause: float
) -> None:
    time = Hurried()
    with serving(refuses(status, "slow down", Retry_After=header), OK) as server:
        assert wires.to(server.url, pace=time.pace).send(VERSION) == GOOD
    assert time.pauses == [pause]


@pytest.mark.parametrize(
    ("message", "requests"),
    [
        ("odd", 2),
        ("etcdserver: leader changed", 8),
        ("etcdserver: request timed out", 8),
        ('failed calling webhook "policy.example.com": connect: connection refused', 8),
        ("rpc error: code = Unavailable desc = connection closed", 8),
    ],
)
def test_an_internal_error_is_tried_twice_or_as_long_as_it_may_pass(
    wires: Wires, message: str, requests: int
) -> None:
    time = Hurried()
    with serving(refuses(500, message)) as server:
        error = failing(wires.to(server.url, pace=time.pace).until(time.seconds + 31))
        assert (type(error), error.message) == (ServerFailed, message)
        assert len(server.requests) == requests


def test_a_webhook_that_denies_is_believed(wires: Wires) -> None:
    denial = 'admission webhook "policy.example.com" denied the request: no'
    with serving(refuses(403, denial)) as server:
        assert failing(wires.to(server.url), APPLY).message == denial
        assert len(server.requests) == 1


@contextmanager
def cut_short(authority: trustme.CA, times: int) -> Iterator[str]:
    """A TLS server whose first connections end before they are secure, as those of one that restarts."""
    context = tls_of(authority, "127.0.0.1")
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"gitVersion": "v1.37.2"}'

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(times):
                listener.accept()[0].close()
            with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=20)


def test_a_tls_connection_that_only_ends_is_no_lack_of_trust(wires: Wires, tmp_path: Any) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    time = Hurried()
    with cut_short(authority, 2) as url:
        transport = wires.to(url, trust={"certificate-authority": str(tmp_path / "ca.pem")}, pace=time.pace)
        assert transport.send(VERSION) == GOOD
    assert time.pauses == [0.25, 0.5]


@pytest.mark.parametrize(
    ("status", "pauses"), [("407 Proxy Authentication Required", []), ("503 Service Unavailable", [0.25])]
)
def test_a_proxy_that_wants_a_login_is_not_asked_again(wires: Wires, status: str, pauses: list[float]) -> None:
    time = Hurried()

    def refuse(handler: Handler) -> None:
        handler.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        handler.close_connection = True

    with serving(refuse) as proxy:
        transport = wires.to("https://one.example", trust={"proxy-url": proxy.url}, pace=time.pace)
        error = failing(transport.until(time.seconds + 0.5))
        assert type(error) is Unreachable
        assert {seen.method for seen in proxy.requests} == {"CONNECT"}
    assert time.pauses == pauses


def test_nothing_is_tried_again_past_the_deadline(wires: Wires) -> None:
    time = Hurried()
    with serving(refuses(503, "starting")) as server:
        transport = wires.to(server.url, pace=time.pace)
        bounded = transport.until(time.seconds + 10)
        assert failing(bounded).message == "starting"
        assert time.pauses == [0.25, 0.5, 1, 2, 4]
        time.seconds += 20
        before = len(server.requests)
        assert failing(bounded).message == f"the time is up: nothing more is asked of {server.url}"
        assert len(server.requests) == before
        failing(transport)
        assert len(server.requests) > before


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"


@pytest.mark.parametrize(
    ("at_once", "drop"),
    [
        (HEAD + b'\r\n{"a": 1', b" "),
        (HEAD, b"X-More: and more\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["body", "headers", "interim", "chunks", "size"],
)
def test_an_answer_that_drips_is_not_waited_for(wires: Wires, at_once: bytes, drop: bytes) -> None:
    finished = []

    def drips(handler: Handler) -> None:
        handler.wfile.write(at_once)
        for byte in drop * 100:
            handler.wfile.write(bytes([byte]))
            handler.server.ending.wait(QUICK / 20)
        finished.append(True)

    with serving(drips) as server:
        with pytest.raises(Unreachable) as raised:
            wires.to(server.url, QUICK).send(VERSION, patience=0)
        assert raised.value.message == f"{server.url} took the request but did not answer in time"
        assert not finished


def test_a_stream_that_drips_is_heard_as_long_as_it_does(wires: Wires) -> None:
    def drips(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for byte in b'{"a": "' + b"x" * 30 + b'"}\n':
            handler.wfile.write(bytes([byte]))
            handler.server.ending.wait(QUICK / 10)

    with serving(drips) as server:
        assert list(wires.to(server.url, silence=QUICK).stream(WATCH)) == [{"a": "x" * 30}]


def told(wires: Wires, *answers: Answer, **time: float) -> list[Trouble]:
    """What is told of the troubles of one request."""
    hurried, troubles = Hurried(), list[Trouble]()
    with serving(*answers) as server:
        transport = wires.to(server.url, pace=hurried.pace)
        transport.observe(troubles.append)
        with suppress(ClusterError):
            transport.until(hurried.seconds + time.get("deadline", 1000)).send(VERSION)
    return troubles


STARTING = refuses(503, "starting")


def test_trouble_is_told_after_three_seconds_then_every_half_minute_and_when_it_is_over(wires: Wires) -> None:
    assert told(wires, *[STARTING] * 4, OK) == [
        Trouble("starting", 1.75),
        Trouble("starting", 3.75, is_over=True),
    ]
    assert told(wires, *[STARTING] * 9, OK) == [
        Trouble("starting", 1.75),
        Trouble("starting", 31.75 - 8),
        Trouble("starting", 39.75, is_over=True),
    ]


def test_trouble_that_passes_at_once_or_never_is_not_said_to_be_over(wires: Wires) -> None:
    assert told(wires, STARTING, STARTING, OK) == []
    assert told(wires, STARTING, deadline=10) == [Trouble("starting", 1.75)]


def test_what_the_server_says_of_a_secret_is_not_told(wires: Wires) -> None:
    time, troubles = Hurried(), list[Trouble]()
    with serving(refuses(500, "etcdserver: cannot store hunter2")) as server:
        transport = wires.to(server.url, pace=time.pace)
        transport.observe(troubles.append)
        failing(transport.until(time.seconds + 5), Request("PUT", "/api/v1/a", (), {"kind": "Secret"}))
        assert [trouble.fact for trouble in troubles] == [f"{server.url} answers 500"]


def test_a_watch_is_begun_by_the_same_table(wires: Wires) -> None:
    time = Hurried()
    begun = [resets, html(503), refuses(429, "slow down", Retry_After="7"), streams(b'{"a":1}\n')]
    with serving(*begun) as server:
        assert list(wires.to(server.url, pace=time.pace).stream(WATCH)) == [{"a": 1}]
        assert len(server.requests) == len(begun)
    assert time.pauses == [0.25, 0.5, 7]


def test_a_watch_that_says_nothing_for_long_ends(wires: Wires) -> None:
    with serving(streams(b'{"a":1}\n', then=hangs)) as server:
        assert list(wires.to(server.url, silence=QUICK).stream(WATCH)) == [{"a": 1}]


def test_a_closed_transport_asks_nothing(wires: Wires) -> None:
    with serving(OK) as server:
        transport = wires.to(server.url)
        transport.close()
        assert failing(transport).message == f"kploy ends: nothing more is asked of {server.url}"
        assert server.requests == []
