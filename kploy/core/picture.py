"""The dependency graph as it is drawn: without what holds up nobody, and with a name for every barrier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kploy.core.graph import Graph, Milestone, Node
from kploy.core.kinds import WORKLOADS
from kploy.model.app import Directory
from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef

ENV_FIRST = "everything in env/ first"
SERVICES_FIRST = "Services before workloads"


@dataclass(frozen=True, slots=True)
class Stop:
    """One object, or a barrier that others gather at (``ref`` is None, and ``barrier`` its name).

    ``wave`` counts from 1: what is in one wave waits for nothing that is in it, or in a later one.
    """

    id: int
    ref: ObjectRef | None
    barrier: str
    file: str
    wave: int

    def __str__(self) -> str:
        """``deployment/web``, or the barrier's name."""
        return str(self.ref) if self.ref else self.barrier


@dataclass(frozen=True, slots=True)
class Wait:
    """That one stop waits for another until that is ``until``.

    Both are ids. One that *backs* another does not hold it.
    """

    dependent: int
    needed: int
    until: Milestone


@dataclass(frozen=True, slots=True)
class Picture:
    """What waits for what. An id is a stop's index; each stands after everything it waits for."""

    stops: tuple[Stop, ...]
    waits: tuple[Wait, ...]

    def not_held(self, barrier: Stop) -> tuple[Stop, ...]:
        """The stops that do not wait at ``barrier``, though by its name they should."""
        gathered = {wait.needed for wait in self.waits if wait.dependent == barrier.id}
        held = {wait.dependent for wait in self.waits if wait.needed == barrier.id}
        return tuple(
            stop
            for stop in self.stops
            if stop.ref and stop.id not in gathered | held and _belongs_behind(barrier, stop.ref)
        )


def picture(graph: Graph) -> Picture:
    """``graph`` to draw: all of it, but for barriers that nobody gathers at, or that nobody waits for."""
    needed_by = _needed_by(graph)
    drawn = [index for index, node in enumerate(graph.nodes) if node.manifest or _holds(node, needed_by[index])]
    ids = {index: number for number, index in enumerate(drawn)}
    waves: dict[int, int] = {}
    for index in drawn:
        before = [
            waves[other] for other, until in needed_by[index] if other in ids and until is not Milestone.BACKS
        ]
        # A barrier is where its last object is; it takes no time of its own.
        waves[index] = max(before, default=0) + (graph.nodes[index].manifest is not None)
    waits = sorted(
        (ids[index], ids[other], until) for index in drawn for other, until in needed_by[index] if other in ids
    )
    stops = tuple(_stop(graph, index, ids[index], waves[index], needed_by[index]) for index in drawn)
    return Picture(stops, tuple(Wait(*wait) for wait in waits))


_Needed = list[tuple[int, Milestone]]
"""The indices of the nodes that one looks at, and how far each must be."""


def _needed_by(graph: Graph) -> list[_Needed]:
    needed: list[_Needed] = [[] for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        for dependent, until in node.dependents:
            needed[dependent].append((index, until))
    gathers = [index for index, node in enumerate(graph.nodes) if _only_gathers(node, needed[index])]
    gathered = {index: needed[index] for index in gathers}
    for index in gathered:
        needed[index] = []
    return [list(dict.fromkeys(_seen_through(row, gathered))) for row in needed]


def _only_gathers(node: Node, needed: _Needed) -> bool:
    """Whether a barrier only saves edges: what waits at it waits for each that it gathers, and is drawn so."""
    return node.ref is None and bool(needed) and all(until is not Milestone.TRIED for _, until in needed)


def _seen_through(needed: _Needed, gathered: Mapping[int, _Needed]) -> Iterator[tuple[int, Milestone]]:
    for index, until in needed:
        if index in gathered:
            yield from ((other, until) for other, _ in gathered[index])
        else:
            yield index, until


def _holds(barrier: Node, gathered: _Needed) -> bool:
    return bool(barrier.dependents and gathered)


def _stop(graph: Graph, index: int, number: int, wave: int, needed: _Needed) -> Stop:
    manifest = graph.nodes[index].manifest
    if manifest is not None:
        return Stop(number, manifest.ref, "", manifest.file, wave)
    gathered = (graph.nodes[other].manifest for other, _ in needed)
    is_env = any(other is not None and other.directory is Directory.ENV for other in gathered)
    return Stop(number, None, ENV_FIRST if is_env else SERVICES_FIRST, "", wave)


def _belongs_behind(barrier: Stop, ref: ObjectRef) -> bool:
    kind = ref.group, ref.kind
    return kind in WORKLOADS if barrier.barrier == SERVICES_FIRST else kind != ("", "Namespace")
