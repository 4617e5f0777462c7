"""As many tries as the retry table and the time allow, with the credentials that hold."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from kploy.cluster.port import ClusterError, Unauthenticated, Unreachable
from kploy.cluster.retries import Again, Pace, pause
from kploy.cluster.sessions import Session, Sessions
from kploy.cluster.troubles import Troubles

_LAST_ANSWER = 5.0
"""Seconds after the deadline in which what is under way may be answered: better to know what became of it."""

_T = TypeVar("_T")


class Passing(Exception):
    """A failure that may pass by itself, how to try again, and the fact that may be told meanwhile."""

    def __init__(self, error: ClusterError, how: Again, fact: str) -> None:
        super().__init__()
        self.error = error
        self.again = how
        self.fact = fact


class Attempts:
    """Tries things that fail by Passing, until the deadline or until it is closed. For any thread."""

    def __init__(self, sessions: Sessions, pace: Pace) -> None:
        self.sessions = sessions
        self.closed = threading.Event()
        self.troubles = Troubles(pace.now)
        self._pace = pace
        self._deadline = math.inf

    def until(self, deadline: float) -> Attempts:
        """The same, for what is not tried again past ``deadline``."""
        bounded = copy.copy(self)
        bounded._deadline = deadline  # noqa: SLF001 - it is one of its own
        return bounded

    def before_asking(self, limit: float) -> float:
        """For how many seconds an answer may be waited for, at most ``limit``. Raises Unreachable if for none."""
        left = min(limit, self._deadline + _LAST_ANSWER - self._pace.now())
        if left <= 0 or self.closed.is_set():
            fact = "kploy ends" if self.closed.is_set() else "the time is up"
            raise Unreachable(f"{fact}: nothing more is asked of {self.sessions.latest.server}")
        return left

    def make(self, attempt: Callable[[Session], _T], patience: float) -> _T:
        """What ``attempt`` returns; with ``patience`` 0 its first failure counts. Raises ClusterError."""
        began = self._pace.now()
        until = min(began + patience, self._deadline)
        session = self.sessions.current()
        was_refused = False
        for number in count():
            try:
                answer = attempt(session)
            except Passing as passing:
                if not self._waited(attempt, number, passing, began, until):
                    self.troubles.gave_up(attempt)
                    raise passing.error from passing.__cause__
                session = session if was_refused else self.sessions.current()
            except ClusterError as error:
                other = None if was_refused else self._other(session, error)
                if other is None:
                    self.troubles.gave_up(attempt)
                    raise
                session, was_refused = other, True
            else:
                if number:
                    self.troubles.passed(attempt)
                session.works = True
                return answer
        raise AssertionError("it counts for ever")

    def _waited(self, who: object, number: int, passing: Passing, began: float, until: float) -> bool:
        """Whether there is time for one more try, after the wait that goes before it."""
        seconds = pause(number, passing.again, self._pace.chance)
        if number >= passing.again.times or self._pace.now() + seconds >= until:
            return False
        self.troubles.waits(who, passing.fact, began, seconds)
        return not self._pace.wait(self.closed, seconds)

    def _other(self, session: Session, error: ClusterError) -> Session | None:
        """Other credentials than those that were refused; None where that is not the error, or there are none."""
        return self.sessions.after_refusal(session) if isinstance(error, Unauthenticated) else None
