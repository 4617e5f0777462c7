"""``kploy repair``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kploy.cli.options import directory_argument, output_option, timeout_option, where, where_options


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
    from kploy.cli.interruptible import carried_out
    from kploy.engine.repair import repair

    return carried_out(
        output,
        directory,
        lambda inbox: repair(directory, target.connect, timeout, inbox),
    )
