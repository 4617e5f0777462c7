"""The end of the process, and whether it is wanted."""

from __future__ import annotations

import atexit
import os
import signal
import sys

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def is_interrupt(error: Exception) -> bool:
    """Whether an error is a Ctrl-C: Python 3.11 makes a RuntimeError of one that comes in a ``__set_name__``."""
    return isinstance(error.__cause__, KeyboardInterrupt)


def leave(code: int) -> None:
    """End here and now, with this code: what has been said of how it ended is so, whatever comes yet.

    Python would wait for requests under way, look for garbage once more, be killed by a Ctrl-C after all, and
    exit with a code of its own where stderr cannot be written. Never returns, unless by an interrupt that
    comes just before it begins. May be called from a signal handler.
    """
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)
    try:
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
        atexit._run_exitfuncs()  # noqa: SLF001 - what Python would call now: files with keys are to go
    finally:
        os._exit(code)


def _flush(stream: object) -> None:
    """Write what waits to be written. Whoever closed a stream, or reads it no more, has what it wanted."""
    try:
        stream.flush()  # type: ignore[attr-defined]  # None where it was closed from the start
    except (AttributeError, OSError, RuntimeError, ValueError):
        return
