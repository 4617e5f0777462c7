"""Requests and their answers.

Why no answer came, cluster.lines says, and cluster.failures what an answer means that is none of success. Which
failures are worth another try, cluster.retries says; cluster.attempts makes it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from kploy.cluster import answers
from kploy.cluster.attempts import Attempts, Passing
from kploy.cluster.connection import Connection
from kploy.cluster.exchange import Answer
from kploy.cluster.exchange import request as written
from kploy.cluster.failures import failure_of
from kploy.cluster.lines import FAILURES, Line, Lines, meaning_of
from kploy.cluster.port import ClusterError, ServerFailed, Trouble, Unreachable
from kploy.cluster.retries import PATIENCE, Pace, again
from kploy.cluster.sessions import Session
from kploy.core.bodies import mapping, text
from kploy.core.quoting import quotable
from kploy.model.frozen import dataclass

READ_TIMEOUT = 45.0

_SILENCE = 75.0
"""After so many seconds without a byte a watch is taken for dead."""

_NO_END = 366 * 24 * 3600.0
"""For so many seconds a log may say nothing: longer than any run lasts."""


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
        self._streams: set[_Exchange] = set()

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
        for exchange in tuple(self._streams):
            exchange.line.stop()
        self._attempts.sessions.latest.lines.close()

    def _lines(self, request: Request, silence: float) -> Iterator[bytes]:
        exchange = self._attempts.make(lambda session: self._begun(request, session, silence), PATIENCE)
        with suppress(*FAILURES, ValueError, ServerFailed), closing(exchange):
            yield from self._until_closed(exchange)

    def _until_closed(self, exchange: _Exchange) -> Iterator[bytes]:
        self._streams.add(exchange)
        try:
            if not self._attempts.closed.is_set():
                yield from answers.lines(exchange.answer.read)
        finally:
            self._streams.discard(exchange)

    def _whole(self, request: Request, session: Session, limit: float) -> tuple[int, Any]:
        head, data = self._received(request, session, limit)
        answer = answers.parsed(data)
        if isinstance(answer, dict):
            return head.status, answer
        raise self._failure(request, head, data, answer)

    def _received(self, request: Request, session: Session, limit: float) -> tuple[Answer, bytes]:
        """A success and all that came with it; raises what anything else means."""
        try:
            exchange = self._asked(request, session, limit)
            data = _read(exchange)
        except FAILURES as exc:
            raise meaning_of(exc, self._server) from exc
        if exchange.answer.status < 300:
            return exchange.answer, data
        raise self._failure(request, exchange.answer, data, answers.parsed(data))

    def _begun(self, request: Request, session: Session, silence: float) -> _Exchange:
        try:
            exchange = self._asked(request, session, silence)
            if exchange.answer.status == 200:
                exchange.line.hear_every(silence)
                return exchange
            exchange.line.hear_within(self._read_timeout)
            data = _read(exchange)
        except FAILURES as exc:
            raise meaning_of(exc, self._server) from exc
        raise self._failure(request, exchange.answer, data, answers.parsed(data))

    def _failure(self, request: Request, head: Answer, data: bytes, answer: Any) -> ClusterError | Passing:
        """What an answer means that is not a success."""
        refusal = _refusal(head, data, answer)
        error = self._not_kubernetes(head) if refusal is None else failure_of(head.status, refusal)
        how = again(head.status, error, request.body, head.headers.get("retry-after"))
        # What an answer says of an object may quote it.
        is_secret = text(request.body, "kind") == "Secret"
        fact = f"{self._server} answers {head.status}" if is_secret else error.message
        fact = quotable(mapping(request.body), fact)
        return error if how is None else Passing(error, how, fact)

    def _not_kubernetes(self, head: Answer) -> ClusterError:
        encoding = head.headers.get("content-encoding", "identity")
        if encoding != "identity":
            fact = f"{self._server} answers as {encoding}, which it was not asked for"
            return Unreachable(
                fact, "a proxy that stands in between does that: have it pass answers on as they are"
            )
        hint = "a proxy or login page may stand in between; check the server's address"
        return Unreachable(f"{self._server} does not answer as a Kubernetes API server", hint)

    def _asked(self, request: Request, session: Session, limit: float) -> _Exchange:
        """A request, and its answer as far as its headers, whatever its status, within ``limit`` seconds."""
        left = self._attempts.before_asking(limit)
        line = session.lines.take(left)
        try:
            line.send(_written(request, session), left)
            return _Exchange(session.lines, line, Answer(line.source))
        except BaseException:
            line.close()
            session.lines.hang_up()
            raise


@dataclass(frozen=True, slots=True, eq=False)
class _Exchange:
    """An answer that is being read, and the line through which it comes."""

    lines: Lines
    line: Line
    answer: Answer

    def close(self) -> None:
        """Keep the line for the next request if the answer is over, else hang up."""
        if self.answer.is_over and self.answer.can_go_on:
            self.lines.give_back(self.line)
        else:
            self.line.close()


def _read(exchange: _Exchange) -> bytes:
    """All of an answer."""
    with closing(exchange):
        return answers.whole(exchange.answer.read)


_ENCODER = json.JSONEncoder(separators=(",", ":"))


@lru_cache(maxsize=64)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    """A query as it stands in an address. Of a thousand requests nearly all have the same one."""
    return urlencode(query)


def _written(request: Request, session: Session) -> bytes:
    headers, data = {**session.lines.headers, **session.headers}, None
    if request.accept:
        headers["Accept"] = request.accept
    if request.body is not None:
        headers["Content-Type"] = request.content_type
        data = _ENCODER.encode(request.body).encode()
    query = f"?{_encoded(request.query)}" if request.query else ""
    return written(request.method, f"{session.root}{request.path}{query}", headers, data)


def _refusal(head: Answer, data: bytes, answer: Any) -> dict[str, Any] | None:
    """What a refusal says; None where it cannot be an API server's.

    Where it has no such group of APIs, or cannot reach the server that has, it says so in plain text.
    """
    if isinstance(answer, dict) and head.status != 407:
        return answer
    is_plain = head.headers.get("content-type", "").startswith("text/plain")
    if head.status < 400 or not is_plain or head.status == 407:
        return None
    return {"message": data[:200].decode(errors="replace").strip()}
