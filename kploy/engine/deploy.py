"""The deploy: does what the state machine says, and tells it what came of it.

One thread decides, the one that reads the events. See core.rollout for the
decisions and engine.carrier for the threads that only carry.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field
from functools import partial
from queue import Empty
from typing import assert_never

from kploy.cluster.port import Cluster, Forbidden, Unauthenticated, Unreachable
from kploy.core import rollout
from kploy.core.graph import Graph
from kploy.core.quoting import quotable
from kploy.core.removal import Leaving
from kploy.engine.carrier import (
    Broken,
    Carrier,
    First,
    Inbox,
    Message,
    NotReplaced,
    NotSent,
    NotTaken,
    Outgoing,
    Removed,
    StopRequested,
    Taken,
    Troubled,
    Written,
)
from kploy.engine.compare import Comparison
from kploy.engine.crew import Pool
from kploy.engine.following import Following, Wrote
from kploy.engine.journal import Journal
from kploy.engine.live import related_objects
from kploy.engine.logs import Heard, LogReader
from kploy.engine.lookout import REPLACED, Lookout, Told
from kploy.engine.reasons import Reasons, can_wait
from kploy.engine.related import PODS, RELATIONS, Kind, Relation, relations_of
from kploy.engine.reporting import Earlier, Reporting
from kploy.engine.resources import Resources
from kploy.engine.watching import Listed, Sighted, Unheard
from kploy.model.app import App
from kploy.model.errors import KployError
from kploy.model.events import Event, Failed, Finished, Noted, Ready, Unfinished
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body, ObjectRef, State, Status, group_of
from kploy.model.plan import Action
from kploy.model.report import Outcome

_LOOK_AGAIN = 2.0
"""After so many seconds everything that is waited for is judged again: some statuses change with time alone."""

_GATHERING = 0.1
"""For so many seconds what pods tell of their workload is gathered, which is then judged once for all of it."""

_GRACE = 2.0
"""For so many seconds a failure is not told yet, if what may explain it was not looked at."""

_LAST_WORDS = 10.0
"""For how many seconds at the end it is tried to write down how it ended: the server may be gone."""


@dataclass(frozen=True, slots=True)
class Deploy:
    """Everything a deploy needs: what is wanted, what is there, and where to. ``timeout`` in seconds.

    ``journal`` and ``lock`` are None for one that will write nothing. ``made`` has what
    was created already, as the server has it, because the lock and the journal need it: the namespace.
    ``earlier`` says what it is that older pods run, and what a rollback would bring.
    ``follows_logs``: what the pods that it makes write is told.
    """

    app: App
    graph: Graph
    comparison: Comparison
    cluster: Cluster
    resources: Resources
    timeout: float
    journal: Journal | None = None
    guard: Callable[[], None] = lambda: None
    made: Mapping[ObjectRef, Body] = field(default_factory=dict)
    earlier: Earlier = Earlier()
    follows_logs: bool = False


def deploy(job: Deploy, inbox: Inbox) -> Iterator[Event]:
    """Apply what differs, in order, and wait until everything is ready; the last event is Finished.

    Objects that are as they should be get no request. ``inbox.stop()`` lets
    nothing new start and ends the deploy once the requests under way are
    answered. Raises whatever makes it impossible to go on.
    """
    carrier = Carrier(job.app, job.cluster, job.resources, inbox, job.guard)
    try:
        yield from _Run(job, carrier, inbox).events()
    finally:
        carrier.close()


class _Run:
    """One deploy on its way."""

    def __init__(self, job: Deploy, carrier: Carrier, inbox: Inbox) -> None:
        self._job = job
        self._carrier = carrier
        self._inbox = inbox
        rules = job.app.kployfile.readiness
        self._lookout = Lookout(job.graph, job.comparison.live, time.time, rules)
        self._state = rollout.start(job.graph, job.timeout, is_recorded=job.journal is not None)
        self._nodes = {node.ref: index for index, node in enumerate(job.graph.nodes) if node.ref is not None}
        self._unchanged = {
            change.ref for change in job.comparison.plan.changes if change.action is Action.UNCHANGED
        }
        self._replaced = {change.ref for change in job.comparison.plan.changes if change.action is Action.REPLACED}
        self._leaving = {leaving.entry.ref: leaving for leaving in job.comparison.parting.leaving}
        self._unsent: deque[tuple[int, Action, Body]] = deque()
        self._notes: deque[Event] = deque()
        self._next_look = time.monotonic() + _LOOK_AGAIN
        self._touched: set[ObjectRef] = set()
        self._gathers_until = math.inf
        self._early: dict[ObjectRef, float] = {}
        self._reasons = Reasons(carrier, self._lookout.is_known)
        reader = LogReader(job.cluster, job.app.kployfile.namespace, inbox.put)
        self._reporting = Reporting(job.app, job.graph, self._lookout, reader, inbox, job.earlier)

    def events(self) -> Iterator[Event]:
        self._look_around()
        if self._job.follows_logs:
            yield from self._follow_logs()
        if self._inbox.is_stopping:
            self._carrier.withhold()
        now = time.monotonic()
        self._carrier.begin(now + self._job.timeout)
        yield from self._take(rollout.Began(now))
        while not self._state.is_finished:
            for observation in self._observe():
                yield from self._take(observation)
            while self._notes:
                yield self._notes.popleft()

    def _look_around(self) -> None:
        """See what tells about objects that are there already; about new ones their watches will tell."""
        relations = relations_of((ref.group, ref.kind) for ref in self._job.comparison.live)
        with Pool(len(RELATIONS), thread_name_prefix="look") as pool:
            found = pool.map(partial(related_objects, self._job.cluster, self._job.app), relations)
            for relation, bodies in zip(relations, found, strict=True):
                self._lookout.related_listed(relation, bodies)

    def _follow_logs(self) -> Iterator[Event]:
        """Follow what the pods write that are not there yet."""
        cluster, app = self._job.cluster, self._job.app
        try:
            pods = related_objects(cluster, app, PODS)
        except Forbidden as error:
            yield Noted(f"no logs are followed: {error.message}")
            return
        self._reporting.follow(Following(cluster, app.kployfile.namespace, self._inbox.put, pods.values()))
        self._reasons.watch([PODS])

    def _observe(self) -> Iterable[rollout.Observation]:
        """The next thing that happens; the deadline is one, too.

        What needs no request takes turns with what arrives: to judge a thousand objects that
        stay as they are takes a while, and what hangs on an answer shall not wait for it.
        """
        if self._unsent:
            return [*self._arrived(), *self._answered(*self._unsent.popleft(), time.monotonic())]
        try:
            patience = self._patience()
            if patience is None or patience > 0:
                return self._understood(self._inbox.get(timeout=patience))
        except Empty:
            pass
        return self._due(time.monotonic())

    def _arrived(self) -> list[rollout.Observation]:
        """What has happened already, if anything has."""
        try:
            return self._understood(self._inbox.get_nowait())
        except Empty:
            return []

    def _patience(self) -> float | None:
        """For how many seconds one may wait for news; None for ever, until the last requests are answered."""
        if self._state.ending:
            return None
        next_step = min(self._state.deadline, self._next_look, self._reasons.next_look, self._gathers_until)
        return next_step - time.monotonic()

    def _due(self, now: float) -> list[rollout.Observation]:
        """What time alone makes necessary."""
        if now >= min(self._state.deadline, self._next_look):
            return self._looked_again(now)
        if now >= self._reasons.next_look:
            self._explain(self._waiting(), now)
            return []
        return self._gathered(now)

    def _gathered(self, now: float) -> list[rollout.Observation]:
        """How those are of which pods and events have told something."""
        touched, self._touched, self._gathers_until = self._touched, set(), math.inf
        return self._seen(self._lookout.judged(touched), now)

    def _looked_again(self, now: float) -> list[rollout.Observation]:
        """How everything is with the time that passed, and whether that was all the time there is."""
        waiting = self._waiting()
        self._next_look = now + _LOOK_AGAIN
        kinds = {(ref.group, ref.kind) for ref in waiting}
        self._carrier.look_again(kinds)
        seen = self._seen(self._lookout.judged(waiting), now)
        self._explain(waiting, time.monotonic())
        if now >= self._state.deadline:
            self._carrier.withhold()
        return [*seen, rollout.Ticked(now)]

    def _explain(self, waiting: Iterable[ObjectRef], now: float) -> None:
        """Look for the reasons of what takes long."""
        since: dict[Kind, float] = {}
        for ref in waiting:
            kind, applied_at = (ref.group, ref.kind), self._state.items[self._nodes[ref]].applied_at
            since[kind] = min(applied_at, since.get(kind, applied_at))
        self._reasons.look(since, self._state.deadline, now)

    def _waiting(self) -> list[ObjectRef]:
        return [ref for ref, node in self._nodes.items() if self._state.items[node].phase is rollout.Phase.WAITING]

    def _understood(self, message: Message) -> list[rollout.Observation]:
        now = time.monotonic()
        match message:
            case Sighted() | Listed() | Unheard() | Troubled():
                return self._seen(self._told(message), now)
            case Heard() | Wrote():
                self._notes.append(self._reporting.said(message, now - self._state.began_at))
                return []
            case StopRequested():
                self._carrier.withhold()
                return [rollout.Interrupted(now)]
            case NotReplaced(node, error):
                status = Status(State.FAILED, f"a pod of the old template could not be deleted: {error.message}")
                return [*self._lost_with(error, now), rollout.Seen(node, status, now)]
            case Broken(KployError() as error):
                self._carrier.withhold()
                return [rollout.Lost(error.outcome, _with_remedy(error), now)]
            case Broken(error):
                raise error
            case _:
                return self._carried_out(message, now)

    def _carried_out(self, message: Outgoing, now: float) -> list[rollout.Observation]:
        """What came of something that was sent."""
        match message:
            case Taken(node, action, body):
                if self._job.graph.nodes[node].ref in self._job.made:
                    action = Action.CREATED
                return self._answered(node, action, body, now)
            case Removed(node, is_gone, left):
                leaving = self._leaving_at(node)
                status = self._lookout.leaving(leaving.entry.ref, left or leaving.live, is_gone=is_gone)
                return [rollout.Answered(node, Action.PRUNED, status, now)]
            case NotSent(node):
                return [rollout.Withheld(node, now)]
            case NotTaken(node, error):
                return [
                    *self._lost_with(error, now),
                    rollout.Rejected(node, self._quotable(node, error.message), now, error.hint),
                ]
            case Written(None, notes):
                return [rollout.Saved(now, notes)]
            case Written(error):
                assert error is not None  # noqa: S101 - the case before
                return [rollout.NotSaved(error.outcome, _with_remedy(error), now)]
            case _:
                assert_never(message)

    def _lost_with(self, error: KployError, now: float) -> list[rollout.Observation]:
        """Who gets no answer for one object, or is not let in, gets none for any other; the object tells why."""
        if not isinstance(error, Unreachable | Unauthenticated):
            return []
        self._carrier.withhold()
        return [rollout.Lost(error.outcome, "", now)]

    def _answered(self, node: int, action: Action, body: Body, now: float) -> list[rollout.Observation]:
        """A node's object was taken: that tells about others, too."""
        ref = self._job.graph.nodes[node].ref
        assert ref is not None  # noqa: S101 - only manifests are applied
        status = self._in_time(ref, self._lookout.applied(ref, body, is_untouched=action is Action.UNCHANGED), now)
        return [rollout.Answered(node, action, status, now), *self._seen(self._lookout.backed_by(ref), now)]

    def _told(self, message: Sighted | Listed | Unheard | Troubled) -> tuple[Told, ...]:
        match message:
            case Sighted(ref, body, is_gone, Relation() as relation):
                return self._told_beside(relation, ref, body, is_gone=is_gone)
            case Sighted(ref, body, is_gone):
                return self._lookout.gone(ref, body) if is_gone else self._lookout.seen(ref, body)
            case Listed(_, bodies, _, Relation() as relation):
                return self._listed_beside(relation, bodies)
            case Listed(resource, bodies, version):
                return self._lookout.listed((resource.group, resource.kind), bodies, version)
            case Unheard(relation, for_good):
                self._do_without(relation, for_good=for_good)
                return ()
            case Troubled():
                self._notes.append(Noted(message.text))
                return ()
            case _:
                assert_never(message)

    def _told_beside(self, relation: Relation, ref: ObjectRef, body: Body, *, is_gone: bool) -> tuple[Told, ...]:
        touched = self._lookout.related_seen(relation, ref, body, is_gone=is_gone)
        self._heed(relation, {ref: body})
        if relation.are_many:
            self._gather(touched, time.monotonic() + _GATHERING)
            return ()
        return self._lookout.judged(touched)

    def _listed_beside(self, relation: Relation, bodies: Mapping[ObjectRef, Body]) -> tuple[Told, ...]:
        told = self._lookout.related_listed(relation, bodies, is_followed=True)
        self._heed(relation, bodies)
        return told

    def _heed(self, relation: Relation, bodies: Mapping[ObjectRef, Body]) -> None:
        """What the lookout was told of a relation matters beyond statuses: pods have logs, and warnings warn."""
        if relation is PODS:
            self._notes += self._reporting.pods_seen(bodies.items())
        if bodies:
            self._reasons.beware(relation, time.monotonic())

    def _do_without(self, relation: Relation, *, for_good: bool) -> None:
        """A relation is not heard: nobody waits for its warnings, and no failure for what it will never tell."""
        self._reasons.beware(relation, time.monotonic())
        if for_good:
            if self._reasons.do_without(relation):
                where = f"{relation.resource.plural} in namespace {self._job.app.kployfile.namespace}"
                told = "why something is not ready cannot be told in full"
                self._notes.append(Noted(f"{told}: you may not list {where}"))
            self._gather(self._early.keys(), time.monotonic())

    def _gather(self, touched: AbstractSet[ObjectRef], until: float) -> None:
        """Judge these at ``until``, or with others before: what has a thousand pods would be judged as often."""
        if touched:
            self._gathers_until = min(self._gathers_until, until)
            self._touched.update(touched)

    def _seen(self, told: Iterable[Told], now: float) -> list[rollout.Observation]:
        known = [(ref, status) for ref, status in told if ref in self._nodes]
        return [rollout.Seen(self._nodes[ref], self._in_time(ref, status, now), now) for ref, status in known]

    def _in_time(self, ref: ObjectRef, status: Status, now: float) -> Status:
        """``status``, but no failure before there was a moment to see why: it is told once, and then whole."""
        if status.state is not State.FAILED or status is REPLACED:
            return status
        if self._reasons.ask_for((ref.group, ref.kind)):
            return status
        until = min(self._early.setdefault(ref, now + _GRACE), self._state.deadline)
        if now >= until:
            return status
        self._gather({ref}, until)
        return replace(status, state=State.IN_PROGRESS)

    def _leaving_at(self, node: int) -> Leaving:
        ref = self._job.graph.nodes[node].ref
        assert ref is not None  # noqa: S101 - a barrier never goes
        return self._leaving[ref]

    @property
    def _journal(self) -> Journal:
        assert self._job.journal is not None  # noqa: S101 - only what is recorded is saved
        return self._job.journal

    def _quotable(self, node: int, message: str) -> str:
        manifest = self._job.graph.nodes[node].manifest
        return message if manifest is None else quotable(manifest.body, message)

    def _take(self, observation: rollout.Observation) -> Iterator[Event]:
        self._state, actions = rollout.step(self._state, observation)
        if isinstance(observation, rollout.Answered | rollout.Seen):
            self._roll(observation.node)
        for action in actions:
            if isinstance(action, rollout.Tell):
                yield from self._completed(action.event)
            else:
                self._do(action)

    def _roll(self, node: int) -> None:
        """Replace pods of an older template, as far as it is their turn, while their controller is waited for."""
        ref = self._job.graph.nodes[node].ref
        if ref is not None and self._state.items[node].phase is rollout.Phase.WAITING:
            for pod in self._lookout.outdated(ref):
                self._carrier.replace_pod(node, pod)

    def _do(self, action: rollout.Deed) -> None:
        match action:
            case rollout.Apply(node):
                self._apply(node)
            case rollout.Delete(node):
                self._carrier.delete(node, self._leaving_at(node))
            case rollout.SaveAhead():
                self._carrier.write(self._journal.ahead)
            case rollout.SaveAfter(outcome, gone):
                until = _LAST_WORDS + (time.monotonic() if self._state.ending else self._state.deadline)
                self._carrier.write(partial(self._journal.after, outcome, self._lookout.uids, gone, until))
            case rollout.Watch(api_version, kind):
                self._watch(api_version, kind)
            case _:
                assert_never(action)

    def _watch(self, api_version: str, kind: str) -> None:
        """Watch what objects of a kind cannot be judged without, and these themselves unless that can wait."""
        known = group_of(api_version), kind
        self._reasons.watch(relations_of([known]), is_needed=True)
        watch = partial(self._carrier.watch, api_version, kind)
        if can_wait(known, self._job.graph, self._job.app.kployfile.readiness):
            self._reasons.put_off(known, watch)
        else:
            watch()

    def _completed(self, event: Event) -> Iterator[Event]:
        match event:
            case Ready():
                self._reasons.became_ready(time.monotonic())
                yield event
            case Failed() | Unfinished():
                yield self._reporting.completed(event)
            case Finished(outcome):
                if outcome is not Outcome.INTERRUPTED:
                    yield from self._reporting.rest(self._state.began_at)
                is_undoable = outcome in {Outcome.FAILED, Outcome.TIMED_OUT}
                yield replace(event, good=self._job.earlier.good if is_undoable else None)
            case _:
                yield event

    def _apply(self, node: int) -> None:
        manifest = self._job.graph.nodes[node].manifest
        assert manifest is not None  # noqa: S101 - the machine never applies a barrier
        if manifest.ref in self._unchanged:
            self._unsent.append((node, Action.UNCHANGED, self._job.comparison.live[manifest.ref]))
        elif manifest.is_implied and manifest.ref in self._job.made:
            self._unsent.append((node, Action.CREATED, self._job.made[manifest.ref]))
        else:
            found = self._job.comparison
            live, first = found.live.get(manifest.ref), self._first(manifest.ref)
            self._carrier.apply(node, manifest, found.bodies[manifest.ref], live, first)

    def _first(self, ref: ObjectRef) -> First | None:
        if ref in self._replaced:
            return First.MAKE_ROOM
        return First.ADOPT if ref in self._job.comparison.strangers else None


def _with_remedy(error: KployError) -> str:
    return f"{error.message}: {error.hint}" if error.hint else error.message
