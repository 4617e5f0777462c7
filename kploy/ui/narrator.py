"""Events as sentences, one a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import assert_never

from rich.text import Text

from kploy.model import events
from kploy.model.findings import Finding, Severity
from kploy.model.objects import ObjectRef, State, Status
from kploy.model.plan import Action, Plan
from kploy.model.report import Outcome
from kploy.ui.console import Signs, line
from kploy.ui.numbers import count, seconds

SIMULATED = "the sandbox: a real control plane, on which pods only pretend to run"
"""What is said wherever the cluster is the sandbox."""

_WIDEST = 44
"""Names longer than this do not push the columns of all others to the right."""

_ACTION_STYLES = {Action.CREATED: "green", Action.CONFIGURED: "yellow"}


class Narrator:
    """Tells a run, and remembers what it has to for the next sentence and for the end."""

    def __init__(self, signs: Signs) -> None:
        self._signs = signs
        self._width = 0
        self._timeout_hit: list[tuple[ObjectRef, Status]] = []
        self._actions: dict[ObjectRef, Action] = {}
        self._counts: Counter[str] = Counter()
        self.opened: events.Opened | None = None

    def settled(self, event: events.Event) -> Iterator[Text]:  # noqa: C901, PLR0912 - a case an event
        """The lines for what is final: a reader needs no other to know how the run went."""
        match event:
            case events.Opened():
                self.opened = event
                yield from self._opened(event)
            case events.NodesCounted():
                yield self._nodes(event)
            case events.Planned(plan):
                self._width = min(_WIDEST, max((len(str(change.ref)) for change in plan.changes), default=0))
                yield from self._unchecked(plan)
            case events.Applied(ref, action, _, _):
                self._actions[ref] = action
                self._counts[action] += 1
            case events.Ready(ref, status, after, _):
                yield self._ready(ref, status, after)
            case events.Failed(ref, reason, _, hint):
                self._counts["failed"] += 1
                yield self._row(self._signs.failed, "bold red", ref, (reason, "red"))
                if hint:
                    yield line("      ", (hint, "cyan"))
            case events.Skipped(ref, because, _):
                self._counts["not started"] += 1
                why = f": {because} failed" if because else ""
                yield self._row(self._signs.skipped, "dim", ref, (f"not started{why}", "dim"))
            case events.Unfinished(ref, status, _):
                self._timeout_hit.append((ref, status))
                yield self._row(
                    self._signs.failed, "yellow", ref, (f"applied, not ready: {_words(status)}", "yellow")
                )
            case events.Noted(text):
                yield line(text)
            case events.Finished(outcome, at):
                yield from self._finished(outcome, at)
            case events.Checked() | events.Progressed():
                pass
            case _:
                assert_never(event)

    def passing(self, event: events.Event) -> Text | None:
        """A line for what will be otherwise in a moment; for where nothing moves, as in a pipe."""
        match event:
            case events.Applied(ref, action, status, _) if status.state is not State.CURRENT:
                return self._row(self._signs.waiting, "dim", ref, f"{action}; {_words(status)}")
            case events.Progressed(ref, status, _):
                return self._row(self._signs.waiting, "dim", ref, _words(status))
            case _:
                return None

    def under_way(self, ref: ObjectRef, status: Status, elapsed: float) -> Text:
        """The line for an object that is waited for, while it is."""
        return self._row("", "", ref, _words(status), ("  " + seconds(elapsed), "dim"))

    def _opened(self, event: events.Opened) -> Iterator[Text]:
        where = f"{event.context or event.server}/{event.namespace}"
        yield line(
            (event.app, "bold"),
            *((f" {self._signs.arrow} ", (where, "bold")) if event.server else ()),
            f"   {count(event.manifests, 'manifest')}   ",
            (f"Kubernetes {event.server_version}" if event.server else f"schemas {event.schemas}", "dim"),
        )
        if event.simulated:
            yield line((SIMULATED, "dim"))

    def _nodes(self, event: events.NodesCounted) -> Text:
        if event.total is None:
            return line(("nodes: not allowed to look", "dim"))
        style = "dim" if event.ready else "bold yellow"
        return line((f"nodes: {event.ready} of {event.total} ready", style))

    def _unchecked(self, plan: Plan) -> Iterator[Text]:
        for change in plan.changes:
            if change.unchecked:
                yield line((f"  {change.ref}: the server could not check it: {change.unchecked}", "yellow"))

    def _ready(self, ref: ObjectRef, status: Status, after: float) -> Text:
        action = self._actions.get(ref, Action.UNCHANGED)
        rest: list[str | tuple[str, str]] = [(f"{action:<10}", _ACTION_STYLES.get(action, "dim"))]
        if status.counts is not None:
            rest.append(f"  {status.counts}" + ("" if status.counts.unit else " ready"))
        if after >= 0.1:
            rest.append(("  " + seconds(after), "dim"))
        return self._row(self._signs.done, "green", ref, *rest)

    def _row(self, sign: str, style: str, ref: ObjectRef, *rest: str | tuple[str, str]) -> Text:
        row = line("  ", (f"{sign:<2}" if sign else "", style), f"{ref!s:<{self._width}}  ", *rest)
        row.rstrip()
        return row

    def _finished(self, outcome: Outcome, at: float) -> Iterator[Text]:
        app = self.opened.app if self.opened else ""
        done = ", ".join(f"{self._counts[action]} {action}" for action in Action if self._counts[action])
        trouble = [f"{self._counts[what]} {what}" for what in ("failed", "not started") if self._counts[what]]
        trouble += [f"{len(self._timeout_hit)} not ready"] if self._timeout_hit else []
        match outcome:
            case Outcome.DONE if self.opened and not self.opened.server:
                yield line(
                    (self._signs.done, "bold green"), " valid, as far as that can be told without a cluster"
                )
            case Outcome.DONE if self._actions:
                yield line((self._signs.done, "bold green"), f" {app} is up: {done}", (f"   {seconds(at)}", "dim"))
            case Outcome.FAILED:
                yield line(
                    (f"{self._signs.failed} {app}: {', '.join(trouble)}", "bold red"), (f"   {done}", "dim")
                )
                yield line("  mend it, then kploy run; what is as it should be is left alone")
            case Outcome.TIMED_OUT:
                yield line(
                    (f"{self._signs.failed} {app} is not up after {seconds(at)}: {', '.join(trouble)}", "bold red")
                )
                yield line("  see how it goes on: kploy list; wait longer: kploy run --timeout 10m")
            case Outcome.INTERRUPTED:
                yield line((f"{self._signs.failed} interrupted: {', '.join([done, *trouble])}", "bold red"))
                yield line("  kploy run goes on from here")


def findings_summary(findings: Iterable[Finding], files: int, signs: Signs) -> Text:
    """The last line of a check: how many of what, in how many files."""
    every = list(findings)
    errors = sum(finding.severity is Severity.ERROR for finding in every)
    warnings = len(every) - errors
    parts = [count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    where = {finding.place.file if finding.place else finding.subject for finding in every}
    if errors:
        text = f"{signs.failed} {', '.join(parts)} in {len(where)} of {count(max(files, len(where)), 'file')}"
        return line((f"{text}; nothing was sent to the cluster", "bold red"))
    return line((", ".join(parts), "yellow"))


def _words(status: Status) -> str:
    """``2/3 ready: waiting for its controller``: the number and the reason, as far as there are any."""
    counts = status.counts
    number = f"{counts} ready" if counts and not counts.unit else ""
    said_by_number = counts is not None and status.message == f"{counts.ready} of {counts.wanted} ready"
    parts = (number, "" if said_by_number else status.message)
    return ": ".join(part for part in parts if part) or str(status.state)
