"""``kploy run``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kploy.cli.options import Duration, directory_argument, output_option, where, where_options
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.engine.carrier import Inbox


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
    with _interruptible(inbox), display_for(output, plan_is_result=False) as display:
        return show(run(directory, target.connect, timeout, inbox), display)


@contextmanager
def _interruptible(inbox: Inbox) -> Iterator[None]:
    """The first Ctrl-C lets what is under way finish, the second leaves at once; so does SIGTERM."""

    def leave(*_: object) -> None:
        sys.stderr.write("\nkploy: left at once; kploy run goes on from here\n")
        sys.stderr.flush()
        os._exit(Outcome.INTERRUPTED)

    def stop(*_: object) -> None:
        inbox.stop()
        signal.signal(signal.SIGINT, leave)
        sys.stderr.write("\nstopping: what is under way finishes; Ctrl-C again to leave at once\n")

    before = signal.signal(signal.SIGINT, stop), signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
