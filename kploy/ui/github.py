"""GitHub Actions: findings and failures as annotations, which GitHub shows beside the line they are about.

An annotation is a line on stdout or stderr, a *workflow command*:
``::error file=rcs/web.yaml,line=17::message``. They go to stderr, because
stdout is data. https://docs.github.com/actions/reference/workflow-commands
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from kploy.model import events
from kploy.model.errors import KployError
from kploy.model.findings import Finding, Place, Severity
from kploy.model.objects import ObjectRef
from kploy.ui.narrator import words_of
from kploy.ui.sanitize import clean
from kploy.ui.streams import steadfast
from kploy.ui.tree import Tree

MOST = 10
"""GitHub shows so many errors and so many warnings of a step, and drops the rest."""

KPLOYFILE = "Kployfile"
"""The file of what is about the app as a whole."""


class Annotations:
    """Tells GitHub what is wrong and where: errors first, as many as it shows, and how many there are besides."""

    def __init__(self, tree: Tree, stream: TextIO | None = None) -> None:
        self._tree = tree
        self._stream = stream or steadfast(sys.stderr, commands=True)
        self._files: dict[ObjectRef, str] = {}
        self._told = {"error": 0, "warning": 0}

    def show(self, event: events.Event) -> None:
        """Annotate what an event says to be wrong."""
        match event:
            case events.Checked(findings):
                for finding in _errors_first(findings):
                    self._finding(finding)
            case events.Planned(plan):
                self._files = {change.ref: change.file for change in plan.changes}
            case events.Failed(ref, reason, _, hint, place):
                self._trouble(ref, "rollout-failed", f"{ref}: {reason}", hint, place)
            case events.Unfinished(ref=ref, status=status, hint=hint, place=place):
                self._trouble(ref, "not-ready", f"{ref}: applied, not ready: {words_of(status)}", hint, place)
            case _:
                pass

    def end(self, error: BaseException | None) -> None:
        """Annotate what ended the command early, and say how much GitHub does not show."""
        if isinstance(error, KployError):
            self._tell("error", "kploy", error.message, error.hint)
        beyond = [(number - MOST, kind) for kind, number in self._told.items() if number > MOST]
        if beyond:
            words = " and ".join(f"{number} more {kind}{'' if number == 1 else 's'}" for number, kind in beyond)
            self._write("notice", "kploy", f"{words}: the log of this step has them all")

    def _finding(self, finding: Finding) -> None:
        place = finding.place
        if place is None:
            place_of_all = self._tree.path(finding.subject or KPLOYFILE)
            self._tell(finding.severity, finding.rule, finding.message, finding.hint, file=place_of_all)
        else:
            self._tell(finding.severity, finding.rule, finding.message, finding.hint, **self._where(place))

    def _trouble(self, ref: ObjectRef, rule: str, message: str, hint: str, place: Place | None) -> None:
        file = self._files.get(ref, "")
        where = self._where(place) if place else {"file": self._tree.path(file)} if file else {}
        self._tell(Severity.ERROR, rule, message, hint, **where)

    def _where(self, place: Place) -> dict[str, str]:
        return {
            "file": self._tree.path(place.file),
            "line": str(place.line),
            "col": str(place.column),
            "endColumn": str(place.column + place.width),
        }

    def _tell(self, kind: str, title: str, message: str, hint: str = "", **where: str) -> None:
        self._told[kind] += 1
        if self._told[kind] <= MOST:
            self._write(kind, title, "\n".join(filter(None, map(clean, (message, hint)))), **where)

    def _write(self, kind: str, title: str, message: str, **where: str) -> None:
        self._stream.write(command(kind, message, **where, title=title) + "\n")
        self._stream.flush()


def command(name: str, message: str, **properties: str) -> str:
    """A workflow command as a line. Nothing in ``message`` or ``properties`` can end it, or begin another."""
    said = ",".join(f"{key}={_property(clean(value))}" for key, value in properties.items())
    return f"::{name} {said}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _errors_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
