"""Findings as people read them: what, where, the lines with a caret, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kploy.model.findings import Finding, Place, Severity
from kploy.ui.console import Screen, columns, shown, signs_for
from kploy.ui.lines import Hanging, Line, Row, line
from kploy.ui.width import fitted, width_of

_MOST = 100
"""Nobody reads more at once."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}

_LONGEST = 200
"""How much of a line is shown where no terminal sets a limit: a minified manifest is a single line."""


def show_findings(console: Screen, findings: Iterable[Finding]) -> None:
    """Print the findings, errors last so that they are seen, each followed by an empty line.

    Of very many only the first are shown, errors before warnings, and how many there are besides.
    """
    every = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    for finding in sorted(every[:_MOST], key=lambda finding: finding.severity is Severity.ERROR):
        for row in _rows(console, finding):
            console.print(row)
        console.print()
        if finding.snippet:
            # From the first column on and with nothing beside it: it is there to be copied.
            for text in finding.snippet.splitlines():
                console.print(line(text))
            console.print()
    if len(every) > _MOST:
        console.print(line((f"and {len(every) - _MOST} more; -o json shows them all", "bold")))
        console.print()


def show_place(console: Screen, place: Place, hint: str) -> None:
    """Print where something stands, its lines with a caret, and what to do about it."""
    console.print(line("  ", (str(place), "dim")))
    for row in _Excerpt(console, place, _STYLES[Severity.ERROR]).rows(hint):
        console.print(row)


def _rows(console: Screen, finding: Finding) -> Iterator[Row]:
    style = _STYLES[finding.severity]
    heading = line((f"{finding.severity}[{finding.rule}]", style), ": ", (finding.message, "bold"))
    yield Hanging(Line(), heading)
    hint = Hanging(line("  "), line((finding.hint, "cyan")))
    if finding.place is None:
        if finding.subject:
            yield line("  ", finding.subject)
    else:
        yield line("  ", (str(finding.place), "dim"))
        if finding.place.excerpt:
            yield from _Excerpt(console, finding.place, style).rows(finding.hint)
            return
    if finding.hint:
        yield hint


class _Excerpt:
    """The lines of a place, cropped to what can be read, with a caret under what is meant."""

    def __init__(self, console: Screen, place: Place, style: str) -> None:
        self._console = console
        self._place = place
        self._style = style
        self._ellipsis = signs_for(console.file).ellipsis
        self._gutter = len(str(place.excerpt[-1].number))
        width = columns(console)
        self._room = max(20, width - 1 - self._gutter - len("   | ")) if width else _LONGEST

    def rows(self, hint: str) -> Iterator[Row]:
        *before, last = self._place.excerpt
        for shown_line in before:
            yield self._numbered(shown_line.number, self._head(self._shown(shown_line.text), self._room))
        left, marked, right = self._cropped(last.text)
        yield self._numbered(last.number, left + marked + right)
        yield from self._caret(width_of(left), max(1, width_of(marked)), hint)

    def _numbered(self, number: int, text: str) -> Line:
        return line(f"  {number:>{self._gutter}} | {text}").stripped

    def _caret(self, start: int, width: int, hint: str) -> Iterator[Row]:
        """The caret, and the hint beside it, or below where that is too narrow."""
        margin = " " * (self._gutter + 3)
        caret = line(f"{margin}| " + " " * start, ("^" * width, self._style))
        if start + width + 1 + width_of(self._shown(hint)) <= self._room or columns(self._console) is None:
            yield (caret + line(" ", (hint, "cyan"))).stripped
        else:
            yield caret
            yield Hanging(line(f"{margin}= "), line((hint, "cyan")))

    def _cropped(self, text: str) -> tuple[str, str, str]:
        """The marked part, with what stands left and right of it as far as there is room."""
        start = self._place.column - 1
        end = start + self._place.width
        # Counted in what is shown: a character that is escaped takes more columns than one.
        left, marked, right = map(self._shown, (text[:start], text[start:end], text[end:]))
        if width_of(left + marked + right) <= self._room:
            return left, marked, right
        if width_of(marked) > self._room // 2:
            marked, right = self._head(marked, self._room // 2), ""
        kept_right = min(width_of(right), self._room // 4)
        left = self._tail(left, self._room - width_of(marked) - kept_right)
        return left, marked, self._head(right, self._room - width_of(left + marked))

    def _head(self, text: str, room: int) -> str:
        if width_of(text) <= room:
            return text
        return fitted(text, room - len(self._ellipsis)) + self._ellipsis

    def _tail(self, text: str, room: int) -> str:
        if width_of(text) <= room:
            return text
        return self._ellipsis + fitted(text[::-1], room - len(self._ellipsis))[::-1]

    def _shown(self, text: str) -> str:
        return shown(self._console, text)
