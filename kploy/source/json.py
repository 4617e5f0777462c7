"""JSON text, piece by piece.

kubectl reads what begins with ``{`` as JSON first, and so does kploy: JSON has
tabs, surrogate pairs and line separators where YAML 1.1 has none. Several
values may follow one another in a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NoReturn

from kploy.source.syntax import PLAIN, STRING, Handler
from kploy.source.text import Problem, Unreadable

_COMMENT = "JSON has no comments"
_BLANK = re.compile(r"[ \t\r\n]*")
_PIECE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\]",:]+', re.ASCII)


def looks_like_json(content: str) -> bool:
    """Whether kubectl would try JSON first."""
    return content[_match_blank(content, 0) :][:1] == "{"


def first_comment(content: str) -> Problem | None:
    """What is wrong with a JSON file that begins with a comment; None if it does not. ``#`` is YAML."""
    start = _match_blank(content, 0)
    return _comment(start) if content.startswith(("//", "/*"), start) else None


def is_comment(problem: Problem) -> bool:
    """Whether it is a comment that makes a text no JSON."""
    return problem.message == _COMMENT


def _comment(start: int) -> Problem:
    return Problem("json-syntax", _COMMENT, start, start + 2, "take it out, or write YAML")


def parse(content: str, handler: Handler) -> None:
    """Tell ``handler`` what stands in ``content``; raises Unreadable where it is no JSON."""
    for start, end in list(_values(content)):
        handler.begin_document(start)
        for piece in _PIECE.finditer(content, start, end):
            _tell(piece, handler)
        handler.end_document(end)


def _values(content: str) -> Iterator[tuple[int, int]]:
    """Where each value begins and ends, all of them proven to be JSON."""
    start = _match_blank(content, 0)
    while start < len(content):
        try:
            _, end = _DECODER.raw_decode(content, start)
        except json.JSONDecodeError as exc:
            if content.startswith(("//", "/*", "#"), exc.pos):
                raise Unreadable(_comment(exc.pos)) from None
            words = exc.msg.removesuffix(" at").lower()
            raise Unreadable(
                Problem("json-syntax", f"this is not valid JSON: {words}", exc.pos, exc.pos + 1)
            ) from None
        except (ValueError, RecursionError):
            raise Unreadable(Problem("json-syntax", "this is not valid JSON", start, start + 1)) from None
        yield start, end
        start = _match_blank(content, end)


def _tell(piece: re.Match[str], handler: Handler) -> None:
    text = piece.group()
    if text in "{[":
        handler.begin(PLAIN, None, piece.start(), mapping=text == "{")
    elif text in "}]":
        handler.end(piece.end())
    elif text[0] == '"':
        value = json.loads(text) if "\\" in text else text[1:-1]
        handler.scalar(value, STRING, None, piece.start(), piece.end())
    else:
        handler.scalar(text, PLAIN, None, piece.start(), piece.end())


def _match_blank(content: str, start: int) -> int:
    match = _BLANK.match(content, start)
    return match.end() if match else start


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


# Numbers are left as text: here only the grammar counts.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
