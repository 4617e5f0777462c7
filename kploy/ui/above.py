"""Lines that stay, above what moves on a terminal.

A line of its own would take a frame of its own, which is much more than the line:
so lines are gathered, and shown with the next frame.
"""

from __future__ import annotations

from threading import Condition, RLock
from typing import IO, TYPE_CHECKING

from rich.console import Console, Group

from kploy.ui.plain import in_plain

if TYPE_CHECKING:
    from rich.console import Capture

    from kploy.ui.lines import Row

_MOST = 1000
"""So many lines wait for the next frame; then whoever prints another waits for it, too."""


class Above:
    """A screen that prints at once, and while it gathers, only when its lines are taken. ``held`` guards them."""

    def __init__(self, console: Console, held: RLock) -> None:
        self._console = console
        self._changed = Condition(held)
        self._gathers = False
        self._rows: list[Row] = []
        self._under_way: list[Row] = []

    @property
    def file(self) -> IO[str]:
        """What is written to."""
        return self._console.file

    @property
    def encoding(self) -> str:
        """What it can write."""
        return self._console.encoding

    @property
    def width(self) -> int:
        """How many columns it has."""
        return self._console.width

    @property
    def is_dumb_terminal(self) -> bool:
        """Whether it cannot move its cursor."""
        return self._console.is_dumb_terminal

    @property
    def in_plain(self) -> str:
        """The lines that are not known to be shown, without their colours."""
        return "".join(map(in_plain, [*self._under_way, *self._rows]))

    def capture(self) -> Capture:
        """Keep what is printed at once meanwhile; ``get()`` gives it."""
        return self._console.capture()

    def print(self, row: Row = "", /) -> None:
        """Print one line, now or with the next frame; an empty one for nothing."""
        with self._changed:
            self._changed.wait_for(lambda: not self._gathers or len(self._rows) < _MOST)
            self._rows.append(row)
            if not self._gathers:
                self.flush()

    def gather(self) -> None:
        """From now on, somebody takes the lines."""
        self._gathers = True

    def taken(self) -> list[Row]:
        """The lines since the last time, to be ``shown``; those that were not come once more."""
        with self._changed:
            self._under_way = [*self._under_way, *self._rows]
            self._rows = []
            self._changed.notify_all()
            return self._under_way

    def shown(self) -> None:
        """What was taken is on the screen."""
        self._under_way = []

    def let_go(self) -> None:
        """Nobody takes the lines any more: what is printed from now on is printed at once."""
        with self._changed:
            self._gathers = False
            self._changed.notify_all()

    def flush(self) -> None:
        """Print what still waits."""
        rows = self.taken()
        if rows:
            self._console.print(Group(*rows))
            self.shown()
