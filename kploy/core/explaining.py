"""When to ask why something is not ready: that takes watches of all pods, and what goes well needs none."""

from __future__ import annotations

LONG = 2.0
"""For so many seconds nobody wonders why an object is not ready; from then on, warnings are listened to."""

_PAUSE = 0.5
"""While objects become ready within so many seconds of each other, it is only their number that takes long."""

_LONGEST = 4.0
"""Seconds after which reasons are looked for whatever else goes well. What pods say is to be told within five."""


def due(applied_at: float, last_ready_at: float, ends_at: float, *, is_quiet: bool) -> float:
    """When reasons are to be looked for, for what was applied at ``applied_at`` and is not ready.

    ``last_ready_at`` is when anything became ready last: as long as that goes on, there is no hurry, least of
    all while it ``is_quiet``: warnings are listened to, and there is none. But the reasons must be known at the
    end, ``ends_at``. All are seconds of the same clock.
    """
    latest = ends_at - LONG if is_quiet else min(applied_at + _LONGEST, ends_at - LONG)
    return max(applied_at + LONG, min(last_ready_at + _PAUSE, latest))
