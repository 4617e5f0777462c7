"""When to ask why something is not ready: that takes watches of all pods, and what goes well needs none.

All times are seconds of the same clock.
"""

from __future__ import annotations

_LONG = 2.0
"""For so many seconds nobody wonders why an object is not ready."""

_PAUSE = 0.5
"""While objects become ready within so many seconds of each other, it is only their number that takes long."""

_LISTENING = 3.0
"""Seconds after which warnings are listened to, however well all else goes: soon enough for _LONGEST."""

_LONGEST = 4.0
"""Seconds after which reasons are looked for, unless nobody warns. What pods say is to be told within five."""

_AT_ALL = 60.0
"""Seconds after which they are looked for although nobody warns: not everything that goes wrong is warned of."""

_BEFORE_THE_END = 10.0
"""So many seconds before the end they are looked for: then there is time to read them."""


def due(applied_at: float, last_ready_at: float, ends_at: float, *, is_quiet: bool) -> float:
    """When reasons are to be looked for, for what was applied at ``applied_at`` and is not ready.

    ``last_ready_at`` is when anything became ready last: as long as that goes on, there is no hurry, least of
    all while it ``is_quiet``: warnings are listened to, and there is none.
    """
    latest = applied_at + (_AT_ALL if is_quiet else _LONGEST)
    return max(applied_at + _LONG, min(last_ready_at + _PAUSE, latest, ends_at - _BEFORE_THE_END))


def listening_due(applied_at: float, due_at: float) -> float:
    """When warnings are to be listened to: not later than all other reasons are looked for, at ``due_at``."""
    return min(due_at, applied_at + _LISTENING)
