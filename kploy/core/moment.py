"""The time at which something is judged, and until when time alone changes nothing about that."""

from __future__ import annotations

import math


class Moment:
    """A time in seconds since the epoch. It notes which later ones it was compared with.

    It is for one judgement. Who asks it by ``is_past`` alone judges the same at any time from this
    one on, and before ``holds_until``.
    """

    def __init__(self, now: float) -> None:
        self.now = now
        self.holds_until = math.inf

    def is_past(self, time: float) -> bool:
        """Whether ``time`` has come."""
        if self.now >= time:
            return True
        self.holds_until = min(self.holds_until, time)
        return False
