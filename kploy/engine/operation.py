"""An app is brought about: locked, written down, deployed, pruned. ``run`` and ``rollback`` are this.

Nothing is locked or written for an app that is as it should be. For any other one
the comparison comes first, so that an app that cannot be deployed leaves no trace;
then the lock is taken, and if anybody has deployed the app meanwhile, it is compared
anew.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping

from kploy.cluster.port import AlreadyExists, Cluster
from kploy.core import ledger
from kploy.core.bodies import text
from kploy.core.inventory import Entry, Inventory
from kploy.core.ledger import Entered
from kploy.core.removal import with_removals
from kploy.core.revisions import digest_of, packed
from kploy.engine.asking import telling
from kploy.engine.carrier import Inbox
from kploy.engine.compare import Liberties
from kploy.engine.deploy import Deploy, deploy
from kploy.engine.farewell import NAMESPACES
from kploy.engine.journal import Journal
from kploy.engine.lock import Lock
from kploy.engine.ordering import order_of
from kploy.engine.process import this_process
from kploy.engine.reporting import Earlier
from kploy.engine.resources import Resources
from kploy.engine.revisions import good_before, last_good, stored_app
from kploy.engine.standing import Standing, Wanted, standing_of
from kploy.engine.store import Store, version_of
from kploy.model.app import MADE_FOR, App
from kploy.model.errors import Refused
from kploy.model.events import Event, Finished, Noted
from kploy.model.frozen import replace
from kploy.model.history import Record
from kploy.model.objects import Body, ObjectRef
from kploy.model.plan import Action
from kploy.model.report import Outcome


class Operation:
    """One run that brings about what is wanted. ``cause`` is what the history calls it.

    ``until`` is when it has to be through with looking and waiting, on the clock ``time.monotonic``;
    what it does then may take ``timeout`` seconds. ``follows_logs``: what new pods write is told.
    """

    def __init__(
        self,
        cluster: Cluster,
        app: App,
        inbox: Inbox,
        until: float,
        timeout: float,
        cause: str,
        *,
        follows_logs: bool = False,
    ) -> None:
        self._cluster = cluster
        self._app = app
        self._inbox = inbox
        self._timeout = timeout
        self._cause = cause
        self._follows_logs = follows_logs
        self.until = until
        self._liberties = Liberties()
        self._writes = False
        self._me = this_process(f"kploy {cause.split(maxsplit=1)[0]}")
        self._lock = Lock(cluster, app, self._me, inbox)

    def has_to_wait(self) -> bool:
        """Whether the lock is somebody's: of a run at this moment, or of one that was killed and left it."""
        lease = self._lock.read(self.until)
        return lease is not None and lease.holder is not None

    def wait(self) -> Iterator[Event]:
        """Wait until whoever deploys the app has ended, and then hold the lock. See Lock.take."""
        return self._lock.take(self.until)

    def carry_out(self, wanted: Wanted, found: Standing) -> Generator[Event, None, Standing | None]:
        """Bring it about. The last event is Finished, unless somebody else changed the app meanwhile.

        In that case nothing was done, and the new survey is returned, to be judged
        and carried out; the lock is held by then, so it cannot happen twice.
        When the inbox asks for the end already, nothing is written at all.
        """
        self._liberties = wanted.liberties
        record = self._record(wanted, found)
        if self._inbox.is_stopping or not _has_work(wanted, found, record):
            yield from self._deploy(wanted, found, record, None, {})
            return None
        made = {} if wanted.namespace_exists else self._make_namespace(wanted.app)
        if not self._lock.is_held:
            yield from self._lock.take(self.until)
            now = _store(wanted, self._lock.guard).until(self.until).read()
            if version_of(now) != version_of(found.stored):
                anew = replace(wanted, namespace_exists=True)
                return (yield from telling(wanted.cluster, lambda: standing_of(anew, self.until)))
        journal = self._journal(wanted, found, record)
        self._writes = True
        yield from self._deploy(wanted, found, record, journal, made)
        return None

    def undoing(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events; but if they end in failure, the last good revision is brought about before the end."""
        failure = None
        for event in events:
            if isinstance(event, Finished) and event.outcome in {Outcome.FAILED, Outcome.TIMED_OUT}:
                failure = event
            else:
                yield event
        if failure is not None:
            yield from self._go_back()
            yield replace(failure, good=None)

    def _go_back(self) -> Iterator[Event]:
        if not self._writes:
            yield Noted("this run changed nothing, so there is nothing to undo")
            return
        stored = Store(self._cluster, self._app, self._lock.guard).read()
        number = last_good(stored.inventory) if stored else None
        if number is None:
            yield Noted("there is no good revision to go back to: what was applied stays")
            return
        try:
            _, app = stored_app(self._app, self._cluster, number)
            graph = order_of(app, f"revision {number}")
        except Refused as error:
            yield Noted(f"{error.message}: what was applied stays")
            return
        yield Noted(f"it failed: going back to revision {number}")
        self._cause = f"rollback to {number}"
        resources = Resources(self._cluster, app.manifests)
        wanted = Wanted(app, graph, self._cluster, resources, True, liberties=self._liberties)
        outcome = Outcome.FAILED
        for event in self.carry_out(wanted, standing_of(wanted)):
            if isinstance(event, Finished):
                outcome = event.outcome
            else:
                yield event
        is_back = "is back" if outcome is Outcome.DONE else "could not be brought back: kploy list shows how it is"
        yield Noted(f"revision {number} {is_back}")

    def close(self) -> None:
        """Let go of the lock."""
        self._lock.release()

    def _deploy(
        self,
        wanted: Wanted,
        found: Standing,
        record: Record,
        journal: Journal | None,
        made: Mapping[ObjectRef, Body],
    ) -> Iterator[Event]:
        graph = with_removals(wanted.graph, found.comparison.parting.leaving)
        job = Deploy(
            wanted.app,
            graph,
            found.comparison,
            self._cluster,
            wanted.resources,
            self._timeout,
            journal,
            self._lock.guard if journal else _no_guard,
            made,
            _earlier(found.before, record.revision),
            self._follows_logs,
        )
        return deploy(job, self._inbox)

    def _record(self, wanted: Wanted, found: Standing) -> Record:
        digest = digest_of(wanted.app)
        number = ledger.number_of(found.before, digest)
        counts = Counter(str(change.action) for change in found.plan.changes)
        return Record(
            number, digest, time.time(), self._me.who, self._cause, "applying", tuple(sorted(counts.items()))
        )

    def _journal(self, wanted: Wanted, found: Standing, record: Record) -> Journal:
        pack = b"" if ledger.is_kept(found.before, record) else packed(wanted.app)
        forgotten = ledger.forgotten(found.comparison.parting)
        entered = Entered(_entries(wanted, found), record, pack, forgotten)
        return Journal(_store(wanted, self._lock.guard), found.stored, Inventory(wanted.app.id), entered)

    def _make_namespace(self, app: App) -> dict[ObjectRef, Body]:
        """Create the namespace, which the lock lives in. Empty if somebody else was faster: then it is theirs."""
        name = app.kployfile.namespace
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "annotations": {MADE_FOR: app.id}},
        }
        try:
            made = self._cluster.until(self.until).create(NAMESPACES, body)
        except AlreadyExists:
            return {}
        return {ObjectRef("", "Namespace", "", name): made}


def _has_work(wanted: Wanted, found: Standing, record: Record) -> bool:
    """Whether anything would be written: an object, the inventory, or the history."""
    parting = found.comparison.parting
    return found.plan.writes or ledger.has_work(found.before, _entries(wanted, found), parting, record.digest)


def _entries(wanted: Wanted, found: Standing) -> tuple[Entry, ...]:
    """What is wanted, with the UIDs of what is there and stays; without the namespace, which is not the app's."""
    replaced = {change.ref for change in found.plan.changes if change.action is Action.REPLACED}
    live = {ref: body for ref, body in found.comparison.live.items() if ref not in replaced}
    return tuple(
        Entry(manifest.ref, resource, _uid(live.get(manifest.ref)))
        for manifest in wanted.graph.manifests
        if not manifest.is_implied and (resource := wanted.resources.of(manifest.api_version, manifest.ref.kind))
    )


def _earlier(before: Inventory | None, revision: int) -> Earlier:
    """What was deployed before ``revision``."""
    records = [record for record in before.records if record.revision < revision] if before else []
    good = good_before(records, revision)
    # After a failure some pods may be of what failed.
    return Earlier(good, good if records and records[-1].is_good else None)


def _uid(live: Body | None) -> str:
    return text(live, "metadata", "uid")


def _store(wanted: Wanted, guard: Callable[[], None]) -> Store:
    return Store(wanted.cluster, wanted.app, guard)


def _no_guard() -> None:
    """Nothing is written that would need one."""
