"""A real https server on loopback, which answers whatever a test wants it to answer."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from kploy.source.network import Network

HOST = "manifests.example"
OTHER_HOST = "other.example"
UNTRUSTED_HOST = "unnamed.example"
"""A name that the server's certificate does not have."""

Answer = bytes | Callable[[ssl.SSLSocket], None]


def answer(body: bytes | str = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An HTTP response; a header's name may have ``_`` for ``-``."""
    data = body.encode() if isinstance(body, str) else body
    fields = {"Content-Length": str(len(data))} | {name.replace("_", "-"): text for name, text in headers.items()}
    head = "".join(f"{name}: {text}\r\n" for name, text in fields.items() if text)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + data


def moved(location: str) -> bytes:
    """A redirect."""
    return answer(status="302 Found", Location=location)


class HttpsServer:
    """Answers each path with what ``answers`` says, and remembers in ``requests`` what was asked.

    Bytes are sent, and TLS is ended as it should be; a function may do as it likes.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.heads: list[str] = []
        self.network = Network(resolve=lambda _: ["127.0.0.1"], allows=lambda _: True)

    def url(self, path: str, host: str = HOST) -> str:
        """The address of ``path``."""
        return f"https://{host}:{self.port}{path}"

    def talk(self, connection: ssl.SSLSocket) -> None:
        """Answer one request."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(4096)
            if not piece:
                return
            head += piece
        path = head.split()[1].decode()
        self.heads.append(head.decode())
        self.requests.append(path)
        said = self.answers.get(path, answer(status="404 Not Found"))
        if isinstance(said, bytes):
            connection.sendall(said)
            connection.unwrap()
        else:
            said(connection)


@contextmanager
def serving(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    """A server whose certificate this process trusts while it runs, and a cache directory of its own."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(scratch / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(scratch / "authority.pem"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(scratch / "cache"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, OTHER_HOST).configure_cert(context)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            raw: socket.socket = self.request
            # A client that has seen enough goes away without a word.
            with suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
                server.talk(connection)

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Listener(("127.0.0.1", 0), Handler) as listener:
        server = HttpsServer(listener.server_address[1])
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
