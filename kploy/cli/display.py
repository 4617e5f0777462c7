"""Which display a command's output option means, and showing a stream of events on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kploy.model.events import Event, Finished

if TYPE_CHECKING:
    from kploy.ui.json import JsonDisplay
    from kploy.ui.text import TextDisplay


def display_for(output: str, *, plan_is_result: bool, detail: str = "short") -> TextDisplay | JsonDisplay:
    """The display for ``-o json`` or ``-o text``; ``detail`` is how much of the plan a text tells. See ui.plan."""
    if output == "json":
        from kploy.ui.json import JsonDisplay

        return JsonDisplay()
    from kploy.ui.plan import Detail
    from kploy.ui.text import TextDisplay

    return TextDisplay(plan_is_result=plan_is_result, detail=Detail(detail))


def show(stream: Iterable[Event], display: TextDisplay | JsonDisplay) -> int:
    """Show every event; returns the exit code that the last one says."""
    code = 0
    for event in stream:
        display.show(event)
        if isinstance(event, Finished):
            code = int(event.outcome)
    return code
