"""Where the values of a document stand.

Nobody asks for most of them, so a document is parsed again when the first
question about it comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from kploy.core.masking import secrets
from kploy.model.findings import Finding, Place
from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath
from kploy.source.documents import MERGE, Document
from kploy.source.scalars import NoValue, key_of
from kploy.source.syntax import PLAIN
from kploy.source.text import Problem, Text, Veils

_PROPERTIES = re.compile(r"(?:(?:&[\w-]*|!<[^>]*>|![^\s,\[\]{}]*)(?:\s+(?:#[^\n\r]*)?)*)+")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_INDENT = re.compile(r"[\s-]*")


class Spot:
    """Where a value stands, with what it holds: children by key or index, and the keys themselves.

    ``end`` is that of what is shown of it, of a block scalar its header; ``extent`` where it really ends.
    ``shadowed`` are values whose keys stand there again.
    """

    __slots__ = ("children", "end", "extent", "is_container", "keys", "shadowed", "start")

    def __init__(self, start: int, end: int, extent: int = 0, *, is_container: bool = False) -> None:
        self.start = start
        self.end = end
        self.extent = extent
        self.children: dict[str | int, Spot] = {}
        self.keys: dict[str | int, Spot] = {}
        self.shadowed: list[tuple[str | int, Spot]] = []
        self.is_container = is_container

    @property
    def head(self) -> Spot:
        """What to show of it where it has no key: its first key, or its first character."""
        if not self.is_container:
            return self
        first = next(iter(self.keys.values()), None)
        return first if first and first.start >= self.start else Spot(self.start, self.start + 1)


@dataclass(frozen=True, slots=True)
class _Found:
    """The way to a value as far as it goes."""

    spot: Spot
    key: Spot | None


class Layout:
    """Where everything in one document stands. ``secret``: excerpts show keys, never values."""

    def __init__(self, text: Text, document: Document, *, secret: bool) -> None:
        self.text = text
        self._document = document
        self._secret = secret

    def finding(self, problem: Problem) -> Finding:
        """The finding for a problem of the document."""
        return problem.finding(self.text, since=self._document.start, secret=self._secret, veils=self.veils)

    def at(self, base: JsonPath) -> Located:
        """The places of what stands at ``base``, such as an item of a List."""
        return Located(self, base)

    def value(self, path: JsonPath) -> Place:
        """The place of a value; of a mapping or a list its key."""
        found = self._find(path)
        if found.key and (found.spot.is_container or found.spot.start >= found.spot.end):
            return self._place(found.key, found.key)
        return self._place(found.spot.head, found.key)

    def key(self, path: JsonPath) -> Place:
        """The place of a key; of an entry in a list the entry."""
        found = self._find(path)
        return self._place(found.key or found.spot.head, found.key)

    def _find(self, path: JsonPath) -> _Found:
        spot, key = self._root, None
        for step in path:
            child = spot.children.get(step)
            if child is None:
                break
            spot, key = child, spot.keys.get(step)
        return _Found(spot, key)

    def _place(self, spot: Spot, key: Spot | None) -> Place:
        if not self._secret:
            return self.text.place(spot.start, spot.end, self._document.start, self.veils)
        return self.text.masked_place(spot.start, spot.end, self._shown_key(spot, key))

    def _shown_key(self, spot: Spot, key: Spot | None) -> int | None:
        """Where the key ends, if it stands on the line of ``spot`` with nothing but blanks before it."""
        if key is None:
            return None
        line_start = self.text.line_start(spot.start)
        before = self.text.content[line_start : key.start]
        return key.end if line_start <= key.start and _INDENT.fullmatch(before) else None

    @cached_property
    def veils(self) -> Veils:
        """Where the values stand that may be secret, in a document of which others are shown."""
        if self._secret:
            return ()
        paths = [path for path, _ in secrets(self._document.value)]
        spots = [self._find(path).spot for path in paths]
        names = {path[-1] for path in paths if path}
        spots += (spot for key, spot in _shadowed(self._root) if spot.is_container or key in names)
        return _apart(sorted((spot.start, spot.extent) for spot in spots))

    @cached_property
    def _root(self) -> Spot:
        content, start = self.text.content, self._document.start
        if self._document.has_own_lines:
            line_start = self.text.line_start(start)
            start = start if content[line_start:start].strip() else line_start
        locator = _Locator(content, start)
        self._document.parse(content[start : self._document.end], locator)
        return locator.root


def _shadowed(root: Spot) -> Iterator[tuple[str | int, Spot]]:
    """Every value of a document whose key stands there again, with that key: it is in no value that was read."""
    pending = [root]
    while pending:
        spot = pending.pop()
        yield from spot.shadowed
        pending += spot.children.values()


def _apart(veils: Iterable[tuple[int, int]]) -> Veils:
    """The same in their order, those that touch made one: an alias may lead to the same place twice."""
    found: list[tuple[int, int]] = []
    for start, end in veils:
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


@dataclass(frozen=True, slots=True, repr=False)
class Located:
    """The places of one manifest: Positions."""

    layout: Layout
    base: JsonPath

    def value(self, path: JsonPath) -> Place:
        """The place of the value at ``path``, or of its nearest ancestor."""
        return self.layout.value(self.base + path)

    def key(self, path: JsonPath) -> Place:
        """The place of the key that ``path`` ends with, or of its nearest ancestor."""
        return self.layout.key(self.base + path)


_MERGE_KEY = "\0merge"


class _Locator:
    """Makes spots of the pieces of one document, which is known to be readable.

    Every number that comes in counts from ``offset`` of the content.
    """

    def __init__(self, content: str, offset: int) -> None:
        self.root = Spot(offset, offset)
        self._content = content
        self._offset = offset
        self._open: list[tuple[Spot, bool, str | None]] = []
        self._key: list[tuple[str, Spot] | None] = [None]
        self._anchors: dict[str, Spot] = {}
        self._anchored_keys: dict[str, str] = {}

    def begin_document(self, start: int) -> None:
        self.root = Spot(start + self._offset, start + self._offset)

    def end_document(self, end: int) -> None:
        pass

    def begin(self, tag: str, anchor: str | None, start: int, *, mapping: bool) -> None:  # noqa: ARG002
        spot = Spot(self._bare(start + self._offset), start + self._offset, is_container=True)
        self._anchor(anchor, spot)
        self._open.append((spot, mapping, anchor))
        self._key.append(None)

    def end(self, end: int) -> None:
        spot, _, _ = self._open.pop()
        self._key.pop()
        spot.end = spot.extent = end + self._offset
        self._add(spot)

    def scalar(self, text: str, tag: str, anchor: str | None, start: int, end: int) -> None:
        end += self._offset
        spot = self._bare_spot(start + self._offset, end)
        self._anchor(anchor, spot)
        if anchor is not None:
            self._anchored_keys[anchor] = _key_text(text, tag)
        if not self._wants_key:
            self._add(spot)
        elif tag == PLAIN and text == MERGE:
            self._key[-1] = (_MERGE_KEY, spot)
        else:
            self._key[-1] = (_key_text(text, tag), spot)

    def alias(self, anchor: str, start: int, end: int) -> None:
        spot = self._anchors[anchor]
        if self._wants_key:
            self._key[-1] = (self._anchored_keys[anchor], Spot(start + self._offset, end + self._offset))
        else:
            self._add(spot)

    @property
    def _wants_key(self) -> bool:
        return bool(self._open) and self._open[-1][1] and self._key[-1] is None

    def _anchor(self, anchor: str | None, spot: Spot) -> None:
        if anchor is not None:
            self._anchors[anchor] = spot

    def _add(self, spot: Spot) -> None:
        if not self._open:
            self.root = spot
            return
        parent, is_mapping, _ = self._open[-1]
        pending = self._key[-1]
        self._key[-1] = None
        if not is_mapping:
            parent.children[len(parent.children)] = spot
        elif pending and pending[0] == _MERGE_KEY:
            _merge(parent, spot)
        elif pending:
            if pending[0] in parent.keys:
                parent.shadowed.append((pending[0], parent.children[pending[0]]))
            parent.keys.pop(pending[0], None)  # so that the order is that of the text
            parent.children[pending[0]], parent.keys[pending[0]] = spot, pending[1]

    def _bare_spot(self, start: int, end: int) -> Spot:
        """Where a scalar itself stands: of a block scalar its header, without the comment behind it."""
        start = min(self._bare(start), end)
        header = _BLOCK_HEADER.match(self._content, start, end)
        return Spot(start, header.end() if header else end, end)

    def _bare(self, start: int) -> int:
        """Past the anchor and the tag that stand before a value."""
        match = _PROPERTIES.match(self._content, start)
        return match.end() if match else start


def _merge(parent: Spot, spot: Spot) -> None:
    sources = [spot] if spot.keys else list(spot.children.values())
    for source in sources:
        for key, child in source.children.items():
            if key not in parent.children and key in source.keys:
                parent.children[key], parent.keys[key] = child, source.keys[key]


def _key_text(text: str, tag: str) -> str:
    try:
        return key_of(text, tag)
    except NoValue:
        return text
