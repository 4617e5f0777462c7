"""``kploy run``."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from kploy.cli.options import Duration, calls_of, directory_argument, output_option, where, where_options
from kploy.model.events import Event, Planned
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.engine.carrier import Inbox
    from kploy.ui.displays import Display


@click.command("run")
@directory_argument
@click.option(
    "--timeout",
    type=Duration(),
    default="5m",
    show_default=True,
    metavar="TIME",
    help="Give up when not all is ready by then. What was applied stays.",
)
@output_option("text", "json")
@where_options
def run_command(directory: Path, timeout: float, output: str, **flags: Any) -> int:
    """Deploy the app in DIR, and wait until it is ready.

    Everything is checked before anything is written, as by `kploy dryrun`. Objects are applied in the
    order of their dependencies, those that do not depend on each other at the same time. What is as it
    should be is left alone: a second run changes nothing.

    \b
    Examples:
      kploy run                       the app in this directory
      kploy run shop --timeout 10m    another one, with more patience
      kploy run --sandbox             on a control plane of your own
      kploy run -o json | jq .kind    events as JSON, one a line
    """
    target = where(**flags)
    from kploy.cli.display import display_for, show
    from kploy.engine.carrier import Inbox
    from kploy.engine.pipeline import run

    inbox = Inbox()
    again = calls_of(click.get_current_context()).of("run")
    with (
        display_for(output, directory, plan_is_result=False) as display,
        _Interruptible(inbox, display, again) as interruptible,
    ):
        return show(interruptible.watching(run(directory, target.connect, timeout, inbox)), display)


class _Interruptible:
    """What signals do to a run.

    As long as nothing is written, Ctrl-C simply ends it. After that, the
    first lets what is under way finish, and the second leaves at once; so
    does SIGTERM. ``again`` is the command that goes on from there.
    """

    def __init__(self, inbox: Inbox, display: Display, again: str) -> None:
        self._inbox = inbox
        self._again = again
        self._display = display
        self._writes = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._stop), signal.signal(signal.SIGTERM, self._leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before[0])
        signal.signal(signal.SIGTERM, self._before[1])

    def watching(self, stream: Iterable[Event]) -> Iterator[Event]:
        """The same events; from the plan on, what they tell of is written."""
        for event in stream:
            self._writes = self._writes or isinstance(event, Planned)
            yield event

    def _stop(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._leave)
        if not self._writes:
            raise KeyboardInterrupt
        self._inbox.stop()
        self._display.note("stopping: what is under way finishes; Ctrl-C again to leave at once")

    def _leave(self, *_: object) -> None:
        after = f"{self._again} goes on from here" if self._writes else "nothing was written"
        self._display.last_words(f"kploy: left at once; {after}")
        os._exit(Outcome.INTERRUPTED)
