"""A cluster of plain data, and runs in it that may be killed between any two of their requests.

All decisions are kploy's own (core.graph, core.ledger, core.removal, core.rollout and the rest); only
what carries them out is told anew here, in the order in which engine.run, engine.operation,
engine.destroy, engine.journal, engine.store and engine.carrier do it; model_lock has the lock. The
cluster knows the truth that kploy cannot know: which object somebody else has made.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from kploy.core import ledger, rollout
from kploy.core.desired import desired
from kploy.core.graph import Graph, graph_of
from kploy.core.inventory import Entry, Inventory, decoded, encoded
from kploy.core.kinds import builtin
from kploy.core.lease import RENEWED, lease_of
from kploy.core.ledger import Entered
from kploy.core.removal import Leaving, objection, parting, with_removals
from kploy.core.revisions import digest_of, packed, unpacked
from kploy.model.app import KEEP, LABEL, App, Manifest
from kploy.model.errors import LockLost
from kploy.model.history import Record
from kploy.model.objects import ObjectRef, Resource, State, Status, group_of, version_of
from kploy.model.plan import Action
from kploy.model.report import Outcome

from .model_lock import ModelLock

Body = dict[str, Any]

_SLOW = {"Deployment", "Job", "CustomResourceDefinition"}
"""Kinds whose objects take a while to become ready."""

PROTECTED = {"CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"}


@dataclass
class ModelCluster:
    """Objects by ref, what kploy keeps, and how many requests have changed anything."""

    app_id: str
    objects: dict[ObjectRef, Body] = field(default_factory=dict)
    root: tuple[str, dict[str, str]] | None = None
    revisions: dict[int, bytes] = field(default_factory=dict)
    lease: Body | None = None
    living: set[str] = field(default_factory=set)
    """Who holds a lock, or waits for it, and was not killed."""
    writes: int = 0
    clock: int = 0
    now: float = 0.0
    applied: set[str] = field(default_factory=set)
    """The UIDs of all objects that kploy made, or had a part in."""
    unready: set[str] = field(default_factory=set)
    refusing: set[ObjectRef] = field(default_factory=set)
    """What the server takes no object for."""
    foreign: dict[str, Body] = field(default_factory=dict)
    """By UID: what carries no label of ours, as its owner left it."""
    _read: tuple[tuple[str, dict[str, str]], Inventory] | None = None

    @property
    def inventory(self) -> Inventory | None:
        if self.root is None:
            return None
        if self._read is None or self._read[0] is not self.root:
            self._read = self.root, decoded(self.root[1], self.app_id)
        return self._read[1]

    @property
    def own(self) -> dict[ObjectRef, Body]:
        """What kploy made, and what says that it belongs to the app."""
        return {
            ref: body
            for ref, body in self.objects.items()
            if label_of(body) == self.app_id and uid_of(body) in self.applied
        }

    def tick(self) -> str:
        self.clock += 1
        return str(self.clock)

    # Requests of kploy.

    def apply(self, ref: ObjectRef, body: Body) -> Body:
        self.writes += 1
        metadata = body["metadata"]
        there = self.objects.get(ref)
        before = there["metadata"] if there else {"uid": f"uid-{self.tick()}"}
        manager = {"manager": f"kploy-{self.app_id}", "operation": "Apply"}
        now = {**copy.deepcopy(body), "metadata": {**before, **metadata}}
        others = [each for each in before.get("managedFields", ()) if each != manager]
        now["metadata"] |= {"resourceVersion": self.tick(), "managedFields": [*others, manager]}
        self.objects[ref] = now
        self.applied.add(uid_of(now))
        if ref.kind in _SLOW:
            self.unready.add(uid_of(now))
        return now

    def delete(self, ref: ObjectRef, uid: str, version: str) -> bool | None:
        """Whether the object is gone at once; None if it is not the one that is meant."""
        body = self.objects.get(ref)
        if body is None:
            return True
        if (uid_of(body), body["metadata"]["resourceVersion"]) != (uid, version):
            return None
        self.writes += 1
        if body["metadata"].get("finalizers"):
            body["metadata"] |= {"deletionTimestamp": "now", "resourceVersion": self.tick()}
            return False
        del self.objects[ref]
        return True

    def write_root(self, inventory: Inventory, over: str | None) -> str | None:
        """The version of the new root; None if there is another one than ``over``."""
        if (self.root[0] if self.root else None) != over:
            return None
        self.writes += 1
        version = self.tick()
        self.root = version, encoded(inventory)
        return version

    def write_lease(self, body: Body, over: str) -> bool:
        """Whether the Lease was of the version ``over``, "" for none, and is ``body`` now."""
        if (lease_of(self.lease).version if self.lease else "") != over:
            return False
        self.writes += 1
        self.lease = {**body, "metadata": {**body["metadata"], "resourceVersion": self.tick()}}
        return True

    # What happens by itself, and what others do.

    def work(self) -> None:
        """Controllers do what they have to."""
        self.unready.clear()
        for ref, body in list(self.objects.items()):
            if body["metadata"].get("deletionTimestamp"):
                del self.objects[ref]

    def remove(self, ref: ObjectRef) -> None:
        self.objects.pop(ref, None)

    def make(self, ref: ObjectRef, manifest: Manifest, *, is_labelled: bool) -> None:
        """Somebody else makes an object, under a UID of its own."""
        body = {**copy.deepcopy(dict(manifest.body)), "data": {"by": "somebody else"}}
        labels = {LABEL: self.app_id} if is_labelled else {}
        manager = {"manager": "kubectl-create", "operation": "Update"}
        uid, version = f"uid-{self.tick()}", self.tick()
        metadata = {**body["metadata"], "uid": uid, "resourceVersion": version, "labels": labels}
        self.objects[ref] = {**body, "metadata": {**metadata, "managedFields": [manager]}}
        if not is_labelled:
            self._note(ref)

    def unlabel(self, ref: ObjectRef) -> None:
        self._edit(ref, labels={})
        self._note(ref)

    def edit(self, ref: ObjectRef) -> None:
        self.objects[ref]["data"] = {"edited": self.tick()}
        self._edit(ref)
        if label_of(self.objects[ref]) != self.app_id:
            self._note(ref)

    def hold(self, ref: ObjectRef) -> None:
        self._edit(ref, finalizers=["example.com/wait"])
        if label_of(self.objects[ref]) != self.app_id:
            self._note(ref)

    def _edit(self, ref: ObjectRef, **metadata: Any) -> None:
        self.objects[ref]["metadata"] |= {**metadata, "resourceVersion": self.tick()}

    def _note(self, ref: ObjectRef) -> None:
        self.foreign[uid_of(self.objects[ref])] = copy.deepcopy(self.objects[ref])


_Request = Generator[None, None, list[rollout.Observation]]
"""Every ``next`` is one request that changes something; a run may be killed before each."""

_TIMEOUT = 1000.0


@dataclass(eq=False)
class _Pending:
    """What is under way, and what is seen instead if the lock is lost before it is done."""

    request: _Request
    if_lost: Callable[[], list[rollout.Observation]] = list


class ModelRun:
    """One run of ``app``, or a destroy for None. It waits for ``advance`` before every request."""

    def __init__(
        self,
        cluster: ModelCluster,
        app: App | None,
        cause: str = "run",
        *,
        everything: bool = False,
        machine: str = "laptop",
    ) -> None:
        self.cluster = cluster
        self.app = app
        self.everything = everything
        self.outcome: Outcome | None = None
        self.now = 0.0
        self.pending: list[_Pending] = []
        self.to_apply: set[ObjectRef] = set()
        self.lock = ModelLock(cluster, machine)
        self._cause = cause
        self.has_begun = False
        self.is_killed = False
        manifests = app.manifests if app else ()
        self.wanted = {manifest.ref: manifest for manifest in manifests}
        self._state = rollout.start(Graph(), _TIMEOUT)
        if self.lock.is_somebodys() if app else self.lock.is_held_by_another():
            self.pending.append(_Pending(self._wait_and_look()))
        elif self._finds_work():
            self.pending.append(_Pending(self._lock_and_look_again()))

    def _finds_work(self) -> bool:
        """Compare what is wanted with what there is. It ends with that where nothing is to be done, or may be."""
        app, before = self.app, self.cluster.inventory
        self._stored = self.cluster.root
        self._compare(before, app)
        is_unknown = app is None and before is None and self.cluster.lease is None
        if is_unknown or any(label_of(body) != self.cluster.app_id for body in self._live.values()):
            self._end(Outcome.REFUSED)
            return False
        digest = digest_of(app) if app else ""
        entries = tuple(Entry(ref, resource_of(each), self._live_uid(ref)) for ref, each in self.wanted.items())
        if app and not self._writes and not ledger.has_work(before, entries, self._parting, digest):
            self._end(Outcome.DONE)
            return False
        record = None
        if app:
            record = Record(ledger.number_of(before, digest), digest, 0.0, "ada@laptop", self._cause, "applying")
        pack = packed(app) if app and record and not ledger.is_kept(before, record) else b""
        self._entered = Entered(entries, record, pack, ledger.forgotten(self._parting))
        self._inventory = before or Inventory(self.cluster.app_id)
        graph = with_removals(graph_of(app.manifests if app else ())[0], self._parting.leaving)
        self._state = rollout.start(graph, _TIMEOUT, is_recorded=True)
        self._uids: dict[ObjectRef, str] = {}
        return True

    def _compare(self, before: Inventory | None, app: App | None) -> None:
        self._bodies = {ref: desired(app, each) for ref, each in self.wanted.items()} if app else {}
        self._live = {ref: copy.deepcopy(self.cluster.objects[ref]) for ref in self.wanted if self._is_there(ref)}
        self._unchanged = {ref for ref, body in self._live.items() if is_as_wanted(self._bodies[ref], body)}
        unwanted = [entry for entry in before.entries if entry.ref not in self.wanted] if before else []
        live = {entry.ref: copy.deepcopy(self.cluster.objects.get(entry.ref)) for entry in unwanted}
        self._parting = parting(unwanted, live, self.cluster.app_id, everything=self.everything)
        self._writes = bool(self._parting.leaving) or self._unchanged != set(self.wanted)
        self.to_apply = set(self.wanted) - self._unchanged

    def _is_there(self, ref: ObjectRef) -> bool:
        return ref in self.cluster.objects

    def _live_uid(self, ref: ObjectRef) -> str:
        return uid_of(self._live[ref]) if ref in self._live else ""

    # What the machine does with it.

    def advance(self, index: int) -> None:
        """Let one request that is under way change something."""
        pending = self.pending[index % len(self.pending)]
        try:
            next(pending.request)
        except StopIteration as end:
            seen = end.value
        except LockLost:
            seen = pending.if_lost()
        else:
            return
        self.pending.remove(pending)
        for observation in seen:
            self._observe(observation)

    def look(self) -> None:
        """See how everything is that is waited for."""
        for node, item in enumerate(self._state.items):
            if item.phase is rollout.Phase.WAITING:
                self._observe(rollout.Seen(node, self._status(node), self.now))

    def interrupt(self) -> None:
        self._stop(Outcome.INTERRUPTED, rollout.Interrupted(self.now))

    def time_out(self) -> None:
        self.now += _TIMEOUT
        self._stop(Outcome.REFUSED, rollout.Ticked(self.now))

    def _stop(self, outcome: Outcome, observation: rollout.Observation) -> None:
        if self.has_begun:
            self._observe(observation)
        else:
            self.pending.clear()
            self._end(outcome)

    @property
    def is_under_way(self) -> bool:
        return self.outcome is None and not self.is_killed

    @property
    def is_waiting(self) -> bool:
        """Whether it has not got the lock yet."""
        return self.is_under_way and not self.lock.is_taken

    def renew(self) -> None:
        """Some seconds have passed: who has taken the lock renews it."""
        if self.is_under_way and self.lock.is_taken and not self.lock.renew() and self.has_begun:
            self._observe(rollout.Lost(Outcome.REFUSED, "the lock was taken over", self.now))

    def kill(self) -> None:
        self.is_killed = True
        self.lock.die()

    def finish(self) -> Outcome:
        """Go on to the end, alone, with controllers that work."""
        while self.outcome is None:
            self.go_on()
            if self.is_waiting:
                self.cluster.now += RENEWED
        return self.outcome

    def go_on(self, index: int = 0) -> None:
        """Let one of the requests be answered, else the controllers work."""
        if self.pending:
            self.advance(index)
        else:
            self.cluster.work()
            self.look()

    # How it is carried out.

    def _observe(self, observation: rollout.Observation) -> None:
        self._state, actions = rollout.step(self._state, observation)
        for action in actions:
            match action:
                case rollout.Apply(node):
                    self._send(node, self._apply(node))
                case rollout.Delete(node):
                    self._send(node, self._delete(node))
                case rollout.SaveAhead():
                    self._write(self._save_ahead())
                case rollout.SaveAfter(outcome, gone):
                    self._write(self._save_after(outcome, gone))
        if self._state.is_finished and self.outcome is None:
            assert not self.pending
            self._end(rollout.outcome_of(self._state))

    def _send(self, node: int, request: _Request) -> None:
        lost = rollout.Lost(Outcome.REFUSED, "the lock is lost", self.now)
        self.pending.append(_Pending(request, lambda: [lost, rollout.Withheld(node, self.now)]))

    def _write(self, request: _Request) -> None:
        not_saved = rollout.NotSaved(Outcome.REFUSED, "the lock is lost", self.now)
        self.pending.append(_Pending(request, lambda: [not_saved]))

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.lock.end()

    def _wait_and_look(self) -> _Request:
        yield from self.lock.take()
        yield
        return self._begun() if self._finds_work() else []

    def _lock_and_look_again(self) -> _Request:
        yield from self.lock.take()
        yield
        if self.cluster.root != self._stored and self.app is None:
            self._end(Outcome.REFUSED)
        if self.cluster.root == self._stored or (self.app and self._finds_work()):
            return self._begun()
        return []

    def _begun(self) -> list[rollout.Observation]:
        self.has_begun = True
        return [rollout.Began(self.now)]

    def _save_ahead(self) -> _Request:
        record, pack = self._entered.record, self._entered.pack
        if record is not None and pack and self.cluster.revisions.get(record.revision) != pack:
            self.lock.guard()
            if self.cluster.revisions.pop(record.revision, None):
                yield
                self.lock.guard()
            self.cluster.revisions[record.revision] = pack
            yield
        return self._written(ledger.opened(self._inventory, self._entered))

    def _save_after(self, outcome: Outcome, gone: frozenset[ObjectRef]) -> _Request:
        opened = self._inventory
        closed = ledger.closed(opened, self._entered, outcome, self._uids, gone)
        if self.app is None and ledger.is_farewell(closed):
            said = self._written(ledger.parted(closed))
            if isinstance(said[0], rollout.Saved):
                yield
                yield from self._farewell()
            return said
        said = self._written(closed)
        if isinstance(said[0], rollout.Saved):
            for number in ledger.evicted(opened, closed, self.cluster.revisions.__contains__):
                yield
                self.lock.guard()
                del self.cluster.revisions[number]
        return said

    def _farewell(self) -> Generator[None, None, None]:
        for number in sorted(self.cluster.revisions):
            self.lock.guard()
            del self.cluster.revisions[number]
            yield
        self.lock.guard()
        self.cluster.root = None
        yield
        self.lock.drop()

    def _written(self, inventory: Inventory) -> list[rollout.Observation]:
        self.lock.guard()
        version = self.cluster.write_root(inventory, self._stored[0] if self._stored else None)
        if version is None:
            return [rollout.NotSaved(Outcome.REFUSED, "somebody changed the inventory", self.now)]
        self._stored, self._inventory = self.cluster.root, inventory
        return [rollout.Saved(self.now)]

    def _apply(self, node: int) -> _Request:
        ref = self._ref(node)
        if ref in self.cluster.refusing:
            self.to_apply.discard(ref)
            return [rollout.Rejected(node, "no", self.now)]
        change = Action.UNCHANGED
        if ref in self._unchanged:
            self._uids[ref] = self._live_uid(ref)
        else:
            self.lock.guard()
            self._uids[ref] = uid_of(self.cluster.apply(ref, self._bodies[ref]))
            change = Action.CONFIGURED
        self.to_apply.discard(ref)
        yield from ()
        return [rollout.Answered(node, change, self._status(node), self.now)]

    def _delete(self, node: int) -> _Request:
        leaving = self._leaving(node)
        ref, live = leaving.entry.ref, leaving.live
        while True:
            reason = objection(leaving.entry, live, self.cluster.app_id)
            if ref in self.cluster.refusing or reason:
                return [rollout.Rejected(node, reason or "no", self.now)]
            self.lock.guard()
            self._check_deletion(ref, live)
            is_gone = self.cluster.delete(ref, uid_of(live), live["metadata"]["resourceVersion"])
            if is_gone is not None:
                status = Status(State.NOT_FOUND if is_gone else State.TERMINATING)
                return [rollout.Answered(node, Action.PRUNED, status, self.now)]
            live = copy.deepcopy(self.cluster.objects[ref])
            yield

    def _check_deletion(self, ref: ObjectRef, live: Any) -> None:
        """I3: what is asked to be deleted is kploy's own, nobody wants it, and nothing protects it."""
        assert ref not in self.wanted, f"{ref} is wanted"
        assert uid_of(live) in self.cluster.applied, f"{ref} was made by somebody else"
        assert label_of(live) == self.cluster.app_id, f"{ref} has no label of ours"
        assert self.everything or ref.kind not in PROTECTED, f"{ref} is protected"
        assert not is_kept_by_wish(live), f"{ref} is to be kept"
        assert self._uids.keys() >= self.wanted.keys(), "not all that is wanted is there yet"
        assert self.cluster.unready.isdisjoint(self._uids.values()), "not all that is wanted is ready yet"

    def _status(self, node: int) -> Status:
        ref = self._ref(node)
        body = self.cluster.objects.get(ref)
        if self._state.graph.nodes[node].leaving is not None:
            is_gone = body is None or uid_of(body) != uid_of(self._leaving(node).live)
            return Status(State.NOT_FOUND if is_gone else State.TERMINATING)
        if body is None or uid_of(body) != self._uids[ref]:
            return Status(State.NOT_FOUND)
        if body["metadata"].get("deletionTimestamp"):
            return Status(State.TERMINATING)
        return Status(State.IN_PROGRESS if uid_of(body) in self.cluster.unready else State.CURRENT)

    def _leaving(self, node: int) -> Leaving:
        ref = self._ref(node)
        return next(each for each in self._parting.leaving if each.entry.ref == ref)

    def _ref(self, node: int) -> ObjectRef:
        ref = self._state.graph.nodes[node].ref
        assert ref is not None
        return ref


