"""What a parser tells about a text, piece by piece.

One parser for YAML and one for JSON drive two readers: one that makes values
(documents.py), one that finds places (positions.py). All numbers are
characters from the start of the text.
"""

from __future__ import annotations

from typing import Protocol

PLAIN = ""
"""The tag of a bare word, which may be a number or a boolean."""

STRING = "!"
"""The tag of a quoted or block scalar, which is text whatever it says."""


class Handler(Protocol):
    """Takes the pieces of a text in their order. What it raises ends the parsing."""

    def begin_document(self, start: int) -> None:
        """A document starts."""

    def end_document(self, end: int) -> None:
        """The document is complete."""

    def begin(self, tag: str, anchor: str | None, start: int, *, mapping: bool) -> None:
        """A mapping or a list starts."""

    def end(self, end: int) -> None:
        """The innermost mapping or list is complete."""

    def scalar(self, text: str, tag: str, anchor: str | None, start: int, end: int) -> None:
        """A key or a value; ``tag`` is PLAIN, STRING, or what is written."""

    def alias(self, anchor: str, start: int, end: int) -> None:
        """What was anchored before stands here again."""
