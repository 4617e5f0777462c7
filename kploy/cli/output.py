"""Where a command's data goes: all of it to stdout, or the command has failed."""

from __future__ import annotations

import os
import select
import sys

from kploy.model.errors import KployError
from kploy.ui.sanitize import defused
from kploy.ui.streams import LEGIBLE


class OutputLost(KployError):
    """Data could not be written: what is on stdout is not all of it."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"the output is not complete: {cause.strerror or 'it cannot be written'}")


def put(text: str) -> None:
    """Write ``text`` to stdout, now, with nothing in it that a CI runner would obey. Raises OutputLost.

    A reader who has gone has what it wanted, and where stdout was closed from
    the start, nobody wants anything: both are no error.
    """
    if sys.stdout is None:  # closed by the caller
        return
    text = defused(text)
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        sys.stdout.write(text)  # a stand-in, which is no file
        return
    try:
        sys.stdout.flush()
        _write(descriptor, text.encode(sys.stdout.encoding, LEGIBLE))
    except BrokenPipeError:
        return
    except OSError as exc:
        raise OutputLost(exc) from None


def document(data: object, output: str) -> str:
    """A document for a program, as ``json`` or ``yaml``."""
    if output == "json":
        from kploy.ui.json import as_json

        return as_json(data, indent=2) + "\n"
    from kploy.source.yaml import dump

    return dump(data)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # somebody made it non-blocking, as node does with a terminal it shares
            select.select([], [descriptor], [])
