"""How connections are secured: one context for all that go to a server with the same credentials."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from socket import socket
from typing import Any


class Context(ssl.SSLContext):
    """A context that many threads may connect with at the same time, and whose later greetings are short.

    urllib3 sets the protocols of a context anew for every connection. OpenSSL frees the old
    ones, which another thread may be reading, to send them: its greeting is garbled, the server
    answers with an alert, and the connection fails for no reason anybody could find.

    A whole greeting costs the two ends 2.5 ms of CPU, for signatures and certificates. Who has had one takes
    up what was agreed there (RFC 8446, 2.2), with the same server and by the same context only: both
    belong to a session, and OpenSSL has verified it for them. A server that does not know it any more
    greets in full, and so does every one behind a proxy that has TLS itself.
    """

    def __init__(self, *_: Any) -> None:
        self._has_protocols = False
        self._sessions: dict[str | None, ssl.SSLSession] = {}

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        if not self._has_protocols:
            super().set_alpn_protocols(alpn_protocols)
            self._has_protocols = True

    def wrap_socket(self, sock: socket, *args: Any, **how: Any) -> ssl.SSLSocket:
        how.setdefault("session", self._sessions.get(how.get("server_hostname")))
        return super().wrap_socket(sock, *args, **how)

    def remember(self, connection: ssl.SSLSocket) -> None:
        """Take up in others what was agreed in a ``connection`` that has been read from, and by nobody else now.

        Before that its server may not have said by what to take it up.
        """
        session = connection.session
        if session is not None:
            self._sessions[connection.server_hostname] = session
