"""What was seen of the app's objects, put together: from sightings to statuses.

Sightings come from several watches, beside the answers to the applies. They may be
late: an object that was just applied can still be seen as it was before. They may
also be early, and be told before the answer that they follow. Resource versions
put them in order here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kploy.core.bodies import mapping, text
from kploy.core.graph import Graph
from kploy.core.readiness import Related, status_of
from kploy.model.objects import Body, ObjectRef, State, Status, group_of

SERVICE_NAME = "kubernetes.io/service-name"
"""The label by which an EndpointSlice names its Service."""

ENDPOINT_SLICE = ("discovery.k8s.io/v1", "EndpointSlice")


_SLICES = (group_of(ENDPOINT_SLICE[0]), ENDPOINT_SLICE[1])
_DELETED = Status(State.NOT_FOUND, "somebody deleted it during the run")


@dataclass(frozen=True, slots=True)
class _Complete:
    """All objects of a kind that there were at a resource version."""

    version: int
    refs: frozenset[ObjectRef]


class Lookout:
    """Knows how every object of a deploy looked last. For one thread.

    ``live`` is how the cluster was before; ``clock`` gives seconds since the epoch.
    """

    def __init__(self, graph: Graph, live: Mapping[ObjectRef, Body], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bodies: dict[ObjectRef, Body] = {}
        self._early: dict[ObjectRef, tuple[Body, bool]] = {}
        self._listed: dict[tuple[str, str], _Complete] = {}
        self._slices: dict[ObjectRef, dict[str, Body]] = {}
        self._is_backed = {node.ref: node.backers > 0 for node in graph.nodes if node.ref is not None}
        for ref, body in live.items():
            if ref.kind == "EndpointSlice":
                self._slice(ref, body)

    def applied(self, ref: ObjectRef, body: Body) -> Status:
        """The status of an object whose apply the server answered with ``body``; older sightings count no more."""
        self._bodies[ref] = body
        early = self._early.pop(ref, None)
        if early is not None:
            told = self.gone(ref, early[0]) if early[1] else self.seen(ref, early[0])
            if told is not None:
                return told[1]
        return _DELETED if self._is_missing(ref) else self._status(ref)

    def listed(
        self, kind: tuple[str, str], bodies: Mapping[ObjectRef, Body], version: str
    ) -> tuple[tuple[ObjectRef, Status], ...]:
        """What it tells, as by ``seen`` and ``gone``, that ``bodies`` are all there were at ``version``.

        ``kind`` is a group and a kind.
        """
        self._listed[kind] = _Complete(_number(version), frozenset(bodies))
        if kind == _SLICES:
            self._drop_slices(bodies)
        told = [self.seen(ref, body) for ref, body in bodies.items()]
        if kind == _SLICES:
            return tuple((service, self._status(service)) for service in self._slices if service in self._bodies)
        missing = [ref for ref in self._bodies if (ref.group, ref.kind) == kind and self._is_missing(ref)]
        return (*filter(None, told), *((ref, _DELETED) for ref in missing))

    def seen(self, ref: ObjectRef, body: Body) -> tuple[ObjectRef, Status] | None:
        """Whose status a sighting tells, and what it is now; None if it tells nothing new."""
        if ref.kind == "EndpointSlice":
            return self._slice(ref, body)
        known = self._bodies.get(ref)
        if known is None:
            self._remember(ref, body, is_gone=False)
            return None
        if _version(body) < _version(known):
            return None
        self._bodies[ref] = body
        if _uid(body) != _uid(known):
            return ref, Status(State.FAILED, "somebody replaced it by another one during the run")
        return ref, self._status(ref)

    def gone(self, ref: ObjectRef, body: Body) -> tuple[ObjectRef, Status] | None:
        """Like ``seen``, for an object that was deleted."""
        if ref.kind == "EndpointSlice":
            return self._slice(ref, body, is_gone=True)
        known = self._bodies.get(ref)
        if known is None:
            self._remember(ref, body, is_gone=True)
            return None
        return (ref, _DELETED) if _uid(known) == _uid(body) else None

    def _remember(self, ref: ObjectRef, body: Body, *, is_gone: bool) -> None:
        """Keep a sighting that may be early."""
        if ref in self._is_backed:
            self._early[ref] = body, is_gone

    def _is_missing(self, ref: ObjectRef) -> bool:
        """Whether an object was there before all of its kind were listed, and then was not among them."""
        complete = self._listed.get((ref.group, ref.kind))
        if complete is None or ref in complete.refs:
            return False
        return _version(self._bodies[ref]) <= complete.version

    def _drop_slices(self, kept: Mapping[ObjectRef, Body]) -> None:
        names = {(ref.namespace, ref.name) for ref in kept}
        for service, slices in self._slices.items():
            for name in [name for name in slices if (service.namespace, name) not in names]:
                del slices[name]

    def _slice(self, ref: ObjectRef, body: Body, *, is_gone: bool = False) -> tuple[ObjectRef, Status] | None:
        service = ObjectRef("", "Service", ref.namespace, text(mapping(body, "metadata", "labels"), SERVICE_NAME))
        slices = self._slices.setdefault(service, {})
        if is_gone:
            slices.pop(ref.name, None)
        else:
            slices[ref.name] = body
        return (service, self._status(service)) if service in self._bodies else None

    def _status(self, ref: ObjectRef) -> Status:
        slices = self._slices.get(ref, {})
        related = Related(tuple(slices.values()), expects_endpoints=self._is_backed.get(ref, False))
        return status_of(self._bodies[ref], related, self._clock())


def _uid(body: Body) -> str:
    return text(body, "metadata", "uid")


def _version(body: Mapping[str, object]) -> int:
    return _number(text(body, "metadata", "resourceVersion"))


def _number(version: str) -> int:
    """The resource version as a number; that they can be compared is KEP-5504."""
    return int(version) if version.isdecimal() else 0
