"""The summary of a GitHub Actions job: a page of Markdown on how a command went."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from kploy.model import events
from kploy.model.errors import KployError
from kploy.model.findings import Finding, Severity
from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef
from kploy.model.plan import Action, Change, Plan
from kploy.model.report import MEANINGS, Outcome
from kploy.ui.narrator import SIMULATED, words_of
from kploy.ui.numbers import count, seconds
from kploy.ui.sanitize import clean
from kploy.ui.streams import tell_at_once
from kploy.ui.tree import Tree

LARGEST = 1024 * 1024 - 1024
"""Bytes at most in the file of a step: GitHub drops a summary of more than 1 MiB as a whole."""

_LONGEST = 600
"""Characters at most in one cell: a server can say very much."""

_MARKUP = re.compile(r"[^\w\s.,;/()=+-]|_|(?<=www)\.|(?<=WWW)\.")

_GOOD = frozenset({Outcome.DONE, Outcome.PENDING})
_UNDER_CHANGES = (Action.CREATED, Action.CONFIGURED, Action.REPLACED, Action.PRUNED, Action.SKIPPED)


@dataclass(frozen=True, slots=True)
class _Row:
    """How one object ended."""

    sign: str
    ref: ObjectRef
    words: str
    took: str = ""
    hint: str = ""


class Summary:
    """Collects what happens, and appends a page on it to the file at ``path`` in the end.

    When that fails, stderr has a line about it, and nothing else is different.
    """

    def __init__(self, path: str, tree: Tree, command: str) -> None:
        self._path = path
        self._tree = tree
        self._command = command
        self._opened: events.Opened | None = None
        self._findings: tuple[Finding, ...] = ()
        self._plan = Plan(())
        self._actions: dict[ObjectRef, Action] = {}
        self._rows: list[_Row] = []
        self._finished: events.Finished | None = None

    def show(self, event: events.Event) -> None:
        """Take note of one event."""
        match event:
            case events.Opened():
                self._opened = event
            case events.Checked(findings):
                self._findings = findings
            case events.Planned(plan):
                self._plan = plan
            case events.Applied(ref, action, _, _):
                self._actions[ref] = action
            case events.Finished():
                self._finished = event
            case _:
                self._rows += _ends(event)

    def end(self, error: BaseException | None) -> None:
        """Write the page; ``error`` is what ended the command early."""
        try:
            _append(self._path, self._sections(error))
        except OSError as failure:
            why = failure.strerror or "it cannot be written"
            tell_at_once(f"kploy: the job summary is not complete: {clean(why)}\n")

    def _sections(self, error: BaseException | None) -> Iterator[str]:
        yield f"### {self._heading()}\n\n{self._verdict(error)}\n"
        if self._opened is not None and self._opened.simulated:
            yield f"\n_{SIMULATED}_\n"
        if self._findings:
            yield from _table(("", "Where", "What is wrong", "What to do"), self._finding_cells())
        if self._rows:
            yield from _table(("", "Object", "Action", "How it is", "Time", "Manifest"), self._run_cells())
        elif self._plan.changes:
            yield from _plan(self._plan, self._tree)

    def _heading(self) -> str:
        opened = self._opened
        if opened is None:
            return f"kploy {self._command}"
        cluster = f" → {_text(opened.context or opened.server)}/{_text(opened.namespace)}" if opened.server else ""
        return f"kploy {self._command}: {_text(opened.app)}{cluster}"

    def _verdict(self, error: BaseException | None) -> str:
        if isinstance(error, KployError):
            hint = f"<br>{_text(error.hint)}" if error.hint else ""
            return f"❌ **{_text(error.message)}**{hint}"
        if self._finished is None:
            return f"❌ **{'interrupted' if isinstance(error, KeyboardInterrupt) else 'kploy has a bug'}**"
        outcome, at = self._finished.outcome, self._finished.at
        time = f" after {seconds(at)}" if at else ""
        return f"{'✅' if outcome in _GOOD else '❌'} **{MEANINGS[outcome]}**{time} (exit code {int(outcome)})"

    def _finding_cells(self) -> Iterator[Sequence[str]]:
        for finding in sorted(self._findings, key=lambda finding: finding.severity is not Severity.ERROR):
            file = self._tree.path(finding.place.file if finding.place else finding.subject or "Kployfile")
            line = f":{finding.place.line}" if finding.place else ""
            sign = "❌" if finding.severity is Severity.ERROR else "⚠️"
            yield f"{sign} {_text(finding.rule)}", _code(file + line), _text(finding.message), _text(finding.hint)

    def _run_cells(self) -> Iterator[Sequence[str]]:
        files = {change.ref: change.file for change in self._plan.changes}
        ended = {row.ref: row for row in self._rows}
        for row in sorted(ended.values(), key=lambda row: row.sign == "✅"):
            file = files.get(row.ref, "")
            hint = f"<br>{_text(row.hint)}" if row.hint else ""
            yield (
                row.sign,
                _code(str(row.ref)),
                self._actions.get(row.ref, ""),
                _text(row.words) + hint,
                row.took,
                _code(self._tree.path(file)) if file else "",
            )


def _ends(event: events.Event) -> Iterator[_Row]:
    """What a final event says of its object."""
    match event:
        case events.Ready(ref, status, after, _):
            yield _Row("✅", ref, f"{status.counts}" if status.counts else str(status.state), seconds(after))
        case events.Failed(ref, reason, at, hint, _):
            yield _Row("❌", ref, reason, seconds(at), hint)
        case events.Unfinished(ref, status, at, _):
            yield _Row("❌", ref, f"applied, not ready: {words_of(status)}", seconds(at))
        case events.Skipped(ref, because, _):
            yield _Row("⚪", ref, f"not started: {because} failed" if because else "not started")


def _plan(plan: Plan, tree: Tree) -> Iterator[str]:
    """What a run would change: a row for each object, and how many it would leave alone."""
    changes = [change for change in plan.changes if change.action in _UNDER_CHANGES]
    if changes:
        yield from _table(("What a run would do", "Object", "Manifest"), (_change(one, tree) for one in changes))
    unchanged = plan.count(Action.UNCHANGED)
    if unchanged:
        yield f"\n{count(unchanged, 'object')} would stay as {'it is' if unchanged == 1 else 'they are'}.\n"


def _change(change: Change, tree: Tree) -> Sequence[str]:
    doubt = f"<br>the server could not check it: {_text(change.unchecked)}" if change.unchecked else ""
    return change.action, _code(str(change.ref)) + doubt, _code(tree.path(change.file)) if change.file else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"\n| {' | '.join(header)} |\n|{' --- |' * len(header)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def _text(text: str) -> str:
    """``text`` of whomever, as a piece of Markdown that shows it and does nothing else."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", clean(short))


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _append(path: str, sections: Iterable[str]) -> None:
    """Append as many sections as there is room for to the file at ``path``; raises OSError."""
    # A pipe that nobody reads would keep us for ever.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags, 0o666), "ab") as file:
        size = os.fstat(file.fileno()).st_size
        file.write(b"\n\n" if size else b"")
        room = LARGEST - size
        dropped = 0
        for section in sections:
            data = section.encode("utf-8", "backslashreplace")
            room -= len(data)
            if room >= 0 and not dropped:
                file.write(data)
            else:
                dropped += 1
        if dropped:
            file.write(f"\nand {count(dropped, 'line')} more: the log has them all\n".encode())
