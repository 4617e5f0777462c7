r"""kubectl's JSONPath (k8s.io/client-go/util/jsonpath), the part of it that leads to values of one object.

``.status.phase``, ``['a.b/c']``, ``[0]``, ``[-1]``, ``[*]`` and ``[?(@.type=="Ready")]``, with or without
the braces around all of it. A dot within a name is written ``\.``, as for kubectl; in quotes it need not be.
Everything else is refused with a reason: a path that is read otherwise than kubectl reads it would be worse
than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kploy.model.frozen import dataclass
from kploy.model.objects import Body

_NAME = re.compile(r"(?:[\w/-]|\\.)+")
_INDEX = re.compile(r"\[\s*(-?\d{1,9})\s*\]")
_QUOTED = re.compile(r"""\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]""")
_ALL = re.compile(r"\[\s*\*\s*\]|\.\*")
_FILTER = re.compile(r"\[\s*\?\(\s*@")
_OPERATOR = re.compile(r"\s*(==|!=)\s*")
_LITERAL = re.compile(r"""'([^']*)'|"([^"]*)"|(true|false|-?\d+(?:\.\d+)?)""")
_CLOSED = re.compile(r"\s*\)\s*\]")
_ESCAPE = re.compile(r"\\(.)")

_LARGEST = 1 << 63
"""No API has an integer of more than 64 bits, and Python does not spell just any."""


_LONGEST = 1000
"""Characters of a path: no API is that deep."""


class Illegible(Exception):
    """It is no such path; the message says what is wrong, in a few words."""


@dataclass(frozen=True, slots=True)
class Every:
    """All values of a list or a map."""


@dataclass(frozen=True, slots=True)
class Where:
    """The entries of a list with a value at ``steps``: any, or one that is, or is not, spelt ``value``."""

    steps: tuple[str | int, ...]
    value: str | None = None
    is_other: bool = False


Step = str | int | Every | Where
"""A key, a place in a list, or a choice of several."""


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A way into an object; ``text`` is how it is written, without braces."""

    text: str
    steps: tuple[Step, ...]

    def values(self, body: Body) -> tuple[Any, ...]:
        """What it leads to, null left out; nothing where the object has no such field. Never raises."""
        found: list[Any] = [body]
        for step in self.steps:
            found = [value for each in found for value in _after(step, each)]
        return tuple(found)


def path_of(text: str) -> FieldPath:
    """The path that ``text`` is. Raises Illegible."""
    path, rest = leading_path(text)
    if rest:
        raise Illegible(f"`{_shortened(rest)}` is not understood")
    return path


def leading_path(text: str) -> tuple[FieldPath, str]:
    """The path that ``text`` begins with, and what comes after it. Raises Illegible."""
    text = text.strip()
    if len(text) > _LONGEST:
        raise Illegible(f"it is longer than {_LONGEST} characters")
    is_braced = text.startswith("{")
    scanner = _Scanner(text, 1 if is_braced else 0)
    scanner.blanks()
    start = scanner.at
    steps = scanner.path()
    path = FieldPath(text[start : scanner.at], steps)
    if is_braced:
        scanner.blanks()
        if not text.startswith("}", scanner.at):
            raise Illegible(_not_closed(text[scanner.at :]))
        scanner.at += 1
    return path, text[scanner.at :]


def spelled(value: Any) -> str | None:
    """A value as kubectl compares it; None for a list, a map, and what no API has."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST else None
    return str(value) if isinstance(value, str | float) else None


def _after(step: Step, value: Any) -> Iterator[Any]:
    """What a step leads to from ``value``."""
    match step:
        case str():
            found = [value.get(step)] if isinstance(value, Mapping) else []
        case int():
            found = value[step : step + 1 or None] if isinstance(value, list) else []
        case Every():
            found = list(value.values()) if isinstance(value, Mapping) else value
        case Where():
            found = [each for each in value if _is_chosen(step, each)] if isinstance(value, list) else []
    return (each for each in found if each is not None) if isinstance(found, list) else iter(())


def _is_chosen(where: Where, entry: Any) -> bool:
    values = FieldPath("", where.steps).values(entry)
    if not values or where.value is None:
        return bool(values)
    return (spelled(values[0]) == where.value) != where.is_other


class _Scanner:
    """Reads a path; ``at`` is how far."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at

    def path(self) -> tuple[Step, ...]:
        """All that is a path from here on; there is at least one step."""
        if self._text.startswith("$", self.at):
            self.at += 1
        steps = tuple(self._steps())
        if not steps:
            raise Illegible(f"a path begins with a dot, as `.status`, not with `{_shortened(self._rest)}`")
        return steps

    def blanks(self) -> None:
        """Pass over blanks."""
        self.at += len(self._rest) - len(self._rest.lstrip())

    def _steps(self) -> Iterator[Step]:
        while self._text[self.at : self.at + 1] in {".", "["}:
            if self._taken(_FILTER):
                yield self._filter()
            elif self._taken(_ALL):
                yield Every()
            else:
                yield self._plain()

    def _plain(self) -> str | int:
        """A step that is a key or a place in a list."""
        if found := self._taken(_INDEX):
            return int(found[1])
        if found := self._taken(_QUOTED):
            return _ESCAPE.sub(r"\1", found[1] if found[1] is not None else found[2])
        return self._name()

    def _name(self) -> str:
        rest = self._rest
        if rest.startswith("["):
            raise Illegible(f"`{_shortened(rest)}` is not understood: there are [0], [*], ['key'] and filters")
        if rest.startswith(".."):
            raise Illegible("`..` is not understood: write the whole way")
        self.at += 1
        found = self._taken(_NAME)
        if found is None:
            raise Illegible(f"`{_shortened(rest)}` is no name" if self._rest else "it ends with a dot")
        return _ESCAPE.sub(r"\1", found[0])

    def _filter(self) -> Where:
        """What follows ``[?(@``."""
        steps: list[str | int] = []
        while self._text[self.at : self.at + 1] in {".", "["}:
            steps.append(self._plain())
        operator = self._taken(_OPERATOR)
        literal = self._taken(_LITERAL) if operator else None
        if self._taken(_CLOSED) is None or not (literal or (steps and not operator)):
            raise Illegible('a filter is written [?(@.key=="value")], with == or !=, or [?(@.key)]')
        if operator is None or literal is None:
            return Where(tuple(steps))
        value = next(part for part in literal.groups() if part is not None)
        return Where(tuple(steps), value, operator[1] == "!=")

    def _taken(self, form: re.Pattern[str]) -> re.Match[str] | None:
        found = form.match(self._text, self.at)
        if found:
            self.at = found.end()
        return found

    @property
    def _rest(self) -> str:
        return self._text[self.at :]


def _not_closed(rest: str) -> str:
    return f"`{_shortened(rest)}` is not understood" if rest else "the brace is not closed"


def _shortened(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:19]}…"
