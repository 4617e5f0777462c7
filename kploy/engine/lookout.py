"""What was seen of the app's objects, put together: from sightings to statuses.

Sightings come from several watches, beside the answers to the applies. They may be
late: an object that was just applied can still be seen as it was before. They may
also be early, and be told before the answer that they follow. Resource versions
put the app's own objects in order here. Related ones (engine.related) kploy never
writes: of each there is one watch, and what it tells last is how it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache

from kploy.core.bodies import dig, entries, mapping, text
from kploy.core.claims import claims_of
from kploy.core.evidence import evidence_of
from kploy.core.graph import Graph, Milestone
from kploy.core.moment import Moment
from kploy.core.notices import notice_of
from kploy.core.quoting import veil, without, words_of
from kploy.core.readiness import Related, status_at
from kploy.core.readiness_rules import judges
from kploy.core.rolling import to_replace
from kploy.engine.related import (
    CLASSES,
    NODES,
    NOTICES,
    PODS,
    RELATIONS,
    REPLICA_SETS,
    SLICES,
    Relation,
    Relatives,
    binds_on_use,
    owned_by,
)
from kploy.engine.statuses import Statuses
from kploy.model.app import ReadinessRule
from kploy.model.evidence import Evidence
from kploy.model.frozen import dataclass, replace
from kploy.model.notices import Notice
from kploy.model.objects import Body, Cause, ObjectRef, State, Status

_DELETED = Status(State.NOT_FOUND, "somebody deleted it during the run")
_WAS_GOING = Status(State.NOT_FOUND, "it was being deleted when the run began: run again")
REPLACED = Status(State.FAILED, "somebody replaced it by another one during the run")
"""The one failure that is no controller's."""

_GONE = Status(State.NOT_FOUND)
_LEAVING = Status(State.TERMINATING, "being deleted")

_SETTLING = 10.0
"""Seconds after which older slices count for a new selector: if it selects the same pods, they stay the same."""

_SAYING = 1000
"""Characters of what is likely to be said again; what is longer, a log, is not kept."""

_OUR_WORDS = re.compile(
    r"waiting for (?:its controller|an endpoint|a cluster IP)|[0-9]{1,4} of [0-9]{1,4} (?:ready|updated|available)"
)
"""What kploy says of most that is on its way, quoting nobody: there is no secret in it to look for."""

_AT_ZERO = "at zero"
"""With a workload: that it is, or is not, as it should be without a single pod."""

Told = tuple[ObjectRef, Status]
"""An object, and how it is now."""


@dataclass(frozen=True, slots=True)
class _Complete:
    """All objects of a kind that there were at a resource version."""

    version: int
    refs: frozenset[ObjectRef]


@dataclass(frozen=True, slots=True)
class _Reselected:
    """A Service got another selector: at which resource version, and until when its older slices do not count."""

    version: int
    until: float


