"""What is printed, a line at a time.

A line is only pieces of text and their styles. Where there is a terminal, rich makes of them what can be seen; in
a pipe that need not load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kploy.model.frozen import dataclass
from kploy.ui.console import columns
from kploy.ui.sanitize import clean
from kploy.ui.width import width_of

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

Part = str | tuple[str, str]
"""A piece of a line: plain, or a pair of text and style."""

_NARROWEST = 24
"""Words in less than so many columns are hard to read: they go on a line of their own."""


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of text, each with its style, "" for none. All of it is safe to print: ``line`` makes them."""

    pieces: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> str:
        """Its text."""
        return "".join([text for text, _ in self.pieces])

    @property
    def stripped(self) -> Line:
        """The same without white space at its end."""
        pieces = list(self.pieces)
        while pieces:
            text, style = pieces.pop()
            if kept := text.rstrip():
                return Line((*pieces, (kept, style)))
        return Line()

    def __add__(self, other: Line) -> Line:
        return Line(self.pieces + other.pieces)

    def __rich__(self) -> Text:
        from rich.text import Span, Text

        spans, at = list[Span](), 0
        for text, style in self.pieces:
            end = at + len(text)
            if style and text:
                spans.append(Span(at, end, style))
            at = end
        return Text(self.plain, spans=spans)


def line(*parts: Part) -> Line:
    """A line of text. Everything in it is made safe to print."""
    return Line(
        tuple([(clean(part), "") if isinstance(part, str) else (clean(part[0]), part[1]) for part in parts])
    )


@dataclass(frozen=True, slots=True)
class Hanging:
    """A line that, where a terminal is too narrow for it, goes on below the beginning of its ``body``.

    In a pipe it is one line, however long.
    """

    head: Line
    body: Line

    @property
    def text(self) -> Line:
        """All of it in one line."""
        return (self.head + self.body).stripped

    @property
    def plain(self) -> str:
        """All of its text."""
        return f"{self.head.plain}{self.body.plain}".rstrip()

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> Iterator[Text]:
        width = columns(console)
        whole = self.text
        if width is None or width_of(whole.plain) < width:
            yield whole.__rich__()
            return
        head, indent = self.head, width_of(self.head.plain)
        if width - indent < _NARROWEST:
            yield head.stripped.__rich__()
            head = line(" " * min(6, width // 2))
            indent = width_of(head.plain)
        for row in self.body.__rich__().wrap(console, max(1, width - 1 - indent), overflow="fold"):
            row.rstrip()
            yield head.__rich__() + row
            head = line(" " * indent)


Row = str | Line | Hanging
"""What one line is made of."""
