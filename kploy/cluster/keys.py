"""A place for keys, which OpenSSL only takes from files: private, and gone again."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "kploy-keys-"

_STALE = 60.0
"""Seconds after which such a directory is nobody's any more: they are needed for a moment."""


@contextmanager
def private_directory() -> Iterator[Path]:
    """A directory that nobody else can look into. Raises OSError where none can be made.

    It is gone afterwards; what a process left that was killed is removed, too.
    """
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as directory:
        yield Path(directory)


def _sweep(where: Path) -> None:
    for left in where.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            about = left.lstat()
            is_ours = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
            if is_ours and time.time() - about.st_mtime > _STALE:
                shutil.rmtree(left)
