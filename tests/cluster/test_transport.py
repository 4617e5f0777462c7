from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trustme

from kploy.cluster.connection import Choice, connect
from kploy.cluster.port import (
    ClusterError,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerFailed,
    Unauthenticated,
    Unreachable,
)
from kploy.cluster.transport import Request
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
from tests.cluster.wires import GOOD, QUICK, VERSION, Wires, asked, dead_port


@pytest.mark.parametrize(
    "answers",
    [
        [OK],
        [refuses(503, "starting"), OK],
        [html(502), OK],
        [html(503), OK],
        [html(504), OK],
        [truncated, OK],
        [resets, OK],
        [hangs, OK],
        [refuses(429, "slow down", Retry_After="1"), OK],
        [refuses(429, "slow down", Retry_After="soon"), OK],
        [refuses(429, "slow down", Retry_After="nan"), OK],
        [refuses(429, "slow down", Retry_After="-5"), OK],
        [refuses(429, "slow down", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), OK],
        [refuses(429, "slow down"), OK],
        [refuses(500, "odd"), OK],
        [
            refuses(500, "etcdserver: leader changed"),
            refuses(500, 'failed calling webhook "policy": connection refused'),
            OK,
        ],
    ],
)
def test_what_passes_is_tried_again_once_for_each_failure(wires: Wires, answers: list[Answer]) -> None:
    with serving(*answers) as server:
        read_timeout = QUICK if hangs in answers else 10.0
        assert wires.to(server.url, read_timeout).send(VERSION) == GOOD
        assert len(server.requests) == len(answers)


NOT_KUBERNETES = "{} does not answer as a Kubernetes API server"


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (html(200), Unreachable, NOT_KUBERNETES),
        (says(200, []), Unreachable, NOT_KUBERNETES),
        (says(200, ""), Unreachable, NOT_KUBERNETES),
        (html(302, Location="/elsewhere"), Unreachable, NOT_KUBERNETES),
        (refuses(302, "moved", Location="/elsewhere"), ServerFailed, "moved"),
        (html(401), Unreachable, NOT_KUBERNETES),
        (html(500), Unreachable, NOT_KUBERNETES),
        (refuses(403, "you may not"), Forbidden, "you may not"),
        (refuses(405, "not so"), Invalid, "not so"),
        (refuses(413, "too much"), Invalid, "too much"),
        (
            says(404, "404 page not found\n", Content_Type="text/plain; charset=utf-8"),
            NotFound,
            "404 page not found",
        ),
        (html(404), Unreachable, NOT_KUBERNETES),
        (says(200, "ok", Content_Type="text/plain"), Unreachable, NOT_KUBERNETES),
    ],
)
def test_what_does_not_pass_is_asked_once(
    wires: Wires, answer: Answer, error: type[ClusterError], message: str
) -> None:
    with serving(answer) as server:
        with pytest.raises(error) as raised:
            wires.to(server.url).send(VERSION)
        assert (type(raised.value), raised.value.message) == (error, message.format(server.url))
        assert [seen.path for seen in server.requests] == ["/version"]


def test_an_internal_error_is_asked_twice(wires: Wires) -> None:
    with serving(refuses(500, "odd")) as server:
        with pytest.raises(ServerFailed, match="odd"):
            wires.to(server.url).send(VERSION)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (html(503), NOT_KUBERNETES),
        (refuses(503, "starting"), "starting"),
        (says(503, "service unavailable\n", Content_Type="text/plain"), "service unavailable"),
        (refuses(429, "slow down", Retry_After="1"), "slow down"),
        (truncated, "the connection to {} broke"),
        (resets, "the connection to {} broke"),
        (hangs, "{} took the request but did not answer in time"),
    ],
)
def test_without_patience_the_first_failure_counts(wires: Wires, answer: Answer, message: str) -> None:
    with serving(answer) as server:
        with pytest.raises(ClusterError) as raised:
            wires.to(server.url, QUICK).send(VERSION, patience=0)
        assert raised.value.message == message.format(server.url)
        assert len(server.requests) == 1


def test_nobody_waits_for_longer_than_patience_allows(wires: Wires) -> None:
    with serving(refuses(429, "slow down", Retry_After="3600"), OK) as server:
        with pytest.raises(ServerFailed, match="slow down"):
            wires.to(server.url).send(VERSION, patience=20)
        assert len(server.requests) == 1


