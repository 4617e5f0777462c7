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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from kploy.core.bodies import dig, mapping
from kploy.core.dependencies import Lookup, explicit, implied
from kploy.core.inventory import Entry
from kploy.core.kinds import WORKLOADS
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import DEPENDS_ON, Directory, Manifest
from kploy.model.findings import Finding, error
from kploy.model.objects import ObjectRef


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
    if findings:
        return Graph(), findings
    backed = backers(manifests)
    cycle = _cycle(asked) or _cycle_through_endpoints(asked, backed)
    if cycle:
        return Graph(), (_cycle_finding(manifests, cycle),)
    needs = _add_implied(manifests, asked)
    _break_cycles(needs, asked)
    return _graph(manifests, needs, backed), ()


def removal_order(manifests: Sequence[Manifest]) -> list[set[int]]:
    """By the index of each of ``manifests``: those that must be gone before it may go, because they need it.

    Whatever names something that is not among them, or makes a cycle, is no reason to wait.
    """
    known = _names(manifests)
    asked: _Needs = [
        {other: Milestone.READY for name in explicit(manifest) for other in known.get(name.lower(), ())}
        for manifest in manifests
    ]
    for index, needed in enumerate(asked):
        needed.pop(index, None)
    needs = _add_implied(manifests, asked)
    _break_cycles(needs, [{} for _ in manifests])
    return _with_dependents(needs, len(manifests))


def _with_dependents(needs: _Needs, number: int) -> list[set[int]]:
    """By the index of the first ``number`` nodes: their dependents among these, those behind a barrier as well."""
    dependents: list[set[int]] = [set() for _ in needs]
    for dependent, needed in enumerate(needs):
        for index in needed:
            dependents[index].add(dependent)
    return [
        {node for each in nodes for node in ([each] if each < number else dependents[each]) if node < number}
        for nodes in dependents[:number]
    ]


def _asked(manifests: Sequence[Manifest]) -> tuple[_Needs, tuple[Finding, ...]]:
    """What is asked for by annotation, and what of that the app does not have."""
    known = _names(manifests)
    needs: _Needs = [{} for _ in manifests]
    findings: list[Finding] = []
    for index, manifest in enumerate(manifests):
        for name in explicit(manifest):
            found = known.get(name.lower())
            if found is None:
                findings.append(_unknown_finding(manifest, name, known))
                continue
            # A file that names itself means the other objects in it.
            others = [other for other in found if other != index or len(found) == 1]
            needs[index].update(dict.fromkeys(others, Milestone.READY))
    return needs, tuple(findings)


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
    """A Service, and a workload that was asked to wait for it though the Service waits for its endpoints.

    The same form as ``_cycle``; [] unless all that backs the Service waits for it.
    """
    dependents: dict[int, list[int]] = {}
    for dependent, needed in enumerate(asked):
        for index in needed:
            dependents.setdefault(index, []).append(dependent)
    for service, workloads in backers.items():
        if workloads and service in dependents:
            came_from = _walk(service, dependents)
            if came_from.keys() >= set(workloads):
                return [service, *reversed(_way_back(workloads[0], came_from)), service]
    return []


def _walk(start: int, edges: Mapping[int, list[int]]) -> dict[int, int]:
    """Every node that can be reached from ``start``, each with the node before it on the way."""
    came_from: dict[int, int] = {}
    pending = [start]
    while pending:
        node = pending.pop()
        for following in edges.get(node, ()):
            if following not in came_from:
                came_from[following] = node
                pending.append(following)
    return came_from


def _way_back(node: int, came_from: Mapping[int, int]) -> list[int]:
    """``node``, and the nodes before it, up to the one that follows the start."""
    way = [node]
    while came_from[way[-1]] in came_from:
        way.append(came_from[way[-1]])
    return way


def _cycle_finding(manifests: Sequence[Manifest], cycle: Sequence[int]) -> Finding:
    round_trip = " → ".join(str(manifests[index].ref) for index in reversed(cycle))
    asking = next(manifests[index] for index in reversed(cycle) if explicit(manifests[index]))
    place = asking.positions.value(("metadata", "annotations", DEPENDS_ON))
    message = f"these wait for each other, so none could start: {round_trip}"
    return error("dependency-cycle", message, "take one of these dependencies out", place)


def _add_implied(manifests: Sequence[Manifest], asked: _Needs) -> _Needs:
    """``asked`` and all that is implied. Behind the manifests' own nodes stand two barriers.

    The first holds everything until what is made of env/ was tried, the second
    every workload until all Services were, so that their environment variables
    reach every pod. A Service that was asked to wait for something holds up nobody.
    """
    lookup = Lookup(manifests)
    by_ref = {manifest.ref: index for index, manifest in enumerate(manifests)}
    env, services = len(manifests), len(manifests) + 1
    needs: _Needs = [*map(dict, asked), {}, {}]
    for index, manifest in enumerate(manifests):
        for ref in implied(manifest, lookup):
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
    return needs


def _kind(manifest: Manifest) -> tuple[str, str]:
    return manifest.ref.group, manifest.ref.kind


def _milestone(dependent: ObjectRef, needed: ObjectRef) -> Milestone:
    """How far something that is named in a field must be. See the top of the module."""
    is_workload = (dependent.group, dependent.kind) in WORKLOADS
    becomes_ready_by_use = needed.kind in {"Service", "PersistentVolumeClaim"} and needed.group == ""
    return Milestone.APPLIED if is_workload and becomes_ready_by_use else Milestone.READY


def _break_cycles(needs: _Needs, asked: _Needs) -> None:
    """Drop what is implied wherever it makes a cycle, one at a time. Ends, because ``asked`` alone has none."""
    while cycle := _cycle(needs):
        needed, dependent = next(
            (needed, dependent)
            for needed, dependent in pairwise(cycle)
            if dependent >= len(asked) or needed not in asked[dependent]
        )
        del needs[dependent][needed]


def _graph(manifests: Sequence[Manifest], needs: _Needs, backers: Mapping[int, list[int]]) -> Graph:
    order = _in_given_order(needs)
    place = {index: position for position, index in enumerate(order)}
    dependents: list[list[tuple[int, Milestone]]] = [[] for _ in order]
    for dependent, needed in enumerate(needs):
        for index, how_far in needed.items():
            dependents[place[index]].append((place[dependent], how_far))
    for service, workloads in backers.items():
        for index in workloads:
            dependents[place[index]].append((place[service], Milestone.BACKS))
    return Graph(
        tuple(
            Node(
                manifests[index] if index < len(manifests) else None,
                len(needs[index]),
                len(backers.get(index, ())),
                tuple(sorted(dependents[position])),
            )
            for position, index in enumerate(order)
        )
    )


def backers(manifests: Sequence[Manifest]) -> dict[int, list[int]]:
    """By the index of a Service: the workloads whose pods it selects and that run all the time.

    One at zero replicas does not, and neither do Jobs.
    """
    lookup = Lookup(manifest for manifest in manifests if _runs_on(manifest))
    by_ref = {manifest.ref: index for index, manifest in enumerate(manifests)}
    return {
        index: [
            by_ref[ref]
            for ref in lookup.selected(manifest.ref.namespace, mapping(manifest.body, "spec", "selector"))
        ]
        for index, manifest in enumerate(manifests)
        if _kind(manifest) == ("", "Service")
    }


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
