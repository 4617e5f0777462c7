"""Streams that a deploy cannot stumble over: writing to one never fails.

Whoever reads may go away (``kploy run | head``), the disk may be full, the
stream may be closed from the start (``2>&-``), its encoding may lack a
character: the work goes on, and so does the output as far as it can.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import select
import sys
from typing import IO, TYPE_CHECKING, TextIO

from kploy.ui.sanitize import defused

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LEGIBLE = "kploy.legible"
"""The encoding error handler that puts ASCII for our own signs, and escapes what else cannot be encoded."""

_ASCII = {"…": "...", "→": "->", "•": "*"}


def _legible(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end


codecs.register_error(LEGIBLE, _legible)


def steadfast(stream: TextIO | None, *, commands: bool = False) -> TextIO:
    """A stream that writes where ``stream`` does, and never fails; ``stream`` is None where it was closed.

    What is written is a line, or begins with one. Only with ``commands`` may
    it be one that a CI runner obeys.

    The first thing that it could not write is told on stderr, unless it is
    only that the reader has gone.
    """
    descriptor = _descriptor(stream)
    if descriptor is None:
        return stream or _nowhere()
    raw = _Steadfast(descriptor, "w", closefd=False)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    kind = io.TextIOWrapper if commands else _Harmless
    return kind(io.BufferedWriter(raw), encoding=encoding, errors=LEGIBLE)


def is_complete(stream: IO[str]) -> bool:
    """Whether all is there that was written to a steadfast ``stream``, as far as there was anybody to read it."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return not (isinstance(raw, _Steadfast) and raw.has_lost)


def tell_at_once(text: str) -> None:
    """Write ``text`` to stderr from wherever one is, a signal handler included: without any lock or buffer."""
    stream = sys.__stderr__  # the other one may be borrowed by what moves on the terminal
    descriptor = _descriptor(stream)
    if stream is not None and descriptor is not None:
        with contextlib.suppress(OSError):
            os.write(descriptor, defused(text).encode(stream.encoding, LEGIBLE))


class _Harmless(io.TextIOWrapper):
    """A stream that gives a CI runner no orders."""

    def write(self, text: str, /) -> int:
        super().write(defused(text))
        return len(text)


class _Steadfast(io.FileIO):
    """A file that drops what it cannot write."""

    has_lost = False
    """Whether it has dropped what somebody would have read."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            written = super().write(data)
            while written is None:  # somebody made it non-blocking, as node does with a terminal it shares
                select.select([], [self], [])
                written = super().write(data)
        except OSError as error:
            self._complain(error)
            return memoryview(data).nbytes
        return written

    def _complain(self, error: OSError) -> None:
        if not self.has_lost and error.errno != errno.EPIPE:
            self.has_lost = True
            tell_at_once(f"kploy: the output is not complete: {error.strerror}\n")


def _descriptor(stream: TextIO | None) -> int | None:
    """The file descriptor of a stream; None where it has none."""
    try:
        return stream.fileno() if stream else None
    except (OSError, ValueError):
        return None


def _nowhere() -> TextIO:
    raw = io.FileIO(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")
