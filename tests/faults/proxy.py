"""A proxy between kploy and a real API server, where a test decides what becomes of each request.

kploy speaks plain HTTP/1.1 to it on loopback; it speaks TLS to the API server. What
becomes of a request is up to a hook, a function that is called with its Exchange, on
a thread of its own:

    def lose_the_answer(exchange: Exchange) -> None:
        if exchange.request.label == "PATCH deployments/web":
            exchange.ask()  # it was done ...
            exchange.cut()  # ... and nobody was told
        else:
            exchange.pass_on()

    with Proxy(api_of(sandbox), lose_the_answer) as proxy:
        proxy.write_kubeconfig(path)

A hook that returns without an answer passes the request on.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import parse_qsl, urlsplit

from kploy.sandbox.api import Api

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ASKING = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")
"""What is posted there changes nothing."""

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
_PIECE = 1 << 16


@dataclass(frozen=True)
class Request:
    """A request as it came. ``number`` counts all requests from 1; names of headers are in lower case."""

    number: int
    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """Where it goes, without the query."""
        return urlsplit(self.target).path

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body; {} if there is none."""
        return json.loads(self.body) if self.body else {}

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Plural, name and subresource, as far as there are any: a POST has the name from its body."""
        words = self.path.strip("/").split("/")
        words = words[2:] if words[0] == "api" else words[3:]
        if words[:1] == ["namespaces"] and len(words) > 2:
            words = words[2:]
        if self.method == "POST" and len(words) == 1:
            name = self.json.get("metadata", {}).get("name")
            words = [*words, name] if name else words
        return tuple(words)

    @property
    def label(self) -> str:
        """What it does, and to what: ``PATCH deployments/web``."""
        return f"{self.method} {'/'.join(self.parts) or self.path}"

    @property
    def is_watch(self) -> bool:
        """Whether it is answered by a stream."""
        return self.query.get("watch") in {"true", "1"}

    @property
    def is_dry(self) -> bool:
        """Whether it is only rehearsed."""
        return self.query.get("dryRun") == "All"

    @property
    def is_write(self) -> bool:
        """Whether it changes anything in the cluster."""
        return self.method in _CHANGING and not self.is_dry and not self.path.startswith(_ASKING)


@dataclass(frozen=True)
class Answer:
    """A whole answer of the API server."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Cut(Exception):
    """The connection to kploy is closed."""


class Exchange:
    """One request, and what a hook may do with it. ``pass_on``, ``reply`` and ``cut`` end it."""

    def __init__(self, request: Request, downstream: socket.socket, upstream: _Upstream) -> None:
        self.request = request
        self.is_begun = False
        self._downstream = downstream
        self._upstream = upstream

    def ask(self) -> Answer:
        """Send the request to the API server, and return all it answers. May be called more than once."""
        response = self._upstream.respond(self.request)
        return Answer(response.status, _headers(response), response.read())

    def pass_on(self) -> None:
        """Send the request to the API server, and what it answers to kploy, as it comes."""
        response = self._upstream.respond(self.request)
        if response.length is not None:
            self.reply(response.status, response.read(), _headers(response))
            return
        self.begin(response.status, _headers(response))
        for piece in pieces(response):
            self.send(piece)
        self.end()

    def respond(self) -> http.client.HTTPResponse:
        """Send the request to the API server, and return its answer, to be read bit by bit (see ``pieces``)."""
        return self._upstream.respond(self.request)

    def reply(self, status: int, body: bytes | Mapping[str, Any] = b"", headers: Mapping[str, str] = {}) -> None:
        """Answer kploy with all of this."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}
        self._write(_head(status, head) + data)

    def refuse(self, status: int, reason: str, message: str, headers: Mapping[str, str] = {}) -> None:
        """Answer kploy with a failure, as an API server tells it."""
        told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        self.reply(status, {**told, "message": message, "reason": reason, "code": status}, headers)

    def begin(self, status: int = 200, headers: Mapping[str, str] = {}) -> None:
        """Begin an answer that is sent in pieces."""
        self._write(_head(status, {"Content-Type": "application/json", **headers, "Transfer-Encoding": "chunked"}))

    def send(self, piece: bytes) -> None:
        """One piece of it."""
        self._write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def send_raw(self, data: bytes) -> None:
        """Bytes as they are, for answers that are no HTTP."""
        self._write(data)

    def end(self) -> None:
        """No more pieces."""
        self._write(b"0\r\n\r\n")

    def cut(self, *, reset: bool = False) -> None:
        """Close the connection to kploy here and now; nothing more can be sent."""
        if reset:
            self._downstream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Cut

    def _write(self, data: bytes) -> None:
        self.is_begun = True
        self._downstream.sendall(data)


Hook = Callable[[Exchange], None]


def pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What comes of an answer, as it comes."""
    while piece := response.read1(_PIECE):
        yield piece


