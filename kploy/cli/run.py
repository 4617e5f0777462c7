"""``kploy run``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kploy.cli.options import (
    directory_argument,
    liberty_options,
    output_option,
    timeout_option,
    where,
    where_options,
)


@click.command("run")
@directory_argument
@timeout_option("Give up when not all is ready by then. What was applied stays.")
@click.option(
    "--atomic", is_flag=True, help="Go back to the last good revision if it fails, or is not ready in time."
)
@click.option("--logs", is_flag=True, help="Show what the new pods write while they start.")
@liberty_options
@output_option("text", "json")
@where_options
def run_command(directory: Path, timeout: float, atomic: bool, logs: bool, output: str, **flags: Any) -> int:
    """Deploy the app in DIR, and wait until it is ready.

    Everything is checked before anything is written, as by `kploy dryrun`. Objects are applied in the
    order of their dependencies, those that do not depend on each other at the same time. What is as it
    should be is left alone: a second run changes nothing. Pods restart when what they read of the app's
    ConfigMaps and Secrets changes, unless their workload carries kploy.dev/restart-on-config: "false". When
    all is ready, what has left DIR since the last run is deleted. A run that was cut off, however it was,
    is finished by the next one.

    \b
    Examples:
      kploy run                       the app in this directory
      kploy run shop --timeout 10m    another one, with more patience
      kploy run --atomic              undo it if it does not become ready
      kploy run --logs                with what its new pods write
      kploy run --adopt               take over what kubectl, Helm or kapp made
      kploy run --sandbox             on a control plane of your own
      kploy run -o json | jq .kind    events as JSON, one a line
    """
    adopts, replaces = flags.pop("adopt"), flags.pop("replace")
    target = where(**flags)
    from kploy.cli.interruptible import carried_out
    from kploy.engine.compare import Liberties
    from kploy.engine.run import run

    liberties = Liberties(adopts, replaces)
    return carried_out(
        output,
        directory,
        lambda inbox: run(
            directory, target.connect, timeout, inbox, atomic=atomic, follows_logs=logs, liberties=liberties
        ),
    )
