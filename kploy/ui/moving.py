"""The part of a terminal that changes in place, below what is final."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, RLock, Thread

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from kploy.model import events
from kploy.model.objects import ObjectRef, Status
from kploy.ui.console import line, signs_for
from kploy.ui.narrator import Narrator

_FRAMES_A_SECOND = 8

_ROWS_LEFT_FREE = 5
"""Rows of the terminal that the objects under way leave to the lines above and below them."""

_COLUMNS_LEFT_FREE = 4
"""Columns that nothing moving stands in: the ^C that a terminal writes has room, and no line wraps."""


class Moving:
    """What is being done, and what is waited for.

    Whoever prints above it does so while it is ``held``: it erases as many
    rows as it had when it was last drawn.
    """

    def __init__(self, console: Console, narrator: Narrator) -> None:
        self.note = ""
        self.held = RLock()
        self._console = console
        self._narrator = narrator
        self._signs = signs_for(console.file)
        self._under_way: dict[ObjectRef, tuple[Status, float]] = {}
        self._total = 0
        self._settled = 0
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
            case events.Finished():
                self.stop()

    def stop(self) -> None:
        """Take it away for good."""
        if self._live.is_started:
            self._stopped.set()
            self._clockwork.join()
            self._live.stop()

    @property
    def removal(self) -> str:
        """What a terminal has to be sent to take it away, and a ^C with it, when there is no time to stop it."""
        if not self._live.is_started:
            return "\r"
        up = f"\x1b[{self._rows - 1}A" if self._rows > 1 else ""
        return f"\r{up}\x1b[J\x1b[?25h"

    def _start(self) -> None:
        self._live.start()
        self._clockwork.start()

    def _run(self) -> None:
        while not self._stopped.wait(1 / _FRAMES_A_SECOND):
            with self.held:
                self._live.refresh()

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> Iterator[Text]:
        """The rows as of now."""
        sign = f"{self._spinner.render(time.monotonic())!s:<{self._signs.column}}"
        rows = [*self._objects(sign), *self._summary(sign)]
        for row in rows:
            row.truncate(max(1, console.width - _COLUMNS_LEFT_FREE), overflow="ellipsis")
        self._rows = len(rows)
        return iter(rows)

    def _objects(self, sign: str) -> Iterator[Text]:
        # The dictionary changes on another thread: look at a copy.
        under_way = list(self._under_way.items())
        room = max(1, self._console.height - _ROWS_LEFT_FREE)
        now = time.monotonic()
        for ref, (status, since) in under_way[:room]:
            yield self._narrator.under_way(sign, ref, status, now - since)

    def _summary(self, sign: str) -> Iterator[Text]:
        """How far it has come, and what else there is to say."""
        if not self._total:
            yield line(f"  {sign}comparing with the cluster")
        else:
            yield line((f"  {self._settled} of {self._total} done", "dim"))
        if self.note:
            yield line((self.note, "bold yellow"))
