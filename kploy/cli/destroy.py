"""``kploy destroy``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kploy.cli.confirmation import confirm
from kploy.cli.options import directory_argument, output_option, timeout_option, where, where_options

if TYPE_CHECKING:
    from kploy.model.events import Opened
    from kploy.model.plan import Plan


@click.command("destroy")
@directory_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--all", "everything", is_flag=True, help="Delete volumes, and the kinds that the app defines, too.")
@timeout_option("Give up when not all is gone by then. What is left stays listed.")
@output_option("text", "json")
@where_options
def destroy_command(
    directory: Path, yes: bool, everything: bool, timeout: float, output: str, **flags: Any
) -> int:
    """Delete all that the app in DIR has in its cluster, and wait until it is gone.

    What goes is listed first, and the name of the app has to be typed. Volumes (and what would take the
    objects of others with it) stay, unless --all asks for them; so does what carries the annotation
    kploy.dev/keep: "true". The namespace goes if kploy made it, and nothing else is in it.

    \b
    Examples:
      kploy destroy                     the app in this directory
      kploy destroy shop --yes --all    another one, all of it, without asking, as in CI
    """
    target = where(**flags)
    from kploy.cli.interruptible import carried_out
    from kploy.engine.destroy import destroy

    def ask(opened: Opened, plan: Plan) -> None:
        if not yes:
            confirm(opened, plan)

    return carried_out(
        output,
        directory,
        lambda inbox: destroy(directory, target.connect, timeout, inbox, ask, everything=everything),
    )
