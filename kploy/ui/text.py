"""A run or a dry run on a terminal, in a pipe, in a log.

What is final stays as lines on stderr. On a terminal, what is under way stands
below them and changes in place; in a pipe every change is a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from kploy.model import events
from kploy.model.plan import Plan
from kploy.ui.calls import Calls
from kploy.ui.console import Screen, columns, signs_for, stderr, stdout
from kploy.ui.excerpt import show_findings, show_place
from kploy.ui.lines import Hanging, Row, line
from kploy.ui.narrator import Narrator, findings_summary
from kploy.ui.report import logs, report
from kploy.ui.streams import is_complete, tell_at_once

if TYPE_CHECKING:
    from rich.console import Console

    from kploy.ui.moving import Moving


class TextDisplay:
    """Shows events as text. With ``plan_is_result`` the plan is printed to stdout: that of a dry run is data.

    ``detail`` says how much of it; see ui.plan.
    """

    def __init__(self, *, plan_is_result: bool, calls: Calls | None = None, detail: str = "short") -> None:
        console = stderr()
        self._signs = signs_for(console.file)
        width = columns(console)
        self._narrator = Narrator(self._signs, width, calls)
        self._plan_is_result = plan_is_result
        self._result: Screen | None = None
        self._detail = detail
        self._moving = _moving(console, self._narrator) if width else None
        self._console = self._moving.above if self._moving else console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._moving:
            self._moving.stop()

    @property
    def is_complete(self) -> bool:
        """Whether the plan, where it is data, is on stdout."""
        return self._result is None or is_complete(self._result.file)

    def show(self, event: events.Event) -> None:
        """Show one event."""
        with self._moving.held if self._moving else nullcontext():
            if self._moving:
                self._moving.follow(event)
            self._show_what_stays(event)
        if isinstance(event, events.Finished) and self._moving:
            self._moving.stop()
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
        self._print(self._narrator.settled(event))
        if isinstance(event, events.Planned) and not self._plan_is_result:
            self._print(self._narrator.restarting(event.plan))
        passing = None if self._moving else self._narrator.passing(event)
        if passing is not None:
            self._console.print(passing)
        if isinstance(event, events.Failed | events.Unfinished):
            if event.place and event.place.excerpt:
                show_place(self._console, event.place, event.hint)
            self._print(report(self._console, event))
        if isinstance(event, events.Logged):
            self._print(logs(event))
        if isinstance(event, events.Checked) and event.findings:
            show_findings(self._console, event.findings)
            was_asked = self._narrator.opened is not None and bool(self._narrator.opened.server)
            summary = findings_summary(event.findings, event.files, self._signs, was_asked=was_asked)
            self._console.print(summary)

    def _print(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._console.print(row)

    def _show_result(self, plan: Plan) -> None:
        if self._moving:
            self._moving.stop()
        # Without a cluster there is no plan, and what compares fields need not load.
        from kploy.ui.plan import Detail, show_plan

        self._result = stdout()
        show_plan(self._result, plan, Detail(self._detail))
        self._console.print(_verdict(plan, self._signs.done))


def _moving(console: Screen, narrator: Narrator) -> Moving:
    # In a pipe nothing moves, and what rich needs for it need not load.
    from kploy.ui.moving import Moving

    return Moving(cast("Console", console), narrator)


def _verdict(plan: Plan, done: str) -> Hanging:
    """What a dry run that found nothing wrong comes to."""
    unchecked = sum(bool(change.unchecked) for change in plan.changes)
    doubt = f"; {unchecked} could not be checked by the server" if unchecked else ""
    what = "kploy run would deploy this" if plan.writes else "kploy run would change nothing"
    words = f"valid: {what}{doubt}; nothing was written"
    return Hanging(line((f"{done} ", "bold green")), line(words))