class Lookout:
    """Knows how every object of a deploy looked last. For one thread.

    ``live`` is how the cluster was before; ``clock`` gives seconds since the epoch.
    ``rules`` are what the Kployfile says of kinds.
    """

    def __init__(
        self,
        graph: Graph,
        live: Mapping[ObjectRef, Body],
        clock: Callable[[], float],
        rules: Iterable[ReadinessRule] = (),
    ) -> None:
        self._clock = clock
        self._judges = judges(rules)
        self._before = live
        self._statuses = Statuses(self._judge, clock)
        self._bodies: dict[ObjectRef, Body] = {}
        self._by_kind: dict[tuple[str, str], dict[ObjectRef, None]] = {}
        self._uids: dict[ObjectRef, str] = {}
        self._early: dict[ObjectRef, tuple[Body, bool]] = {}
        self._listed: dict[tuple[str, str], _Complete] = {}
        self._going: set[ObjectRef] = set()
        self._leaving: set[ObjectRef] = set()
        self._reselected: dict[ObjectRef, _Reselected] = {}
        self._is_ours = {node.ref for node in graph.nodes}
        known = self._is_ours | live.keys()
        # A notice may come before the pod that it is about.
        self._relatives = {each: Relatives(each, None if each is NOTICES else known) for each in RELATIONS}
        self._replaced: set[str] = set()
        self._untouched: set[ObjectRef] = set()
        self._followed: set[Relation] = set()
        self._graph = graph
        self._veils: dict[ObjectRef, tuple[tuple[str, object], Callable[[str], str]]] = {}
        self._backers = _backers(graph)
        self._backed = _backed(self._backers)
        self._at_zero: set[ObjectRef] = set()
        # Most objects say the same few things, again and again.
        self._masked = lru_cache(maxsize=4096)(lambda said: without(said, self._words))

    def applied(self, ref: ObjectRef, body: Body, *, is_untouched: bool = False) -> Status:
        """The status of an object whose apply the server answered with ``body``; older sightings count no more.

        ``is_untouched``: it was not sent, for it is as it should be.
        """
        if is_untouched:
            self._untouched.add(ref)
        self._uids[ref] = _uid(body)
        if text(body, "metadata", "deletionTimestamp"):
            self._going.add(ref)
        if ref.kind == "Service" and _selects_otherwise(self._before.get(ref), body):
            self._reselected[ref] = _Reselected(_version(body), self._clock() + _SETTLING)
        self._keep(ref, body)
        early = self._early.pop(ref, None)
        if early is not None:
            told = self.gone(ref, early[0]) if early[1] else self.seen(ref, early[0])
            if told:
                return told[0][1]
        return self._gone(ref) if self._is_missing(ref) else self._statuses.of(ref)

    def leaving(self, ref: ObjectRef, live: Body, *, is_gone: bool) -> Status:
        """The status of an object, seen as ``live``, whose deletion was taken. To be gone is its aim now."""
        self._leaving.add(ref)
        self._keep(ref, live)
        early = self._early.pop(ref, None)
        if is_gone or (early is not None and early[1] and _uid(early[0]) == _uid(live)) or self._is_missing(ref):
            return _GONE
        return self._statuses.of(ref)

    def outdated(self, ref: ObjectRef) -> tuple[Body, ...]:
        """The pods of a ReplicationController that are to be replaced now. Each is named once."""
        if (ref.group, ref.kind) not in PODS.of or PODS not in self._followed:
            return ()
        if ref not in self._bodies or self._is_missing(ref):
            return ()
        pods = tuple(owned_by(self._bodies[ref], self._relatives[PODS].of(ref)))
        found = to_replace(self._bodies[ref], pods, self._replaced, self._clock())
        self._replaced |= {_uid(pod) for pod in found}
        return found

    @property
    def uids(self) -> dict[ObjectRef, str]:
        """The UID of every object that was applied; of one that somebody has replaced since, still its own."""
        return dict(self._uids)

    def listed(self, kind: tuple[str, str], bodies: Mapping[ObjectRef, Body], version: str) -> tuple[Told, ...]:
        """What it tells, as by ``seen`` and ``gone``, that ``bodies`` are all there were at ``version``.

        ``kind`` is a group and a kind.
        """
        self._listed[kind] = _Complete(_number(version), frozenset(bodies))
        told = [each for ref, body in bodies.items() for each in self.seen(ref, body)]
        missing = [ref for ref in self._by_kind.get(kind, ()) if self._is_missing(ref)]
        return (*told, *((ref, self._gone(ref)) for ref in missing))

    def seen(self, ref: ObjectRef, body: Body) -> tuple[Told, ...]:
        """Whose status a sighting tells, its own first, and what it is now; nothing if it tells nothing new."""
        known = self._bodies.get(ref)
        if known is None:
            self._remember(ref, body, is_gone=False)
            return ()
        if _version(body) < _version(known):
            return ()
        if body != known:
            self._keep(ref, body)
        if _uid(body) != _uid(known):
            return ((ref, _GONE if ref in self._leaving else REPLACED),)
        return ((ref, self._statuses.of(ref)), *self.backed_by(ref))

    def gone(self, ref: ObjectRef, body: Body) -> tuple[Told, ...]:
        """Like ``seen``, for an object that was deleted."""
        known = self._bodies.get(ref)
        if known is None:
            self._remember(ref, body, is_gone=True)
            return ()
        return ((ref, self._gone(ref)),) if _uid(known) == _uid(body) else ()

    def related_listed(
        self, relation: Relation, bodies: Mapping[ObjectRef, Body], *, is_followed: bool = False
    ) -> tuple[Told, ...]:
        """Whose statuses are told by all the objects of a relation, and what they are now.

        ``is_followed``: whatever becomes of them will be told from here on.
        """
        if is_followed:
            self._followed.add(relation)
        relatives = self._relatives[relation]
        if not relatives.is_complete:
            self._statuses.changed([relation])
        self._statuses.changed([(relation, subject) for subject in relatives.listed(bodies)])
        return self.judged(self._known(relation.subjects))

    def related_seen(
        self, relation: Relation, ref: ObjectRef, body: Body, *, is_gone: bool
    ) -> frozenset[ObjectRef]:
        """Whose statuses may be others because of an object of a relation; to be told by ``judged``."""
        relatives = self._relatives[relation]
        touched = relatives.gone(ref) if is_gone else relatives.seen(ref, body)
        self._statuses.changed([(relation, subject) for subject in touched])
        if relation is NOTICES:
            touched = set(map(self._concerned, touched))
        return frozenset(self._known(touched))

    def backed_by(self, workload: ObjectRef) -> tuple[Told, ...]:
        """The statuses of the Services that wait for pods of a workload, of which something new is known."""
        services = (self._statuses.outdated(pool) for pool in self._backed.get(workload, ()))
        return self.judged(sorted(set().union(*services)))

    def evidence(self, ref: ObjectRef, cause: Cause | None) -> Evidence | None:
        """What there is to see of an object in trouble because of ``cause``; None for one that was not applied."""
        body = self._bodies.get(ref)
        if body is None:
            return None
        now = self._clock()
        related = self._related(ref, Moment(now))
        found, veiled = evidence_of(body, related, cause, now), self._veil(ref, body)
        notices = (replace(notice, message=self.masked(veiled(notice.message))) for notice in found.notices)
        return replace(found, notices=tuple(notices))

    def masked(self, said: str) -> str:
        """What the cluster or a pod has said, without the app's own secrets."""
        return self._masked(said) if len(said) <= _SAYING else without(said, self._words)

    def workload_of(self, pod: ObjectRef) -> ObjectRef | None:
        """The app's workload that a pod is of; None for a pod of others, and one that was not told."""
        return self._relatives[PODS].subject_of(pod)

    def is_known(self, relation: Relation) -> bool:
        """Whether all objects of a relation were told."""
        return self._relatives[relation].is_complete

    def judged(self, refs: Iterable[ObjectRef]) -> tuple[Told, ...]:
        """How objects that were applied are now: with time alone a status may change."""
        return tuple((ref, self._statuses.of(ref)) for ref in refs)

    def _known(self, subjects: Iterable[ObjectRef]) -> Iterator[ObjectRef]:
        """Those of ``subjects`` that were applied; one without a name stands for all of its kind."""
        for subject in subjects:
            if subject.name:
                yield from [subject] if subject in self._bodies else []
            else:
                yield from self._by_kind.get((subject.group, subject.kind), ())

    def _keep(self, ref: ObjectRef, body: Body) -> None:
        """An object of the deploy looks like this now."""
        self._bodies[ref] = body
        self._by_kind.setdefault((ref.group, ref.kind), {})[ref] = None
        self._statuses.changed([ref])
        if ref in self._backed:
            # Its Services go by this, even if something else is told of it: that it is gone, or was replaced.
            self._statuses.of(ref)

    def _concerned(self, ref: ObjectRef) -> ObjectRef:
        """The object of the app that a notice about ``ref`` is about: about a pod, its workload."""
        for relation in (PODS, REPLICA_SETS):
            workload = self._relatives[relation].subject_of(ref)
            if workload is not None:
                return workload
        return ref

    def _remember(self, ref: ObjectRef, body: Body, *, is_gone: bool) -> None:
        """Keep a sighting that may be early."""
        if ref in self._is_ours:
            self._early[ref] = body, is_gone

    def _gone(self, ref: ObjectRef) -> Status:
        if ref in self._leaving:
            return _GONE
        return _WAS_GOING if ref in self._going else _DELETED

    def _is_missing(self, ref: ObjectRef) -> bool:
        """Whether an object was there before all of its kind were listed, and then was not among them."""
        complete = self._listed.get((ref.group, ref.kind))
        if complete is None or ref in complete.refs:
            return False
        return _version(self._bodies[ref]) <= complete.version

    def _judge(self, ref: ObjectRef, moment: Moment) -> Status:
        status = self._verdict(ref, moment)
        if ref in self._backed:
            self._note_if_at_zero(ref, status)
        return status

    def _verdict(self, ref: ObjectRef, moment: Moment) -> Status:
        if ref in self._leaving and not text(self._bodies[ref], "metadata", "deletionTimestamp"):
            return _LEAVING
        body = self._bodies[ref]
        judge = self._judges.get((ref.group, ref.kind))
        status = status_at(moment, body, self._related(ref, moment), judge)
        if not status.message or (status.cause is None and _OUR_WORDS.fullmatch(status.message)):
            return status
        veiled = self._veil(ref, body)
        if status.cause is None:
            return replace(status, message=self.masked(veiled(status.message)))
        cause = replace(status.cause, message=self.masked(veiled(status.cause.message)))
        return replace(status, message=self.masked(veiled(status.message)), cause=cause)

    @cached_property
    def _words(self) -> tuple[str, ...]:
        """The app's secrets, as they are wanted and as they were: pods quote what they have been given."""
        wanted = (node.manifest.body for node in self._graph.nodes if node.manifest)
        return words_of((*wanted, *self._before.values()))

    def _veil(self, ref: ObjectRef, body: Body) -> Callable[[str], str]:
        """What hides the secrets of an object in what is said of it; made anew only when it has become another."""
        version = _uid(body), dig(body, "metadata", "generation")
        known = self._veils.get(ref)
        if known is None or known[0] != version:
            # What a pod is given stands in neither of these two, and they are large.
            wanted = {key: value for key, value in body.items() if key not in {"metadata", "status"}}
            known = self._veils[ref] = version, veil(wanted)
        return known[1]

    def _related(self, ref: ObjectRef, moment: Moment) -> Related:
        """What is known about an object besides itself, as far as its kind is judged by it."""
        others = self._others(ref, moment)
        return replace(others, is_untouched=True) if ref in self._untouched else others

    def _others(self, ref: ObjectRef, moment: Moment) -> Related:
        body, kind = self._bodies[ref], (ref.group, ref.kind)
        notices = self._notices(ref, [ref])
        if kind in SLICES.of:
            slices, expects = self._slices(ref, moment), self._expects_endpoints(ref, moment)
            return Related(endpoint_slices=slices, expects_endpoints=expects, notices=notices)
        if kind in CLASSES.of:
            classes = self._told(ref, CLASSES, CLASSES.subjects[0])
            return Related(binds_on_use=binds_on_use(body, classes), notices=notices)
        if kind == ("", "Pod"):
            return Related(pods=(body,), notices=notices + self._of_claims(ref, [body]))
        if not self._has_its_pods(ref):
            return Related(notices=notices)
        sets = tuple(owned_by(body, self._told(ref, REPLICA_SETS, ref)))
        pods = self._told(ref, PODS, ref)
        owned = tuple(each for owner in (body, *sets) for each in owned_by(owner, pods))
        named = [self._pod(ref, each) for each in owned]
        return Related(
            pods=owned,
            replica_sets=sets,
            nodes=self._told(ref, NODES, NODES.subjects[0]) if kind in NODES.tells_of else (),
            notices=notices + self._notices(ref, named) + self._of_claims(ref, owned),
        )

    def _has_its_pods(self, ref: ObjectRef) -> bool:
        """Whether the pods of a workload were told, and by whom they belong to it."""
        kind = ref.group, ref.kind
        owners = (PODS, REPLICA_SETS) if kind in REPLICA_SETS.tells_of else (PODS,)
        are_told = [self._are_all_told(ref, each) for each in owners]
        return kind in PODS.tells_of and all(are_told)

    def _told(self, ref: ObjectRef, relation: Relation, subject: ObjectRef) -> tuple[Body, ...]:
        """What a relation tells about ``subject``, by which ``ref`` is judged."""
        self._statuses.looks_at(ref, (relation, subject))
        return self._relatives[relation].of(subject)

    def _are_all_told(self, ref: ObjectRef, relation: Relation) -> bool:
        self._statuses.looks_at(ref, relation)
        return self.is_known(relation)

    def _pod(self, workload: ObjectRef, pod: Body) -> ObjectRef:
        return ObjectRef("", "Pod", workload.namespace, text(pod, "metadata", "name"))

    def _of_claims(self, workload: ObjectRef, pods: Iterable[Body]) -> tuple[Notice, ...]:
        """The warnings about the claims that pods of a workload use."""
        names = dict.fromkeys(name for pod in pods for name in claims_of(pod))
        claims = [ObjectRef("", "PersistentVolumeClaim", workload.namespace, name) for name in names]
        return self._notices(workload, claims)

    def _notices(self, ref: ObjectRef, about: Iterable[ObjectRef]) -> tuple[Notice, ...]:
        """The warnings about some objects, by which ``ref`` is judged, in the order of time."""
        read = (notice_of(event) for each in about for event in self._told(ref, NOTICES, each))
        return tuple(sorted((notice for notice in read if notice), key=lambda each: each.at))

    def _slices(self, service: ObjectRef, moment: Moment) -> tuple[Body, ...]:
        """The slices of a Service, of no other of its name; none while they are of the selector it had before."""
        own = _uid(self._bodies[service])
        told = self._told(service, SLICES, service)
        slices = tuple(each for each in told if not _is_of_another(each, service.name, own))
        change = self._reselected.get(service)
        if change is None or moment.is_past(change.until):
            return slices
        return slices if any(_version(body) > change.version for body in slices) else ()

    def _expects_endpoints(self, service: ObjectRef, moment: Moment) -> bool:
        return any(not self._is_at_zero(workload, service, moment) for workload in self._backers.get(service, ()))

    def _is_at_zero(self, workload: ObjectRef, service: ObjectRef, moment: Moment) -> bool:
        """Whether a workload is as it should be without a single pod: scaled to zero, or on no node.

        A Service is judged by it, at ``moment``.
        """
        if workload in self._bodies:
            self._statuses.of(workload, moment)
        # Not at the workload itself: that becomes another one several times in a rollout, and this hardly ever.
        # It never does so with time alone.
        self._statuses.looks_at(service, (_AT_ZERO, workload))
        return workload in self._at_zero

    def _note_if_at_zero(self, ref: ObjectRef, status: Status) -> None:
        """What of a workload's new status the Services look at that it backs."""
        is_at_zero = status.state is State.CURRENT and status.counts is not None and status.counts.wanted == 0
        if is_at_zero != (ref in self._at_zero):
            self._at_zero ^= {ref}
            self._statuses.changed([(_AT_ZERO, ref)])