@cache
def stored_app(pack: bytes, number: int) -> App:
    """The app of a stored revision."""
    return unpacked(pack, number)


@cache
def stored_digest(pack: bytes, number: int) -> str:
    """What a stored revision says that it is."""
    return digest_of(replace(stored_app(pack, number), root=""))


def is_as_wanted(wanted: Body, live: Body) -> bool:
    """Whether an apply would change nothing."""
    metadata = wanted["metadata"]
    same = all(live["metadata"].get(key) == value for key, value in metadata.items())
    managers = [each["manager"] for each in live["metadata"]["managedFields"]]
    is_ours = f"kploy-{metadata['labels'][LABEL]}" in managers
    return same and is_ours and all(live.get(key) == value for key, value in wanted.items() if key != "metadata")


def resource_of(manifest: Manifest) -> Resource:
    api_version, kind = manifest.api_version, manifest.ref.kind
    custom = Resource(group_of(api_version), version_of(api_version), kind, f"{kind.lower()}s", namespaced=True)
    return builtin(api_version, kind) or custom


def uid_of(body: Any) -> str:
    return str(body["metadata"]["uid"])


def label_of(body: Any) -> str:
    return str(body["metadata"].get("labels", {}).get(LABEL, ""))


def is_kept_by_wish(body: Any) -> bool:
    return any(body["metadata"].get(place, {}).get(KEEP) == "true" for place in ("annotations", "labels"))


def stays(ref: ObjectRef, body: Any, *, everything: bool = False) -> bool:
    """Whether an object that nobody wants is to be left where it is."""
    return is_kept_by_wish(body) or (ref.kind in PROTECTED and not everything)
