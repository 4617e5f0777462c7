"""The very start and the very end of ``kploy``, ``kubectl kploy`` and ``python -m kploy``.

Ctrl-C may come while Python loads the rest, which takes most of a short command, and while it ends. So nothing
is imported here before that is dealt with, and Python's own end is not waited for.
"""

from __future__ import annotations

import gc
import os
import sys

_INTERRUPTED = 130
"""kploy.model.report.Outcome.INTERRUPTED, which is not loaded yet."""


def main() -> None:
    """Run the command line, and exit with its code. An interrupt never shows a traceback."""
    # What loads and what is read stays, so to look for garbage in it is in vain, and takes 10 ms or
    # more a time. What needs it is little: of 50,000 new objects, a few hundred that name each other in a circle.
    gc.set_threshold(200_000)
    sys.unraisablehook = _unraisable
    try:
        from importlib import import_module

        from kploy.later import importing

        # For types of parameters that kploy has none of.
        importing(lambda: import_module("click"), "click", frozenset({"datetime", "uuid"}))
        from kploy.cli.main import main as begin

        code = begin()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except RuntimeError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        code = _INTERRUPTED  # As kploy.ending.is_interrupt says, which may not be loaded yet.
    _leave(code)


def _leave(code: int) -> None:
    """End with this code: from here on a Ctrl-C comes too late."""
    while True:
        try:
            from kploy.ending import leave

            leave(code)
        except KeyboardInterrupt:
            continue


def _unraisable(told: sys.UnraisableHookArgs) -> None:
    """An interrupt that comes in a callback, as those of imports, is one. Python would tell of it and go on."""
    if not issubclass(told.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(told)
        return
    try:
        os.write(2, b"\r\x1b[J\x1b[?25hkploy: interrupted\n" if os.isatty(2) else b"kploy: interrupted\n")
    finally:
        _leave(_INTERRUPTED)


if __name__ == "__main__":
    main()
