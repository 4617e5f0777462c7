"""Requests and their answers, over the official client's connections.

The only module that touches urllib3. Every foreign error is translated here.
Which failures are worth another try, cluster.retries says; cluster.attempts makes it.
"""

from __future__ import annotations

import copy
import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions as broken

from kploy.cluster import answers
from kploy.cluster.attempts import Attempts, Passing
from kploy.cluster.connection import Connection
from kploy.cluster.failures import failure_of
from kploy.cluster.port import ClusterError, ServerFailed, Trouble, Unreachable
from kploy.cluster.retries import PATIENCE, Again, Pace, again
from kploy.cluster.sessions import Session
from kploy.core.bodies import mapping, text
from kploy.core.quoting import quotable
from kploy.model.frozen import dataclass

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 45.0

_SILENCE = 75.0
"""After so many seconds without a byte a watch is taken for dead."""

_NO_END = 366 * 24 * 3600.0
"""For so many seconds a log may say nothing: longer than any run lasts."""

_CHUNK = 1 << 18
"""At most so many bytes are read at once."""


_NO_RETRIES = urllib3.Retry.from_int(retries=False, redirect=False)
"""None of urllib3's own: cluster.attempts makes them."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may safely be sent twice. ``path`` is escaped already; ``accept`` is "" for the usual."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    content_type: str = "application/json"
    accept: str = ""


class Transport:
    """Sends requests to one API server. Safe to use from several threads.

    ``read_timeout`` and ``silence`` are in seconds: how long an answer may take,
    and for how long a watch may say nothing.
    """

    def __init__(
        self,
        connection: Connection,
        read_timeout: float = READ_TIMEOUT,
        pace: Pace = Pace(),  # noqa: B008 - it is frozen
        silence: float = _SILENCE,
    ) -> None:
        self._server = connection.target.server.rstrip("/")
        self._attempts = Attempts(connection.sessions, pace)
        self._read_timeout = read_timeout
        self._silence = silence
        self._streams: set[urllib3.BaseHTTPResponse] = set()

    def until(self, deadline: float) -> Transport:
        """The same transport; nothing is tried again past ``deadline``, which is in seconds of its clock."""
        bounded = copy.copy(self)
        bounded._attempts = self._attempts.until(deadline)  # noqa: SLF001 - it is one of its own
        return bounded

    def observe(self, listener: Callable[[Trouble], None]) -> None:
        """Tell ``listener``, on any thread, when requests have to wait for the server, and when that is over."""
        self._attempts.troubles.listener = listener

    def send(
        self, request: Request, patience: float = PATIENCE, read_timeout: float | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of the answer.

        A failure that may pass is tried again until ``patience`` seconds have
        gone, or the deadline is there; with 0 the first one counts.
        ``read_timeout`` is the most that an answer may take where that is less
        than usual. Raises ClusterError.
        """
        limit = self._read_timeout if read_timeout is None else min(read_timeout, self._read_timeout)
        return self._attempts.make(lambda session: self._whole(request, session, limit), patience)

    def text(self, request: Request) -> str:
        """The whole of an answer that is no JSON, by the same rules as ``send``."""
        answer = self._attempts.make(
            lambda session: self._received(request, session, self._read_timeout), PATIENCE
        )
        return answer[1].decode(errors="replace")

    def stream(self, request: Request) -> Iterator[Any]:
        """The JSON lines of a watch as they come, until the server ends it, falls silent, or the network fails.

        All these ends look the same to the caller: a watch is always to be begun
        again. Raises ClusterError when it cannot be begun, by the same rules as ``send``.
        """
        with suppress(ValueError):  # A line that was cut off.
            for line in self._lines(request, self._silence):
                if line.strip():
                    yield json.loads(line)

    def lines(self, request: Request) -> Iterator[str]:
        """The lines of an answer that is no JSON, as they come; the same as ``stream``, but silence is no end."""
        for line in self._lines(request, _NO_END):
            yield line.decode(errors="replace")

    def close(self) -> None:
        """Send nothing again, and end every stream and every connection that is idle."""
        self._attempts.closed.set()
        for response in tuple(self._streams):
            with suppress(ValueError, RuntimeError, OSError):  # It may end by itself at this moment.
                response.shutdown()
        self._attempts.sessions.latest.pool.close()

    def _lines(self, request: Request, silence: float) -> Iterator[bytes]:
        response = self._attempts.make(lambda session: self._begun(request, session, silence), PATIENCE)
        with suppress(broken.HTTPError, OSError, ValueError, ServerFailed), closing(response):
            yield from self._until_closed(response)

    def _until_closed(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        self._streams.add(response)
        try:
            if not self._attempts.closed.is_set():
                yield from answers.lines(lambda: response.read1(_CHUNK))
        finally:
            self._streams.discard(response)

    def _whole(self, request: Request, session: Session, limit: float) -> tuple[int, Any]:
        response, data = self._received(request, session, limit)
        answer = answers.parsed(data)
        if isinstance(answer, dict):
            return response.status, answer
        raise self._failure(request, response, data, answer)

    def _received(
        self, request: Request, session: Session, limit: float
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        """A success and all that came with it; raises what anything else means."""
        try:
            response = self._respond(request, session, limit)
            data = self._read(response, limit)
        except (broken.HTTPError, UnicodeError) as exc:
            raise self._broken(exc) from exc
        if response.status < 300:
            return response, data
        raise self._failure(request, response, data, answers.parsed(data))

    def _begun(self, request: Request, session: Session, silence: float) -> urllib3.BaseHTTPResponse:
        try:
            response = self._respond(request, session, silence)
            if response.status == 200:
                return response
            data = self._read(response, self._read_timeout)
        except (broken.HTTPError, UnicodeError) as exc:
            raise self._broken(exc) from exc
        raise self._failure(request, response, data, answers.parsed(data))

    def _read(self, response: urllib3.BaseHTTPResponse, limit: float) -> bytes:
        """All of an answer, within ``limit`` seconds."""
        until = self._attempts.now() + self._attempts.left(limit)

        def read() -> bytes:
            part = response.read1(_CHUNK)
            left = until - self._attempts.now()
            socket = getattr(response.connection, "sock", None)
            if socket is not None:  # It is still on its way.
                if left <= 0:
                    raise broken.ReadTimeoutError(None, None, "it drips")  # type: ignore[arg-type]
                socket.settimeout(min(limit, left))
            return part

        try:
            return answers.whole(read)
        except BaseException:
            response.close()
            raise

    def _failure(
        self, request: Request, response: urllib3.BaseHTTPResponse, data: bytes, answer: Any
    ) -> ClusterError | Passing:
        """What an answer means that is not a success."""
        refusal = _refusal(response, data, answer)
        error = self._not_kubernetes() if refusal is None else failure_of(response.status, refusal)
        how = again(response.status, error, request.body, response.headers.get("Retry-After"))
        # What an answer says of an object may quote it.
        is_secret = text(request.body, "kind") == "Secret"
        fact = f"{self._server} answers {response.status}" if is_secret else error.message
        fact = quotable(mapping(request.body), fact)
        return error if how is None else Passing(error, how, fact)

    def _not_kubernetes(self) -> ClusterError:
        hint = "a proxy or login page may stand in between; check the server's address"
        return Unreachable(f"{self._server} does not answer as a Kubernetes API server", hint)

    def _respond(self, request: Request, session: Session, limit: float) -> urllib3.BaseHTTPResponse:
        """The answer as far as its headers, whatever its status. Raises HTTPError."""
        left = self._attempts.before_asking(limit)
        headers, data = session.headers, None
        if request.accept:
            headers = {**headers, "Accept": request.accept}
        if request.body is not None:
            headers = {**headers, "Content-Type": request.content_type}
            data = json.dumps(request.body, separators=(",", ":")).encode()
        return session.pool.urlopen(  # type: ignore[no-any-return]
            request.method,
            f"{session.root}{request.path}" + (f"?{urlencode(request.query)}" if request.query else ""),
            body=data,
            headers=headers,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT, left), read=left),
            retries=_NO_RETRIES,
            redirect=False,
            assert_same_host=False,  # A proxy's connections are to another one.
            preload_content=False,
        )

    def _broken(self, error: Exception) -> ClusterError | Passing:
        """What it means that no whole answer came."""
        if isinstance(error, broken.SSLError) and not _is_cut_short(error):
            hint = "check the cluster's certificate authority in the kubeconfig"
            return Unreachable(f"cannot trust {self._server}: {error}", hint)
        is_proxys_refusal = isinstance(error, broken.ProxyError) and _PROXY_REFUSES.search(str(error))
        if is_proxys_refusal or isinstance(error, broken.LocationValueError | UnicodeError):
            hint = "check the server's address and the proxy settings"
            return Unreachable(f"cannot talk to {self._server}: {error}", hint)
        fact = _network_fact(self._server, error)
        return Passing(Unreachable(fact, "is the cluster up?"), Again(), fact)


