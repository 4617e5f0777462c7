"""Which display a command's output option means, and showing a stream of events on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kploy.model.events import Event, Finished
from kploy.model.report import Outcome

if TYPE_CHECKING:
    from kploy.model.findings import Finding
    from kploy.ui.json import JsonDisplay
    from kploy.ui.text import TextDisplay


def display_for(output: str, *, plan_is_result: bool) -> TextDisplay | JsonDisplay:
    """The display for ``-o json`` or ``-o text``."""
    if output == "json":
        from kploy.ui.json import JsonDisplay

        return JsonDisplay()
    from kploy.ui.text import TextDisplay

    return TextDisplay(plan_is_result=plan_is_result)


def show(stream: Iterable[Event], display: TextDisplay | JsonDisplay) -> int:
    """Show every event; returns the exit code that the last one says."""
    code = 0
    for event in stream:
        display.show(event)
        if isinstance(event, Finished):
            code = int(event.outcome)
    return code


def refuse(findings: tuple[Finding, ...]) -> int:
    """Show what is wrong with an app that cannot even be looked for; returns the exit code."""
    from kploy.ui.console import stderr
    from kploy.ui.excerpt import show_findings

    show_findings(stderr(), findings)
    return Outcome.INVALID