def test_a_dead_port_refuses(wires: Wires) -> None:
    with dead_port() as url, pytest.raises(Unreachable) as raised:
        wires.to(url).send(VERSION, patience=0)
    assert raised.value.message == f"{url} refuses the connection"


def test_a_host_that_has_no_address_is_named(wires: Wires) -> None:
    with pytest.raises(Unreachable) as raised:
        wires.to("http://no-such-host.invalid").send(VERSION, patience=0)
    assert raised.value.message == "cannot find the host of http://no-such-host.invalid"


def test_what_goes_before_the_paths_of_a_server_is_kept(wires: Wires) -> None:
    with serving(OK) as server:
        assert wires.to(f"{server.url}/k8s/clusters/c-1/").send(VERSION) == GOOD
        assert [seen.path for seen in server.requests] == ["/k8s/clusters/c-1/version"]


def test_a_proxy_that_is_no_tunnel_is_told_the_server(wires: Wires) -> None:
    targets: list[str] = []

    def answer(handler: Handler) -> None:
        targets.append(handler.path)
        OK(handler)

    with serving(answer) as proxy:
        transport = wires.to("http://one.example:8080/k8s", trust={"proxy-url": proxy.url})
        assert transport.send(Request("GET", "/version", (("a", "b"),))) == GOOD
        assert targets == ["http://one.example:8080/k8s/version?a=b"]
        assert proxy.requests[0].headers["host"] == "one.example:8080"


@pytest.mark.parametrize("server", ["https://one.example:port", "ftp://one.example"])
def test_a_pinned_address_that_is_none_is_told_before_anything_is_sent(tmp_path: Path, server: str) -> None:
    (tmp_path / "config").write_text("clusters: []\ncontexts: []\nusers: []\n")
    with pytest.raises(Unreachable, match=f"^cannot talk to {server}"):
        connect(Choice(kubeconfig=str(tmp_path / "config"), pinned_server=server))


def authority_file(authority: trustme.CA, directory: Path) -> dict[str, Any]:
    path = directory / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return {"certificate-authority": str(path)}


def test_a_server_that_the_authority_vouches_for_is_trusted(wires: Wires, tmp_path: Path) -> None:
    authority = trustme.CA()
    with serving(OK, tls=tls_of(authority, "127.0.0.1")) as server:
        assert wires.to(server.url, trust=authority_file(authority, tmp_path)).send(VERSION) == GOOD


def test_a_server_may_be_trusted_under_another_name(wires: Wires, tmp_path: Path) -> None:
    authority = trustme.CA()
    extra = {**authority_file(authority, tmp_path), "tls-server-name": "api.example"}
    with serving(OK, tls=tls_of(authority, "api.example")) as server:
        assert wires.to(server.url, trust=extra).send(VERSION) == GOOD


