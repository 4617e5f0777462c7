"""Twenty thousand objects take steps and work in proportion to what there is, counted without a clock."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from kploy.core import rollout
from kploy.core.graph import Graph, Milestone, graph_of
from kploy.core.rollout import Item
from kploy.core.table import Table
from kploy.model.app import Manifest
from kploy.model.objects import State, Status
from kploy.model.plan import Action
from kploy.model.report import Outcome
from tests.engine.test_work import apart, pooled
from tests.makers import thing

MANY = 20_000

_STARTING, _UP = Status(State.IN_PROGRESS), Status(State.CURRENT)


@dataclass
class Tally:
    """What a deploy took: steps and their actions, items read and replaced, dependents looked at."""

    steps: int = 0
    actions: int = 0
    read: int = 0
    replaced: int = 0
    visited: int = 0


class Counted:
    """A table that counts what is done with its rows."""

    def __init__(self, rows: Table[Item], tally: Tally) -> None:
        self._rows = rows
        self._tally = tally

    def __getitem__(self, index: int) -> Item:
        self._tally.read += 1
        return self._rows[index]

    def __iter__(self) -> Iterator[Item]:
        self._tally.read += len(self._rows)
        return iter(self._rows)

    def replace(self, rows: Mapping[int, Item]) -> Counted:
        self._tally.replaced += len(rows)
        return Counted(self._rows.replace(rows), self._tally)


class Visited(tuple[tuple[int, Milestone], ...]):
    """Dependents that count who looks at them."""

    tally: Tally

    def __iter__(self) -> Iterator[Any]:
        self.tally.visited += len(self)
        return super().__iter__()


def counting(graph: Graph, tally: Tally) -> rollout.State:
    """A deploy of ``graph`` that counts its work."""
    nodes = []
    for node in graph.nodes:
        dependents = Visited(node.dependents)
        dependents.tally = tally
        nodes.append(replace(node, dependents=dependents))
    state = rollout.start(Graph(tuple(nodes)), 600.0)
    return replace(state, items=cast("Table[Item]", Counted(state.items, tally)))


def played(graph: Graph) -> tuple[rollout.State, Tally]:
    """A deploy to its end in which each object is taken; what runs, or has endpoints, is ready some time after."""
    tally = Tally()
    state = counting(graph, tally)
    to_do = deque[rollout.Observation]([rollout.Began(0.0)])
    while to_do:
        state, actions = rollout.step(state, to_do.popleft())
        tally.steps += 1
        tally.actions += len(actions)
        for node in (action.node for action in actions if isinstance(action, rollout.Apply)):
            is_slow = takes_time(graph.nodes[node].manifest)
            to_do.append(rollout.Answered(node, Action.CREATED, _STARTING if is_slow else _UP, 0.0))
            if is_slow:
                to_do.append(rollout.Seen(node, _UP, 1.0))
    return state, tally


def takes_time(manifest: Manifest | None) -> bool:
    """Whether an object is not ready as soon as it is there."""
    return manifest is not None and manifest.ref.kind in {"Deployment", "Service"}


def services(one: Callable[[int], Iterable[Manifest]]) -> list[Manifest]:
    return [manifest for number in range(MANY // 5) for manifest in one(number)]


def in_a_row() -> list[Manifest]:
    """Each object was asked to wait for the one before."""
    return [thing(f"c{each}", after=f"configmap/c{each - 1}" if each else "") for each in range(MANY)]


def around_one() -> list[Manifest]:
    """Half of the objects stand in one file, and the others were asked to wait for all of it: by one barrier."""
    gathered = [replace(thing(f"a{each}"), file="resources/all.yaml") for each in range(MANY // 2)]
    return [*gathered, *(thing(f"b{each}", after="resources/all.yaml") for each in range(MANY // 2))]


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """All these objects are garbage at the end, and none before: looking for it takes a third of the time."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "manifests",
    [lambda: services(apart), lambda: services(pooled), in_a_row, around_one],
    ids=["apart", "pooled", "in a row", "around one"],
)
def test_twenty_thousand_objects_are_deployed_in_steps_and_work_in_proportion(
    manifests: Callable[[], list[Manifest]],
) -> None:
    app = manifests()
    graph, _ = graph_of(app)
    edges = sum(len(node.dependents) for node in graph.nodes)
    assert (len(graph.manifests), edges <= 3 * MANY) == (MANY, True)
    state, tally = played(graph)
    assert (state.is_finished, rollout.outcome_of(state)) == (True, Outcome.DONE)
    slow = sum(map(takes_time, app))
    kinds = len({each.ref.kind for each in app if takes_time(each)})
    # Each is applied, told as applied and told as ready; besides, kinds are watched, and the end is told.
    assert (tally.steps, tally.actions) == (1 + MANY + slow, 3 * MANY + kinds + 1)
    # A dependent is looked at when what it needs is applied and when it is ready; read is a few times as much.
    assert tally.visited <= 2 * edges, tally
    assert tally.replaced <= 2 * (MANY + edges), tally
    assert tally.read <= 4 * (MANY + edges), tally
