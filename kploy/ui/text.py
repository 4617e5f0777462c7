"""A run or a dry run on a terminal, in a pipe, in a log.

What is final stays as lines on stderr. On a terminal, what is under way stands
below them and changes in place; in a pipe every change is a line of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from kploy.model import events
from kploy.model.objects import ObjectRef, Status
from kploy.model.plan import Plan
from kploy.ui.calls import Calls
from kploy.ui.console import Hanging, columns, line, signs_for, stderr, stdout
from kploy.ui.excerpt import show_findings
from kploy.ui.narrator import Narrator, findings_summary
from kploy.ui.plan import Detail, show_plan
from kploy.ui.streams import tell_at_once

_FRAMES_A_SECOND = 8

_ROWS_LEFT_FREE = 5
"""Rows of the terminal that the objects under way leave to the lines above and below them."""

_COLUMNS_LEFT_FREE = 4
"""Columns that nothing moving stands in: the ^C that a terminal writes has room, and no line wraps."""


class TextDisplay:
    """Shows events as text. With ``plan_is_result`` the plan is printed to stdout: that of a dry run is data.

    ``detail`` says how much of it.
    """

    def __init__(self, *, plan_is_result: bool, calls: Calls | None = None, detail: Detail = Detail.SHORT) -> None:
        self._console = stderr()
        self._signs = signs_for(self._console.file)
        width = columns(self._console)
        self._narrator = Narrator(self._signs, width, calls)
        self._plan_is_result = plan_is_result
        self._detail = detail
        self._moving = _Moving(self._console, self._narrator) if width else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._moving:
            self._moving.stop()

    def show(self, event: events.Event) -> None:
        """Show one event."""
        if self._moving:
            self._moving.follow(event)
        with self._moving.held if self._moving else nullcontext():
            self._show_what_stays(event)
        if isinstance(event, events.Planned) and self._plan_is_result:
            self._show_result(event.plan)

    def note(self, text: str) -> None:
        """Say what is being done now. May be called from a signal handler."""
        if self._moving:
            self._moving.note = text
        else:
            tell_at_once(f"{text}\n")

    def last_words(self, text: str) -> None:
        """Say why the process ends right here, and leave the terminal as it should be. For signal handlers."""
        tell_at_once(f"{self._moving.removal if self._moving else ''}{text}\n")

    def _show_what_stays(self, event: events.Event) -> None:
        for row in self._narrator.settled(event):
            self._console.print(row)
        passing = None if self._moving else self._narrator.passing(event)
        if passing is not None:
            self._console.print(passing)
        if isinstance(event, events.Checked) and event.findings:
            show_findings(self._console, event.findings)
            was_asked = self._narrator.opened is not None and bool(self._narrator.opened.server)
            summary = findings_summary(event.findings, event.files, self._signs, was_asked=was_asked)
            self._console.print(summary)

    def _show_result(self, plan: Plan) -> None:
        if self._moving:
            self._moving.stop()
        show_plan(stdout(), plan, self._detail)
        self._console.print(_verdict(plan, self._signs.done))


def _verdict(plan: Plan, done: str) -> Hanging:
    """What a dry run that found nothing wrong comes to."""
    unchecked = sum(bool(change.unchecked) for change in plan.changes)
    doubt = f"; {unchecked} could not be checked by the server" if unchecked else ""
    what = "kploy run would deploy this" if plan.writes else "kploy run would change nothing"
    words = f"valid: {what}{doubt}; nothing was written"
    return Hanging(line((f"{done} ", "bold green")), line(words))


class _Moving:
    """The part of the terminal that changes in place: what is being done, and what is waited for.

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
