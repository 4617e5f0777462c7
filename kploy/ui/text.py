"""A run or a dry run on a terminal, in a pipe, in a log.

What is final stays as lines on stderr. On a terminal, what is under way stands
below them and changes in place; in a pipe every change is a line of its own.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from kploy.model import events
from kploy.model.objects import ObjectRef, Status
from kploy.model.plan import Action, Plan
from kploy.ui.console import line, signs_for, stderr, stdout
from kploy.ui.excerpt import show_findings
from kploy.ui.narrator import Narrator, findings_summary

_FRAMES_A_SECOND = 8

_ROWS_LEFT_FREE = 4
"""Rows of the terminal that the moving part leaves to the lines above it."""


class TextDisplay:
    """Shows events as text. With ``plan_is_result`` the plan is printed to stdout: that of a dry run is data."""

    def __init__(self, *, plan_is_result: bool) -> None:
        self._console = stderr()
        self._signs = signs_for(self._console.file)
        self._narrator = Narrator(self._signs)
        self._plan_is_result = plan_is_result
        self._moving = _Moving(self._console, self._narrator) if self._console.is_terminal else None

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
        for row in self._narrator.settled(event):
            self._console.print(row)
        passing = None if self._moving else self._narrator.passing(event)
        if passing is not None:
            self._console.print(passing)
        match event:
            case events.Checked(findings, files) if findings:
                show_findings(self._console, findings)
                self._console.print(findings_summary(findings, files, self._signs))
            case events.Planned(plan) if self._plan_is_result:
                show_plan(stdout(), plan)
                self._console.print(_verdict(plan, self._signs.done))


def show_plan(console: Console, plan: Plan) -> None:
    """Print what would change, a line for each object, and how many would not."""
    marks = {
        Action.CREATED: ("+", "green"),
        Action.CONFIGURED: ("~", "yellow"),
        Action.REPLACED: ("!", "magenta"),
        Action.PRUNED: ("-", "red"),
        Action.SKIPPED: (" ", "dim"),
    }
    width = max((len(str(change.ref)) for change in plan.changes), default=0)
    for change in plan.changes:
        if change.action in marks:
            mark, style = marks[change.action]
            row = f"  {mark} {change.ref!s:<{width}}  {change.action:<10}  "
            console.print(line((row, style), (change.file, "dim")))
    unchanged = plan.count(Action.UNCHANGED)
    if unchanged:
        console.print(line((f"  = {unchanged} unchanged", "dim")))


def _verdict(plan: Plan, done: str) -> Text:
    """What a dry run that found nothing wrong comes to."""
    unchecked = sum(bool(change.unchecked) for change in plan.changes)
    doubt = f"; {unchecked} could not be checked by the server" if unchecked else ""
    what = "kploy run would deploy this" if plan.writes else "kploy run would change nothing"
    return line((done, "bold green"), f" valid: {what}{doubt}; nothing was written")


class _Moving:
    """The part of the terminal that changes in place: what was applied and is not ready yet."""

    def __init__(self, console: Console, narrator: Narrator) -> None:
        self._console = console
        self._narrator = narrator
        self._under_way: dict[ObjectRef, tuple[Status, float]] = {}
        self._spinner = Spinner("dots")
        self._live = Live(
            get_renderable=self._frame, console=console, transient=True, refresh_per_second=_FRAMES_A_SECOND
        )

    def follow(self, event: events.Event) -> None:
        """Take note of an event, and be there from the first object on that has to be waited for."""
        match event:
            case events.Applied(ref, _, status, _):
                self._under_way[ref] = (status, time.monotonic())
                self._live.start()
            case events.Progressed(ref, status, _) if ref in self._under_way:
                self._under_way[ref] = (status, self._under_way[ref][1])
            case events.Ready(ref=ref) | events.Failed(ref=ref) | events.Unfinished(ref=ref):
                self._under_way.pop(ref, None)
            case events.Finished():
                self.stop()

    def stop(self) -> None:
        """Take it away."""
        self._live.stop()

    def _frame(self) -> Group:
        # The dictionary changes on another thread: look at a copy.
        under_way = list(self._under_way.items())
        room = max(1, self._console.size.height - _ROWS_LEFT_FREE)
        now = time.monotonic()
        grid = Table.grid(padding=0)
        for ref, (status, since) in under_way[:room]:
            row = self._narrator.under_way(ref, status, now - since)
            row.no_wrap = True
            row.overflow = "ellipsis"
            grid.add_row("  ", self._spinner, " ", row)
        hidden = len(under_way) - room
        return Group(grid, line((f"  and {hidden} more", "dim"))) if hidden > 0 else Group(grid)
