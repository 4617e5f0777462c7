"""The dependency graph, drawn as text, or in the languages of Graphviz and Mermaid."""

from __future__ import annotations

from collections.abc import Iterator

from kploy.core.graph import Milestone
from kploy.core.picture import Picture, Stop
from kploy.ui.console import Screen, padded, shown
from kploy.ui.lines import Hanging, line
from kploy.ui.sanitize import clean
from kploy.ui.width import width_of

_WIDEST = 44
"""A name longer than this does not push what all others wait for to the right."""


def show_picture(console: Screen, picture: Picture) -> None:
    """Print the objects in waves, each with what it waits for, and what its endpoints come from."""
    for barrier in (stop for stop in picture.stops if not stop.ref):
        console.print(Hanging(line("  "), line(_barrier(picture, barrier))))
    names = [width_of(shown(console, str(stop))) for stop in picture.stops if stop.ref]
    width = min(_WIDEST, max(names, default=0))
    number = len(str(max((stop.wave for stop in picture.stops), default=0)))
    wave = 0
    for stop in sorted((stop for stop in picture.stops if stop.ref), key=lambda stop: stop.wave):
        mark = str(stop.wave) if stop.wave != wave else ""
        wave = stop.wave
        name = padded(console, str(stop), width)
        console.print(
            Hanging(line((f"  {mark:>{number}}  ", "dim"), f"{name}  "), line((_waits(picture, stop), "dim")))
        )


def _barrier(picture: Picture, barrier: Stop) -> str:
    gathered = [str(picture.stops[wait.needed]) for wait in picture.waits if wait.dependent == barrier.id]
    others = ", ".join(map(str, picture.not_held(barrier)))
    return f"{barrier}: {', '.join(gathered)}" + (f"; but not before {others}" if others else "")


def _waits(picture: Picture, stop: Stop) -> str:
    """``needs configmap/flags ready, service/db applied; endpoints from deployment/web``."""
    waits = [(picture.stops[wait.needed], wait.until) for wait in picture.waits if wait.dependent == stop.id]
    needs = [f"{needed} {until}" for needed, until in waits if needed.ref and until is not Milestone.BACKS]
    backers = [str(needed) for needed, until in waits if until is Milestone.BACKS]
    parts = [f"needs {', '.join(needs)}"] if needs else []
    parts += [f"endpoints from {', '.join(backers)}"] if backers else []
    return "; ".join(parts)


def dot(picture: Picture, app: str) -> str:
    """A digraph for Graphviz: arrows lead from what is needed to what needs it."""
    return "\n".join([f"digraph {_in_dot(app)} {{", *_dot_lines(picture), "}", ""])


def _dot_lines(picture: Picture) -> Iterator[str]:
    yield '  graph [rankdir="LR"];'
    yield '  node [shape="box", fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif", fontsize="10"];'
    for stop in picture.stops:
        style = "" if stop.ref else ', shape="ellipse", style="dashed"'
        yield f"  n{stop.id} [label={_in_dot(str(stop))}{style}];"
    for wait in picture.waits:
        style = ', style="dotted", constraint="false"' if wait.until is Milestone.BACKS else ""
        yield f'  n{wait.needed} -> n{wait.dependent} [label="{wait.until}"{style}];'


def _in_dot(text: str) -> str:
    r"""A quoted string. Its backslashes are doubled: ``\N`` in a label would mean something."""
    return '"' + clean(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def mermaid(picture: Picture) -> str:
    """A flowchart for Mermaid, as Markdown on GitHub and GitLab shows it."""
    lines = ["flowchart LR"]
    for stop in picture.stops:
        name = _in_mermaid(str(stop))
        lines.append(f'  n{stop.id}["{name}"]' if stop.ref else f'  n{stop.id}(["{name}"])')
    for wait in picture.waits:
        arrow = "-.->" if wait.until is Milestone.BACKS else "-->"
        lines.append(f"  n{wait.needed} {arrow}|{wait.until}| n{wait.dependent}")
    return "\n".join([*lines, ""])


def _in_mermaid(text: str) -> str:
    """Text for a label in quotes. What is no letter, digit or harmless sign becomes its number."""
    return "".join(c if c.isalnum() or c in " /.:_-" else f"#{ord(c)};" for c in clean(text))
