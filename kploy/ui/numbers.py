"""Durations, counts and short lists in words."""

from __future__ import annotations

from collections.abc import Sequence


def seconds(duration: float) -> str:
    """``0.4s``, ``12s``, ``4m12s``, ``3h5m``, ``9d``: short, and no more exact than of use."""
    if duration < 9.95:
        return f"{duration:.1f}s"
    whole = int(duration)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60}m"
    return f"{whole // 86400}d"


def ticking(duration: float) -> str:
    """The same for what is shown while it grows: without tenths, which only flicker."""
    return f"{int(duration)}s" if duration < 10 else seconds(duration)


def age(duration: float | None) -> str:
    """How old something is, in its largest unit: ``4s``, ``4m``, ``3h``, ``9d``; ``-`` if it is not there.

    What is younger than nothing, because the cluster's clock is ahead of ours, is ``0s`` old.
    """
    if duration is None:
        return "-"
    whole = max(0, int(duration))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def count(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def few(names: Sequence[object], most: int) -> str:
    """``a, b and 3 more``: the first of ``names``, and how many there are besides."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more
