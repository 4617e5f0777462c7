"""``kploy rollback``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kploy.cli.options import (
    output_option,
    replace_option,
    revision_arguments,
    timeout_option,
    where,
    where_options,
)


@click.command("rollback")
@revision_arguments
@timeout_option("Give up when not all is ready by then. What was applied stays.")
@replace_option
@output_option("text", "json")
@where_options
def rollback_command(
    revision: int | None, directory: Path, timeout: float, replace: bool, output: str, **flags: Any
) -> int:
    """Deploy a revision of the app in DIR again, by default the last good one before the present one.

    It is a run like any other: the same order, the same waiting, and what that revision did not have is
    deleted. It becomes a new revision. The files of the app are not touched: the next `kploy run` deploys
    what they say.

    \b
    Examples:
      kploy rollback         undo the last deploy
      kploy history          see which revisions there are
      kploy rollback 1       go back to one of them
      kploy rollback shop 1  of the app in another directory
    """
    target = where(**flags)
    from kploy.cli.interruptible import carried_out
    from kploy.engine.compare import Liberties
    from kploy.engine.run import rollback

    liberties = Liberties(replaces=replace)
    return carried_out(
        output,
        directory,
        lambda inbox: rollback(directory, target.connect, timeout, inbox, revision, liberties=liberties),
    )
