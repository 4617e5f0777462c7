"""What leaves an app's cluster, and in which order.

Deleted is only what the inventory lists, what still carries the app's label, and
what has the UID that was recorded; where none was, because the run was cut off, what
the server took from this app. Some things are never deleted unless that is
asked for: what holds data, and what others may live in or by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter

from kploy.core.annotations import is_to_stay
from kploy.core.bodies import dig, entries, mapping, text
from kploy.core.checks import directory_for
from kploy.core.graph import Graph, Milestone, Node, removal_order
from kploy.core.inventory import Entry
from kploy.model.app import KEEP, LABEL, Manifest, field_manager
from kploy.model.findings import OnePlace, Place
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body, ObjectRef

_PROTECTED = {
    ("", "Namespace"): "others may live in it",
    ("", "PersistentVolume"): "it holds data",
    ("", "PersistentVolumeClaim"): "it holds data",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "all objects of its kind would go with it",
}
"""Kinds that are kept unless their removal is asked for, and why."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """An object that is to go, as it is now."""

    entry: Entry
    live: Body


@dataclass(frozen=True, slots=True)
class Parting:
    """What becomes of the entries that nobody wants any more.

    ``leaving`` are to be deleted. ``kept`` stay, and stay listed; each with the
    reason. ``released`` are no longer the app's: they stay, and are forgotten.
    ``gone`` are not there any more.
    """

    leaving: tuple[Leaving, ...] = ()
    kept: tuple[tuple[Entry, str], ...] = ()
    released: tuple[tuple[Entry, str], ...] = ()
    gone: tuple[Entry, ...] = ()

    @property
    def unknown(self) -> tuple[tuple[Entry, str], ...]:
        """Those of ``kept`` of which nobody knows whether they are still there."""
        return tuple((entry, why) for entry, why in self.kept if why == _UNKNOWN)


_UNKNOWN = "the cluster could not be asked about it"

NOTHING_LEAVES = Parting()


def parting(
    unwanted: Iterable[Entry], live: Mapping[ObjectRef, Body | None], app_id: str, *, everything: bool = False
) -> Parting:
    """What is to become of ``unwanted`` entries.

    ``live`` has each of them as it is, None for what is proven gone; one that is
    missing there could not be looked at, and is kept. ``everything``: what is
    protected goes as well, but for what carries the annotation ``kploy.dev/keep``.
    """
    leaving, kept, released, gone = [], [], [], []
    for entry in unwanted:
        if entry.ref not in live:
            kept.append((entry, _UNKNOWN))
            continue
        body = live[entry.ref]
        if body is None:
            gone.append(entry)
        elif reason := _foreign(entry, body, app_id):
            released.append((entry, reason))
        elif reason := _holds(entry, body, everything=everything):
            kept.append((entry, reason))
        else:
            leaving.append(Leaving(entry, body))
    return Parting(tuple(leaving), tuple(kept), tuple(released), tuple(gone))


def objection(entry: Entry, live: Body, app_id: str) -> str:
    """Why an object that was to be deleted must not be, as it is now; "" if nothing speaks against it."""
    return _foreign(entry, live, app_id) or _wish(live)


def reason_to_keep(entry: Entry, live: Body) -> str:
    """Why a run does not delete an object that nobody wants any more; "" if it does."""
    return _holds(entry, live, everything=False)


def _foreign(entry: Entry, live: Body, app_id: str) -> str:
    if text(mapping(live, "metadata", "labels"), LABEL) != app_id:
        return "it does not carry this app's label any more"
    if entry.uid and text(live, "metadata", "uid") != entry.uid:
        return "it is another object than the one that kploy made: somebody has made it anew"
    if not entry.uid and not _was_applied(live, app_id):
        return "it carries this app's label, but it is not kploy that made it"
    return ""


def _was_applied(live: Body, app_id: str) -> bool:
    """Whether the server took the object from this app's field manager. Labels are copied easily, this is not."""
    managers = entries(live, "metadata", "managedFields")
    return any(text(entry, "manager") == field_manager(app_id) for entry in managers)


def _holds(entry: Entry, live: Body, *, everything: bool) -> str:
    reason = "" if everything else _PROTECTED.get((entry.ref.group, entry.ref.kind), "")
    return reason or _wish(live)


def _wish(live: Body) -> str:
    return f"{KEEP} asks for it" if is_to_stay(live) else ""


def holds(ref: ObjectRef, live: Body) -> str:
    """Why an object must not even make room for another one of its name; "" if nothing speaks against it."""
    claims = dig(live, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
    if (ref.group, ref.kind) == ("apps", "StatefulSet") and claims == "Delete":
        return "its claims would be deleted with it"
    return _PROTECTED.get((ref.group, ref.kind), "") or _wish(live)


def with_removals(graph: Graph, leaving: Sequence[Leaving]) -> Graph:
    """``graph``, and behind it the objects that go: when all is ready, each after what needs it."""
    if not leaving:
        return graph
    barrier = len(graph.nodes)
    nodes = [replace(node, dependents=(*node.dependents, (barrier, Milestone.READY))) for node in graph.nodes]
    nodes.append(Node(None, needs=len(nodes)))
    return Graph((*nodes[:-1], *_removals(nodes[-1], barrier + 1, leaving)))


def _removals(barrier: Node, first: int, leaving: Sequence[Leaving]) -> list[Node]:
    """The barrier, and the nodes behind it, the first at index ``first``."""
    waits = removal_order([_as_manifest(each) for each in leaving])
    order = _in_order(waits)
    place = {index: first + position for position, index in enumerate(order)}
    frees: list[list[tuple[int, Milestone]]] = [[] for _ in waits]
    for index, others in enumerate(waits):
        for other in others:
            frees[other].append((place[index], Milestone.READY))
    entries_of = [*(each.entry for each in leaving), *[None] * (len(waits) - len(leaving))]
    nodes = [
        Node(None, len(waits[index]) + 1, 0, tuple(sorted(frees[index])), entries_of[index]) for index in order
    ]
    return [replace(barrier, dependents=tuple((place[index], Milestone.READY) for index in order)), *nodes]


def _in_order(waits: Sequence[set[int]]) -> list[int]:
    return list(TopologicalSorter(dict(enumerate(waits))).static_order())


def _as_manifest(leaving: Leaving) -> Manifest:
    """The live object as if it were a manifest: what it names is what it needs."""
    entry = leaving.entry
    where = OnePlace(Place("", 1, 1))
    return Manifest(entry.ref, entry.resource.api_version, leaving.live, "", directory_for(entry.ref), where)
