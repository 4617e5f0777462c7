"""An inventory that is lost or damaged is made anew from what the cluster has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kploy.cluster.port import Cluster
from kploy.core.bodies import entries, text
from kploy.core.inventory import Entry, Inventory, Phase
from kploy.engine.acquaint import Connect
from kploy.engine.carrier import Inbox
from kploy.engine.check import named_in
from kploy.engine.crew import Pool
from kploy.engine.live import WORKERS, ref_of, selection
from kploy.engine.lock import Lock
from kploy.engine.process import this_process
from kploy.engine.store import Store
from kploy.model.app import App
from kploy.model.errors import Refused
from kploy.model.events import Event, Finished, Noted, Planned
from kploy.model.history import Record
from kploy.model.objects import Body, Resource
from kploy.model.plan import Plan
from kploy.model.report import Outcome


def repair(root: Path, connect: Connect, timeout: float, inbox: Inbox) -> Iterator[Event]:
    """Write an inventory of all that carries the app's label and was applied in its name. Nothing else changes.

    Only the Kployfile in ``root`` counts. Revisions that are still kept can be
    gone back to; what came of them is not known any more. The last event is
    Finished. Raises Refused when nothing of the app is there, ClusterError when
    not every kind could be looked at: an inventory that lacks something is worse than none.
    """
    app = yield from named_in(root)
    if app is None:
        return
    cluster = connect(app)
    cluster.version()
    with closing(_Repair(app, cluster, inbox)) as repairing:
        yield from repairing.events(time.monotonic() + timeout)


class _Repair:
    def __init__(self, app: App, cluster: Cluster, inbox: Inbox) -> None:
        self._app = app
        self._cluster = cluster
        self._lock = Lock(cluster, app, this_process("kploy repair"), inbox)
        self._store = Store(cluster, app, self._lock.guard)

    def events(self, until: float) -> Iterator[Event]:
        found = self._entries()
        kept = self._store.revisions()
        if not found and not kept:
            name, namespace = self._app.kployfile.name, self._app.kployfile.namespace
            raise Refused(f"nothing in the cluster belongs to an app {name} in namespace {namespace}", "kploy run")
        # No object changes. But from here on something is written, and is not to be broken off.
        yield Planned(Plan(()))
        yield from self._lock.take(until)
        over, epoch = self._store.replaceable()
        records = tuple(Record(number, "", 0.0, "", "not known any more", "unknown") for number in kept)
        newest = max(kept, default=0)
        phase = Phase.FAILED  # so that the next run writes its own, whatever it changes
        self._store.write(Inventory(self._app.id, epoch + 1, phase, newest, found, records), over)
        for entry in found:
            yield Noted(f"{entry.ref} is listed")
        yield Noted(
            f"the inventory lists {len(found)} objects; kploy dryrun shows what a run would delete of them"
        )
        yield Finished(Outcome.DONE)

    def close(self) -> None:
        self._lock.release()

    def _entries(self) -> tuple[Entry, ...]:
        with Pool(WORKERS, thread_name_prefix="look") as pool:
            listed = pool.map(self._of_kind, self._cluster.kinds())
        return tuple(sorted((entry for entries in listed for entry in entries), key=lambda entry: entry.ref))

    def _of_kind(self, resource: Resource) -> list[Entry]:
        items = self._cluster.list(resource, *selection(self._app, resource)).items
        return [
            Entry(ref_of(resource, body), resource, text(body, "metadata", "uid"))
            for body in items
            if self._is_own(body)
        ]

    def _is_own(self, body: Body) -> bool:
        """Whether kploy made an object: others copy labels, as the controller of EndpointSlices does."""
        managers = entries(body, "metadata", "managedFields")
        return any(text(entry, "manager") == self._app.field_manager for entry in managers)
