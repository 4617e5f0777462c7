"""The deploy: does what the state machine says, and tells it what came of it.

One thread decides, the one that reads the events. See core.rollout for the
decisions and engine.carrier for the threads that only carry.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from queue import Empty
from typing import assert_never

from kploy.cluster.port import Cluster
from kploy.core import rollout
from kploy.core.graph import Graph
from kploy.core.refusals import quotable
from kploy.engine.carrier import (
    Broken,
    Carrier,
    Inbox,
    Listed,
    Message,
    NotSent,
    NotTaken,
    Sighted,
    StopRequested,
    Taken,
)
from kploy.engine.compare import Comparison
from kploy.engine.lookout import ENDPOINT_SLICE, Lookout
from kploy.engine.resources import Resources
from kploy.model.app import App
from kploy.model.events import Event
from kploy.model.objects import ObjectRef, Status
from kploy.model.plan import Action


@dataclass(frozen=True, slots=True)
class Deploy:
    """Everything a deploy needs: what is wanted, what is there, and where to. ``timeout`` in seconds."""

    app: App
    graph: Graph
    comparison: Comparison
    cluster: Cluster
    resources: Resources
    timeout: float


def deploy(job: Deploy, inbox: Inbox) -> Iterator[Event]:
    """Apply what differs, in order, and wait until everything is ready; the last event is Finished.

    Objects that are as they should be get no request. ``inbox.stop()`` lets
    nothing new start and ends the deploy once the requests under way are
    answered. Raises whatever makes it impossible to go on.
    """
    carrier = Carrier(job.app, job.cluster, job.resources, inbox)
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
        self._lookout = Lookout(job.graph, job.comparison.live, time.time)
        self._state = rollout.start(job.graph, job.timeout)
        self._nodes = {node.ref: index for index, node in enumerate(job.graph.nodes) if node.ref is not None}
        self._unchanged = {
            change.ref for change in job.comparison.plan.changes if change.action is Action.UNCHANGED
        }
        self._at_once: list[rollout.Observation] = []

    def events(self) -> Iterator[Event]:
        if not self._inbox.empty():
            # All that can be in there before a deploy is the wish to stop it.
            self._carrier.withhold()
        yield from self._take(rollout.Began(time.monotonic()))
        while not self._state.is_finished:
            for observation in self._observe():
                yield from self._take(observation)

    def _observe(self) -> Iterable[rollout.Observation]:
        """What is known already, else the next thing that happens; the deadline is one, too."""
        if self._at_once:
            known, self._at_once = self._at_once, []
            return known
        patience = None if self._state.ending else self._state.deadline - time.monotonic()
        try:
            if patience is None or patience > 0:
                return self._understood(self._inbox.get(timeout=patience))
        except Empty:
            pass
        self._carrier.withhold()
        return [rollout.Ticked(max(time.monotonic(), self._state.deadline))]

    def _understood(self, message: Message) -> list[rollout.Observation]:
        now = time.monotonic()
        match message:
            case Taken(node, action, body):
                ref = self._job.graph.nodes[node].ref
                assert ref is not None  # noqa: S101 - only manifests are applied
                return [rollout.Answered(node, action, self._lookout.applied(ref, body), now)]
            case NotSent(node):
                return [rollout.Withheld(node, now)]
            case NotTaken(node, error):
                return [rollout.Rejected(node, self._quotable(node, error.message), now, error.hint)]
            case Sighted(ref, body, is_gone):
                look = self._lookout.gone if is_gone else self._lookout.seen
                return self._seen([look(ref, body)], now)
            case Listed(resource, bodies, version):
                kind = (resource.group, resource.kind)
                return self._seen(self._lookout.listed(kind, bodies, version), now)
            case StopRequested():
                self._carrier.withhold()
                return [rollout.Interrupted(now)]
            case Broken(error):
                raise error
            case _:
                assert_never(message)

    def _seen(self, told: Iterable[tuple[ObjectRef, Status] | None], now: float) -> list[rollout.Observation]:
        return [
            rollout.Seen(self._nodes[ref], status, now) for ref, status in filter(None, told) if ref in self._nodes
        ]

    def _quotable(self, node: int, message: str) -> str:
        manifest = self._job.graph.nodes[node].manifest
        return message if manifest is None else quotable(manifest, message)

    def _take(self, observation: rollout.Observation) -> Iterator[Event]:
        self._state, actions = rollout.step(self._state, observation)
        for action in actions:
            match action:
                case rollout.Apply(node):
                    self._apply(node)
                case rollout.Watch(api_version, kind):
                    self._carrier.watch(api_version, kind)
                    if (api_version, kind) == ("v1", "Service"):
                        self._carrier.watch(*ENDPOINT_SLICE)
                case rollout.Tell(event):
                    yield event
                case _:
                    assert_never(action)

    def _apply(self, node: int) -> None:
        manifest = self._job.graph.nodes[node].manifest
        assert manifest is not None  # noqa: S101 - the machine never applies a barrier
        if manifest.ref in self._unchanged:
            status = self._lookout.applied(manifest.ref, self._job.comparison.live[manifest.ref])
            self._at_once.append(rollout.Answered(node, Action.UNCHANGED, status, time.monotonic()))
        else:
            self._carrier.apply(node, manifest)
