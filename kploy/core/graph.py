"""The order of a deploy: what waits for what, found in the manifests themselves.

There are two kinds of waiting. *Ready*: the dependent starts when the other is
ready. *Applied*: the other only has to exist, because to become ready it needs
the dependent: a Service has no endpoint before its pods run, and a volume may
bind only when a pod uses it. Services come before workloads only for the sake
of order: there it is enough that each was *tried*.

Besides, a workload *backs* the Services that select its pods. They do not wait for
it to be applied, but once all that backs a Service has failed, its endpoints will
not come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from kploy.core.bodies import dig, mapping
from kploy.core.dependencies import Lookup, explicit, named, selected
from kploy.core.kinds import WORKLOADS
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import DEPENDS_ON, Directory, Manifest
from kploy.model.findings import Finding, error
from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef

if TYPE_CHECKING:
    from kploy.core.inventory import Entry


class Milestone(StrEnum):
    """How far something must be before what needs it may start."""

    BACKS = "backs"
    TRIED = "tried"
    APPLIED = "applied"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Node:
    """One manifest, one object that goes (``leaving``), or a barrier, which only gathers others and is neither.

    ``needs`` counts the nodes it waits for, ``backers`` the workloads that give a
    Service its endpoints. ``dependents`` are the indices of the nodes that look at
    this one, with how far it must be for them.
    """

    manifest: Manifest | None = field(repr=False)
    needs: int = 0
    backers: int = 0
    dependents: tuple[tuple[int, Milestone], ...] = ()
    leaving: Entry | None = None

    @property
    def ref(self) -> ObjectRef | None:
        """The object's ref; None for a barrier."""
        if self.leaving is not None:
            return self.leaving.ref
        return self.manifest.ref if self.manifest else None

    @property
    def api_version(self) -> str:
        """The API version in which its object is watched; "" for a barrier."""
        if self.leaving is not None:
            return self.leaving.resource.api_version
        return self.manifest.api_version if self.manifest else ""


@dataclass(frozen=True, slots=True)
class Graph:
    """What waits for what. Each node stands after everything that it needs."""

    nodes: tuple[Node, ...] = ()

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """All manifests, each after what it needs."""
        return tuple(node.manifest for node in self.nodes if node.manifest)


_Needs = list[dict[int, Milestone]]
"""By the index of a node: the nodes it needs, and how far each must be."""


def graph_of(manifests: Sequence[Manifest]) -> tuple[Graph, tuple[Finding, ...]]:
    """The dependency graph of an app, and what is wrong with the dependencies it asks for.

    With findings the graph is empty. What is only implied by the fields never
    makes a cycle: it gives way to what was asked for by annotation. Takes time
    in proportion to the manifests and the names in them.
    """
    asked, findings = _asked(manifests)
    backed = backers(manifests)
    cycle = _cycle(asked) or _cycle_through_endpoints(asked, backed)
    if cycle:
        findings = (*findings, _cycle_finding(manifests, cycle))
    if findings:
        return Graph(), findings
    needs = _add_implied(manifests, asked)
    _break_cycles(needs, asked)
    return _graph(manifests, needs, backed), ()


def removal_order(manifests: Sequence[Manifest]) -> list[set[int]]:
    """By the index of each of ``manifests``: those that must be gone before it may go, because they need it.

    Rows behind those of the manifests are barriers, which gather others and are named by their index as well.
    Whatever names something that is not among them, or makes a cycle, is no reason to wait.
    """
    asked, _ = _asked(manifests)
    for index, needed in enumerate(asked):
        needed.pop(index, None)
    needs = _add_implied(manifests, asked)
    _break_cycles(needs, [{} for _ in asked])
    dependents: list[set[int]] = [set() for _ in needs]
    for dependent, needed in enumerate(needs):
        for index in needed:
            dependents[index].add(dependent)
    return dependents


