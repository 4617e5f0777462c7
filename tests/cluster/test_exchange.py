"""Requests as they are written, answers as they are read: the same as http.client does."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.cluster.exchange import Answer, Garbled, request


class Arriving(io.RawIOBase):
    """Bytes that arrive in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._pieces:
            return 0
        piece = self._pieces.pop(0)
        size = min(len(piece), len(buffer))
        buffer[:size] = piece[:size]
        if size < len(piece):
            self._pieces.insert(0, piece[size:])
        return size


def source(*pieces: bytes) -> io.BufferedReader:
    return io.BufferedReader(Arriving(list(pieces)))


def whole(answer: Answer) -> bytes:
    return b"".join(iter(answer.read, b""))


@dataclass(frozen=True)
class Told:
    """An answer as somebody understood it."""

    status: int
    headers: dict[str, str]
    body: bytes
    can_go_on: bool


def as_kploy_reads(stream: io.BufferedReader) -> Told:
    answer = Answer(stream)
    body = whole(answer)
    assert answer.is_over
    return Told(answer.status, answer.headers, body, answer.can_go_on)


def as_http_client_reads(data: bytes) -> Told:
    class Socket:
        def makefile(self, *_: object) -> io.BufferedReader:
            return io.BufferedReader(cast("Any", io.BytesIO(data)))

    response = HTTPResponse(cast("Any", Socket()))
    response.begin()
    names = {name.lower() for name in response.headers}
    headers = {name: cast("str", response.headers.get(name)) for name in names}
    # What has no content may come with some: we do not go on after that.
    goes_on = not response.will_close and response.status not in {204, 304}
    return Told(response.status, headers, response.read(), goes_on)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789;=/., ", max_size=20).map(str.strip)
NAMES = st.text("abcXYZ-", min_size=1, max_size=10).map(lambda name: f"X-{name}")


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer of any status and framing."""
    version = draw(st.sampled_from(["HTTP/1.1", "HTTP/1.0"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 404, 409, 500]))
    body = draw(st.binary(max_size=200))
    framing = draw(st.sampled_from(["length", "chunked", "end"]))
    lines = [f"{version} {status} {draw(WORDS)}".encode()]
    lines += [f"{name}: {draw(WORDS)}".encode() for name in draw(st.lists(NAMES, max_size=4, unique_by=str.lower))]
    if draw(st.booleans()):
        lines.append(b"Connection: " + draw(st.sampled_from([b"close", b"keep-alive", b"Keep-Alive"])))
    if status in {204, 304}:
        body = b""
    elif framing == "length":
        lines.append(f"Content-Length: {len(body)}".encode())
    elif framing == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        cuts = [0, *sorted(draw(st.lists(st.integers(0, len(body)), max_size=4))), len(body)]
        chunks = [body[start:end] for start, end in pairwise(cuts) if start < end]
        extension = draw(st.sampled_from([b"", b";a=b"]))
        body = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
        body += b"0\r\n" + draw(st.sampled_from([b"", b"X-End: 1\r\n"])) + b"\r\n"
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    return interim + b"\r\n".join(lines) + b"\r\n\r\n" + body


@given(answers(), st.data())
def test_an_answer_is_read_as_http_client_reads_it_however_it_arrives(data: bytes, drawn: st.DataObject) -> None:
    cuts = sorted(drawn.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert as_kploy_reads(source(*pieces)) == as_http_client_reads(data)


@given(answers(), st.integers(0, 400))
def test_an_answer_that_is_cut_short_is_never_taken_for_whole(data: bytes, end: int) -> None:
    full = as_http_client_reads(data)
    try:
        told = as_kploy_reads(source(data[:end]))
    except Garbled:
        return
    # Where only the end of the connection ends an answer, nobody can tell.
    assert told == full or (not full.can_go_on and full.body.startswith(told.body))


@given(st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED]), st.binary(max_size=300))
def test_whatever_comes_is_an_answer_or_garbled(begun: bytes, data: bytes) -> None:
    with suppress(Garbled):
        as_kploy_reads(source(begun + data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 2\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 102 Wait\r\n\r\n" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"1" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n" + b"x" * 10,
        CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"0\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
        CHUNKED + b"1" * 5000 + b"\r\n",
        CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        as_kploy_reads(source(data))


def test_the_next_answer_of_a_connection_begins_where_the_one_before_ended() -> None:
    stream = source(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 204 Gone\r\n\r\n"
    )
    told = [as_kploy_reads(stream) for _ in range(3)]
    assert [(one.status, one.body) for one in told] == [(200, b"one"), (404, b"two"), (204, b"")]


def test_a_header_may_go_on_in_the_next_line_and_of_two_the_first_counts() -> None:
    answer = Answer(source(b"HTTP/1.1 204 X\r\nA: one\r\n  two\r\nB: 1\r\nb: 2\r\n\r\n"))
    assert answer.headers == {"a": "one two", "b": "1"}


def test_what_has_arrived_is_given_before_the_rest_is_there() -> None:
    answer = Answer(source(CHUNKED, b"3\r\none\r\n", b"3\r\ntw"))
    assert answer.read() == b"one"
    assert answer.read() == b"tw"
    with pytest.raises(Garbled):
        answer.read()


def test_a_request_is_what_a_server_reads() -> None:
    class Taken(BaseHTTPRequestHandler):
        def __init__(self, data: bytes) -> None:
            self.rfile = io.BufferedReader(cast("Any", io.BytesIO(data)))
            self.raw_requestline = self.rfile.readline()
            assert self.parse_request()

    taken = Taken(request("PATCH", "/api/x?a=b", {"Host": "one:1", "Accept": "text/plain"}, b"{}\r\n"))
    assert (taken.command, taken.path, taken.request_version) == ("PATCH", "/api/x?a=b", "HTTP/1.1")
    assert dict(taken.headers) == {"Host": "one:1", "Accept": "text/plain", "Content-Length": "4"}
    assert taken.rfile.read() == b"{}\r\n"
    assert b"Content-Length" not in request("GET", "/", {"Host": "one"})


def test_a_header_that_is_not_ascii_is_not_sent() -> None:
    with pytest.raises(UnicodeError):
        request("GET", "/", {"Authorization": "ü"})
