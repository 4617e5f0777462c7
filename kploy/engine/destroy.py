"""An app is taken out of its cluster: everything that its inventory lists, what needs others before these."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from kploy.cluster.port import Cluster
from kploy.core import ledger
from kploy.core.graph import Graph
from kploy.core.inventory import Inventory
from kploy.core.ledger import Entered
from kploy.core.removal import Parting, with_removals
from kploy.core.schema_store import minor_of
from kploy.engine.acquaint import Connect, opened
from kploy.engine.carrier import Inbox
from kploy.engine.check import named_in, outcome_of
from kploy.engine.compare import Comparison, changes_of
from kploy.engine.crew import Pool
from kploy.engine.departures import departures
from kploy.engine.deploy import Deploy, deploy
from kploy.engine.farewell import end_namespace, is_gone_by, is_made_for
from kploy.engine.homes import home_of, is_ending
from kploy.engine.journal import Journal
from kploy.engine.live import WORKERS
from kploy.engine.lock import Lock
from kploy.engine.permissions import may_remove
from kploy.engine.process import this_process
from kploy.engine.resources import Resources
from kploy.engine.store import Store, Stored, version_of
from kploy.model.app import App
from kploy.model.errors import Refused
from kploy.model.events import Checked, Event, Finished, Noted, Opened, Planned
from kploy.model.frozen import replace
from kploy.model.plan import Plan
from kploy.model.report import Outcome


def destroy(
    root: Path,
    connect: Connect,
    timeout: float,
    inbox: Inbox,
    ask: Callable[[Opened, Plan], None],
    *,
    everything: bool = False,
) -> Iterator[Event]:
    """Delete all objects of the app in ``root``, in the reverse of their order, and wait until they are gone.

    Only its Kployfile counts. ``ask`` is given what goes, and from where; what it raises ends it. No
    object is changed before Planned was told: who closes the iterator there has changed nothing. ``everything``:
    what holds data goes as well. The last event is Finished. Raises Refused when there is no such app.
    """
    app = yield from named_in(root)
    if app is None:
        return
    cluster = connect(app)
    version = cluster.until(time.monotonic() + timeout).version()
    opening = opened(app, cluster, version, minor_of(version))
    destruction = _Destruction(app, cluster, timeout, inbox, everything=everything)
    with closing(destruction), closing(destruction.events()) as events:
        for event in events:
            if isinstance(event, Planned):
                leaving = replace(opening, manifests=len(event.plan.changes), is_leaving=True)
                ask(leaving, event.plan)
                yield leaving
            yield event


class _Destruction:
    def __init__(self, app: App, cluster: Cluster, timeout: float, inbox: Inbox, *, everything: bool) -> None:
        self._app = app
        self._cluster = cluster
        self._timeout = timeout
        self._until = time.monotonic() + timeout
        self._inbox = inbox
        self._everything = everything
        self._lock = Lock(cluster, app, this_process("kploy destroy"), inbox)
        self._store = Store(cluster, app, self._lock.guard)

    def events(self) -> Generator[Event, None, None]:
        looking = self._cluster.until(self._until)
        namespace = home_of(self._app, looking)
        if is_ending(namespace):
            yield from self._waited_for_namespace()
            return
        if self._lock.is_held_by_another(self._until):
            yield from self._lock.take(self._until)
        stored = self._store.until(self._until).read()
        if stored is None and self._lock.read(self._until) is None and not is_made_for(self._app, namespace):
            raise Refused(*self._unknown())
        parting = self._parting(stored, looking)
        leaving = {each.entry.resource for each in parting.leaving}
        missing = may_remove(self._app, leaving, looking, all_of_it=True)
        if missing:
            yield Checked(missing, 0)
            yield Finished(outcome_of(missing))
            return
        yield Planned(Plan(tuple(changes_of(parting))))
        if not self._lock.is_held:
            yield from self._lock.take(self._until)
            if version_of(self._store.read()) != version_of(stored):
                raise Refused("the app was deployed by somebody else meanwhile", "look again, and then destroy it")
        yield from deploy(self._job(stored, parting), self._inbox)

    def close(self) -> None:
        self._lock.release()

    def _unknown(self) -> tuple[str, str]:
        name, namespace = self._app.kployfile.name, self._app.kployfile.namespace
        fact = f"there is no app {name} in namespace {namespace}: it has no inventory there"
        return fact, "if objects of it are left: kploy repair finds them by their label"

    def _waited_for_namespace(self) -> Iterator[Event]:
        name = self._app.kployfile.namespace
        yield Noted(f"namespace/{name} is being deleted already, and all that is in it")
        is_gone = is_gone_by(self._cluster, name, self._until)
        yield Finished(Outcome.DONE if is_gone else Outcome.TIMED_OUT)

    def _parting(self, stored: Stored | None, cluster: Cluster) -> Parting:
        inventory = stored.inventory if stored else Inventory(self._app.id)
        with Pool(WORKERS, thread_name_prefix="look") as pool:
            return departures(inventory, (), cluster, pool, everything=self._everything)

    def _job(self, stored: Stored | None, parting: Parting) -> Deploy:
        entered = Entered((), None, forgotten=ledger.forgotten(parting))
        return Deploy(
            self._app,
            with_removals(Graph(), parting.leaving),
            Comparison(Plan(()), (), {}, parting),
            self._cluster,
            Resources(self._cluster, ()),
            self._timeout,
            Journal(self._store, stored, Inventory(self._app.id), entered, self._end),
            self._lock.guard,
        )

    def _end(self) -> tuple[str, ...]:
        """Nothing is left of the app but what kploy kept of it: let that go, too."""
        self._store.drop_all()
        self._lock.drop()
        return end_namespace(self._app, self._cluster, self._until)
