"""YAML text, piece by piece: the only door to PyYAML, but for what the official client reads by it.

Only PyYAML's parser is used, never its composer or constructor: they recurse
(50,000 nested lists crash the C one), and they read other values than kubectl.
The parser itself keeps its stack on the heap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kploy.later import compiling_later
from kploy.source.syntax import PLAIN, STRING, Handler
from kploy.source.text import Problem, Unreadable

with compiling_later("yaml.constructor", "yaml.reader", "yaml.resolver"):
    import yaml
from yaml import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLError,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner


class PythonParser(Reader, Scanner, Parser):
    """PyYAML's parser without its C library, five times slower."""

    def __init__(self, content: str) -> None:
        Reader.__init__(self, content)
        Scanner.__init__(self)
        Parser.__init__(self)


FastestParser: type[Any] = PythonParser
if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    FastestParser = CParser

FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What YAML allows nowhere. It takes 5 ms to compile; lines that are all printable have none of it."""

_STATIC = re.compile(r"[a-z ,<>-]+")
_TAB_INDENT = re.compile(r" *\t")
_NO_COLON = re.compile(
    r"[ ]*(?:- +)*(?P<pair>(?P<key>[A-Za-z][\w.-]*)(?:(?: +|:)(?P<value>[\w.][^\s:#]*))?)[ \t]*(?:#[^\n]*)?$",
    re.MULTILINE,
)
_STARTS = {MappingStartEvent: True, SequenceStartEvent: False}


def parse(content: str, handler: Handler, parser: type[Any] = FastestParser) -> None:
    """Tell ``handler`` what stands in ``content``; raises Unreadable where it is no YAML."""
    bad = None if content.replace("\n", "").isprintable() else re.search(FORBIDDEN, content)
    if bad:
        code = f"U+{ord(bad.group()):04X}"
        raise Unreadable(
            Problem(
                "control-character",
                f"the character {code} is not allowed in YAML",
                bad.start(),
                bad.end(),
                "remove it",
            )
        )
    for event in _events(content, parser):
        kind = type(event)
        if kind is ScalarEvent:
            tag = event.tag or (PLAIN if event.implicit[0] else STRING)
            handler.scalar(event.value, tag, event.anchor, event.start_mark.index, event.end_mark.index)
        elif kind in _STARTS:
            handler.begin(event.tag or PLAIN, event.anchor, event.start_mark.index, mapping=_STARTS[kind])
        else:
            _tell_rest(event, kind, handler)


def _tell_rest(event: Any, kind: type[Event], handler: Handler) -> None:
    if kind is MappingEndEvent or kind is SequenceEndEvent:
        handler.end(event.end_mark.index)
    elif kind is AliasEvent:
        handler.alias(event.anchor, event.start_mark.index, event.end_mark.index)
    elif kind is DocumentStartEvent:
        handler.begin_document(event.start_mark.index)
    elif kind is DocumentEndEvent:
        handler.end_document(event.end_mark.index)


def _events(content: str, parser: type[Any]) -> Iterator[Any]:
    try:
        source = parser(content)
        event = source.get_event()
        while type(event) is not StreamEndEvent:
            yield event
            event = source.get_event()
    except MarkedYAMLError as exc:
        raise Unreadable(_problem(content, exc)) from None
    except (YAMLError, ValueError, OverflowError):
        raise Unreadable(Problem("yaml-syntax", "this is not valid YAML", 0, 1)) from None


def _problem(content: str, exc: MarkedYAMLError) -> Problem:
    """The parser's complaint in words that say what to do."""
    mark = exc.problem_mark or exc.context_mark
    start = mark.index if mark else 0
    said = exc.problem or ""
    tab = _tab_in_indentation(content, start)
    if tab is not None:
        return Problem("yaml-syntax", "YAML cannot be indented with a tab", tab, tab + 1, "indent with spaces")
    if "cannot start any token" in said:
        return _bad_start(content, start)
    if "mapping values are not" in said or "could not find expected ':'" in said:
        forgotten = _forgotten_colon(content, exc.context_mark.index if exc.context_mark else start)
        if forgotten:
            return forgotten
    if exc.context_mark and ("end of stream" in said or "expected ',' or" in said):
        start = exc.context_mark.index  # what is not closed is shown where it is opened
    for words, message, hint in _COMPLAINTS:
        if words in said or words in (exc.context or ""):
            return Problem("yaml-syntax", message, start, start + 1, hint)
    detail = f": {said}" if _STATIC.fullmatch(said) else ""
    return Problem("yaml-syntax", f"this is not valid YAML{detail}", start, start + 1)


def _forgotten_colon(content: str, at: int) -> Problem | None:
    """A line such as ``replicas 2`` or ``replicas:2``: that of ``at``, or the one before it."""
    line_start = content.rfind("\n", 0, at) + 1
    before = content.rfind("\n", 0, max(0, line_start - 1)) + 1
    for start in (line_start, before):
        match = _NO_COLON.match(content, start)
        if match:
            key, value = match.group("key"), match.group("value") or ""
            pair, (begin, end) = f"{key}: {value}".rstrip(), (match.start("key"), match.end("pair"))
            return Problem("yaml-syntax", "a key without its `: `", begin, end, "write {}", pair, "`KEY: VALUE`")
    return None


def _tab_in_indentation(content: str, start: int) -> int | None:
    """Where a tab stands before anything else on the line of ``start``."""
    line_start = max(content.rfind("\n", 0, start), content.rfind("\r", 0, start)) + 1
    match = _TAB_INDENT.match(content, line_start)
    return match.end() - 1 if match else None


def _bad_start(content: str, start: int) -> Problem:
    character = content[start : start + 1]
    return Problem(
        "yaml-syntax",
        "a bare value cannot begin with {}",
        start,
        start + 1,
        "quote it",
        character,
        "this character",
    )


_COMPLAINTS = (
    (
        "mapping values are not allowed",
        "a `:` that YAML does not expect here",
        "check the indentation, or quote a value with `: ` in it",
    ),
    (
        "while scanning a quoted scalar",
        "a quoted value that does not end, or has an escape YAML does not know",
        "close the quote; use '…' to keep backslashes",
    ),
    ("while parsing a quoted scalar", "an escape that YAML does not know", "use '…' to keep backslashes"),
    ("could not find expected ':'", "a key without its `:`", "write `key: value`"),
    (
        "did not find expected key",
        "indentation that fits nothing above it",
        "align it with the lines it belongs to",
    ),
    (
        "did not find expected '-' indicator",
        "a list entry without its `-`, or wrongly indented",
        "align it with the entries above",
    ),
    ("expected <block end>", "indentation that fits nothing above it", "align it with the lines it belongs to"),
    ("expected ',' or '}'", "a `{` without its `}`, or without a `,` between", "close it"),
    ("expected ',' or ']'", "a `[` without its `]`, or without a `,` between", "close it"),
    ("undefined tag handle", "a tag that YAML does not know", "quote the value"),
    ("expected <document start>", "text after the end of the document", "start another document with `---`"),
)


class _Dumper(yaml.SafeDumper):
    """Writes every text on one line: one that went on below could begin with what a CI runner obeys."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if "\n" in text or _RUNNERS_ORDER in text or text.lstrip().startswith("::") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)

_RUNNERS_ORDER = "##["
"""What GitHub's runner obeys wherever it stands: it is written with an escape. See ui.sanitize."""


def dump(data: Any) -> str:
    """JSON data as YAML text in ASCII, keys in their order, each scalar on its line."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=float("inf"))
    return text.replace(_RUNNERS_ORDER, r"##\x5b")
