"""HTTP/1.1, as far as an API server speaks it: a request goes out, and its answer is read as it arrives.

A deploy is a thousand requests and little else, and what http.client and urllib3 do for each, for uses that
kploy has none of, was a fifth of all the CPU that it took. So connections are urllib3's, and what goes
through them is written and read here. That http.client reads the same out of an answer is tested.
"""

from __future__ import annotations

import io
import time
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
    """A request as it goes over the wire.

    Who calls it sees to it that neither the target nor a header holds what ends a line: cluster.adapter
    escapes paths, and cluster.sessions checks headers. Raises UnicodeError for what is not ASCII.
    """
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
    return head if body is None else head + body


class Answer:
    """What a server answers: ``status``, ``headers`` by their names in small letters, and what ``read`` gives.

    ``source`` is the connection as it is read. ``is_over`` says that all was read; ``can_go_on``, that another
    request may follow then. To make one and to read it raises Garbled, and whatever the source raises.
    """

    def __init__(self, source: io.BufferedReader) -> None:
        self._source = source
        version, self.status = self._final_status()
        self.headers = self._headers()
        is_bare = self.status in _BARE
        self._is_chunked = not is_bare and self.headers.get("transfer-encoding", "").lower() == "chunked"
        # Bytes until the end of the answer, or of the chunk; None if the answer lasts until the connection ends.
        self._left = 0 if is_bare or self._is_chunked else self._length()
        wishes = self.headers.get("connection", "").lower()
        is_kept = "close" not in wishes if version == b"HTTP/1.1" else "keep-alive" in wishes
        # What has no content may come with some all the same, which nobody must take for the next answer.
        self.can_go_on = is_kept and self._left is not None and not is_bare
        self.is_over = self._left == 0 and not self._is_chunked

    def read(self) -> bytes:
        """What has arrived, as soon as there is something; nothing at the end."""
        if self.is_over:
            return b""
        if self._left is None:
            part = self._source.read1(CHUNK)
            self.is_over = not part
            return part
        if self._is_chunked and self._left == 0 and not self._began_chunk():
            return b""
        part = self._source.read1(min(self._left, CHUNK))
        if not part:
            raise Garbled("the answer was cut short")
        self._left -= len(part)
        if self._left == 0:
            self._end_part()
        return part

    def _began_chunk(self) -> bool:
        """Read how long the next chunk is. False for the one of no length, which ends the answer."""
        size = self._line().partition(b";")[0].strip()
        # To int, more is a number than is one here.
        if not size or len(size) > _MOST_DIGITS or size.strip(_HEX_DIGITS):
            raise Garbled("no size of a chunk")
        self._left = int(size, 16)
        if self._left:
            return True
        self._headers()  # There may be some at the end as well.
        self.is_over = True
        return False

    def _end_part(self) -> None:
        """All of the answer, or of a chunk, was read."""
        if not self._is_chunked:
            self.is_over = True
        elif self._line() != b"":
            raise Garbled("a chunk is longer than it says")

    def _final_status(self) -> tuple[bytes, int]:
        """The version and the status, after those that only say that the answer will come."""
        for _ in range(_MOST_INTERIM):
            version, status = self._status()
            if status >= 200:
                return version, status
            self._headers()
        raise Garbled("an answer that is always still to come")

    def _status(self) -> tuple[bytes, int]:
        version, _, rest = self._line().partition(b" ")
        code = rest.strip().partition(b" ")[0]
        if version not in _VERSIONS or len(code) != 3 or not code.isdigit() or code < b"100":
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
            before, _, value = line.decode("latin-1").partition(":")
            name = before.lower()
            headers.setdefault(name, value.strip(_BLANKS))
        raise Garbled("too many headers")

    def _length(self) -> int | None:
        stated = self.headers.get("content-length")
        if stated is None:
            return None
        if not (stated.isascii() and stated.isdigit() and len(stated) <= _MOST_DIGITS):
            raise Garbled("no length of an answer")
        return int(stated)

    def _line(self) -> bytes:
        line = self._source.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise Garbled("a line is too long" if len(line) == _LONGEST_LINE else "the answer was cut short")
        return line.rstrip(b"\r\n")


_VERSIONS: Final = frozenset({b"HTTP/1.1", b"HTTP/1.0"})
_BARE: Final = frozenset({204, 304})
_SPACES: Final = (b" ", b"\t")
_BLANKS: Final = " \t\n\r\x0b\x0c"
"""What is blank in ASCII."""

_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
_MOST_DIGITS: Final = 16
_MOST_INTERIM: Final = 10


class Incoming(io.RawIOBase):
    """What arrives at a connected socket, and how long that may take; to read it raises TimeoutError then."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._until: float | None = None
        self._is_timed = False

    def within(self, seconds: float) -> None:
        """All that is read from now on has to be there in so many seconds."""
        self.each_within(seconds)
        self._until = time.monotonic() + seconds

    def each_within(self, seconds: float) -> None:
        """Each read from now on may take so many seconds."""
        self._socket.settimeout(seconds)
        self._until, self._is_timed = None, True

    def readable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The socket's."""
        number: int = self._socket.fileno()
        return number

    def readinto(self, buffer: Any) -> int:
        """Wait until something arrives. Most answers arrive at once: what they take is set with ``within``."""
        if self._until is not None and not self._is_timed:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("it drips")
            self._socket.settimeout(left)
        self._is_timed = False
        count: int = self._socket.recv_into(buffer)
        return count

    def buffered(self) -> io.BufferedReader:
        """The same, to read answers from: for all that come through it."""
        return io.BufferedReader(self, _BUFFER)