def _backers(graph: Graph) -> dict[ObjectRef, set[ObjectRef]]:
    """By Service: the workloads that give it its endpoints. Those of one pool share one set."""
    by_index: dict[int, set[ObjectRef]] = {}
    pools: list[tuple[int, int]] = []
    for number, node in enumerate(graph.nodes):
        for index, milestone in node.dependents:
            if milestone is Milestone.BACKS and node.ref:
                by_index.setdefault(index, set()).add(node.ref)
            elif milestone is Milestone.BACKS:
                pools.append((number, index))
    by_index |= {index: by_index.get(number, set()) for number, index in pools}
    return {ref: found for index, found in by_index.items() if (ref := graph.nodes[index].ref)}


def _backed(backers: Mapping[ObjectRef, set[ObjectRef]]) -> dict[ObjectRef, list[set[ObjectRef]]]:
    """By workload: the Services that it gives endpoints, one set for each pool that it is in."""
    pools: dict[int, tuple[set[ObjectRef], set[ObjectRef]]] = {}
    for service, workloads in backers.items():
        pools.setdefault(id(workloads), (workloads, set()))[1].add(service)
    backed: dict[ObjectRef, list[set[ObjectRef]]] = {}
    for workloads, services in pools.values():
        for workload in workloads:
            backed.setdefault(workload, []).append(services)
    return backed


def _is_of_another(endpoint_slice: Body, name: str, uid: str) -> bool:
    """Whether a slice was made for another Service of this name than the one that has this UID."""
    owners = entries(endpoint_slice, "metadata", "ownerReferences")
    return any(
        (text(owner, "apiVersion"), text(owner, "kind"), text(owner, "name")) == ("v1", "Service", name)
        and text(owner, "uid") != uid
        for owner in owners
    )


def _selects_otherwise(before: Body | None, service: Body) -> bool:
    return before is not None and mapping(before, "spec", "selector") != mapping(service, "spec", "selector")


def _uid(body: Body) -> str:
    return text(body, "metadata", "uid")


def _version(body: Mapping[str, object]) -> int:
    return _number(text(body, "metadata", "resourceVersion"))


def _number(version: str) -> int:
    """The resource version as a number; that they can be compared is KEP-5504."""
    return int(version) if version.isdecimal() else 0