def _asked(manifests: Sequence[Manifest]) -> tuple[_Needs, tuple[Finding, ...]]:
    """What is asked for by annotation, and what of that the app does not have.

    Behind the manifests' own rows stand barriers, one for each name that means several of them.
    """
    known = _names(manifests)
    needs: _Needs = [{} for _ in manifests]
    findings: list[Finding] = []
    gathered: dict[str, list[int]] = {}
    for index, manifest in enumerate(manifests):
        for name in explicit(manifest):
            found = known.get(name.lower(), ())
            if not found:
                findings.append(_unknown_finding(manifest, name, known))
            elif len(found) == 1:
                needs[index][found[0]] = Milestone.READY
            else:
                gathered.setdefault(name.lower(), []).append(index)
    for name, asking in gathered.items():
        _gather(needs, known[name], asking)
    return needs, tuple(findings)


def _gather(needs: _Needs, found: Sequence[int], asking: Sequence[int]) -> None:
    """Let all of ``asking`` need all of ``found``, most by way of a barrier."""
    meant = frozenset(found)
    within = list(dict.fromkeys(index for index in asking if index in meant))
    if len(within) == 1:
        # A file that names itself means the other objects in it.
        needs[within[0]].update(dict.fromkeys((other for other in found if other != within[0]), Milestone.READY))
    for one, other in pairwise(within):
        # Two that do so wait for each other, and nothing else counts then.
        needs[one][other] = needs[other][one] = Milestone.READY
    outside = [index for index in asking if index not in meant]
    if outside:
        needs.append(dict.fromkeys(found, Milestone.READY))
    for index in outside:
        needs[index][len(needs) - 1] = Milestone.READY


def _names(manifests: Sequence[Manifest]) -> dict[str, list[int]]:
    """What depends-on may call each manifest: kind/name, qualified or not, or its file, which may mean several."""
    names: dict[str, list[int]] = {}
    for index, manifest in enumerate(manifests):
        stem = manifest.file.rpartition(".")[0] or manifest.file
        for name in {str(manifest.ref), manifest.ref.qualified, manifest.file, stem}:
            names.setdefault(name.lower(), []).append(index)
    return names


def _unknown_finding(manifest: Manifest, name: str, known: Mapping[str, object]) -> Finding:
    hint = did_you_mean(nearest(name, known), "name kind/name or a file of this app")
    place = manifest.positions.value(("metadata", "annotations", DEPENDS_ON))
    message = f"{manifest.ref} depends on `{name}`, which this app does not have"
    return error("unknown-dependency", message, hint, place)


def _cycle(needs: _Needs) -> list[int]:
    """The nodes of a cycle, each needed by the one after it, the first again at the end; [] if there is none."""
    try:
        TopologicalSorter(dict(enumerate(needs))).prepare()
    except CycleError as cycle:
        return list(cycle.args[1])
    return []


def _cycle_through_endpoints(asked: _Needs, backers: Mapping[int, list[int]]) -> list[int]:
    """Services, and workloads that were asked to wait for them though the Services wait for their endpoints.

    The same form as ``_cycle``; [] unless all that backs these Services waits for them.
    """
    needs, backing = _with_pools(asked, backers)
    never = _never_ready(needs, backing)
    if not never:
        return []
    # Each of these waits for another of them. A way along them comes round, and there by a Service.
    node, way = min(never), dict[int, None]()
    while node not in way:
        way[node] = None
        node = next(needed for needed in chain(needs[node], backing.get(node, ())) if needed in never)
    cycle = list(way)[list(way).index(node) :]
    start = next(at for at, each in enumerate(cycle) if each in backers)
    cycle = cycle[start:] + cycle[:start]
    return [cycle[0], *reversed(cycle)]


def _never_ready(needs: _Needs, backing: Mapping[int, list[int]]) -> set[int]:
    """What waits for itself, where each waits for all that it needs, and for one of those that back it."""
    dependents, backed = _turned(enumerate(needs)), _turned(backing.items())
    missing = [len(needed) + bool(backing.get(index)) for index, needed in enumerate(needs)]
    ready = [index for index, number in enumerate(missing) if not number]
    served: set[int] = set()
    for index in ready:
        first = [each for each in backed.get(index, ()) if each not in served]
        served.update(first)
        for dependent in chain(dependents.get(index, ()), first):
            missing[dependent] -= 1
            if not missing[dependent]:
                ready.append(dependent)
    return {index for index, number in enumerate(missing) if number}


