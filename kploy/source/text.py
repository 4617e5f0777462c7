"""The text of a file, places in it, and what is wrong at one.

Everything here counts in characters from the start of the text, as the
parsers do; lines and columns are made only for a place that is shown.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property

from kploy.core.masking import MASK, Sealed, by_content, may_tell
from kploy.model.findings import Finding, Line, Place, Severity
from kploy.model.frozen import dataclass

Report = Callable[[Finding], None]
"""Takes a finding as it is made."""

_BREAK = re.compile(r"\r\n|\n|\r")
_COMMENT = re.compile(r"(?:^|\s)(#.*)")
_VALUE = re.compile(r"\bvalue[\"']?\s*:")
"""The value of a variable: in a comment nobody knows whose."""

_SHOWN_BEFORE = 2

Veils = Sequence[tuple[int, int]]
"""Parts of a text that may not be shown: start and end of each, in their order, none within another."""


class Text:
    """The text of one file. ``file`` is relative to the app directory."""

    def __init__(self, file: str, content: str) -> None:
        self.file = file
        self.content = content
        self._starts: list[int] = []

    @cached_property
    def may_tell(self) -> bool:
        """Whether a secret may be in it: decides for all of a text that could not be parsed."""
        return may_tell(self.content)

    def place(self, start: int, end: int, since: int = 0, veils: Veils = ()) -> Place:
        """The place of ``start`` to ``end``, with the lines before it that do not lie before ``since``."""
        number = self._line(start)
        first = max(number - _SHOWN_BEFORE, self._line(since), 0)
        *before, last = (self._veiled(n, veils) for n in range(first, number + 1))
        end = max(min(end, last.start + len(self._line_text(number).rstrip())), start + 1)
        column = last.column(start)
        excerpt = tuple(Line(first + n + 1, one.text) for n, one in enumerate((*before, last)))
        return Place(self.file, number + 1, column + 1, max(1, last.end_column(end) - column), excerpt)

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
            line_start = self._line_starts()[number]
            return Place(self.file, number + 1, start - line_start + 1, max(1, min(end, key_end) - start), excerpt)
        return Place(self.file, number + 1, len(shown) + 1, len(MASK), excerpt)

    def line_start(self, index: int) -> int:
        """Where the line of ``index`` starts."""
        return self._line_starts()[self._line(index)]

    def _veiled(self, number: int, veils: Veils) -> _VeiledLine:
        start, line = self._line_starts()[number], self._line_text(number)
        veils = _on_line(veils, start, start + len(line))
        comment = _COMMENT.search(line)
        if comment and (_VALUE.search(comment[1]) or isinstance(by_content(comment[1]), Sealed)):
            veils = [*veils, (start + comment.start(1), start + len(line))]
        return _VeiledLine(start, line, veils)

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


def _on_line(veils: Veils, start: int, end: int) -> Veils:
    """Those that cover a part of what lies from ``start`` to ``end``: of ten thousand only a few are looked at."""
    first = bisect_right(veils, start, key=lambda veil: veil[1])
    return veils[first : bisect_left(veils, end, lo=first, key=lambda veil: veil[0])]


class _VeiledLine:
    """One line of a text with a mask over each part that ``veils`` cover. ``start`` is where it starts."""

    def __init__(self, start: int, line: str, veils: Veils) -> None:
        self.start = start
        indent = len(line) - len(line.lstrip())
        parts = ((max(begin - start, indent), min(end - start, len(line))) for begin, end in veils)
        self._covered = [(begin, end) for begin, end in parts if begin < end]
        self.text, done = "", 0
        for begin, end in self._covered:
            if end > done:
                self.text += line[done : max(begin, done)] + MASK
                done = end
        self.text += line[done:]

    def column(self, index: int) -> int:
        """The column, from 0, in which what begins at ``index`` of the text is shown: that of its mask."""
        return self._shown(index - self.start, is_end=False)

    def end_column(self, index: int) -> int:
        """The column before which what ends at ``index`` of the text is shown."""
        return self._shown(index - self.start, is_end=True)

    def _shown(self, at: int, *, is_end: bool) -> int:
        column = at
        for begin, end in self._covered:
            if at >= end:
                column += len(MASK) - (end - begin)
            elif at > begin:
                column += (len(MASK) if is_end else 0) - (at - begin)
        return column


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

    def finding(self, text: Text, *, since: int = 0, secret: bool, veils: Veils = ()) -> Finding:
        """The finding to show; of a secret text, or of what ``veils`` cover, nothing is quoted."""
        start, end = _legible(text.content, self.start, self.end)
        if secret:
            place, culprit = text.masked_place(start, end, None), self.stand_in
        else:
            place, culprit = text.place(start, end, since, veils), f"`{short(self.culprit)}`"
            if any(begin < end and start < stop for begin, stop in veils):
                culprit = self.stand_in
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
