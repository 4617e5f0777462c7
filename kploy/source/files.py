"""Files of the app directory, read without trust in what they are.

A file may be a pipe that never ends, a link out of the app, or 10 GB. ``root``
is resolved everywhere: it has no links in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from kploy.model.errors import KployError
from kploy.model.findings import Finding, Place, error, warning
from kploy.model.frozen import dataclass
from kploy.model.report import Outcome
from kploy.source.text import Report, Text, short

LARGEST = 5 * 1024 * 1024
"""Bytes at most in a manifest or a Kployfile."""

DEEPEST_DIRECTORY = 20

_USUAL = 16 * 1024
"""Bytes that are more than most files have."""

_LEFTOVERS = ("*~", "#*#", "*.swp", "*.swo", "*.bak", "*.orig", "*.rej", "*.tmp")
_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Unusable(Exception):
    """A file that cannot be read; says why as a finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.rule)
        self.finding = finding


class BadDirectory(KployError):
    """What was given as the app's directory cannot be one."""

    outcome = Outcome.USAGE


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in one of the app's directories; ``file`` is relative to the app directory."""

    path: Path
    file: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, and its permission bits."""

    data: bytes = field(repr=False)
    mode: int


def resolved(root: Path) -> Path:
    """The app's directory without links in its path, whether or not it is there. Raises BadDirectory."""
    try:
        path = root.resolve()
        path.is_dir()
    except (OSError, RuntimeError) as exc:
        message = f"`{short(str(root))}` cannot be read: {_reason(exc)}"
        raise BadDirectory(message, "give the app's directory") from None
    return path


def read_text(entry: Entry, root: Path) -> Text:
    """The text of a file, without a byte order mark; raises Unusable."""
    data = read_bytes(entry, root, LARGEST).data
    try:
        return Text(entry.file, data.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as exc:
        good = data[: exc.start].decode("utf-8").removeprefix("\ufeff")
        there = Text(entry.file, good).place(len(good), len(good))
        place = Place(entry.file, there.line, there.column)
        raise Unusable(error("not-utf8", "this byte is not UTF-8", "save the file as UTF-8", place)) from None


def read_bytes(entry: Entry, root: Path, largest: int) -> Content:
    """The content of a regular file of at most ``largest`` bytes within the app; raises Unusable. Never blocks."""
    try:
        _check_stays_inside(entry, root)
        if not stat.S_ISREG(entry.path.stat().st_mode):
            raise Unusable(_not_regular(entry))
        descriptor = os.open(entry.path, os.O_RDONLY | _NON_BLOCKING)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unusable(_not_regular(entry))
            data = _read(file, largest + 1)
    except (OSError, RuntimeError) as exc:
        raise Unusable(_unreadable(entry, exc)) from None
    if len(data) > largest:
        size = f"{largest // (1024 * 1024)} MiB"
        raise Unusable(error("too-large", f"`{entry.file}` is larger than {size}", "split it", subject=entry.file))
    return Content(data, stat.S_IMODE(status.st_mode))


def _read(file: BinaryIO, most: int) -> bytes:
    """The first ``most`` bytes. Room for all of them is only made for a file that may need it."""
    data = file.read(min(most, _USUAL))
    return data if len(data) < _USUAL else data + file.read(most - len(data))


def entries(root: Path, top: Entry, report: Report) -> Iterator[Entry]:
    """The files below ``top`` in the order of their paths, without hidden ones and editors' leftovers.

    Links to directories are not followed: the findings say so.
    """
    waiting = [(top, 1)]
    while waiting:
        entry, level = waiting.pop()
        if not is_directory(entry):
            yield entry
        elif entry.path.is_symlink():
            report(_linked_directory(entry, root))
        elif level > DEEPEST_DIRECTORY:
            report(
                error("too-deep", f"`{entry.file}` lies in too many directories", "move it up", subject=entry.file)
            )
        else:
            kept = [child for child in listing(entry, report) if not is_leftover(child.name)]
            waiting += [(child, level + 1) for child in reversed(kept)]


def listing(entry: Entry, report: Report) -> list[Entry]:
    """What lies in a directory, by name; a name that is no text is reported and left out."""
    try:
        names = sorted(child.name for child in entry.path.iterdir())
    except OSError as exc:
        report(_unreadable(entry, exc))
        return []
    return [Entry(entry.path / name, f"{entry.file}/{name}") for name in names if _is_legible(entry, name, report)]


def is_directory(entry: Entry) -> bool:
    """Whether it is a directory, or a link to one."""
    try:
        return entry.path.is_dir()
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Whether something is at ``path``, even a broken link."""
    return os.path.lexists(path)


def is_leftover(name: str) -> bool:
    """Whether an editor left it there, or the file is hidden."""
    return name.startswith(".") or any(fnmatchcase(name, pattern) for pattern in _LEFTOVERS)


def directory(root: Path, name: str, report: Report) -> Entry | None:
    """One of the app's own directories, if it is there."""
    entry = Entry(root / name, name)
    if not exists(entry.path):
        return None
    if is_directory(entry):
        return entry
    report(
        error("not-a-directory", f"`{name}` is not a directory", "put its files into a directory", subject=name)
    )
    return None


def ignored(entry: Entry, hint: str) -> Finding:
    """A file that lies where it is not read."""
    return warning("ignored-file", f"`{entry.file}` is not read", hint, subject=entry.file)


def _is_legible(entry: Entry, name: str, report: Report) -> bool:
    legible = os.fsencode(name).decode("utf-8", "replace")
    if legible != name:
        file = f"{entry.file}/{legible}"
        report(error("file-name", f"the name of `{file}` is not UTF-8", "rename it", subject=file))
    return legible == name


def _check_stays_inside(entry: Entry, root: Path) -> None:
    if not entry.path.resolve(strict=True).is_relative_to(root):
        raise Unusable(_outside(entry))


def _outside(entry: Entry) -> Finding:
    return error("outside-link", f"`{entry.file}` is a link out of the app", "copy the file", subject=entry.file)


def _linked_directory(entry: Entry, root: Path) -> Finding:
    try:
        _check_stays_inside(entry, root)
    except (Unusable, OSError, RuntimeError):
        return _outside(entry)
    return ignored(entry, "a link to a directory is not followed")


def _not_regular(entry: Entry) -> Finding:
    what = "directory" if entry.path.is_dir() else "pipe or a device"
    return error("not-a-file", f"`{entry.file}` is a {what}, not a file", "put a file there", subject=entry.file)


def _unreadable(entry: Entry, exc: Exception) -> Finding:
    return error("unreadable-file", f"`{entry.file}` cannot be read: {_reason(exc)}", subject=entry.file)


def _reason(exc: Exception) -> str:
    return exc.strerror if isinstance(exc, OSError) and exc.strerror else "a link that leads to itself"
