"""The terminal: whether there is one, what it can show, and in which style.

stdout is for data, stderr for talk; both are written through here.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import IO, TextIO

from rich.console import Console
from rich.text import Text

from kploy.ui.sanitize import clean


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs that stand before a line, in what the output can encode."""

    done: str
    failed: str
    waiting: str
    skipped: str
    arrow: str


_UNICODE = Signs(done="✓", failed="✗", waiting="…", skipped="·", arrow="→")
_ASCII = Signs(done="ok", failed="x", waiting="..", skipped="-", arrow="->")


def signs_for(stream: IO[str]) -> Signs:
    """Unicode signs where ``stream`` can write them, else ASCII ones."""
    try:
        "✓✗…·→".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return _UNICODE


def stderr() -> Console:
    """The console for talk. Honours NO_COLOR, FORCE_COLOR and TERM as rich does."""
    return _console(sys.stderr)


def stdout() -> Console:
    """The console for data."""
    return _console(sys.stdout)


class _Unbroken(Console):
    """Goes on in silence when whoever read the output has gone: a deploy does not end for that."""

    def on_broken_pipe(self) -> None:
        silence(self.file)


def silence(stream: IO[str]) -> None:
    """Let everything that is still written to ``stream`` go nowhere, so that no write to it fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _console(stream: TextIO) -> Console:
    if hasattr(stream, "reconfigure"):
        # What the locale cannot show is escaped: output never fails for want of a character.
        stream.reconfigure(errors="backslashreplace")
    return _Unbroken(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


def line(*parts: str | tuple[str, str]) -> Text:
    """A line of text; a part is plain, or a pair of text and style. Everything in it is made safe to print."""
    text = Text()
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        text.append(clean(words), style)
    return text
