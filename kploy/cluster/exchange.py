"""HTTP/1.1, as far as an API server speaks it: a request goes out, and its answer is read as it arrives.

A deploy is a thousand requests and little else, and what http.client and urllib3 do for each, for uses that
kploy has none of, was a fifth of all the CPU that it took. So connections are urllib3's, and what goes
through them is written and read here. That http.client reads the same out of an answer is tested.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

CHUNK = 1 << 18
"""At most so many bytes are given at once."""

_BUFFER = 1 << 15
_LONGEST_LINE = 1 << 16
_MOST_HEADERS = 200


class Garbled(Exception):
    """The connection ended before the answer did, or what came is no HTTP."""


def request(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """A request as it goes over the wire. Neither the target nor a header may hold what ends a line."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
    return head if body is None else head + body


class Answer:
    """What a server answers: ``status``, ``headers`` by their names in small letters, and what ``read`` gives.

    ``source`` is the connection as it is read. ``is_over`` once all was read; ``can_go_on`` if
    another request may follow then. Everything raises Garbled, and what reading the source does.
    """

    def __init__(self, source: io.BufferedReader) -> None:
        self._source = source
        version, self.status = self._status()
        while 100 <= self.status < 200:
            self._headers()
            version, self.status = self._status()
        self.headers = self._headers()
        self._is_chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self._left = 0 if self._is_chunked else self._length()
        wishes = self.headers.get("connection", "").lower()
        is_kept = "close" not in wishes if version == b"HTTP/1.1" else "keep-alive" in wishes
        self.can_go_on = is_kept and self._left is not None
        self.is_over = self._left == 0 and not self._is_chunked

    def read(self) -> bytes:
        """What has arrived, as soon as there is something; nothing at the end."""
        if self.is_over:
            return b""
        if self._left is None:
            part = self._source.read1(CHUNK)
            self.is_over = not part
            return part
        if self._is_chunked and self._left == 0 and not self._next_chunk():
            return b""
        part = self._source.read1(min(self._left, CHUNK))
        if not part:
            raise Garbled("the answer was cut short")
        self._left -= len(part)
        if self._left == 0:
            self._end_part()
        return part

    def _end_part(self) -> None:
        """All of the answer, or of a chunk, was read."""
        if not self._is_chunked:
            self.is_over = True
        elif self._line() != b"":
            raise Garbled("a chunk is longer than it says")

    def _next_chunk(self) -> bool:
        """Whether there is another chunk; if not, the answer is over."""
        size = self._line().partition(b";")[0].strip()
        # To int, more is a number than is one here.
        if not size or size.strip(_HEX_DIGITS):
            raise Garbled("no size of a chunk")
        self._left = int(size, 16)
        if self._left:
            return True
        while self._line():  # There may be headers at the end as well.
            pass
        self.is_over = True
        return False

    def _status(self) -> tuple[bytes, int]:
        version, _, rest = self._line().partition(b" ")
        code = rest.strip()[:3]
        if version not in _VERSIONS or len(code) < 3 or not code.isdigit():
            raise Garbled("no answer in HTTP/1.1")
        return version, int(code)

    def _headers(self) -> dict[str, str]:
        """The headers; of those that come twice, the first one."""
        headers: dict[str, str] = {}
        name = ""
        for _ in range(_MOST_HEADERS):
            line = self._line()
            if not line:
                return headers
            if line[:1] in _SPACES and name:  # It goes on with the line before.
                headers[name] = f"{headers[name]} {line.strip().decode('latin-1')}"
                continue
            before, _, value = line.partition(b":")
            name = before.decode("latin-1").lower()
            headers.setdefault(name, value.strip().decode("latin-1"))
        raise Garbled("too many headers")

    def _length(self) -> int | None:
        """How long the rest is; None if it lasts until the connection ends."""
        if self.status in {204, 304}:
            return 0
        stated = self.headers.get("content-length")
        if stated is None:
            return None
        if not (stated.isascii() and stated.isdigit()):
            raise Garbled("no length of an answer")
        return int(stated)

    def _line(self) -> bytes:
        line = self._source.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise Garbled("the answer was cut short")
        return line.rstrip(b"\r\n")


_VERSIONS: Final = frozenset({b"HTTP/1.1", b"HTTP/1.0"})
_SPACES: Final = (b" ", b"\t")
_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"


def reader(socket: Any) -> io.BufferedReader:
    """A connected socket as something to read from: for all answers that come through it."""
    source: io.BufferedReader = socket.makefile("rb", _BUFFER)
    return source
