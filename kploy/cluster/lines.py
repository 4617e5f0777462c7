"""Connections with one server: made by urllib3, through proxies and TLS, and kept for the next request.

The only module that touches urllib3. What connecting fails of is translated here.
"""

from __future__ import annotations

import io
import os
import re
import ssl
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from http.client import HTTPException
from socket import SHUT_RD, socket
from typing import Any

from urllib3 import exceptions as broken
from urllib3.util import parse_url
from urllib3.util.ssl_match_hostname import CertificateError

from kploy.cluster.attempts import Passing
from kploy.cluster.exchange import Garbled, Incoming
from kploy.cluster.port import ClusterError, Unreachable
from kploy.cluster.retries import Again
from kploy.cluster.tls import Context

CONNECT_TIMEOUT = 5.0

_FRESH = 0.5
"""Seconds after its last answer in which a connection is not looked at: that takes a system call or two."""

_PROXY_REFUSES = re.compile(r"Tunnel connection failed: 4\d\d")


def _dialled(pool: Any, seconds: float, *, tunnels: bool) -> Any:
    """A new connection of urllib3's ``pool``, which may take ``seconds`` to be there. Raises _NotConnected.

    What a pool does before it sends a request (``HTTPConnectionPool.urlopen``), and no more.
    """
    connection = pool._new_conn()  # noqa: SLF001 - there is no other way to have a connection, and not all the rest
    connection.timeout = seconds
    try:
        if tunnels:
            pool._prepare_proxy(connection)  # noqa: SLF001 - as above
        pool._validate_conn(connection)  # noqa: SLF001 - as above
        if connection.is_closed:
            connection.connect()
    except (OSError, HTTPException, broken.HTTPError, ValueError) as exc:
        is_proxys = connection.proxy is not None and not connection.has_connected_to_proxy
        connection.close()
        raise _NotConnected(exc, is_proxys=is_proxys) from exc
    return connection