def _turned(edges: Iterable[tuple[int, Iterable[int]]]) -> dict[int, list[int]]:
    """The other way round: from what is needed to what needs it."""
    turned: dict[int, list[int]] = {}
    for dependent, needed in edges:
        for index in needed:
            turned.setdefault(index, []).append(dependent)
    return turned


def _cycle_finding(manifests: Sequence[Manifest], cycle: Sequence[int]) -> Finding:
    along = [manifests[index] for index in reversed(cycle) if index < len(manifests)]
    along = along if along[0] is along[-1] and len(along) > 1 else [*along, along[0]]
    round_trip = " → ".join(str(manifest.ref) for manifest in along)
    asking = next(manifest for manifest in along if explicit(manifest))
    place = asking.positions.value(("metadata", "annotations", DEPENDS_ON))
    message = f"these wait for each other, so none could start: {round_trip}"
    return error("dependency-cycle", message, "take one of these dependencies out", place)


def _add_implied(manifests: Sequence[Manifest], asked: _Needs) -> _Needs:
    """``asked`` and all that is implied. Behind its rows stand further barriers.

    One holds everything until what is made of env/ was tried, one every workload
    until all Services were, so that their environment variables reach every pod. A
    Service that was asked to wait for something holds up nobody. The others gather
    what many select by the same labels.
    """
    lookup = Lookup(manifests)
    by_ref = {manifest.ref: index for index, manifest in enumerate(manifests)}
    env, services = len(asked), len(asked) + 1
    needs: _Needs = [*map(dict, asked), {}, {}]
    for index, manifest in enumerate(manifests):
        for ref in named(manifest, lookup):
            other = by_ref.get(ref, index)
            if other != index:
                needs[index].setdefault(other, _milestone(manifest.ref, ref))
        if manifest.directory is Directory.ENV:
            needs[env][index] = Milestone.TRIED
        elif _kind(manifest) != ("", "Namespace"):
            needs[index].setdefault(env, Milestone.TRIED)
        if _kind(manifest) in WORKLOADS:
            needs[index].setdefault(services, Milestone.TRIED)
        elif _kind(manifest) == ("", "Service") and not asked[index]:
            needs[services][index] = Milestone.TRIED
    _add_selected(needs, manifests, lookup, by_ref)
    return needs


def _add_selected(
    needs: _Needs, manifests: Sequence[Manifest], lookup: Lookup, by_ref: Mapping[ObjectRef, int]
) -> None:
    """Let what selects pods need their workloads; where several select the same, by way of a barrier."""
    selecting: dict[int, tuple[tuple[ObjectRef, ...], list[int]]] = {}
    for index, manifest in enumerate(manifests):
        found = selected(manifest, lookup)
        if found:
            selecting.setdefault(id(found), (found, []))[1].append(index)
    for refs, indices in selecting.values():
        workloads = [by_ref[ref] for ref in refs]
        if len(indices) > 1 and len(workloads) > 1:
            needs.append(dict.fromkeys(workloads, Milestone.READY))
            workloads = [len(needs) - 1]
        for index in indices:
            for workload in workloads:
                needs[index].setdefault(workload, Milestone.READY)


def _kind(manifest: Manifest) -> tuple[str, str]:
    return manifest.ref.group, manifest.ref.kind


def _milestone(dependent: ObjectRef, needed: ObjectRef) -> Milestone:
    """How far something that is named in a field must be. See the top of the module."""
    is_workload = (dependent.group, dependent.kind) in WORKLOADS
    becomes_ready_by_use = needed.kind in {"Service", "PersistentVolumeClaim"} and needed.group == ""
    return Milestone.APPLIED if is_workload and becomes_ready_by_use else Milestone.READY