_PROXY_REFUSES = re.compile(r"Tunnel connection failed: 4\d\d")


def _is_cut_short(error: broken.SSLError) -> bool:
    """Whether a TLS connection only ended, as those of a server that restarts."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)


def _refusal(response: urllib3.BaseHTTPResponse, data: bytes, answer: Any) -> dict[str, Any] | None:
    """What a refusal says; None where it cannot be an API server's.

    Where it has no such group of APIs, or cannot reach the server that has, it says so in plain text.
    """
    if isinstance(answer, dict) and response.status != 407:
        return answer
    is_plain = response.headers.get("Content-Type", "").startswith("text/plain")
    if response.status < 400 or not is_plain or response.status == 407:
        return None
    return {"message": data[:200].decode(errors="replace").strip()}


def _network_fact(server: str, error: Exception) -> str:
    match error:
        case broken.NameResolutionError():
            return f"cannot find the host of {server}"
        case broken.ReadTimeoutError():
            return f"{server} took the request but did not answer in time"
        case broken.NewConnectionError():
            return f"{server} refuses the connection"
        case broken.ConnectTimeoutError():
            return f"{server} does not answer (no connection within {CONNECT_TIMEOUT:g} s)"
        case broken.ProxyError():
            return f"the proxy before {server} gives no connection"
        case _:
            return f"the connection to {server} broke"
