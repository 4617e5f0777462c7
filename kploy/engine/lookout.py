"""What was seen of the app's objects, put together: from sightings to statuses.

Sightings come from several watches and may be late: an object that was just
applied can still be seen as it was before. Such sightings are dropped here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kploy.core.bodies import mapping, text
from kploy.core.graph import Graph
from kploy.core.readiness import Related, status_of
from kploy.model.objects import Body, ObjectRef, State, Status

SERVICE_NAME = "kubernetes.io/service-name"
"""The label by which an EndpointSlice names its Service."""

ENDPOINT_SLICE = ("discovery.k8s.io/v1", "EndpointSlice")


class Lookout:
    """Knows how every object of a deploy looked last. For one thread.

    ``live`` is how the cluster was before; ``clock`` gives seconds since the epoch.
    """

    def __init__(self, graph: Graph, live: Mapping[ObjectRef, Body], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bodies: dict[ObjectRef, Body] = {}
        self._slices: dict[ObjectRef, dict[str, Body]] = {}
        self._is_backed = {node.ref: node.backers > 0 for node in graph.nodes if node.ref is not None}
        for ref, body in live.items():
            if ref.kind == "EndpointSlice":
                self._slice(ref, body)

    def applied(self, ref: ObjectRef, body: Body) -> Status:
        """The status of an object as the server answered its apply; older sightings count no more."""
        self._bodies[ref] = body
        return self._status(ref)

    def seen(self, ref: ObjectRef, body: Body) -> tuple[ObjectRef, Status] | None:
        """Whose status a sighting tells, and what it is now; None if it tells nothing new."""
        if ref.kind == "EndpointSlice":
            return self._slice(ref, body)
        known = self._bodies.get(ref)
        if known is None or _version(body) < _version(known):
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
        if known is None or _uid(known) != _uid(body):
            return None
        return ref, Status(State.NOT_FOUND, "somebody deleted it during the run")

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
    """The resource version as a number; that they can be compared is KEP-5504."""
    version = text(body, "metadata", "resourceVersion")
    return int(version) if version.isdecimal() else 0
