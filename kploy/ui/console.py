"""The terminal: whether there is one, what it can show, and in which style.

stdout is for data, stderr for talk; both are written through here.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING, Any, Protocol, TextIO

from kploy.model.frozen import dataclass
from kploy.ui.plain import Plain, is_plain
from kploy.ui.sanitize import clean
from kploy.ui.streams import LEGIBLE, steadfast
from kploy.ui.width import width_of

if TYPE_CHECKING:
    from kploy.ui.lines import Row

_USUAL = 80


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs that stand before a line, in what the output can encode."""

    done: str
    failed: str
    waiting: str
    skipped: str
    replaced: str
    arrow: str
    ellipsis: str
    spinner: str

    @property
    def column(self) -> int:
        """How wide the column is that has a sign in it, with the gap after it."""
        return 1 + max(map(len, (self.done, self.failed, self.waiting, self.skipped)))


_UNICODE = Signs(
    done="✓", failed="✗", waiting="…", skipped="·", replaced="±", arrow="→", ellipsis="…", spinner="dots"
)
_ASCII = Signs(
    done="ok", failed="x", waiting="..", skipped="-", replaced="!", arrow="->", ellipsis="...", spinner="line"
)


def signs_for(stream: IO[str]) -> Signs:
    """Unicode signs where ``stream`` can write them, else ASCII ones."""
    try:
        "✓✗…·±→⠋".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return _UNICODE


class Screen(Protocol):
    """What lines are printed on: rich's Console, or a Plain one."""

    @property
    def file(self) -> IO[str]:
        """What is written to."""

    @property
    def encoding(self) -> str:
        """What it can write."""

    @property
    def width(self) -> int:
        """How many columns it has, if it has any: see ``columns``."""

    @property
    def is_dumb_terminal(self) -> bool:
        """Whether it cannot move its cursor."""

    def print(self, row: Row = ..., /) -> None:
        """Print one line; an empty one for nothing."""

    def capture(self) -> AbstractContextManager[Any]:
        """Keep what is printed meanwhile; ``get()`` gives it."""


def stderr() -> Screen:
    """The screen for talk. Honours NO_COLOR, FORCE_COLOR and TERM as rich does; it never fails to write."""
    return _screen(sys.stderr)


def stdout() -> Screen:
    """The screen for data, which never fails to write either."""
    return _screen(sys.stdout)


def _screen(stream: TextIO | None) -> Screen:
    file = steadfast(stream)
    if is_plain(file):
        return Plain(file)
    from rich.console import Console

    console = Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=True)
    if console.width < 1:  # COLUMNS=0: nobody knows how wide it is, and nothing would be shown
        console.width = _USUAL
    return console


def columns(console: Screen) -> int | None:
    """How wide the terminal is; None where there is none, as in a pipe, or one that only types (TERM=dumb).

    FORCE_COLOR asks for colour; it does not make a terminal of a pipe.
    """
    return console.width if console.file.isatty() and not console.is_dumb_terminal else None


def shown(console: Screen, text: str) -> str:
    """``text`` as it will stand on ``console``, made safe and with what cannot be encoded escaped."""
    return clean(text).encode(console.encoding, LEGIBLE).decode(console.encoding)


def padded(console: Screen, text: str, width: int) -> str:
    """``text`` as it will stand on ``console``, and spaces up to ``width`` columns."""
    words = shown(console, text)
    return words + " " * (width - width_of(words))