def _break_cycles(needs: _Needs, asked: _Needs) -> None:
    """Drop what is implied wherever it makes a cycle. Ends, because ``asked`` alone has none.

    Goes from each node along what it needs. Where that comes back to the way it came, the last
    step on this way that is implied is dropped, and it goes on from before that step.
    """
    left = [list(reversed(needed)) for needed in needs]
    is_done = [False] * len(needs)
    for start in range(len(needs)):
        way = [] if is_done[start] else [start]
        place = {start: 0}
        while way:
            node = way[-1]
            if not left[node]:
                is_done[node] = True
                del place[way.pop()]
            elif is_done[left[node][-1]]:
                left[node].pop()
            elif left[node][-1] not in place:
                way.append(left[node][-1])
                place[way[-1]] = len(way) - 1
            else:
                _drop_last_implied(way, place, left, needs, asked)


def _drop_last_implied(
    way: list[int], place: dict[int, int], left: list[list[int]], needs: _Needs, asked: _Needs
) -> None:
    """Go back on ``way`` to the last node whose next step is only implied, and take that step out."""
    while way:
        node, needed = way[-1], left[way[-1]][-1]
        if node >= len(asked) or needed not in asked[node]:
            left[node].pop()
            del needs[node][needed]
            return
        del place[way.pop()]


def _graph(manifests: Sequence[Manifest], needs: _Needs, backers: Mapping[int, list[int]]) -> Graph:
    needs, backing = _with_pools(needs, backers)
    order = _in_given_order(needs)
    place = {index: position for position, index in enumerate(order)}
    dependents: list[list[tuple[int, Milestone]]] = [[] for _ in order]
    for dependent, needed in enumerate(needs):
        for index, how_far in needed.items():
            dependents[place[index]].append((place[dependent], how_far))
    for dependent, workloads in backing.items():
        for index in workloads:
            dependents[place[index]].append((place[dependent], Milestone.BACKS))
    return Graph(
        tuple(
            Node(
                manifests[index] if index < len(manifests) else None,
                len(needs[index]),
                len(backing.get(index, ())),
                tuple(sorted(dependents[position])),
            )
            for position, index in enumerate(order)
        )
    )


def _with_pools(needs: _Needs, backers: Mapping[int, list[int]]) -> tuple[_Needs, dict[int, list[int]]]:
    """``backers``; but where several workloads back several Services, by way of a barrier: their pool."""
    backed: dict[int, tuple[list[int], list[int]]] = {}
    for service, workloads in backers.items():
        backed.setdefault(id(workloads), (workloads, []))[1].append(service)
    pooled: dict[int, list[int]] = {}
    number = len(needs)
    for pool, services in backed.values():
        if len(pool) > 1 and len(services) > 1:
            pooled[number] = list(pool)
            pooled |= {service: [number] for service in services}
            number += 1
        else:
            pooled |= {service: list(pool) for service in services}
    return [*needs, *({} for _ in range(number - len(needs)))], pooled


def backers(manifests: Sequence[Manifest]) -> dict[int, list[int]]:
    """By the index of a Service: the workloads whose pods it selects and that run all the time.

    One at zero replicas does not, and neither do Jobs. Those of the same workloads share one list.
    """
    lookup = Lookup(manifest for manifest in manifests if _runs_on(manifest))
    by_ref = {manifest.ref: index for index, manifest in enumerate(manifests)}
    indices: dict[int, list[int]] = {}
    backed: dict[int, list[int]] = {}
    for index, manifest in enumerate(manifests):
        if _kind(manifest) == ("", "Service"):
            refs = lookup.selected(manifest.ref.namespace, mapping(manifest.body, "spec", "selector"))
            if id(refs) not in indices:
                indices[id(refs)] = [by_ref[ref] for ref in refs]
            backed[index] = indices[id(refs)]
    return backed


def _runs_on(manifest: Manifest) -> bool:
    return manifest.ref.group != "batch" and dig(manifest.body, "spec", "replicas") != 0


def _in_given_order(needs: _Needs) -> list[int]:
    """The nodes in waves; within a wave as the app lists them, so that every run has one order."""
    sorter = TopologicalSorter(dict(enumerate(needs)))
    sorter.prepare()
    order: list[int] = []
    while sorter.is_active():
        wave = sorted(sorter.get_ready())
        order += wave
        sorter.done(*wave)
    return order
