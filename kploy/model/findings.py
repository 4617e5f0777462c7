"""Findings: what is wrong with an app, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath


class Severity(StrEnum):
    """An error stops the run before anything is sent; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file as it may be shown: number from 1, secrets masked."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file of the app.

    ``file`` is relative to the app directory, with forward slashes. ``line``
    and ``column`` count from 1, columns in characters; ``width`` is the number
    of characters meant on that line, at least 1. ``excerpt`` ends with the
    line itself; it is empty where there is nothing to show.
    """

    file: str
    line: int
    column: int
    width: int = 1
    excerpt: tuple[Line, ...] = ()

    def __str__(self) -> str:
        """``rcs/web.yaml:21:11``, as editors and terminals take it."""
        return f"{self.file}:{self.line}:{self.column}"


class Positions(Protocol):
    """Finds the place of a value of one manifest. Made by who read the file."""

    def value(self, path: JsonPath) -> Place:
        """The place of the value at ``path``, or of its nearest ancestor."""

    def key(self, path: JsonPath) -> Place:
        """The place of the key that ``path`` ends with, or of its nearest ancestor."""


@dataclass(frozen=True, slots=True)
class OnePlace:
    """The Positions of a manifest that no file spells out: every value is at ``place``."""

    place: Place

    def value(self, path: JsonPath) -> Place:  # noqa: ARG002 - the same for all
        return self.place

    def key(self, path: JsonPath) -> Place:  # noqa: ARG002 - the same for all
        return self.place


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the user can mend.

    ``rule`` is the stable id (``unknown-field``). ``message`` says what is
    the case, ``hint`` what to do about it, short enough to stand beside a
    caret. ``subject`` is a file where there is no better place. ``snippet`` is
    what the hint speaks of, in full, to be copied: YAML of several lines.
    """

    rule: str
    severity: Severity
    message: str
    hint: str = ""
    place: Place | None = None
    subject: str = ""
    snippet: str = ""


def error(rule: str, message: str, hint: str = "", place: Place | None = None, subject: str = "") -> Finding:
    """A finding that stops the run."""
    return Finding(rule, Severity.ERROR, message, hint, place, subject)


def warning(rule: str, message: str, hint: str = "", place: Place | None = None, subject: str = "") -> Finding:
    """A finding that does not stop the run."""
    return Finding(rule, Severity.WARNING, message, hint, place, subject)


def in_reading_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings file by file, from top to bottom; those without a place come first.

    A warning about what an error is about as well is left out: mending the one mends the other.
    """
    every = sorted(findings, key=_position)
    wrong = {_position(finding) for finding in every if finding.severity is Severity.ERROR and finding.place}
    return tuple(f for f in every if f.severity is Severity.ERROR or _position(f) not in wrong)


def _position(finding: Finding) -> tuple[str, int, int]:
    place = finding.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)