class _NotConnected(Exception):
    """There is no connection, because of ``error``; ``is_proxys``: it did not get beyond the proxy."""

    def __init__(self, error: Exception, *, is_proxys: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_proxys = is_proxys


class Line:
    """A connection that takes one request after the other. For one thread at a time, but for ``stop``."""

    def __init__(self, connection: Any) -> None:
        self._incoming = Incoming(connection.sock)
        self.source: io.BufferedReader = self._incoming.buffered()
        self._connection = connection
        self._ending = threading.Lock()
        self._is_closed = False

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come since the last answer: a server that ends an idle connection says so."""
        connected: bool = self._connection.is_connected
        return connected

    def remember(self) -> None:
        """Spare the next connections most of the greeting: whole answers have come through this one."""
        secured = self._connection.sock
        if isinstance(secured, ssl.SSLSocket) and isinstance(secured.context, Context):
            secured.context.remember(secured)

    def send(self, data: bytes, seconds: float) -> None:
        """Send a request; to hear the answer may take ``seconds``."""
        self.hear_within(seconds)
        # Who answers before it has heard all may have hung up, and its answer is there.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.sock.sendall(data)

    def hear_within(self, seconds: float) -> None:
        """The whole of what is still to come of the answer may take so long."""
        self._incoming.within(seconds)

    def hear_every(self, seconds: float) -> None:
        """Each read of it may take so long, however many there are."""
        self._incoming.each_within(seconds)

    def stop(self) -> None:
        """End what another thread reads at this moment."""
        with self._ending:
            if not self._is_closed:
                # Not by the socket itself: within TLS it has no such thing, or forgets that there was any TLS.
                with suppress(OSError), socket(fileno=os.dup(self.source.fileno())) as same:
                    same.shutdown(SHUT_RD)

    def close(self) -> None:
        """Hang up."""
        with self._ending:
            self._is_closed = True
            self.source.close()
            self._connection.close()


class Lines:
    """Connections with one ``server``, as a ``manager`` of urllib3 makes them. For any thread.

    ``headers`` are those that every request needs on its way. Raises ValueError for an address that is none.
    """

    def __init__(self, manager: Any, server: str) -> None:
        self._pool = manager.connection_from_url(server)
        self._tunnels = self._pool.proxy is not None and server.startswith("https:")
        self._idle: deque[tuple[float, Line]] = deque()
        self._is_closed = False
        self._is_known = False
        self.headers = {"Host": _host(server), "Accept-Encoding": "identity"}
        if not self._tunnels:
            self.headers |= self._pool.proxy_headers or {}
        weakref.finalize(self, _hang_up, self._idle)

    def take(self, seconds: float) -> Line:
        """A connection that nobody else uses; to make one may take ``seconds``. Raises one of FAILURES."""
        while True:
            try:
                since, line = self._idle.pop()
            except IndexError:
                return Line(_dialled(self._pool, min(CONNECT_TIMEOUT, seconds), tunnels=self._tunnels))
            # One that was just used is hardly ever dead, and whoever finds it so tries again.
            if time.monotonic() - since < _FRESH or line.is_quiet:
                return line
            line.close()

    def give_back(self, line: Line) -> None:
        """Keep a connection whose last answer is over, for who asks next."""
        if not self._is_known:
            self._is_known = True
            # The answer is there: that others have to greet in full is no reason to lose it.
            with suppress(ValueError, ssl.SSLError):
                line.remember()
        self._idle.append((time.monotonic(), line))
        if self._is_closed:
            self.hang_up()

    def hang_up(self) -> None:
        """Keep none of those that are idle: whoever has ended one connection has ended others."""
        _hang_up(self._idle)

    def close(self) -> None:
        """Keep none any more."""
        self._is_closed = True
        self.hang_up()


def _hang_up(idle: deque[tuple[float, Line]]) -> None:
    with suppress(IndexError):
        while True:
            idle.pop()[1].close()


def _host(server: str) -> str:
    """What a request calls the server."""
    url = parse_url(server)
    name = (url.host or "").rstrip(".")
    is_usual = url.port in {None, 443 if url.scheme == "https" else 80}
    return name if is_usual else f"{name}:{url.port}"


FAILURES = (_NotConnected, OSError, Garbled, UnicodeError)
"""What ``Lines`` and what comes through a line may raise. See ``meaning_of``."""


def meaning_of(failure: Exception, server: str) -> ClusterError | Passing:
    """What it means that no whole answer came from ``server``."""
    error, is_proxys = failure, False
    if isinstance(failure, _NotConnected):
        error, is_proxys = failure.error, failure.is_proxys
    if isinstance(error, _UNTRUSTED) and not is_proxys and not isinstance(error, _CUT_SHORT):
        hint = "check the cluster's certificate authority in the kubeconfig"
        return Unreachable(f"cannot trust {server}: {error}", hint)
    if isinstance(error, _NO_ADDRESS) or (is_proxys and _PROXY_REFUSES.search(str(error))):
        hint = "check the server's address and the proxy settings"
        return Unreachable(f"cannot talk to {server}: {error}", hint)
    fact = _fact(error, server, has_line=error is failure, is_proxys=is_proxys)
    return Passing(Unreachable(fact, "is the cluster up?"), Again(), fact)


_UNTRUSTED = (ssl.SSLError, CertificateError, broken.SSLError)
_CUT_SHORT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""A TLS connection only ended, as those of a server that restarts."""

_NO_ADDRESS = (broken.LocationValueError, UnicodeError)


def _fact(error: Exception, server: str, *, has_line: bool, is_proxys: bool) -> str:
    if is_proxys:
        return f"the proxy before {server} gives no connection"
    match error:
        case TimeoutError() if has_line:
            return f"{server} took the request but did not answer in time"
        case broken.NameResolutionError():
            return f"cannot find the host of {server}"
        case broken.NewConnectionError():
            return f"{server} refuses the connection"
        case broken.ConnectTimeoutError() | TimeoutError():
            return f"{server} does not answer (no connection within {CONNECT_TIMEOUT:g} s)"
        case _:
            return f"the connection to {server} broke"
