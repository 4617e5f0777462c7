"""Real HTTP servers on loopback: one that answers what a test tells it to, one that passes on and records."""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme
import urllib3

Answer = Callable[["Handler"], None]


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Handler(BaseHTTPRequestHandler):
    """Takes a request, and lets the server's next answer answer it."""

    protocol_version = "HTTP/1.1"
    server: Server

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen = Seen(self.command, parts.path, tuple(parse_qsl(parts.query)), headers, body)
        with suppress(OSError):  # Who asked may have gone meanwhile.
            self.server.next_answer(self.seen)(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = handle_any  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Gives its answers one after the other, and the last one from then on; remembers what was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self._answers = list(answers)
        self._lock = threading.Lock()
        self.requests: list[Seen] = []
        self.ending = threading.Event()
        self.was_asked = threading.Semaphore(0)
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def next_answer(self, seen: Seen) -> Answer:
        with self._lock:
            self.requests.append(seen)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.was_asked.release()
        return answer

    def handle_error(self, *_: object) -> None:
        """A broken connection is what the test is about."""


def tls_of(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What a server of these ``names`` shows, for which ``authority`` vouches."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@contextmanager
def serving(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that gives ``answers``, over TLS if a context is given."""
    with Server(*answers) as server:
        if tls:
            server.scheme = "https"
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ending.set()
            server.shutdown()
            thread.join()


def says(status: int, body: Any, **headers: str) -> Answer:
    """An answer: JSON, or text as it is. A header's name may have ``_`` for ``-``."""

    def answer(handler: Handler) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def refuses(status: int, message: str, **headers: str) -> Answer:
    """An answer as API servers refuse."""
    return says(status, {"kind": "Status", "status": "Failure", "message": message, "code": status}, **headers)


def html(status: int, **headers: str) -> Answer:
    """What a proxy or a login page says."""
    return says(status, "<html>log in, please</html>", Content_Type="text/html", **headers)


OK: Answer = says(200, {"gitVersion": "v1.37.2"})


def hangs(handler: Handler) -> None:
    """No answer while the server runs."""
    handler.server.ending.wait()


def truncated(handler: Handler) -> None:
    """An answer that ends before it is over."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"gitVersion": "v1')
    handler.close_connection = True


def resets(handler: Handler) -> None:
    """No answer, and a connection that is torn."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def streams(*lines: bytes, then: Answer | None = None) -> Answer:
    """The lines of a watch; then the end of the answer, or what ``then`` does."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for line in lines:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            handler.wfile.flush()
        if then:
            then(handler)
        else:
            handler.wfile.write(b"0\r\n\r\n")

    return answer


def passes_on(upstream: str, authority: str, token: str) -> Answer:
    """The answer of another server, with a token for it."""
    pool = urllib3.PoolManager(ca_certs=authority, retries=False, maxsize=8)

    def answer(handler: Handler) -> None:
        seen = handler.seen
        headers = {
            name: value for name, value in seen.headers.items() if name in {"accept", "content-type", "user-agent"}
        }
        headers["authorization"] = f"Bearer {token}"
        there = pool.request(seen.method, upstream + handler.path, body=seen.body or None, headers=headers)
        handler.send_response(there.status)
        handler.send_header("Content-Type", there.headers["Content-Type"])
        handler.send_header("Content-Length", str(len(there.data)))
        handler.end_headers()
        handler.wfile.write(there.data)

    return answer
