"""Requests and their answers, over the official client's connections.

The only module that touches urllib3. Every foreign error is translated here.
"""

from __future__ import annotations

import json
import math
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions as broken

from kploy.cluster.connection import Connection
from kploy.cluster.failures import failure_of
from kploy.cluster.port import ClusterError, ServerFailed, Unauthenticated, Unreachable

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 45.0
PATIENCE = 60.0
"""For how many seconds a request is tried again while the failure looks like one that passes."""

_LONGEST_PAUSE = 8.0
_LONGEST_RETRY_AFTER = 30.0
_PASSING_FAULT = re.compile(r"etcdserver|leader changed|failed calling webhook|context deadline exceeded")
"""What an internal error (500) says that passes by itself. Any other one is tried once more."""

_SILENCE = 75.0
"""After so many seconds without a byte a watch is taken for dead."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may safely be sent twice. ``path`` is escaped already."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    content_type: str = "application/json"


class Transport:
    """Sends requests to one API server. Safe to use from several threads."""

    def __init__(self, connection: Connection, read_timeout: float = READ_TIMEOUT) -> None:
        self._server = connection.target.server.rstrip("/")
        self._client = connection.client
        self._headers = connection.headers
        self._timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, read_timeout), read=read_timeout)
        self._closed = threading.Event()
        self._streams: set[urllib3.BaseHTTPResponse] = set()

    def send(
        self, request: Request, patience: float = PATIENCE, read_timeout: float | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer.

        A failure that may pass is tried again until ``patience`` seconds have
        gone; with 0 the first one counts. ``read_timeout`` is the most that an
        answer may take where that is less than usual. Raises ClusterError.
        """
        timeout = self._timeout
        if read_timeout is not None and read_timeout < (timeout.read_timeout or math.inf):
            timeout = urllib3.Timeout(connect=timeout.connect_timeout, read=read_timeout)
        until = time.monotonic() + patience
        for attempt in count():
            try:
                return self._once(request, timeout)
            except _Passing as passing:
                pause = passing.retry_after or random.uniform(0, min(_LONGEST_PAUSE, 0.25 * 2**attempt))  # noqa: S311
                is_last = attempt >= passing.retries or time.monotonic() + pause > until
                if is_last or self._closed.wait(pause):
                    raise passing.error from passing.__cause__
        raise AssertionError("it counts for ever")

    def stream(self, request: Request) -> Iterator[Any]:
        """The JSON lines of a watch as they come, until the server ends it or the network fails.

        Both ends look the same to the caller: a watch is always to be begun
        again. Raises ClusterError when the server refuses it.
        """
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=_SILENCE)
        try:
            response = self._respond(request, timeout, preload=False)
            if response.status != 200:
                raise failure_of(response.status, _json(response.read()))
            with closing(response):
                yield from self._until_closed(response)
        except (broken.HTTPError, OSError, ValueError):
            return

    def close(self) -> None:
        """Send nothing again, and end every stream and every connection that is idle."""
        self._closed.set()
        for response in tuple(self._streams):
            with suppress(ValueError, RuntimeError, OSError):  # It may end by itself at this moment.
                response.shutdown()
        self._client.rest_client.pool_manager.clear()

    def _until_closed(self, response: urllib3.BaseHTTPResponse) -> Iterator[Any]:
        self._streams.add(response)
        try:
            if not self._closed.is_set():
                yield from _lines(response)
        finally:
            self._streams.discard(response)

    def _once(self, request: Request, timeout: urllib3.Timeout) -> tuple[int, Any]:
        try:
            response = self._respond(request, timeout)
        except broken.HTTPError as exc:
            raise _Passing(Unreachable(_network_fact(self._server, exc), "is the cluster up?")) from exc
        answer = _json(response.data)
        if response.status < 300 and isinstance(answer, dict):
            return response.status, answer
        refusal = _refusal(response, answer)
        error = self._not_kubernetes() if refusal is None else failure_of(response.status, refusal)
        if response.status in {429, 502, 503, 504}:
            raise _Passing(error, _retry_after(response.headers.get("Retry-After")))
        if response.status == 500 and isinstance(error, ServerFailed):
            raise _Passing(error, retries=math.inf if _PASSING_FAULT.search(error.message) else 1)
        raise error

    def _not_kubernetes(self) -> ClusterError:
        hint = "a proxy or login page may stand in between; check the server's address"
        return Unreachable(f"{self._server} does not answer as a Kubernetes API server", hint)

    def _respond(
        self, request: Request, timeout: urllib3.Timeout, *, preload: bool = True
    ) -> urllib3.BaseHTTPResponse:
        """The answer, whatever its status. Raises urllib3's HTTPError where trying again may help."""
        headers = dict(self._headers)
        data = None
        if request.body is not None:
            headers["Content-Type"] = request.content_type
            data = json.dumps(request.body, separators=(",", ":")).encode()
        self._client.update_params_for_auth(headers, [], ["BearerToken"], request.path, request.method, None)
        headers = {name: _header(name, value) for name, value in headers.items()}
        url = f"{self._server}{request.path}" + (f"?{urlencode(request.query)}" if request.query else "")
        pool: urllib3.PoolManager = self._client.rest_client.pool_manager
        how: dict[str, Any] = {"timeout": timeout, "retries": False, "redirect": False, "preload_content": preload}
        try:
            return pool.request(request.method, url, body=data, headers=headers, **how)
        except broken.SSLError as exc:
            hint = "check the cluster's certificate authority in the kubeconfig"
            raise Unreachable(f"cannot trust {self._server}: {exc}", hint) from exc
        except (broken.LocationValueError, broken.ProxyError, UnicodeError) as exc:
            hint = "check the server's address and the proxy settings"
            raise Unreachable(f"cannot talk to {self._server}: {exc}", hint) from exc