class Proxy:
    """Forwards to ``api``, and remembers in ``requests`` what was asked.

    ``hook`` may be exchanged at any time.
    """

    def __init__(self, api: Api, hook: Hook = Exchange.pass_on) -> None:
        self.hook = hook
        self.requests: list[Request] = []
        self.port = 0
        self._api = api
        self._trust = ssl.create_default_context(cadata=api.authority)
        self._changed = threading.Condition()
        self._writing = 0
        self._open: set[socket.socket] = set()
        self._upstreams: set[_Upstream] = set()
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[Request]:
        """What changed the cluster, or would have, in the order in which it came."""
        with self._changed:
            return [request for request in self.requests if request.is_write]

    def forget(self) -> None:
        """Forget what was asked."""
        with self._changed:
            self.requests.clear()

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads through here, as the cluster's administrator."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxied", "cluster": {"server": self.url}}],
            "users": [{"name": "proxied", "user": {"token": self._api.token}}],
            "contexts": [{"name": "proxied", "context": {"cluster": "proxied", "user": "proxied"}}],
            "current-context": "proxied",
        }
        path.write_text(json.dumps(config))
        return path

    def settle(self) -> None:
        """Wait until everything that changes the cluster has been answered by it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._writing == 0, timeout=30)

    def hang_up(self) -> None:
        """Close all connections, and wait until nothing more comes over them."""
        self._close_connections()
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, timeout=30)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections meanwhile, and break those that there are."""
        self.close()
        try:
            yield
        finally:
            self._listen()

    def close(self) -> None:
        """Stop listening, and close all connections."""
        self._closed.set()
        self._listener.close()
        self._accepting.join()
        self._close_connections()

    def _close_connections(self) -> None:
        with self._changed:
            connections, upstreams = tuple(self._open), tuple(self._upstreams)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for upstream in upstreams:
            upstream.close()

    def _listen(self) -> None:
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(
            target=self._accept, args=(self._listener, self._closed), name="proxy", daemon=True
        )
        self._accepting.start()

    def _accept(self, listener: socket.socket, closed: threading.Event) -> None:
        while not closed.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), name="proxied", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        upstream = _Upstream(self._api.port, self._trust)
        with self._changed:
            self._open.add(connection)
            self._upstreams.add(upstream)
        try:
            with connection, connection.makefile("rb") as incoming:
                self._talk(connection, incoming, upstream)
        except (Cut, OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # One of the two went away, or was sent away.
        finally:
            upstream.close()
            with self._changed:
                self._open.discard(connection)
                self._upstreams.discard(upstream)
                self._changed.notify_all()

    def _talk(self, connection: socket.socket, incoming: BinaryIO, upstream: _Upstream) -> None:
        while (came := _read(incoming)) is not None:
            with self._changed:
                request = Request(len(self.requests) + 1, *came)
                self.requests.append(request)
                self._writing += request.is_write
            try:
                exchange = Exchange(request, connection, upstream)
                self.hook(exchange)
                if not exchange.is_begun:
                    exchange.pass_on()
            finally:
                with self._changed:
                    self._writing -= request.is_write
                    self._changed.notify_all()


class _Upstream:
    """A connection to the API server, made anew where it has broken."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=600, context=trust)

    def respond(self, request: Request) -> http.client.HTTPResponse:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        self._connection.request(request.method, request.target, request.body or None, headers)
        return self._connection.getresponse()

    def close(self) -> None:
        if self._connection.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._connection.sock, socket.SHUT_RDWR)
        self._connection.close()


def _read(incoming: BinaryIO) -> tuple[str, str, dict[str, str], bytes] | None:
    """The next request; None when there comes none any more, or not all of it."""
    first = incoming.readline()
    if not first:
        return None
    method, target, _ = first.decode("latin-1").split()
    headers = {}
    while (line := incoming.readline().decode("latin-1")) not in {"\r\n", "\n"}:
        if not line:
            return None
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = incoming.read(length)
    return (method, target, headers, body) if len(body) == length else None


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reason = http.client.responses.get(status, "Unknown")
    return f"HTTP/1.1 {status} {reason}\r\n{fields}\r\n".encode("latin-1")
