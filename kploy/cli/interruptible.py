"""What signals do to a command that shows events, and maybe changes the cluster."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from kploy.cli.display import display_for, show
from kploy.cli.options import calls_of
from kploy.ending import leave
from kploy.model.events import Event, Planned
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.engine.carrier import Inbox
    from kploy.ui.displays import Display


_ENDS = (signal.SIGTERM, signal.SIGHUP)
"""The signals after which there is no time."""


def carried_out(output: str, directory: Path, events: Callable[[Inbox], Iterable[Event]]) -> int:
    """Show what a command does to the cluster, and let signals end it; returns the exit code.

    ``events`` is given the inbox through which the command can be asked to end.
    """
    from kploy.engine.carrier import Inbox

    inbox = Inbox()
    again = calls_of(click.get_current_context()).again
    with (
        display_for(output, directory, plan_is_result=False) as display,
        Interruptible(display, inbox, again) as interruptible,
    ):
        return show(interruptible.watching(events(inbox)), display)


class Interruptible:
    """What signals do while this context is open.

    ``inbox`` is where to ask for the end, and ``again`` the command that goes on after an interrupt; nothing for
    what never writes. As long as nothing is written, Ctrl-C simply ends it. After that, the
    first lets what is under way finish, and the second leaves at once; so
    do SIGTERM, and the end of the terminal, unless that is ignored (``nohup``).
    """

    def __init__(self, display: Display, inbox: Inbox | None = None, again: str = "") -> None:
        self._inbox = inbox
        self._again = again
        self._display = display
        self._writes = False

    def __enter__(self) -> Self:
        self._before = {signal.SIGINT: signal.signal(signal.SIGINT, self._stop)}
        for each in _ENDS:
            if signal.getsignal(each) is not signal.SIG_IGN:
                self._before[each] = signal.signal(each, self._leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def watching(self, stream: Iterable[Event]) -> Iterator[Event]:
        """The same events; from the plan on, what they tell of is written."""
        for event in stream:
            self._writes = self._writes or isinstance(event, Planned)
            yield event

    def _stop(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._leave)
        if self._inbox is None or not self._writes:
            raise KeyboardInterrupt
        self._inbox.stop()
        self._display.note("stopping: what is under way finishes; Ctrl-C again to leave at once")

    def _leave(self, *_: object) -> None:
        after = f"{self._again} goes on from here" if self._writes else "nothing was written"
        self._display.last_words(f"kploy: left at once; {after}")
        leave(Outcome.INTERRUPTED)
