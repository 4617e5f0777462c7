"""Kployfile.lock: which content of each remote manifest the app was made with, for committing.

version: 1
remotes:
- url: https://example.com/web.yaml
  digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  size: 4
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kploy.model.findings import Finding, Place, Positions, error
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import JsonPath
from kploy.source.atomic import write_whole
from kploy.source.documents import Document, read_documents
from kploy.source.files import Entry, Unusable, exists, read_text
from kploy.source.positions import Layout
from kploy.source.scalars import described
from kploy.source.text import Text, short
from kploy.source.urls import BadUrl, parse_url
from kploy.source.yaml import dump

FILE = "Kployfile.lock"

_VERSION = 1
_PREFIX = "sha256:"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REMEDY = "restore it from version control, or run `kploy lock --update`"
_HEADER = """\
# What the remote manifests (*.url) of this app hold. Commit this file.
# `kploy lock --update` writes it anew.
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """The content that a remote manifest must have: sha256 in hexadecimal, and bytes."""

    digest: str
    size: int

    @property
    def short(self) -> str:
        """The digest as people compare it."""
        return f"{_PREFIX}{self.digest[:12]}"


Pins = Mapping[str, Pin]
"""The pin of each URL."""


class WrongLock(Exception):
    """A Kployfile.lock that this kploy must not overwrite, or cannot go by; says why as findings."""

    def __init__(self, findings: tuple[Finding, ...], *, is_newer: bool = False) -> None:
        super().__init__(FILE)
        self.findings = findings
        self.is_newer = is_newer


def read_lock(root: Path) -> dict[str, Pin]:
    """The pins of the app in ``root``, none if there is no Kployfile.lock; raises WrongLock."""
    entry = Entry(root / FILE, FILE)
    if not exists(entry.path):
        return {}
    try:
        text = read_text(entry, root)
    except Unusable as exc:
        raise WrongLock((replace(exc.finding, rule="invalid-lock", hint=_REMEDY),)) from None
    document = _document(text)
    positions = Layout(text, document, secret=False).at(())
    data = document.value
    _check_version(data, positions)
    findings = tuple(_violations(data, positions))
    if findings:
        raise WrongLock(findings)
    return {entry["url"]: _pin(entry) for entry in data["remotes"]}


def write_lock(root: Path, pins: Pins) -> None:
    """Write the pins, sorted; nothing is touched if the file says it already. Raises OSError."""
    remotes = [
        {"url": url, "digest": f"{_PREFIX}{pin.digest}", "size": pin.size} for url, pin in sorted(pins.items())
    ]
    content = (_HEADER + dump({"version": _VERSION, "remotes": remotes})).encode()
    path = root / FILE
    if not (path.is_file() and path.read_bytes() == content):
        write_whole(path, content, 0o666)


def _pin(entry: Mapping[str, Any]) -> Pin:
    return Pin(entry["digest"].removeprefix(_PREFIX), entry["size"])


def _document(text: Text) -> Document:
    """The one document of the file, in which nothing is wrong as YAML."""
    documents = read_documents(text)
    problems = [problem for document in documents.complete for problem in document.problems]
    if documents.fatal:
        problems += [*documents.pending, documents.fatal]
    if problems:
        found = (problem.finding(text, secret=False) for problem in problems)
        raise WrongLock(tuple(_wrong(finding.message, finding.place) for finding in found))
    if len(documents.complete) != 1:
        message = f"{FILE} is empty" if not documents.complete else f"{FILE} has more than one document"
        raise WrongLock((_wrong(message, text.place(0, 0)),))
    return documents.complete[0]


def _check_version(data: Any, positions: Positions) -> None:
    if not isinstance(data, dict):
        raise WrongLock((_wrong(f"{FILE} is a mapping, this is {described(data)}", positions.value(())),))
    version = data.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > _VERSION:
        message = f"{FILE} has version {version}; this kploy knows version {_VERSION}"
        place = _bare(positions.value(("version",)))
        raise WrongLock((error("invalid-lock", message, "use a newer kploy", place),), is_newer=True)
    if version != _VERSION or isinstance(version, bool):
        raise WrongLock((_wrong(f"`version` must be {_VERSION}", positions.value(("version",))),))


def _violations(data: dict[str, Any], positions: Positions) -> Iterator[Finding]:
    for key in data.keys() - {"version", "remotes"}:
        yield _wrong(f"`{short(key)}` is not a key of {FILE}", positions.key((key,)))
    remotes = data.get("remotes")
    if not isinstance(remotes, list):
        yield _wrong("`remotes` must be a list", positions.value(("remotes",)))
        return
    seen: set[str] = set()
    for index, entry in enumerate(remotes):
        fault = _fault(entry, seen)
        if fault:
            step, message = fault
            yield _wrong(message, positions.value(("remotes", index, *step)))


def _fault(entry: Any, seen: set[str]) -> tuple[JsonPath, str] | None:
    """What is wrong with a pin, and at which of its keys. ``seen`` are the URLs before it."""
    if not isinstance(entry, dict) or entry.keys() != {"url", "digest", "size"}:
        return (), "a pin has `url`, `digest` and `size`"
    url, digest, size = entry["url"], entry["digest"], entry["size"]
    if not _is_url(url):
        return ("url",), "`url` must be an https address"
    if url in seen:
        return ("url",), "this address has two pins"
    seen.add(url)
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        return ("digest",), f"`digest` must be `{_PREFIX}` and 64 hexadecimal digits"
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return ("size",), "`size` must be a number of bytes"
    return None


def _is_url(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(parse_url(value))
    except BadUrl:
        return False


def _wrong(message: str, place: Place | None) -> Finding:
    return error("invalid-lock", message, _REMEDY, _bare(place))


def _bare(place: Place | None) -> Place | None:
    """The place without its lines: an address in them may hold a token."""
    return replace(place, excerpt=()) if place else None
