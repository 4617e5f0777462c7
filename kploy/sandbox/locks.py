"""One kploy at a time: a lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kploy.sandbox.errors import Unsupported


@contextmanager
def held(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock at ``path``; ``waiting`` is called once if another process has it.

    The file stays: to remove it while another waits for it would give both the
    lock. Raises Unsupported if the directory cannot be written.
    """
    handle = _open(path)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise Unsupported(
            f"the sandbox keeps its files in {path.parent}, and that cannot be written: {exc.strerror}",
            "Name another place in XDG_STATE_HOME (sandboxes) or XDG_CACHE_HOME (their programs).",
        ) from exc
