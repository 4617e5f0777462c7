"""What there is to see of an object in trouble, below the line that says so."""

from __future__ import annotations

from collections.abc import Iterator

from kploy.model import events
from kploy.model.evidence import LogTail, Runbook, Serving
from kploy.model.notices import Notice
from kploy.model.objects import Cause
from kploy.ui.console import Screen, columns
from kploy.ui.lines import Hanging, Line, Row, line
from kploy.ui.numbers import count, few
from kploy.ui.sanitize import clean

_MOST_PODS = 3
"""So many pods are named; the others are counted."""

_MOST_NOTICES = 5

_FROM_THE_CLUSTER = "as the cluster has them: only the app's own secrets are masked"


def report(console: Screen, event: events.Failed | events.Unfinished) -> Iterator[Row]:
    """The pods, what serves, the warnings, and the app's own runbook."""
    if event.cause is not None and event.cause.pods:
        yield _fact(_pods(event.cause))
    if event.evidence is not None:
        if event.evidence.serving is not None:
            yield _fact(_serving(event.evidence.serving))
        yield from _notices([notice for notice in event.evidence.notices if notice.message not in event.reason])
    if event.runbook is not None:
        yield from _runbook(console, event.runbook)


def logs(event: events.Logged) -> Iterator[Row]:
    """The last words of containers, of each below a line that says whose they are."""
    for log in event.logs:
        before = ", before it was started again" if log.of.is_previous else ""
        whose = f"pod {log.of.pod}, container {log.of.container}{before}"
        if log.missing:
            yield _fact(f"{whose}: its log cannot be read: {log.missing}")
            continue
        yield _fact(f"{whose}: {_said(log)}")
        for said in log.lines:
            yield Hanging(line("    ", ("| ", "dim")), line(said))


def _said(log: LogTail) -> str:
    if not log.lines:
        return "it has written nothing"
    last = "the last line" if len(log.lines) == 1 else f"the last {len(log.lines)} lines"
    return f"{last}, {_FROM_THE_CLUSTER}"


def _pods(cause: Cause) -> str:
    noun = "pod" if len(cause.pods) == 1 else "pods"
    container = f", container {cause.container}" if cause.container else ""
    return f"{noun} {few(cause.pods, _MOST_PODS)}{container}: {cause.reason}"


def _serving(serving: Serving) -> str:
    if not serving.old:
        return f"serving: {count(serving.new, 'new pod')}" if serving.new else "no pod of it serves"
    of = "an older template" if serving.revision is None else f"revision {serving.revision}"
    images = f" ({', '.join(serving.images)})" if serving.images else ""
    new = f", and {count(serving.new, 'new one')}" if serving.new else ""
    return f"still serving: {count(serving.old, 'pod')} of {of}{images}{new}"


def _notices(notices: list[Notice]) -> Iterator[Row]:
    """The last warnings."""
    for notice in notices[-_MOST_NOTICES:]:
        times = f" ({notice.count} times)" if notice.count > 1 else ""
        yield _fact(f"warning: {notice.reason}{times}: {notice.message}")
    if len(notices) > _MOST_NOTICES:
        yield _fact(f"and {count(len(notices) - _MOST_NOTICES, 'warning')} before these; -o json has them all")


def _runbook(console: Screen, runbook: Runbook) -> Iterator[Row]:
    """Rendered on a terminal, as it is written elsewhere."""
    yield _fact(f"{runbook.file}:")
    width = columns(console)
    rows = _rendered(runbook.text, width) if width else [line(row) for row in runbook.text.split("\n")]
    for row in rows:
        yield Hanging(line("    ", ("| ", "dim")), row)


def _rendered(text: str, width: int) -> list[Line]:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.text import Text

    safe = "\n".join(map(clean, text.split("\n")))
    paper = Console(width=max(20, width - 8), force_terminal=True, color_system="standard", highlight=False)
    with paper.capture() as written:
        paper.print(Markdown(safe, hyperlinks=False))
    # Made safe once more: what Markdown spells as an entity is a character only now.
    rows = [row.render(paper) for row in Text.from_ansi(written.get().rstrip()).split("\n")]
    return [line(*((piece.text, str(piece.style or "")) for piece in pieces)) for pieces in rows]


def _fact(text: str) -> Hanging:
    return Hanging(line("  "), line((text, "dim")))
