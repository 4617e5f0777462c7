"""The lock of an app is taken away from whoever holds it."""

from __future__ import annotations

import time

from kploy.cluster.port import Cluster, Conflict, NotFound
from kploy.core.lease import LEASES, lease_of, released
from kploy.model.app import App, state_name
from kploy.model.errors import Refused
from kploy.model.holder import Holder


class Unlocking:
    """The lock as it was when this was made. ``holder`` is None when nobody holds it; ``age`` in seconds."""

    def __init__(self, app: App, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.version()
        body = cluster.get(LEASES, app.kployfile.namespace, state_name(app.kployfile))
        self._lease = None if body is None else lease_of(body)
        self.holder: Holder | None = self._lease.holder if self._lease else None
        self.age = max(0.0, time.time() - self._lease.renewed_at) if self._lease else 0.0

    def take_away(self) -> None:
        """Free the lock. Raises Refused if its holder has given a sign of life meanwhile."""
        if self._lease is None:
            return
        try:
            self._cluster.replace(LEASES, released(self._lease))
        except (Conflict, NotFound) as exc:
            fact = "the lock changed meanwhile: whoever holds it is alive, or has let go of it"
            raise Refused(fact, "look again: kploy unlock") from exc
