"""Tells when requests have to wait for a cluster in trouble, and when that is over."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kploy.cluster.port import Trouble

_FIRST = 3.0
"""Seconds of trouble that are nothing to speak of."""

_EVERY = 30.0
"""Seconds after which it is said again."""


class Troubles:
    """Those who wait, together: however many they are, one tale is told. For any thread."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._waiting: set[object] = set()
        self._began = 0.0
        self._told: float | None = None
        self._fact = ""
        self.listener: Callable[[Trouble], None] | None = None

    def waits(self, who: object, fact: str, since: float, pause: float) -> None:
        """``who`` has failed since ``since`` because of ``fact``, and tries again after ``pause`` seconds."""
        with self._lock:
            now = self._now()
            self._began = min(self._began, since) if self._waiting else since
            self._waiting.add(who)
            self._fact = fact
            last = self._began + _FIRST if self._told is None else self._told + _EVERY
            if now + pause < last:
                return
            self._told = now
        self._tell(Trouble(fact, now - self._began))

    def passed(self, who: object) -> None:
        """``who`` waits no more: it has its answer."""
        with self._lock:
            is_last, told = self._forget(who)
        if is_last and told:
            self._tell(Trouble(self._fact, self._now() - self._began, is_over=True))

    def gave_up(self, who: object) -> None:
        """``who`` waits no more: it has failed, and whoever sent it will say so."""
        with self._lock:
            self._forget(who)

    def _forget(self, who: object) -> tuple[bool, bool]:
        """Whether ``who`` was the last to wait, and whether anything had been told."""
        if who not in self._waiting:
            return False, False
        self._waiting.remove(who)
        if self._waiting:
            return False, False
        told, self._told = self._told is not None, None
        return True, told

    def _tell(self, trouble: Trouble) -> None:
        if self.listener is not None:
            self.listener(trouble)
