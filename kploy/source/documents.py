"""The documents of a text as values, read as kubectl reads them, in bounded time and memory.

What kubectl would take in silence and nobody means is a problem here: keys
that stand twice, bare words that are booleans, numbers that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kploy.model.findings import Severity
from kploy.model.frozen import dataclass
from kploy.source import json, yaml
from kploy.source.scalars import SURPRISING, NoValue, Value, check_container_tag, key_of, value_of
from kploy.source.syntax import PLAIN, Handler
from kploy.source.text import Problem, Text, Unreadable

DEEPEST = 100
"""How many lists and mappings may lie within one another."""

MOST_REPEATED = 200_000
"""How much all aliases of a text together may add to it, in values and in 64 characters of text."""

MOST_VALUES = 500_000
"""How many values one text may hold, with every 64 characters of text counted as one more, a document as ten."""

_DOCUMENT_WEIGHT = 10

MOST_PROBLEMS = 100
"""So many problems in one file are shown; the reading ends there."""

MERGE = "<<"

Parse = Callable[[str, Handler], None]


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """One document: its value, and where it stands in its text."""

    value: Any
    start: int
    end: int
    parse: Parse
    problems: tuple[Problem, ...]

    @property
    def has_own_lines(self) -> bool:
        """Whether no other document stands on a line of this one: JSON values may follow on one line."""
        return self.parse is not json.parse


@dataclass(frozen=True, slots=True, repr=False)
class Documents:
    """All that could be read of a text.

    ``fatal`` is what ended the reading early, ``pending`` what was found
    before in the document that it ended in.
    """

    complete: tuple[Document, ...]
    fatal: Problem | None = None
    pending: tuple[Problem, ...] = ()


def read_documents(text: Text) -> Documents:
    """The documents of a text. Never raises; never takes longer than its size explains."""
    if not json.looks_like_json(text.content):
        comment = json.first_comment(text.content) if text.file.endswith(".json") else None
        return Documents((), comment) if comment else _read(text, yaml.parse)
    as_json = _read(text, json.parse)
    if as_json.fatal is None or as_json.fatal.rule != "json-syntax":
        return as_json
    as_yaml = _read(text, yaml.parse)
    is_json = text.file.endswith(".json") or json.is_comment(as_json.fatal)
    return as_json if as_yaml.fatal and is_json else as_yaml


def _read(text: Text, parse: Parse) -> Documents:
    builder = _Builder(text, parse)
    try:
        parse(text.content, builder)
    except Unreadable as exc:
        return Documents(tuple(builder.complete), exc.problem, builder.pending)
    return Documents(tuple(builder.complete))


class _Pending:
    """Stands for no key, for the merge key, and for an anchor that is still being read."""


_NO_KEY: Final = _Pending()
_MERGE_KEY: Final = _Pending()
_UNFINISHED: Final = _Pending()


class _Frame:
    """A mapping or a list that is being read."""

    __slots__ = ("anchor", "inherited", "items", "key", "start", "weight")

    def __init__(self, items: Any, anchor: str | None, start: int, weight: int) -> None:
        self.items = items
        self.anchor = anchor
        self.start = start
        self.weight = weight
        self.key: str | _Pending = _NO_KEY
        self.inherited: set[str] = set()

    @property
    def wants_key(self) -> bool:
        return self.key is _NO_KEY and type(self.items) is dict


class _Builder:
    """Makes values of the pieces of a text, without recursion while it reads."""

    def __init__(self, text: Text, parse: Parse) -> None:
        self.complete: list[Document] = []
        self._text = text
        self._parse = parse
        self._problems: list[Problem] = []
        self._reported = 0
        self._repeated = 0
        self._weight = 0
        self._start_over(0)

    @property
    def pending(self) -> tuple[Problem, ...]:
        """What was found in a document that is not complete."""
        return tuple(self._problems)

    def _start_over(self, start: int) -> None:
        self._start = start
        self._frames: list[_Frame] = []
        self._frame = _Frame([], None, start, 0)
        self._anchors: dict[str, tuple[Any, int]] = {}

    def begin_document(self, start: int) -> None:
        self._start_over(start)
        self._weight += _DOCUMENT_WEIGHT

    def end_document(self, end: int) -> None:
        value = self._frame.items[0] if self._frame.items else None
        self.complete.append(Document(value, self._start, end, self._parse, tuple(self._problems)))
        self._problems.clear()

    def begin(self, tag: str, anchor: str | None, start: int, *, mapping: bool) -> None:
        if self._frame.wants_key:
            raise Unreadable(_container_key(start))
        if len(self._frames) >= DEEPEST:
            raise Unreadable(_too_deep(start))
        if tag != PLAIN:
            self._check_tag(tag, start, mapping=mapping)
        if anchor is not None:
            self._anchors[anchor] = (_UNFINISHED, 0)
        self._frames.append(self._frame)
        self._frame = _Frame({} if mapping else [], anchor, start, self._weight)
        self._weight += 1

    def end(self, end: int) -> None:  # noqa: ARG002 - where a container ends matters to nobody here
        frame = self._frame
        self._frame = self._frames.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.items, self._weight - frame.weight)
        self._add(frame.items, frame.start, frame.start + 1)

    def scalar(self, text: str, tag: str, anchor: str | None, start: int, end: int) -> None:
        weight = 1 + len(text) // 64
        self._weight += weight
        if self._frame.wants_key:
            value: Value = self._key(text, tag, start, end)
        else:
            value = self._value(text, tag, start, end)
        if anchor is not None:
            self._anchors[anchor] = (value, weight)

    def alias(self, anchor: str, start: int, end: int) -> None:
        if anchor not in self._anchors:
            raise Unreadable(
                Problem(
                    "unknown-anchor",
                    "nothing before is anchored as {}",
                    start,
                    end,
                    "add the anchor, or quote the value",
                    anchor,
                )
            )
        value, weight = self._anchors[anchor]
        if value is _UNFINISHED:
            raise Unreadable(
                Problem(
                    "recursive-alias",
                    "{} stands within what it repeats",
                    start,
                    end,
                    "write the value out",
                    f"*{anchor}",
                    "the alias",
                )
            )
        self._repeated += weight
        self._weight += weight
        if self._repeated > MOST_REPEATED:
            raise Unreadable(
                Problem(
                    "alias-bomb", "aliases make this file too large", start, end, "write fewer aliases of aliases"
                )
            )
        if self._frame.wants_key:
            if isinstance(value, dict | list):
                raise Unreadable(_container_key(start))
            self._begin_value(str(value), start, end)
        else:
            self._add(_copy(value, DEEPEST - len(self._frames), start), start, end)

    def _value(self, text: str, tag: str, start: int, end: int) -> Value:
        """A scalar is a value."""
        value: Value = None
        try:
            value = value_of(text, tag)
        except NoValue as exc:
            self._report(Problem(exc.rule, exc.message, start, end, exc.hint, text))
        if tag == PLAIN and text in SURPRISING:
            self._report(_surprising_value(text, value, start, end))
        self._add(value, start, end)
        return value

    def _key(self, text: str, tag: str, start: int, end: int) -> str:
        """A scalar is a key, or the merge key."""
        if tag == PLAIN and text == MERGE:
            self._begin_merge(start, end)
            return text
        key = text
        try:
            key = key_of(text, tag)
        except NoValue as exc:
            self._report(Problem(exc.rule, exc.message, start, end, exc.hint, text, "this"))
        if key != text:
            self._report(_surprising_key(text, key, start, end))
        self._begin_value(key, start, end)
        return key

    def _begin_merge(self, start: int, end: int) -> None:
        if MERGE in self._frame.inherited:
            self._report(_duplicate(MERGE, start, end))
        self._frame.inherited.add(MERGE)
        self._frame.key = _MERGE_KEY

    def _begin_value(self, key: str, start: int, end: int) -> None:
        """A key is read: its value comes next."""
        frame = self._frame
        if key in frame.inherited:
            frame.inherited.discard(key)
        elif key in frame.items:
            self._report(_duplicate(key, start, end))
        frame.key = key

    def _add(self, value: Any, start: int, end: int) -> None:
        """A value is complete: it goes where it belongs."""
        if self._weight > MOST_VALUES:
            raise Unreadable(Problem("too-many-values", "this file holds too many values", start, end, "split it"))
        frame = self._frame
        if frame.key is _NO_KEY:
            frame.items.append(value)
            return
        if frame.key is _MERGE_KEY:
            self._merge(value, start, end)
        else:
            frame.items[frame.key] = value
        frame.key = _NO_KEY

    def _merge(self, value: Any, start: int, end: int) -> None:
        """Take over the keys of a mapping, or of each of a list; of two, the first counts."""
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self._report(
                Problem(
                    "merge-key",
                    "`<<` takes a mapping, or a list of mappings",
                    start,
                    end,
                    "name an anchored mapping",
                )
            )
            return
        items = self._frame.items
        for source in sources:
            for key, merged in source.items():
                if key not in items:
                    items[key] = merged
                    self._frame.inherited.add(key)
                elif key not in self._frame.inherited:
                    self._report(_late_merge(key, start, end))

    def _check_tag(self, tag: str, start: int, *, mapping: bool) -> None:
        try:
            check_container_tag(tag, mapping=mapping)
        except NoValue as exc:
            self._report(Problem(exc.rule, exc.message, start, start + 1, exc.hint))

    def _report(self, problem: Problem) -> None:
        self._problems.append(problem)
        self._reported += 1
        if self._reported >= MOST_PROBLEMS:
            raise Unreadable(
                Problem(
                    "too-many-problems",
                    f"the reading ends after {MOST_PROBLEMS} problems",
                    problem.start,
                    problem.end,
                )
            )


def _copy(value: Any, levels: int, start: int) -> Any:
    """What an alias repeats: a copy, so that a change of one is no change of the other."""
    if not isinstance(value, dict | list):
        return value
    if levels <= 0:
        raise Unreadable(_too_deep(start))
    if isinstance(value, list):
        return [_copy(item, levels - 1, start) for item in value]
    return {key: _copy(item, levels - 1, start) for key, item in value.items()}


def _too_deep(start: int) -> Problem:
    return Problem("too-deep", f"more than {DEEPEST} lists and mappings within one another", start, start + 1)


def _container_key(start: int) -> Problem:
    return Problem(
        "yaml-key", "a key must be text, not a list or a mapping", start, start + 1, "quote it if it is a template"
    )


def _duplicate(key: str, start: int, end: int) -> Problem:
    return Problem(
        "duplicate-key", "{} stands here for the second time", start, end, "keep one of them", key, "the key"
    )


def _late_merge(key: str, start: int, end: int) -> Problem:
    message = "`<<` stands after {}, which it has too: kubectl and YAML disagree on which counts"
    return Problem("late-merge", message, start, end, "put `<<` first", key, "a key")


def _surprising_key(text: str, key: str, start: int, end: int) -> Problem:
    hint = f"quote it: it is read as `{key}`" if key in {"true", "false"} else "quote it"
    return Problem(
        "key-not-text", "the key {} is not read as it is written", start, end, hint, text, "here", Severity.WARNING
    )


def _surprising_value(text: str, value: Value, start: int, end: int) -> Problem:
    word = "true" if value else "false"
    return Problem(
        "yaml-boolean",
        "{} is a boolean to Kubernetes",
        start,
        end,
        f"write `{word}`; quote it if it is text",
        text,
        severity=Severity.WARNING,
    )