class _Passing(Exception):
    """A failure that may pass by itself; ``retry_after`` seconds if the server asked for that."""

    def __init__(self, error: ClusterError, retry_after: float = 0.0, retries: float = math.inf) -> None:
        super().__init__()
        self.error = error
        self.retry_after = retry_after
        self.retries = retries


def _retry_after(header: str | None) -> float:
    try:
        seconds = float(header or 0)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _header(name: str, value: str) -> str:
    """The value of a header as it can be sent. Errors further down would quote it, and it may be a token."""
    value = value.strip()  # A token file may end with a line break.
    if re.search(r"[^\x20-\x7e\t]", value):
        fact = f"the credentials cannot be sent: {name} would hold a line break, or what is not ASCII"
        raise Unauthenticated(fact, "mend the token in the kubeconfig, or the plugin that gives it")
    return value


def _refusal(response: urllib3.BaseHTTPResponse, answer: Any) -> dict[str, Any] | None:
    """What a refusal says; None where it cannot be an API server's.

    Where it has no such group of APIs, or cannot reach the server that has, it says so in plain text.
    """
    if isinstance(answer, dict):
        return answer
    is_plain = response.headers.get("Content-Type", "").startswith("text/plain")
    if response.status < 400 or not is_plain:
        return None
    return {"message": response.data[:200].decode(errors="replace").strip()}


def _json(data: bytes) -> Any:
    """The JSON of an answer; None where it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[Any]:
    pending = b""
    for chunk in response.stream(amt=65536, decode_content=True):
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _network_fact(server: str, error: broken.HTTPError) -> str:
    match error:
        case broken.NameResolutionError():
            return f"cannot find the host of {server}"
        case broken.ReadTimeoutError():
            return f"{server} took the request but did not answer in time"
        case broken.NewConnectionError():
            return f"{server} refuses the connection"
        case broken.ConnectTimeoutError():
            return f"{server} does not answer (no connection within {CONNECT_TIMEOUT:g} s)"
        case _:
            return f"the connection to {server} broke"
