"""The lock of an app, held while a run changes the cluster. See core.lease for its rules."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty

from kploy.cluster.port import AlreadyExists, Cluster, ClusterError, Conflict, NotFound
from kploy.core.bodies import text
from kploy.core.lease import (
    LEASES,
    RENEWED,
    TRUSTED,
    Lease,
    held,
    is_held_by,
    lease_of,
    may_take,
    released,
    renewed,
)
from kploy.engine.carrier import Broken, Inbox, StopRequested
from kploy.engine.process import is_proven_gone
from kploy.engine.watching import Sighted
from kploy.model.app import STATE_OF, App, state_name
from kploy.model.errors import KployError, LockLost, Refused
from kploy.model.events import Event, Noted
from kploy.model.holder import Holder
from kploy.model.objects import Body, ObjectRef
from kploy.model.report import Outcome

_READ_AGAIN = 15.0
"""After so many seconds a Lease is read again: something in between may keep its watch from telling."""


_LAST_WORDS = 10.0
"""For how many seconds it is tried to let go of a Lease; it runs out by itself."""


class LockHeld(Refused):
    """Another run holds the lock, and did not let go of it in time."""


class Interrupted(KployError):
    """The user wanted it to end while it waited."""

    outcome = Outcome.INTERRUPTED


def boottime() -> float:
    """Seconds on a clock that goes on while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Lock:
    """The lock of one app, for one run. ``inbox`` learns by Broken that it was lost.

    ``now`` is the clock on which a Lease runs out.
    """

    def __init__(
        self, cluster: Cluster, app: App, me: Holder, inbox: Inbox, now: Callable[[], float] = boottime
    ) -> None:
        self._cluster = cluster
        self._now = now
        self._app_id = app.id
        self._name = state_name(app.kployfile)
        self._namespace = app.kployfile.namespace
        self._me = me
        self._inbox = inbox
        self._lease: Lease | None = None
        self._sure_until = 0.0
        self._ended = threading.Event()
        self._renewing: threading.Thread | None = None

    def read(self, until: float = math.inf) -> Lease | None:
        """The Lease as it is; None if there is none. Nothing is asked again past ``until`` (monotonic)."""
        body = self._cluster.until(until).get(LEASES, self._namespace, self._name)
        return None if body is None else lease_of(body)

    def guard(self) -> None:
        """Return while this run may write. Raises LockLost as soon as others may have taken over."""
        if self._now() >= self._sure_until:
            raise LockLost("the lock of the app could not be kept", "see who holds it: kploy list; then run again")

    @property
    def is_held(self) -> bool:
        """Whether this run has taken it, and not let go of it."""
        return self._lease is not None

    def is_held_by_another(self, until: float) -> bool:
        """Whether somebody else deploys the app at the moment, as far as one look can tell.

        Nothing is asked again past ``until`` (monotonic).
        """
        lease = self.read(until)
        return lease is not None and not may_take(lease, 0.0, is_gone=_is_gone(lease, self._me))

    def take(self, until: float) -> Iterator[Event]:
        """Take the lock; wait for it until ``until``, on the clock ``time.monotonic``. Tells for whom it waits.

        Raises LockHeld when it is not free by then, Interrupted when the inbox asks for an end.
        """
        waiting = _Waiting(self._cluster, self._namespace, self._name, self._app_id, self._inbox, self._now)
        told = None
        try:
            while True:
                lease = self.read(until)
                patience = waiting.patience(lease, self._me)
                if patience <= 0:
                    if self._grab(lease, self._cluster.until(until)):
                        break
                    continue
                assert lease is not None and lease.holder is not None  # noqa: S101, PT018 - else it is free
                if told != lease.holder:
                    told = lease.holder
                    yield Noted(f"waiting for the lock, held by {told}")
                left = until - time.monotonic()
                if left <= 0:
                    raise LockHeld(
                        f"the app is being deployed by {lease.holder}",
                        "wait for it; if that run is gone for good: kploy unlock",
                    )
                waiting.wait(min(patience, left))
        finally:
            waiting.end()
        self._renewing = threading.Thread(target=self._renew, name="lock", daemon=True)
        self._renewing.start()

    def release(self) -> None:
        """Let others have the lock. Does nothing if it is lost; raises nothing: it runs out by itself."""
        self._stop_renewing()
        if self._lease is not None and self._now() < self._sure_until:
            with suppress(KployError):
                self._cluster.until(time.monotonic() + _LAST_WORDS).replace(LEASES, released(self._lease))
        self._lease, self._sure_until = None, 0.0

    def drop(self) -> None:
        """Delete the Lease itself, which this run holds: the last thing that is left of an app."""
        self._stop_renewing()
        lease = self.read()
        if lease is not None and is_held_by(lease, self._me):
            self.guard()
            self._cluster.delete(LEASES, self._namespace, self._name, uid=text(lease.body, "metadata", "uid"))
        self._lease, self._sure_until = None, 0.0

    def _stop_renewing(self) -> None:
        self._ended.set()
        if self._renewing is not None:
            # It may be waiting for a server that is gone.
            self._renewing.join(_LAST_WORDS)

    def _grab(self, lease: Lease | None, cluster: Cluster) -> bool:
        """Try to make the Lease ours. False when somebody was faster."""
        sent = self._now()
        body = held(self._name, self._namespace, self._app_id, self._me, time.time(), lease)
        try:
            answer = cluster.create(LEASES, body) if lease is None else cluster.replace(LEASES, body)
        except (AlreadyExists, Conflict, NotFound) as exc:
            if isinstance(exc, NotFound) and lease is None:
                raise  # It is the namespace that is not there.
            now = self.read()
            if now is None or not is_held_by(now, self._me):
                return False
            answer = now.body
        self._lease, self._sure_until = lease_of(answer), sent + TRUSTED
        return True

    def _renew(self) -> None:
        while not self._ended.wait(RENEWED):
            lease = self._lease
            assert lease is not None  # noqa: S101 - it is taken before this thread begins
            try:
                self._renew_once(lease)
            except LockLost as lost:
                self._sure_until = 0.0
                self._inbox.put(Broken(lost))
                return
            except ClusterError:
                # It may work the next time. Until then the guard watches the clock.
                continue

    def _renew_once(self, lease: Lease) -> None:
        sent = self._now()
        try:
            answer = self._cluster.replace(LEASES, renewed(lease, time.time()))
        except (Conflict, NotFound) as exc:
            now = self.read()
            if now is None or not is_held_by(now, self._me):
                by = f" by {now.holder}" if now and now.holder else ""
                raise LockLost(
                    f"the lock of the app was taken over{by}", "run again when that run has ended"
                ) from exc
            answer = now.body
        self._lease, self._sure_until = lease_of(answer), sent + TRUSTED


