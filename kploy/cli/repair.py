"""``kploy repair``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kploy.cli.options import calls_of, directory_argument, output_option, timeout_option, where, where_options


@click.command("repair")
@directory_argument
@timeout_option("Give up when the lock is not free by then.")
@output_option("text", "json")
@where_options
def repair_command(directory: Path, timeout: float, output: str, **flags: Any) -> int:
    """Make the inventory of the app in DIR anew, when it is lost or damaged.

    kploy deletes only what its inventory lists. Without one it deletes nothing: objects whose manifests are
    gone stay. This finds all that carries the app's label and was made by kploy, whatever its kind,
    and lists it again. No other object is touched.

    \b
    Examples:
      kploy repair
      kploy dryrun      and then: what would a run delete?
    """
    target = where(**flags)
    from kploy.cli.display import display_for, show
    from kploy.cli.interruptible import Interruptible
    from kploy.engine.carrier import Inbox
    from kploy.engine.pipeline import repair

    inbox = Inbox()
    again = calls_of(click.get_current_context()).again
    with (
        display_for(output, directory, plan_is_result=False) as display,
        Interruptible(inbox, display, again) as interruptible,
    ):
        return show(interruptible.watching(repair(directory, target.connect, timeout, inbox)), display)
