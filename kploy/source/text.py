"""The text of a file, places in it, and what is wrong at one.

Everything here counts in characters from the start of the text, as the
parsers do; lines and columns are made only for a place that is shown.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from kploy.core.masking import MASK
from kploy.model.findings import Finding, Line, Place, Severity
from kploy.model.frozen import dataclass

Report = Callable[[Finding], None]
"""Takes a finding as it is made."""

_BREAK = re.compile(r"\r\n|\n|\r")
_SECRET = re.compile(r"\bsecret|stringData", re.IGNORECASE)
_SHOWN_BEFORE = 2


class Text:
    """The text of one file. ``file`` is relative to the app directory."""

    __slots__ = ("_starts", "content", "file")

    def __init__(self, file: str, content: str) -> None:
        self.file = file
        self.content = content
        self._starts: list[int] = []

    @property
    def mentions_secret(self) -> bool:
        """Whether a Secret may be in it, even a broken one: decides for all of a text that could not be parsed."""
        return _SECRET.search(self.content) is not None

    def place(self, start: int, end: int, since: int = 0) -> Place:
        """The place of ``start`` to ``end``, with the lines before it that do not lie before ``since``."""
        number = self._line(start)
        first = max(number - _SHOWN_BEFORE, self._line(since), 0)
        excerpt = tuple(Line(n + 1, self._line_text(n)) for n in range(first, number + 1))
        return self._place(number, start, end, excerpt)

    def masked_place(self, start: int, end: int, key_end: int | None) -> Place:
        """The same for what may be secret: the line alone, nothing of it but the key that ends at ``key_end``.

        The caller vouches that only blanks and dashes stand before that key
        on its line. Without a key, or with one on another line, the whole
        line is masked.
        """
        number = self._line(start)
        line_start = self._line_starts()[number]
        text = self._line_text(number)
        if key_end is None or not line_start < key_end <= line_start + len(text):
            indent = text[: len(text) - len(text.lstrip())]
            return Place(self.file, number + 1, len(indent) + 1, len(MASK), (Line(number + 1, indent + MASK),))
        shown = text[: key_end - line_start] + ": "
        excerpt = (Line(number + 1, shown + MASK),)
        if start < key_end:
            return self._place(number, start, end, excerpt)
        return Place(self.file, number + 1, len(shown) + 1, len(MASK), excerpt)

    def line_start(self, index: int) -> int:
        """Where the line of ``index`` starts."""
        return self._line_starts()[self._line(index)]

    def _place(self, number: int, start: int, end: int, excerpt: tuple[Line, ...]) -> Place:
        line_start = self._line_starts()[number]
        line_end = line_start + len(self._line_text(number).rstrip())
        width = max(1, min(end, line_end) - start)
        return Place(self.file, number + 1, start - line_start + 1, width, excerpt)

    def _line_starts(self) -> list[int]:
        if not self._starts:
            self._starts = [0, *(match.end() for match in _BREAK.finditer(self.content))]
        return self._starts

    def _line(self, index: int) -> int:
        return bisect_right(self._line_starts(), index) - 1

    def _line_text(self, number: int) -> str:
        starts = self._line_starts()
        end = starts[number + 1] if number + 1 < len(starts) else len(self.content)
        return self.content[starts[number] : end].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong from ``start`` to ``end`` of a text.

    ``{}`` in ``message`` and ``hint`` is the culprit, or ``stand_in`` where
    the text may be secret.
    """

    rule: str
    message: str
    start: int
    end: int
    hint: str = ""
    culprit: str = ""
    stand_in: str = "this value"
    severity: Severity = Severity.ERROR

    def finding(self, text: Text, *, since: int = 0, secret: bool) -> Finding:
        """The finding to show; of a secret text nothing is quoted."""
        start, end = _legible(text.content, self.start, self.end)
        if secret:
            place, culprit = text.masked_place(start, end, None), self.stand_in
        else:
            place, culprit = text.place(start, end, since), f"`{short(self.culprit)}`"
        message, hint = (words.replace("{}", culprit) for words in (self.message, self.hint))
        return Finding(self.rule, self.severity, message, hint, place)


class Unreadable(Exception):
    """A text that cannot be read any further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


def _legible(content: str, start: int, end: int) -> tuple[int, int]:
    """A problem at the end of a file is shown at the last character that stands in it."""
    if content[start:].strip():
        return start, end
    last = max(0, len(content.rstrip()) - 1)
    return min(start, last), min(start, last) + 1


def short(culprit: str) -> str:
    """A word of the user's on one line of at most 40 characters."""
    line = " ".join(culprit.split())
    return line if len(line) <= 40 else f"{line[:39]}…"
