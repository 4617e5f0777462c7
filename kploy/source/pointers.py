"""Pointers: ``*.url`` files, each with the address of a manifest kept elsewhere, and places in such a manifest."""

from __future__ import annotations

import re

from kploy.core.masking import MASK
from kploy.model.findings import Line, Place, Positions, error
from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath
from kploy.source.text import Report, Text, short
from kploy.source.urls import BadUrl, Url, parse_url

_BREAK = re.compile(r"\r\n|\n|\r")
_TELLING = re.compile(r"[@?#]")


@dataclass(frozen=True, slots=True)
class Remote:
    """What a ``*.url`` file names, and the place of the URL in it."""

    url: Url
    file: str
    place: Place


@dataclass(frozen=True, slots=True, repr=False)
class RemotePositions:
    """Positions in a remote manifest: all are where its URL stands, and show where in the remote they are."""

    there: Positions
    remote: Remote

    def value(self, path: JsonPath) -> Place:
        """The place of the URL; the excerpt shows the value."""
        return shown_at(self.remote, self.there.value(path))

    def key(self, path: JsonPath) -> Place:
        """The place of the URL; the excerpt shows the key."""
        return shown_at(self.remote, self.there.key(path))


def shown_at(remote: Remote, there: Place) -> Place:
    """The place of the URL, with what stands at ``there`` in the remote."""
    where = f"{remote.url}:{there.line}:{there.column}"
    said = there.excerpt[-1].text[there.column - 1 :].strip() if there.excerpt else ""
    url = remote.place
    excerpt = (Line(url.line, " " * (url.column - 1) + f"{where}  {said}".rstrip()),)
    return Place(remote.file, url.line, url.column, url.width, excerpt)


def read_pointer(text: Text, report: Report) -> Remote | None:
    """What a ``*.url`` file names: one URL on a line of its own, beside comments and blank lines."""
    lines = [(number, line) for number, line in enumerate(_BREAK.split(text.content), 1) if _says_something(line)]
    if not lines:
        message = f"`{text.file}` names no address"
        report(error("invalid-url", message, "write `https://HOST/PATH` into it", subject=text.file))
        return None
    if len(lines) > 1:
        place = _place(text.file, *lines[1], hidden=True)
        report(error("invalid-url", "a second address", "make a file of its own for it", place))
        return None
    number, line = lines[0]
    try:
        url = parse_url(line.strip())
    except BadUrl as exc:
        report(error("invalid-url", exc.message, exc.hint, _place(text.file, number, line, hidden=True)))
        return None
    return Remote(url, text.file, _place(text.file, number, line, shown=str(url)))


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _place(file: str, number: int, line: str, *, shown: str = "", hidden: bool = False) -> Place:
    """Where an address stands. One that is no good is shown only if there can be no secret in it."""
    indent = len(line) - len(line.lstrip())
    if hidden:
        shown = MASK if _TELLING.search(line) else short(line)
    return Place(file, number, indent + 1, len(shown), (Line(number, " " * indent + shown),))
