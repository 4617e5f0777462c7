"""Where text goes that no terminal shows: a pipe, a file, the log of a CI.

There is no colour, no cursor and no width there, so what knows about these (rich's Console,
a tenth of the time that a dry run takes) need not load.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from kploy.ui.lines import Row

_WISHES = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""By these, rich takes for a terminal what is none."""

_TAB = 8


def is_plain(stream: TextIO) -> bool:
    """Whether nothing but text can be shown on ``stream``, and nobody wishes otherwise."""
    return not stream.isatty() and not any(os.environ.get(wish) for wish in _WISHES)


def in_plain(row: Row) -> str:
    """A line without any colour, however long, and its end."""
    text = row if isinstance(row, str) else row.plain
    return f"{text.expandtabs(_TAB)}\n"


class Captured:
    """What was printed, instead of being shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def get(self) -> str:
        """All of it."""
        return "".join(self.lines)


class Plain:
    """As much of a Console as a pipe needs."""

    is_dumb_terminal = True
    width = 80

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.encoding = (getattr(file, "encoding", None) or "utf-8").lower()
        self._captured: Captured | None = None

    def print(self, row: Row = "") -> None:
        """Print a line, and have it there at once."""
        text = in_plain(row)
        if self._captured is not None:
            self._captured.lines.append(text)
            return
        self.file.write(text)
        self.file.flush()

    @contextmanager
    def capture(self) -> Iterator[Captured]:
        """Keep what is printed meanwhile."""
        self._captured = kept = Captured()
        try:
            yield kept
        finally:
            self._captured = None
