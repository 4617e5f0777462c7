"""Fetches remote manifests over https, without trust in what answers.

A name is looked up once, and the connection goes to an address that was
checked: whoever owns the name cannot lead kploy into a private network. That
is also why proxies in the environment are ignored: behind one, the proxy
looks the name up. TLS is verified against the system's authorities, or those
that SSL_CERT_FILE and SSL_CERT_DIR name.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from http.client import (
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
    RemoteDisconnected,
    responses,
)
from typing import Any

from kploy import __version__
from kploy.source.files import LARGEST
from kploy.source.network import Network
from kploy.source.threads import at_once
from kploy.source.urls import BadUrl, Url, redirected

MOST_REDIRECTS = 3
MOST_ADDRESSES = 4
"""So many addresses of one name are tried."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": f"kploy/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_MIB = 1024 * 1024
_LATER = "try again later, or save a copy beside it, as *.yaml"
_COPY = "save a copy beside it, as *.yaml"


class FetchFailed(Exception):
    """A remote manifest did not come: the rule, the fact and the remedy. ``message`` goes on after ``URL: ``."""

    def __init__(self, rule: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.hint = hint


def fetch_all(urls: Iterable[Url], network: Network) -> dict[Url, bytes | FetchFailed]:
    """What stands at each address, or why it could not be had; a few are fetched at the same time."""
    return at_once(partial(_attempt, network=network), urls)


def fetch(url: Url, network: Network) -> bytes:
    """The content at ``url``, at most 5 MiB, within ``fetch_seconds``; raises FetchFailed."""
    clock = _Clock(network.fetch_seconds)
    seen = [url.text]
    while True:
        found = _visit(url, network, clock)
        if isinstance(found, bytes):
            return found
        if found.text in seen:
            raise FetchFailed("remote-refused", "redirects in a circle", "write the address it should lead to")
        if len(seen) > MOST_REDIRECTS:
            message = f"redirects more than {MOST_REDIRECTS} times"
            raise FetchFailed("remote-refused", message, "write the address it leads to")
        seen.append(found.text)
        url = found


class _Clock:
    """How much of a time is left."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, more than none; raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _ImpatientSocket(ssl.SSLSocket):
    """A TLS connection that reads and writes only while its clock runs, however slowly the other side drips."""

    clock: _Clock

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.clock.left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.clock.left())
        super().sendall(*args, **kwargs)


def _attempt(url: Url, network: Network) -> bytes | FetchFailed:
    try:
        return fetch(url, network)
    except FetchFailed as exc:
        return exc


def _visit(url: Url, network: Network, clock: _Clock) -> bytes | Url:
    """One request: the content, or where it leads to. Foreign errors are translated here."""
    try:
        with closing(_connect(url, network, clock)) as connection:
            connection.request("GET", url.target, headers=_HEADERS)
            with connection.getresponse() as response:
                return _answer(response, url)
    except TimeoutError:
        seconds = f"{network.fetch_seconds:g}"
        message = f"{url.host} was not done after {seconds} seconds"
        raise FetchFailed("remote-unreachable", message, _hint_unreachable()) from None
    except ssl.SSLCertVerificationError as exc:
        message = f"the certificate of {url.host} is not trusted: {exc.verify_message}"
        hint = "correct the address; SSL_CERT_FILE names the authorities to trust"
        raise FetchFailed("remote-unreachable", message, hint) from None
    except (OSError, HTTPException, ValueError) as exc:
        message = f"the connection to {url.host} broke off: {_reason(exc)}"
        raise FetchFailed("remote-unreachable", message, _LATER) from None


def _connect(url: Url, network: Network, clock: _Clock) -> HTTPSConnection:
    """A connection to ``url`` on which TLS is established and verified."""
    patience = _Clock(min(network.connect_seconds, clock.left()))
    context = _context()
    raw = _tcp(url, _addresses(url, network, patience), patience)
    try:
        raw.settimeout(patience.left())
        secured = context.wrap_socket(raw, server_hostname=url.host, suppress_ragged_eofs=False)
    except TimeoutError:
        raise _not_in_time(url, network) from None
    finally:
        raw.close()
    secured.clock = clock
    connection = HTTPSConnection(url.host, url.port, context=context)
    connection.sock = secured
    return connection


def _context() -> Any:
    """TLS as Python's default has it: TLS 1.2 or newer, verified, for this host name."""
    context: Any = ssl.create_default_context()
    context.sslsocket_class = _ImpatientSocket
    return context


def _addresses(url: Url, network: Network, patience: _Clock) -> list[str]:
    """The addresses of the host, all of which kploy may connect to."""
    try:
        found = list(at_once(network.resolve, [url.host], patience.left())[url.host])
    except TimeoutError:
        raise _not_in_time(url, network) from None
    except (OSError, UnicodeError) as exc:
        message = f"{url.host} was not found: {_reason(exc)}"
        raise FetchFailed("remote-unreachable", message, "correct the address") from None
    for address in found:
        if not network.allows(ipaddress.ip_address(address)):
            message = f"{url.host} leads to {address}, which is no public address"
            raise FetchFailed("remote-refused", message, _COPY)
    return found[:MOST_ADDRESSES]


def _tcp(url: Url, addresses: list[str], patience: _Clock) -> socket.socket:
    """A connection to the first address that answers; each gets its share of the time."""
    reason = "it has no address"
    for number, address in enumerate(addresses):
        try:
            share = patience.left() / (len(addresses) - number)
            return socket.create_connection((address, url.port), share)
        except OSError as exc:
            reason = _reason(exc)
    message = f"{url.host} cannot be reached: {reason}"
    raise FetchFailed("remote-unreachable", message, _hint_unreachable())


def _answer(response: HTTPResponse, url: Url) -> bytes | Url:
    """What a response holds, or where it leads to."""
    location = response.getheader("Location")
    if response.status in _REDIRECTS and location:
        return _next_hop(url, location)
    if response.status != 200:
        raise _not_ok(response.status, url)
    encoding = response.getheader("Content-Encoding", "identity").strip().lower()
    transfer = response.getheader("Transfer-Encoding", "chunked").strip().lower()
    if encoding not in {"", "identity"} or transfer not in {"chunked", "identity"}:
        message = f"{url.host} sends compressed content, which was not asked for"
        raise FetchFailed("remote-refused", message, _COPY)
    return _body(response, url)


def _next_hop(url: Url, location: str) -> Url:
    try:
        return redirected(url, location)
    except BadUrl as exc:
        message = f"{url.host} redirects to an address that kploy does not go to: {exc.message}"
        raise FetchFailed("remote-refused", message, "write the address it should lead to") from None


def _not_ok(status: int, url: Url) -> FetchFailed:
    message = f"{url.host} answers {status} {responses.get(status, '')}".rstrip()
    if status in {401, 403, 407}:
        hint = "kploy sends no credentials: make it public, or save a copy beside it, as *.yaml"
    elif status in {404, 410}:
        hint = "correct the address"
    else:
        hint = _LATER
    return FetchFailed("remote-unreachable", message, hint)


def _body(response: HTTPResponse, url: Url) -> bytes:
    """The content, complete and not too large."""
    declared = response.length
    data = b"" if (declared or 0) > LARGEST else response.read(LARGEST + 1)
    if len(data) > LARGEST or (declared or 0) > LARGEST:
        message = f"{url.host} sends more than {LARGEST // _MIB} MiB"
        raise FetchFailed("remote-refused", message, "a manifest is smaller: correct the address, or split it")
    if declared is not None and len(data) < declared:
        message = f"{url.host} sent {len(data)} of {declared} bytes"
        raise FetchFailed("remote-unreachable", message, _LATER)
    return data


def _not_in_time(url: Url, network: Network) -> FetchFailed:
    message = f"{url.host} does not answer within {network.connect_seconds:g} seconds"
    return FetchFailed("remote-unreachable", message, _hint_unreachable())


def _hint_unreachable() -> str:
    if os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY"):
        return "kploy uses no proxy for remote manifests: save a copy beside it, as *.yaml"
    return _LATER


def _reason(exc: Exception) -> str:
    """What went wrong, without what the other side said."""
    if isinstance(exc, TimeoutError):
        return "no answer"
    if isinstance(exc, IncompleteRead | RemoteDisconnected | ssl.SSLEOFError):
        return "it was closed too early"
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed, {(exc.reason or 'no reason given').lower().replace('_', ' ')}"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return "this is not HTTP"
