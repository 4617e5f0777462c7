"""The pins of an app's remote manifests, looked at or taken anew: ``kploy lock``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kploy.model.errors import KployError
from kploy.model.findings import Finding, Severity
from kploy.model.frozen import dataclass, replace
from kploy.source import cache
from kploy.source.access import POINTER
from kploy.source.files import Unusable, exists, read_text, resolved
from kploy.source.kployfile import FILE, read_kployfile
from kploy.source.lockfile import FILE as LOCK
from kploy.source.lockfile import Pins, WrongLock, read_lock, write_lock
from kploy.source.manifests import files_of
from kploy.source.pointers import Remote, read_pointer
from kploy.source.remotes import download, pin_of
from kploy.source.text import Report

if TYPE_CHECKING:
    from kploy.source.network import Network


class NotWritten(KployError):
    """Kployfile.lock could not be written."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The pins of an app.

    ``before`` is what was in Kployfile.lock, ``now`` what is: the same when
    they were only looked at, or when an error is among the findings.
    """

    remotes: tuple[Remote, ...]
    before: Pins
    now: Pins
    findings: tuple[Finding, ...]

    @property
    def is_valid(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def unpinned(self) -> tuple[Remote, ...]:
        """The remotes that have no pin yet."""
        return tuple(remote for remote in self.remotes if remote.url.text not in self.now)


def look(root: Path) -> Pinned:
    """The pins as they are. Nothing is fetched. Raises BadDirectory."""
    root = resolved(root)
    findings: list[Finding] = []
    remotes = tuple(_remotes(root, findings.append))
    pins: Pins = {}
    try:
        pins = read_lock(root)
    except WrongLock as exc:
        findings += exc.findings
    return Pinned(remotes, pins, pins, tuple(findings))


def update(root: Path, network: Network | None = None) -> Pinned:
    """Fetch every remote manifest, and pin what it holds now; pins that no file asks for go.

    Nothing is written unless all of them could be had. A damaged
    Kployfile.lock is replaced, one of a newer kploy is not. Raises NotWritten or BadDirectory.
    """
    root = resolved(root)
    findings: list[Finding] = []
    remotes = tuple(_remotes(root, findings.append))
    try:
        before = read_lock(root)
    except WrongLock as exc:
        if exc.is_newer:
            return Pinned(remotes, {}, {}, (*findings, *exc.findings))
        before = {}
    contents = download(remotes, network, findings.append)
    now = {url.text: pin_of(data) for url, data in contents.items()}
    pinned = Pinned(remotes, before, now, tuple(findings))
    if not pinned.is_valid:
        return replace(pinned, now=before)
    _write(root, now)
    for data in contents.values():
        cache.keep(data)
    return pinned


def _remotes(root: Path, report: Report) -> Iterator[Remote]:
    """What the app's ``*.url`` files name."""
    if not exists(root / FILE):
        for finding in read_kployfile(root)[1]:
            report(finding)
        return
    for _, entry in files_of(root, report):
        if entry.name.endswith(POINTER):
            try:
                remote = read_pointer(read_text(entry, root), report)
            except Unusable as exc:
                report(exc.finding)
                continue
            if remote:
                yield remote


def _write(root: Path, pins: Pins) -> None:
    if not pins and not exists(root / LOCK):
        return
    try:
        write_lock(root, pins)
    except OSError as exc:
        message = f"{LOCK} cannot be written: {exc.strerror or 'no reason given'}"
        raise NotWritten(message, "make the directory writable") from None