def test_no_connection_changes_what_others_are_just_made_with(
    wires: Wires, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # OpenSSL frees the protocols of a context when they are set again, while another thread may read them.
    times = []
    original = ssl.SSLContext.set_alpn_protocols

    def counted(context: ssl.SSLContext, protocols: Iterable[str]) -> None:
        times.append(protocols)
        original(context, protocols)

    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", counted)
    authority = trustme.CA()
    answers = [says(200, {"gitVersion": "v1.37.2"}, Connection="close")] * 3
    with serving(*answers, tls=tls_of(authority, "127.0.0.1")) as server:
        transport = wires.to(server.url, trust=authority_file(authority, tmp_path))
        for _ in answers:
            transport.send(VERSION)
        assert len(server.requests) == 3
    assert times == [["http/1.1"]]


@pytest.mark.parametrize("names", [("127.0.0.1",), ("other.example",)])
def test_a_server_that_cannot_be_trusted_is_sent_nothing_and_not_tried_again(
    wires: Wires, tmp_path: Path, names: tuple[str, ...]
) -> None:
    authority = trustme.CA()
    trusted = authority if names == ("other.example",) else trustme.CA()
    with serving(OK, tls=tls_of(authority, *names)) as server:
        with pytest.raises(Unreachable, match=f"cannot trust {server.url}") as raised:
            wires.to(server.url, trust=authority_file(trusted, tmp_path)).send(VERSION)
        assert raised.value.hint == "check the cluster's certificate authority in the kubeconfig"
        assert server.requests == []


def test_verification_is_only_left_out_where_the_kubeconfig_says_so(wires: Wires) -> None:
    with serving(OK, tls=tls_of(trustme.CA(), "127.0.0.1")) as server:
        transport = wires.to(server.url, trust={"insecure-skip-tls-verify": True})
        with pytest.warns(match="certificate verification"):
            assert transport.send(VERSION) == GOOD


def test_a_request_is_sent_as_it_is_meant(wires: Wires) -> None:
    request = Request("PATCH", "/api/v1/x", (("a", "b c"), ("a", "d&e")), {"ü": 1}, "application/apply-patch+yaml")
    with serving(OK) as server:
        wires.to(server.url).send(request)
        (seen,) = server.requests
    assert (seen.method, seen.path, seen.query) == ("PATCH", "/api/v1/x", (("a", "b c"), ("a", "d&e")))
    assert json.loads(seen.body) == {"ü": 1}
    wanted = ("authorization", "accept", "content-type", "user-agent")
    assert [seen.headers[name] for name in wanted] == [
        "Bearer t0ken",
        "application/json",
        "application/apply-patch+yaml",
        "kploy",
    ]


def test_the_line_break_at_the_end_of_a_token_is_not_part_of_it(wires: Wires) -> None:
    with serving(OK) as server:
        wires.to(server.url, credentials="t0ken\n").send(VERSION)
        assert server.requests[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("token", ["hunter2\nX-Evil: yes", "hunter2ü", "hunter2\x00"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(wires: Wires, token: str) -> None:
    with serving(OK) as server:
        with pytest.raises(Unauthenticated) as raised:
            wires.to(server.url, credentials=token).send(VERSION)
        assert server.requests == []
    assert "hunter2" not in repr(raised.value) + raised.value.hint


def test_closing_ends_the_wait_for_the_next_try(wires: Wires) -> None:
    errors: list[ClusterError] = []
    with serving(refuses(429, "slow down", Retry_After="25")) as server:
        transport = wires.to(server.url)

        def send() -> None:
            with pytest.raises(ServerFailed) as raised:
                transport.send(VERSION)
            errors.append(raised.value)

        thread = threading.Thread(target=send)
        thread.start()
        asked(server)
        transport.close()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert [error.message for error in errors] == ["slow down"]
        assert len(server.requests) == 1


WATCH = Request("GET", "/api/v1/pods", (("watch", "true"),))


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (streams(b'{"a":1}\n{"b"', b":2}\n", b'\n{"c":3}\n'), [{"a": 1}, {"b": 2}, {"c": 3}]),
        (streams(b'{"a":1}\n{"cut":'), [{"a": 1}]),
        (streams(b'{"a":1}\n', then=resets), [{"a": 1}]),
        (streams(b'{"a":1}\nno json\n{"b":2}\n'), [{"a": 1}]),
        (html(200), []),
    ],
)
def test_a_stream_gives_its_lines_until_it_ends_or_breaks(
    wires: Wires, answer: Answer, lines: list[object]
) -> None:
    with serving(answer) as server:
        assert list(wires.to(server.url).stream(WATCH)) == lines
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [(refuses(403, "no"), Forbidden), (refuses(410, "too old"), Expired), (html(401), Unreachable)],
)
def test_a_stream_that_is_refused_says_why(wires: Wires, answer: Answer, error: type[ClusterError]) -> None:
    with serving(answer) as server:
        with pytest.raises(error):
            list(wires.to(server.url).stream(WATCH))
        assert len(server.requests) == 1


def test_closing_ends_a_stream_that_says_nothing(wires: Wires) -> None:
    with serving(streams(b'{"a":1}\n', then=hangs)) as server:
        transport = wires.to(server.url)
        stream = transport.stream(WATCH)
        assert next(stream) == {"a": 1}
        rest: list[object] = []
        thread = threading.Thread(target=lambda: rest.extend(stream), daemon=True)
        thread.start()
        transport.close()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert rest == []
