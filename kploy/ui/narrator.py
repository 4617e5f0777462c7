"""Events as sentences, one a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from math import ceil
from typing import assert_never
from zlib import crc32

from kploy.model import events
from kploy.model.findings import Finding, Place, Severity
from kploy.model.objects import ObjectRef, State, Status
from kploy.model.plan import Action, Plan
from kploy.model.report import Outcome
from kploy.ui.calls import Calls
from kploy.ui.console import Signs
from kploy.ui.lines import Hanging, Line, Part, Row, line
from kploy.ui.numbers import count, few, seconds, ticking
from kploy.ui.sanitize import clean
from kploy.ui.width import width_of

SIMULATED = "the sandbox: a real control plane, on which pods only pretend to run"
"""What is said wherever the cluster is the sandbox."""

_WIDEST = 44
"""Names longer than this do not push the columns of all others to the right."""

_BESIDE_NAMES = 38
"""How many columns of a terminal are kept free for what is said beside a name."""

_MOST_NAMES = 5
"""So many objects are named that have the same said of them; the others are counted."""

_COLOURS = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta", "bright_blue")

_ACTION_STYLES = {Action.CREATED: "green", Action.CONFIGURED: "yellow"}


class Narrator:
    """Tells a run, and remembers what it has to for the next sentence and for the end.

    ``columns`` is how wide the terminal is, None where there is no limit.
    """

    def __init__(self, signs: Signs, columns: int | None = None, calls: Calls | None = None) -> None:
        self._signs = signs
        self._calls = calls or Calls()
        self._widest = _WIDEST if columns is None else max(0, min(_WIDEST, columns - _BESIDE_NAMES))
        self._width = 0
        self._not_ready = 0
        self._actions: dict[ObjectRef, Action] = {}
        self._applied_at: dict[ObjectRef, float] = {}
        self._counts: Counter[str] = Counter()
        self.opened: events.Opened | None = None

    def settled(self, event: events.Event) -> Iterator[Row]:  # noqa: C901, PLR0912 - a case an event
        """The lines for what is final: a reader needs no other to know how the run went."""
        match event:
            case events.Opened():
                self.opened = event
                yield from self._opened(event)
            case events.NodesCounted():
                yield self._nodes(event)
            case events.Planned(plan):
                names = (width_of(clean(str(change.ref))) for change in plan.changes)
                self._width = min(self._widest, max(names, default=0))
                yield from self._unchecked(plan)
                yield from self._staying(plan) if self._is_leaving else ()
            case events.Applied(ref, action, _, at):
                self._actions[ref] = action
                self._applied_at[ref] = at
                self._counts[action] += 1
            case events.Ready(ref, status, after, _):
                yield self._ready(ref, status, after)
            case events.Failed(ref=ref, reason=reason, hint=hint, place=place):
                self._counts["failed"] += 1
                yield self._row(self._signs.failed, "bold red", ref, (reason, "red"))
                yield from _hint(hint, place)
            case events.Skipped(ref, because, _):
                self._counts["not started"] += 1
                why = f": {because} failed" if because else ""
                yield self._row(self._signs.skipped, "dim", ref, (f"not started{why}", "dim"))
            case events.Unfinished(ref=ref, status=status, hint=hint, place=place):
                self._not_ready += 1
                begun = "not gone" if self._actions.get(ref) is Action.PRUNED else "applied, not ready"
                yield self._row(self._signs.failed, "yellow", ref, (f"{begun}: {words_of(status)}", "yellow"))
                yield from _hint(hint, place)
            case events.Noted(text):
                yield Hanging(Line(), line(text))
            case events.Finished(outcome, at, good):
                yield from self._finished(outcome, at, good)
            case events.LogLine(pod, container, said, _):
                yield Hanging(line((f"{pod} {container} | ", _colour_of(pod))), line(said))
            case events.Checked() | events.Progressed() | events.Logged() | events.StillWaiting():
                pass
            case _:
                assert_never(event)

    def passing(self, event: events.Event) -> Hanging | None:
        """A line for what will be otherwise in a moment; for where nothing moves, as in a pipe."""
        match event:
            case events.Applied(ref, action, status, _) if status.state is not State.CURRENT:
                begun = "" if action is Action.PRUNED else f"{action}; "
                return self._row(self._signs.waiting, "dim", ref, f"{begun}{words_of(status)}")
            case events.Progressed(ref, status, at) if not self._is_as_before(ref, status):
                took = seconds(at - self._applied_at.get(ref, at))
                return self._row(self._signs.waiting, "dim", ref, words_of(status), (f"   {took}", "dim"))
            case events.StillWaiting(objects, at):
                return self._reminder(objects, at)
            case _:
                return None

    def _reminder(self, objects: tuple[events.Awaited, ...], at: float) -> Hanging:
        named = few([f"{each.ref} ({words_of(each.status)})" for each in objects], _MOST_NAMES)
        head = line("  ", (f"{self._signs.waiting:<{self._signs.column}}", "dim"))
        return Hanging(head, line((f"{seconds(at)}: still waiting for {named}", "dim")))

    def _is_as_before(self, ref: ObjectRef, status: Status) -> bool:
        """Whether an object that is to go is only seen as it was before it was told to."""
        return self._actions.get(ref) is Action.PRUNED and status.state is State.CURRENT

    def under_way(self, sign: str, ref: ObjectRef, status: Status, elapsed: float) -> Line:
        """The line for an object that is waited for, while it is."""
        # The time comes first: it is short, and the words may have to be cut.
        return self._row(sign, "", ref, (f"{ticking(elapsed):>3}", "dim"), f"  {words_of(status)}").text

    def _opened(self, event: events.Opened) -> Iterator[Row]:
        where = f"{event.context or event.server}/{event.namespace}"
        yield line(
            (event.app, "bold"),
            *((f" {self._signs.arrow} ", (where, "bold")) if event.server else ()),
            f"   {count(event.manifests, 'object' if event.is_leaving else 'manifest')}   ",
            (_version(event), "dim"),
        )
        if event.simulated:
            yield line((SIMULATED, "dim"))

    def _nodes(self, event: events.NodesCounted) -> Line:
        if event.total is None:
            return line(("nodes: not allowed to look", "dim"))
        style = "dim" if event.ready else "bold yellow"
        return line((f"nodes: {event.ready} of {event.total} ready", style))

    def _unchecked(self, plan: Plan) -> Iterator[Hanging]:
        """One line for each reason, with the objects that it keeps from being checked."""
        names: dict[str, list[str]] = {}
        for change in plan.changes:
            if change.unchecked:
                names.setdefault(change.unchecked, []).append(str(change.ref))
        for why, of in names.items():
            words = f"{few(of, _MOST_NAMES)}: the server could not check {'it' if len(of) == 1 else 'them'}: {why}"
            yield Hanging(line("  "), line((words, "yellow")))

    def restarting(self, plan: Plan) -> Iterator[Hanging]:
        """Whose pods restart because what they read changes, by what that is. Nothing else says so in a run."""
        names: dict[tuple[ObjectRef, ...], list[str]] = {}
        for change in plan.changes:
            if change.restart and change.restart.config and change.restart.together:
                names.setdefault(change.restart.config, []).append(str(change.ref))
        for config, of in names.items():
            words = f"{few(config, _MOST_NAMES)} changed: the pods of {few(of, _MOST_NAMES)} restart"
            yield Hanging(line("  "), line(words))

    def _staying(self, plan: Plan) -> Iterator[Hanging]:
        """What a destroy leaves there, and why."""
        for change in plan.changes:
            if change.action is Action.SKIPPED:
                self._counts[Action.SKIPPED] += 1
                yield self._row(self._signs.skipped, "dim", change.ref, (f"stays: {change.reason}", "dim"))

    def _ready(self, ref: ObjectRef, status: Status, after: float) -> Hanging:
        action = self._actions.get(ref, Action.UNCHANGED)
        counts = status.counts
        number = f"{counts}" + ("" if counts.unit else " ready") if counts is not None else ""
        took = seconds(after) if after >= 0.1 else ""
        style = _ACTION_STYLES.get(action, "dim")
        word = "deleted" if self._is_leaving and action is Action.PRUNED else action
        return self._row(
            self._signs.done, "green", ref, (f"{word:<10}", style), f"  {number:<9}", (f"  {took:>4}", "dim")
        )

    def _row(self, sign: str, style: str, ref: ObjectRef, *rest: Part) -> Hanging:
        name = clean(str(ref))
        gap = " " * (max(0, self._width - width_of(name)) + 2)
        return Hanging(line("  ", (f"{sign:<{self._signs.column}}", style), name + gap), line(*rest))

    @property
    def _is_leaving(self) -> bool:
        return self.opened is not None and self.opened.is_leaving

    def _finished(self, outcome: Outcome, at: float, good: int | None) -> Iterator[Row]:
        app = self.opened.app if self.opened else ""
        done = ", ".join(f"{self._counts[action]} {action}" for action in Action if self._counts[action])
        trouble = [f"{self._counts[what]} {what}" for what in ("failed", "not started") if self._counts[what]]
        trouble += [f"{self._not_ready} not {'gone' if self._is_leaving else 'ready'}"] if self._not_ready else []
        match outcome:
            case Outcome.DONE if self.opened and not self.opened.server:
                yield self._good("valid, as far as that can be told without a cluster")
            case Outcome.DONE if self._is_leaving:
                stays = f", {self._counts[Action.SKIPPED]} left there" if self._counts[Action.SKIPPED] else ""
                words = f"{app} is gone: {self._counts[Action.PRUNED]} deleted{stays}"
                yield self._good(words, (f"   {seconds(at)}", "dim"))
            case Outcome.DONE if self._actions:
                yield self._good(f"{app} is up: {done}", (f"   {seconds(at)}", "dim"))
            case Outcome.FAILED:
                yield self._bad(f"{app}: {', '.join(trouble)}", (f"   {done}", "dim"))
                left = "what is gone stays gone" if self._is_leaving else "what is as it should be is left alone"
                yield _advice("fix ", f"mend it, then {self._calls.again}; {left}")
                yield from self._ways_on(good)
            case Outcome.TIMED_OUT:
                state = "gone" if self._is_leaving else "up"
                yield self._bad(f"{app} is not {state} after {seconds(at)}: {', '.join(trouble)}")
                yield _advice("wait", f"{self._calls.again} --timeout {_longer(at)}")
                yield from self._ways_on(good)
            case Outcome.INTERRUPTED:
                yield from self._cut_short("interrupted", [done, *trouble])
            case Outcome.UNREACHABLE | Outcome.REFUSED if self._actions or trouble:
                yield from self._cut_short(f"{app}: stopped on the way", [done, *trouble])

    def _cut_short(self, how: str, counts: Iterable[str]) -> Iterator[Row]:
        """How it ended before its end, and what was done by then."""
        yield self._bad(f"{how}: {', '.join(filter(None, counts))}")
        yield _advice("", f"{self._calls.again} goes on from here")

    def _ways_on(self, good: int | None) -> Iterator[Row]:
        """How to look, and how to undo it."""
        yield _advice("look", self._calls.of("list"))
        if good is not None:
            yield _advice("undo", f"{self._calls.of('rollback')}   (revision {good})")

    def _good(self, *rest: Part) -> Hanging:
        return Hanging(line((f"{self._signs.done} ", "bold green")), line(*rest))

    def _bad(self, words: str, *rest: Part) -> Hanging:
        return Hanging(line((f"{self._signs.failed} ", "bold red")), line((words, "bold red"), *rest))


def findings_summary(findings: Iterable[Finding], files: int, signs: Signs, *, was_asked: bool) -> Hanging:
    """The last line of a check: how many of what, in how many files. ``was_asked``: the cluster, by a dry run."""
    every = list(findings)
    errors = sum(finding.severity is Severity.ERROR for finding in every)
    warnings = len(every) - errors
    parts = [count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    where = {finding.place.file if finding.place else finding.subject for finding in every}
    if not errors:
        return Hanging(Line(), line((", ".join(parts), "yellow")))
    at = f" in {len(where)} of {count(max(files, len(where)), 'file')}" if where != {""} else ""
    text = f"{', '.join(parts)}{at}"
    style = "bold red"
    return Hanging(
        line((f"{signs.failed} ", style)),
        line((f"{text}; nothing was {'written' if was_asked else 'sent to the cluster'}", style)),
    )


def _version(event: events.Opened) -> str:
    """The cluster's, and that of the schemas where it is another or the only one."""
    of_cluster = f"Kubernetes {event.server_version}" if event.server else ""
    is_same = event.server_version.startswith(f"v{event.schemas}.")
    return "   ".join(filter(None, (of_cluster, "" if is_same else f"schemas {event.schemas}")))


def _hint(hint: str, place: Place | None) -> Iterator[Hanging]:
    """What to do, where it does not stand beside the lines of the manifest."""
    if hint and not (place and place.excerpt):
        yield Hanging(line("      "), line((hint, "cyan")))


def _advice(to: str, text: str) -> Hanging:
    return Hanging(line("  ", (f"{to}  " if to else "", "cyan")), line(text))


def _colour_of(pod: str) -> str:
    """Always the same for one pod, and most often another one for the next."""
    return _COLOURS[crc32(pod.encode(errors="replace")) % len(_COLOURS)]


def _longer(at: float) -> str:
    """A timeout to try next: twice the one that was not enough, and at least ten minutes."""
    return f"{max(10, ceil(at / 30))}m"


def words_of(status: Status) -> str:
    """``2/3 ready: waiting for its controller``: the number and the reason, as far as there are any."""
    counts = status.counts
    number = f"{counts} ready" if counts and not counts.unit else ""
    said_by_number = counts is not None and status.message == f"{counts.ready} of {counts.wanted} ready"
    parts = (number, "" if said_by_number else status.message)
    return ": ".join(part for part in parts if part) or str(status.state)
