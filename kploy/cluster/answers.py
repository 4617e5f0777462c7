"""Answers as they arrive, bounded in size: a whole one, or line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from kploy.cluster.port import ServerFailed

LARGEST = 256 << 20
"""Bytes of the largest answer: a LIST of all that even large clusters have of a kind."""

LONGEST_LINE = 16 << 20
"""Bytes of the longest line of a watch: an object has at most 3 MiB."""

Read = Callable[[], bytes]
"""Gives what has arrived, as soon as there is something; nothing at the end."""


def whole(read: Read, largest: int = LARGEST) -> bytes:
    """All of an answer. Raises ServerFailed for one that is larger than anybody needs."""
    parts: list[bytes] = []
    size = 0
    while part := read():
        parts.append(part)
        size += len(part)
        if size > largest:
            raise ServerFailed(f"the API server answered with more than {largest >> 20} MiB")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def lines(read: Read, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Each line as soon as it is whole, and at the end what comes after the last line break.

    Raises ServerFailed for a line that never ends.
    """
    pending: list[bytes] = []
    size = 0
    while part := read():
        *ended, rest = part.split(b"\n")
        for line in ended:
            text = b"".join((*pending, line))
            pending.clear()
            size = 0
            yield text
        pending.append(rest)
        size += len(rest)
        if size > longest:
            raise ServerFailed(f"the API server sent a line of more than {longest >> 20} MiB")
    if any(pending):
        yield b"".join(pending)


def parsed(data: bytes) -> Any:
    """The JSON of an answer; None where it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