def _is_gone(lease: Lease, me: Holder) -> bool:
    return lease.holder is not None and is_proven_gone(lease.holder, me)


class _Waiting:
    """Waits for a Lease to change, or for the user's wish to end."""

    def __init__(
        self, cluster: Cluster, namespace: str, name: str, app_id: str, inbox: Inbox, now: Callable[[], float]
    ) -> None:
        self._cluster = cluster
        self._where = namespace, f"{STATE_OF}={app_id}"
        self._ref = ObjectRef(LEASES.group, LEASES.kind, namespace, name)
        self._inbox = inbox
        self._now = now
        self._seen: tuple[str, float] | None = None
        self._thread: threading.Thread | None = None
        self._ended = False
        self._putting = threading.Lock()

    def patience(self, lease: Lease | None, me: Holder) -> float:
        """For how many seconds at most the Lease still holds; 0 if it is free."""
        now = self._now()
        if lease is None or lease.holder is None:
            return 0.0
        if self._seen is None or self._seen[0] != lease.version:
            self._seen = lease.version, now
        unchanged_for = now - self._seen[1]
        if may_take(lease, unchanged_for, is_gone=_is_gone(lease, me)):
            return 0.0
        return lease.duration - unchanged_for

    def wait(self, seconds: float) -> None:
        """Wait until something happens to the Lease, and at most so long."""
        if self._thread is None and self._seen is not None:
            self._thread = threading.Thread(
                target=self._watch, args=(self._seen[0],), name="lock watch", daemon=True
            )
            self._thread.start()
        with suppress(Empty):
            match self._inbox.get(timeout=min(seconds, _READ_AGAIN)):
                case StopRequested():
                    raise Interrupted("interrupted while it waited for the lock; nothing was changed")
                case Broken(error):
                    raise error

    def end(self) -> None:
        """Put nothing into the inbox any more, and leave nothing of our own in it."""
        with self._putting:
            self._ended = True
            kept = []
            with suppress(Empty):
                while True:
                    kept.append(self._inbox.get_nowait())
            for message in kept:
                if not isinstance(message, Sighted):
                    self._inbox.put(message)

    def _watch(self, since: str) -> None:
        with suppress(ClusterError):
            for change in self._cluster.watch(LEASES, *self._where, since):
                if not self._tell(change.body):
                    return

    def _tell(self, body: Body) -> bool:
        with self._putting:
            if not self._ended:
                self._inbox.put(Sighted(self._ref, body))
            return not self._ended
