"""Asking before something cannot be undone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kploy.model.errors import KployError
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.model.events import Opened
    from kploy.model.plan import Plan


class NotConfirmed(KployError):
    """The user did not say yes, or could not be asked."""

    outcome = Outcome.USAGE


def confirm(opened: Opened, plan: Plan) -> None:
    """Show what goes, and from where, and have the app's name typed. Raises NotConfirmed."""
    from kploy.ui.console import stderr
    from kploy.ui.leaving import show_leaving

    show_leaving(stderr(), opened, plan)
    typed = _asked(f"Type the name of the app, {opened.app}, to delete all that:")
    if typed != opened.app:
        raise NotConfirmed("that is not its name; nothing was changed")


def agree(question: str) -> None:
    """Have the user say yes. Raises NotConfirmed."""
    if _asked(f"{question} [y/N]").lower() not in {"y", "yes"}:
        raise NotConfirmed("nothing was changed")


def _asked(question: str) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise NotConfirmed("there is no terminal to ask on; nothing was changed", "say --yes if it is meant")
    click.echo(f"{question} ", err=True, nl=False)
    typed = sys.stdin.readline()
    if not typed.endswith("\n"):  # Ctrl-D, which leaves the cursor behind the question
        click.echo(err=True)
    return typed.strip()
