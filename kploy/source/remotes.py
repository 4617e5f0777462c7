"""Remote manifests: what a ``*.url`` file names, held against Kployfile.lock.

What a URL held when it was first used is pinned there. From then on only that
content is deployed, wherever it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kploy.model.findings import Finding, error, warning
from kploy.source import cache
from kploy.source.access import Access
from kploy.source.lockfile import FILE, Pin, Pins, WrongLock, read_lock, write_lock
from kploy.source.pointers import Remote
from kploy.source.text import Report
from kploy.source.urls import Url

if TYPE_CHECKING:
    from kploy.source.fetch import FetchFailed
    from kploy.source.network import Network


def read_contents(root: Path, remotes: Iterable[Remote], access: Access, report: Report) -> dict[Url, str]:
    """The text of each remote manifest that could be had and is what it was; the others are reported.

    New pins are written into Kployfile.lock. Without a legible one nothing is
    fetched, for there is nothing to hold it against.
    """
    remotes = tuple(remotes)
    if not remotes:
        return {}
    try:
        pins = read_lock(root)
    except WrongLock as exc:
        for finding in exc.findings:
            report(finding)
        return {}
    found = _copies(remotes, pins) if access.begins_with_copies else {}
    missing = [remote for remote in remotes if remote.url not in found]
    if access.offline:
        for remote in missing:
            report(_not_checked(remote, is_pinned=remote.url.text in pins))
    else:
        found |= _fetched(root, missing, pins, access.network, report)
    return {url: data.decode("utf-8", "replace").removeprefix("\ufeff") for url, data in found.items()}


def download(remotes: Iterable[Remote], network: Network | None, report: Report) -> dict[Url, bytes]:
    """What stands at the URLs now, as far as it may be a manifest; the others are reported."""
    from kploy.source.fetch import fetch_all
    from kploy.source.network import Network

    remotes = tuple(remotes)
    answers = fetch_all((remote.url for remote in remotes), network or Network())
    found = {}
    for remote in remotes:
        answer = answers[remote.url]
        failure = _not_a_manifest(remote, answer) if isinstance(answer, bytes) else _failed(remote, answer)
        if failure:
            report(failure)
        elif isinstance(answer, bytes):
            found[remote.url] = answer
    return found


def pin_of(data: bytes) -> Pin:
    """The pin that holds to ``data``."""
    return Pin(cache.digest_of(data), len(data))


def _copies(remotes: Iterable[Remote], pins: Pins) -> dict[Url, bytes]:
    """The copies that are there of what is pinned."""
    pinned = {remote.url: pins[remote.url.text] for remote in remotes if remote.url.text in pins}
    copies = {url: cache.find(pin.digest) for url, pin in pinned.items()}
    return {url: data for url, data in copies.items() if data is not None}


def _fetched(
    root: Path, remotes: Iterable[Remote], pins: Pins, network: Network | None, report: Report
) -> dict[Url, bytes]:
    """What stands at the URLs and is what it was. Keeps copies, and pins what has no pin yet."""
    found, new = {}, {}
    remotes = tuple(remotes)
    downloaded = download(remotes, network, report)
    for remote in remotes:
        data = downloaded.get(remote.url)
        if data is None:
            continue
        pin = pin_of(data)
        pinned = pins.get(remote.url.text)
        if pinned and pinned.digest != pin.digest:
            report(_changed(remote, pinned, pin))
            continue
        if not pinned:
            new[remote.url.text] = pin
        cache.keep(data)
        found[remote.url] = data
    if new:
        _add_pins(root, pins, new, report)
    return found


def _add_pins(root: Path, pins: Pins, new: Pins, report: Report) -> None:
    try:
        write_lock(root, {**pins, **new})
    except OSError as exc:
        message = f"{FILE} cannot be written: {exc.strerror or 'no reason given'}"
        hint = "make the directory writable: without a pin nobody notices when a remote manifest changes"
        report(warning("lock-not-written", message, hint, subject=FILE))


def _failed(remote: Remote, failure: FetchFailed) -> Finding:
    return error(failure.rule, f"{remote.url}: {failure.message}", failure.hint, remote.place)


def _not_a_manifest(remote: Remote, data: bytes) -> Finding | None:
    """A finding for what cannot be a manifest, whatever it says."""
    try:
        content = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        message = f"{remote.url} is no manifest: it is not UTF-8"
        return error("remote-not-a-manifest", message, "correct the address", remote.place)
    if content.lstrip().startswith("<"):
        message = f"{remote.url} is no manifest: it is HTML or XML"
        hint = "name the raw file, not the page that shows it"
        return error("remote-not-a-manifest", message, hint, remote.place)
    return None


def _changed(remote: Remote, pinned: Pin, now: Pin) -> Finding:
    message = f"{remote.url} has changed: it was {pinned.short}, and is now {now.short}"
    hint = "look at what it says now; `kploy lock --update` takes it"
    return error("remote-changed", message, hint, remote.place)


def _not_checked(remote: Remote, *, is_pinned: bool) -> Finding:
    why = "there is no copy of it here" if is_pinned else f"{FILE} has no pin for it"
    message = f"what `{remote.file}` names was not checked: {why}"
    return warning("remote-not-checked", message, "run `kploy dryrun` once without --offline", remote.place)
