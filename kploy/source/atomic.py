"""Writing a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Put ``data`` at ``path``: who reads sees the old file or the new one. Raises OSError.

    ``mode`` is that of the new file, less the umask. A link at ``path`` is
    replaced, not followed.
    """
    with _beside(path, data, mode) as new:
        new.replace(path)


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Put ``data`` at ``path``, where nothing is, whole or not at all. Raises FileExistsError, and OSError."""
    with _beside(path, data, mode) as new:
        try:
            os.link(new, path)
        except FileExistsError:
            raise
        except OSError as exc:  # not every file system has links
            if os.path.lexists(path):
                raise FileExistsError(exc.errno, "it is there already", str(path)) from exc
            new.rename(path)


@contextmanager
def _beside(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A file with ``data`` in the same directory, which is gone at the end unless it has got another name."""
    beside = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield beside
    finally:
        beside.unlink(missing_ok=True)
