"""The part of a terminal that changes in place, below what is final.

A thread of its own draws it, a few times a second. Whoever shows events never
waits for it, however many they are, unless the terminal itself is far behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from threading import Event, RLock, Thread

from rich.console import Console, ConsoleOptions, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from kploy.model import events
from kploy.model.objects import ObjectRef, Status
from kploy.ui.above import Above
from kploy.ui.console import signs_for
from kploy.ui.lines import Line, line
from kploy.ui.narrator import Narrator

_FRAMES_A_SECOND = 8

_ROWS_LEFT_FREE = 5
"""Rows of the terminal that the objects under way leave to the lines above and below them."""

_COLUMNS_LEFT_FREE = 4
"""Columns that nothing moving stands in: the ^C that a terminal writes has room, and no line wraps."""


def _until_next(stopped: Event) -> bool:
    return stopped.wait(1 / _FRAMES_A_SECOND)


class Moving:
    """What is being done, and what is waited for.

    Lines that stay are printed ``above`` it. What is done while it is ``held`` is
    seen together. ``pace`` waits until the next frame is due, and says whether there
    is to be none because the event was set.
    """

    def __init__(self, console: Console, narrator: Narrator, pace: Callable[[Event], bool] = _until_next) -> None:
        self.note = ""
        self.held = RLock()
        self.above = Above(console, self.held)
        self._pace = pace
        self._console = console
        self._narrator = narrator
        self._signs = signs_for(console.file)
        self._under_way: dict[ObjectRef, tuple[Status, float]] = {}
        self._total = 0
        self._settled = 0
        self._frame: list[Text] = []
        self._rows = 0
        self._spinner = Spinner(self._signs.spinner)
        self._live = Live(self, console=console, transient=True, redirect_stdout=False, auto_refresh=False)
        self._stopped = Event()
        self._clockwork = Thread(target=self._run, name="display", daemon=True)

    def follow(self, event: events.Event) -> None:
        """Take note of an event. It is there from the first question to the cluster to the end."""
        match event:
            case events.Opened(server=server) if server:
                self._start()
            case events.Planned(plan):
                self._total = len(plan.changes)
            case events.Applied(ref, _, status, _):
                self._under_way[ref] = (status, time.monotonic())
            case events.Progressed(ref, status, _) if ref in self._under_way:
                self._under_way[ref] = (status, self._under_way[ref][1])
            case (
                events.Ready(ref=ref)
                | events.Failed(ref=ref)
                | events.Unfinished(ref=ref)
                | events.Skipped(ref=ref)
            ):
                self._under_way.pop(ref, None)
                self._settled += 1

    def stop(self) -> None:
        """Take it away for good."""
        try:
            if self._live.is_started:
                self._stopped.set()
                try:
                    self._clockwork.join()
                finally:  # also where a second Ctrl-C comes
                    self._live.stop()
        finally:
            self.above.flush()

    @property
    def removal(self) -> str:
        """What a terminal has to be sent to take it away, and a ^C with it, when there is no time to stop it.

        With it come the lines above it that are not shown yet, without their colours.
        """
        if not self._live.is_started:
            return f"\r\x1b[J{self.above.in_plain}"
        up = f"\x1b[{self._rows - 1}A" if self._rows > 1 else ""
        return f"\r{up}\x1b[J\x1b[?25h{self.above.in_plain}"

    def draw(self) -> None:
        """Draw it as it is now, and the lines above it that were printed since the last time."""
        with self.held:
            self._frame = self._drawn()
            above = self.above.taken()
        self._console.print(Group(*above))
        self.above.shown()

    def _start(self) -> None:
        self._live.start()
        self._clockwork.start()
        self.above.gather()

    def _run(self) -> None:
        try:
            self.draw()
            while not self._pace(self._stopped):
                self.draw()
        finally:
            self.above.let_go()

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> Iterator[Text]:
        """The rows as they were when it was last drawn."""
        self._rows = len(self._frame)
        return iter(self._frame)

    def _drawn(self) -> list[Text]:
        sign = f"{self._spinner.render(time.monotonic())!s:<{self._signs.column}}"
        rows = [row.__rich__() for row in (*self._objects(sign), *self._summary(sign))]
        for row in rows:
            row.truncate(max(1, self._console.width - _COLUMNS_LEFT_FREE), overflow="ellipsis")
        return rows

    def _objects(self, sign: str) -> Iterator[Line]:
        room = max(1, self._console.height - _ROWS_LEFT_FREE)
        now = time.monotonic()
        for ref, (status, since) in islice(self._under_way.items(), room):
            yield self._narrator.under_way(sign, ref, status, now - since)

    def _summary(self, sign: str) -> Iterator[Line]:
        """How far it has come, and what else there is to say."""
        if not self._total:
            yield line(f"  {sign}comparing with the cluster")
        else:
            yield line((f"  {self._settled} of {self._total} done", "dim"))
        if self.note:
            yield line((self.note, "bold yellow"))
