"""What a destroy deletes, shown before it is asked for."""

from __future__ import annotations

from kploy.model.events import Opened
from kploy.model.plan import Action, Plan
from kploy.ui.console import Screen, signs_for
from kploy.ui.lines import Hanging, line


def show_leaving(console: Screen, opened: Opened, plan: Plan) -> None:
    """Print which app, from which cluster, each object that goes, and each that stays with the reason."""
    where = f"{opened.context or opened.server}/{opened.namespace}"
    arrow = signs_for(console.file).arrow
    console.print(line((opened.app, "bold"), f" {arrow} ", (where, "bold"), "   to be deleted:"))
    for change in plan.changes:
        if change.action is Action.PRUNED:
            console.print(line((f"  - {change.ref}", "red")))
    for change in plan.changes:
        if change.action is not Action.PRUNED:
            console.print(Hanging(line("    "), line(f"{change.ref}  stays: {change.reason}")))
    if not plan.writes:
        console.print(line("  - what kploy itself keeps of it"))
