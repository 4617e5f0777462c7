"""Credentials in use: renewed before they expire, and once after the server refused them."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kploy.cluster.port import Unauthenticated
from kploy.model.errors import KployError

if TYPE_CHECKING:
    from kploy.cluster.lines import Lines

_MARGIN = 60.0
"""So many seconds before they expire credentials are renewed, or after half of their life if that is shorter."""

_TRY_AGAIN = 10.0
"""After so many seconds the renewal is tried again while the old credentials still hold."""


class Session:
    """Credentials as they were loaded once, and the connections that show them.

    ``root`` goes before the path of every request, and ``headers`` with it.
    ``expires`` is in seconds since the epoch. ``works``: the server has taken them.
    """

    __slots__ = ("expires", "headers", "lines", "root", "server", "works")

    def __init__(
        self, server: str, lines: Lines, root: str, headers: Mapping[str, str], expires: float = math.inf
    ) -> None:
        self.server = server
        self.lines = lines
        self.root = root
        self.headers = headers
        self.expires = expires
        self.works = False


class Sessions:
    """Gives everybody the same session, and loads a new one where that is due. For any thread.

    ``load`` may raise KployError, and takes as long as a credential plugin does.
    """

    def __init__(self, load: Callable[[], Session], clock: Callable[[], float] = time.time) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._is_first = True
        self._failure: KployError | None = None
        self._session = load()
        self._renew_at = self._due(self._session)

    @property
    def latest(self) -> Session:
        """The session that was loaded last, whether it still holds or not."""
        return self._session

    def current(self) -> Session:
        """The session to use now. Raises what loading raises once the old one has expired."""
        if self._clock() < self._renew_at:
            return self._session
        with self._lock:
            if self._clock() >= self._renew_at:
                self._renew_in_time()
            return self._session

    def after_refusal(self, refused: Session) -> Session | None:
        """Another session than the one that the server ``refused``; None where there is no other.

        However many were refused, one loads. What was loaded anew and is refused
        at once is not loaded again: then nobody has better credentials.
        """
        with self._lock:
            if self._session is not refused:
                return self._session
            if self._failure is not None:
                raise self._failure
            if not self._is_first and not refused.works:
                return None
            self._renew()
            return self._session

    def _renew_in_time(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            self._renew()
        except KployError:
            if self._clock() >= self._session.expires:
                raise
            self._failure = None
            self._renew_at = min(self._clock() + _TRY_AGAIN, self._session.expires)

    def _renew(self) -> None:
        try:
            self._session = self._load()
        except KployError as error:
            self._failure = error
            raise
        self._is_first = False
        self._renew_at = self._due(self._session)

    def _due(self, session: Session) -> float:
        """When to renew; never what is over as soon as it is loaded: the server will say whether it is."""
        now = self._clock()
        life = session.expires - now
        return now + max(life - _MARGIN, life / 2) if 0 < life < math.inf else math.inf


def header(name: str, value: str) -> str:
    """The value of a header as it can be sent. Errors further down would quote it, and it may be a token."""
    value = value.strip()  # A token file may end with a line break.
    if re.search(r"[^\x20-\x7e\t]", value):
        fact = f"the credentials cannot be sent: {name} would hold a line break, or what is not ASCII"
        raise Unauthenticated(fact, "mend the token in the kubeconfig, or the plugin that gives it")
    return value
