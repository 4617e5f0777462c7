"""``kploy unlock``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kploy.cli.confirmation import agree
from kploy.cli.display import refuse
from kploy.cli.options import directory_argument, where, where_options
from kploy.model.report import Outcome
from kploy.ui.numbers import seconds


@click.command("unlock")
@directory_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@where_options
def unlock_command(directory: Path, yes: bool, **flags: Any) -> int:
    """Take the lock of the app in DIR away from whoever holds it, after saying who that is.

    It is hardly ever needed: a run that was killed on this machine loses the lock at once, any other one a
    minute after its last sign of life. A run that is still alive stops as soon as it notices.

    \b
    Examples:
      kploy unlock          see who deploys the app, and decide
      kploy unlock --yes    without asking
    """
    target = where(**flags)
    from kploy.engine.prepare import Prepared, legible
    from kploy.engine.unlock import Unlocking

    app = legible(directory)
    if isinstance(app, Prepared):
        return refuse(app.findings)
    unlocking = Unlocking(app, target.connect(app))
    if unlocking.holder is None:
        _say(f"nobody holds the lock of {app.kployfile.name}")
        return Outcome.DONE
    age = seconds(unlocking.age)
    _say(f"{app.kployfile.name} is being deployed by {unlocking.holder}; last sign of life {age} ago")
    if not yes:
        agree("Take the lock away?")
    unlocking.take_away()
    _say("the lock is free")
    return Outcome.DONE


def _say(words: str) -> None:
    from kploy.ui.console import stderr
    from kploy.ui.lines import line

    stderr().print(line(words))
