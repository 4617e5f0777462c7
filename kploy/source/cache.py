"""Copies of remote manifests, kept under their digests in the user's cache directory."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from kploy.source.atomic import write_whole
from kploy.source.files import LARGEST, Entry, Unusable, read_bytes


def digest_of(data: bytes) -> str:
    """The sha256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def directory() -> Path | None:
    """Where the copies are; None for a user without a home. $XDG_CACHE_HOME counts if it is absolute."""
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (root if root.is_absolute() else Path.home() / ".cache") / "kploy" / "remotes"
    except RuntimeError:
        return None


def find(digest: str) -> bytes | None:
    """The copy with this digest, verified; None if there is none, or what is there is something else."""
    shelf = directory()
    if shelf is None:
        return None
    try:
        data = read_bytes(Entry(shelf / digest, digest), shelf.resolve(), LARGEST).data
    except (Unusable, OSError, RuntimeError):
        return None
    return data if digest_of(data) == digest else None


def keep(data: bytes) -> None:
    """Keep a copy, readable by its owner alone. That there is no room for it is no harm: it is fetched again."""
    shelf, digest = directory(), digest_of(data)
    if shelf is None or find(digest) is not None:
        return
    with suppress(OSError):
        shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(shelf / digest, data, 0o600)
