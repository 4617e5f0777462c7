"""The lock of a run in the cluster of model_cluster, as engine.lock takes, keeps and drops it.

The rules are kploy's own (core.lease). There is one clock for all machines, that of the cluster.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from kploy.core.lease import TRUSTED, held, is_held_by, is_same_place, lease_of, may_take, released, renewed
from kploy.model.errors import LockLost
from kploy.model.holder import Holder

if TYPE_CHECKING:
    from .model_cluster import ModelCluster


class ModelLock:
    """The lock for one run, which is a process of ``machine``."""

    def __init__(self, cluster: ModelCluster, machine: str) -> None:
        self._cluster = cluster
        self._me = Holder(f"run-{cluster.tick()}", f"ada@{machine}", "kploy run", machine, "pids", 1, "1")
        self.taken_at = 0
        self._sure_until = 0.0
        self._seen: tuple[str, float] = "", 0.0
        cluster.living.add(self._me.identity)

    def is_somebodys(self) -> bool:
        """Whether anybody holds it, be it a run that was killed."""
        there = self._cluster.lease
        return there is not None and lease_of(there).holder is not None

    def is_held_by_another(self) -> bool:
        """Whether somebody is at work, as far as one look can tell."""
        there = self._cluster.lease
        return there is not None and not self._may_take(0.0)

    def take(self) -> Generator[None, None, None]:
        """Take it; every ``next`` looks whether it is free. Between a look and the writing others are at work."""
        while True:
            there = self._cluster.lease
            version = lease_of(there).version if there else ""
            if self._seen[0] != version:
                self._seen = version, self._cluster.now
            is_free = self._may_take(self._cluster.now - self._seen[1])
            yield
            if is_free:
                before = lease_of(there) if there else None
                name, app_id = "kploy-shop", self._cluster.app_id
                if self._cluster.write_lease(held(name, "shop", app_id, self._me, 0.0, before), version):
                    self.taken_at, self._sure_until = self._cluster.clock, self._cluster.now + TRUSTED
                    return

    @property
    def is_taken(self) -> bool:
        """Whether this run has taken it, and perhaps lost it since."""
        return self.taken_at > 0

    def guard(self) -> None:
        """Raises LockLost as soon as others may have taken over."""
        if self._cluster.now >= self._sure_until:
            raise LockLost("the lock of the app could not be kept")

    def renew(self) -> bool:
        """Renew it. False when it was taken over."""
        there = self._cluster.lease
        if there is None or not is_held_by(lease_of(there), self._me):
            self._sure_until = 0.0
            return False
        self._cluster.write_lease(renewed(lease_of(there), self._cluster.now), lease_of(there).version)
        self._sure_until = self._cluster.now + TRUSTED
        return True

    def end(self) -> None:
        """The process ends, and lets go of it as far as it can."""
        there = self._cluster.lease
        is_sure = self._cluster.now < self._sure_until
        if is_sure and there is not None and is_held_by(lease_of(there), self._me):
            self._cluster.write_lease(released(lease_of(there)), lease_of(there).version)
        self.die()

    def die(self) -> None:
        """The process is killed."""
        self._cluster.living.discard(self._me.identity)

    def drop(self) -> None:
        """Delete the Lease, as the last thing that is left of an app."""
        there = self._cluster.lease
        if there is not None and is_held_by(lease_of(there), self._me):
            self.guard()
            self._cluster.lease = None

    def _may_take(self, unchanged_for: float) -> bool:
        there = lease_of(self._cluster.lease) if self._cluster.lease else None
        holder = there.holder if there else None
        is_gone = (
            holder is not None and is_same_place(holder, self._me) and holder.identity not in self._cluster.living
        )
        return may_take(there, unchanged_for, is_gone=is_gone)
