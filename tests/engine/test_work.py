"""Twice as many objects are twice as much work, counted in lines of Python that are run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import generate
from kploy.cluster.adapter import ApiServer
from kploy.core import rollout
from kploy.core.across import survey
from kploy.core.graph import graph_of, removal_order
from kploy.core.kinds import own_resource
from kploy.engine.lookout import Lookout, Told
from kploy.engine.prepare import prepare
from kploy.engine.related import SERVICE_NAME, SLICES
from kploy.engine.resources import Resources
from kploy.engine.standing import Wanted, standing_of
from kploy.model.app import Manifest
from kploy.model.objects import ObjectRef
from kploy.model.plan import Action
from kploy.model.report import Outcome
from tests.counting import lines_of
from tests.makers import app_of, deployment, service, thing

Body = dict[str, Any]

_LINEAR = 2.05


def apart(number: int) -> Iterable[Manifest]:
    """A Service, and what it serves."""
    return [service(f"s{number}", app=f"d{number}"), *_workload(number)]


def pooled(number: int) -> Iterable[Manifest]:
    """A Service that has the pods of all workloads to itself and all other Services."""
    return [service(f"s{number}", tier="front"), *_workload(number)]


def in_a_row(number: int) -> Iterable[Manifest]:
    """A Service that was asked to wait for the one before, and what it serves."""
    selector, before = {"app": f"d{number}"}, f"service/s{number - 1}" if number else ""
    return [service(f"s{number}", before, **selector), *_workload(number)]


def _workload(number: int) -> Iterable[Manifest]:
    variables = [{"configMapRef": {"name": f"c{number}"}}, {"secretRef": {"name": f"x{number}"}}]
    containers = [{"name": "main", "image": "web:1", "envFrom": variables}]
    labels = {"app": f"d{number}", "tier": "front"}
    return [
        deployment(f"d{number}", labels, serviceAccountName=f"a{number}", containers=containers),
        thing(f"a{number}", "ServiceAccount"),
        thing(f"c{number}"),
        thing(f"x{number}", "Secret"),
    ]


class Deploy:
    """The pure part of a deploy: what decides, and a cluster where everything goes well."""

    def __init__(self, manifests: list[Manifest]) -> None:
        self.graph, _ = graph_of(manifests)
        self.lookout = Lookout(self.graph, {}, lambda: 0.0)
        self.state = rollout.start(self.graph, 600.0)
        self.nodes = {node.ref: index for index, node in enumerate(self.graph.nodes) if node.ref is not None}
        self.versions = count(1)
        self.to_do = deque[rollout.Observation]([rollout.Began(0.0)])
        self.to_apply = deque[int]()

    def run(self) -> None:
        """Everything is applied, then seen, listed and looked at again; then its pods come, and all is ready."""
        self._decide()
        while self.to_apply:
            self._apply(self.to_apply.popleft())
        self._see_all(pods=0)
        self._list_and_look_again()
        self._see_all(pods=1)
        assert (self.state.is_finished, rollout.outcome_of(self.state)) == (True, Outcome.DONE)

    def _decide(self) -> None:
        while self.to_do:
            self.state, actions = rollout.step(self.state, self.to_do.popleft())
            self.to_apply += [action.node for action in actions if isinstance(action, rollout.Apply)]

    def _told(self, told: Iterable[Told]) -> None:
        self.to_do += [rollout.Seen(self.nodes[ref], status, 0.0) for ref, status in told]
        self._decide()

    def _apply(self, node: int) -> None:
        manifest = self.graph.nodes[node].manifest
        assert manifest is not None
        status = self.lookout.applied(manifest.ref, self._live(manifest, pods=0))
        self.to_do.append(rollout.Answered(node, Action.CREATED, status, 0.0))
        self._told(self.lookout.backed_by(manifest.ref))

    def _see_all(self, *, pods: int) -> None:
        for manifest in self.graph.manifests:
            self._told(self.lookout.seen(manifest.ref, self._live(manifest, pods=pods)))
            if manifest.ref.kind == "Service":
                slice_, body = self._slice(manifest.ref.name, is_ready=bool(pods))
                self._told(self.lookout.judged(self.lookout.related_seen(SLICES, slice_, body, is_gone=False)))

    def _list_and_look_again(self) -> None:
        for kind in {(ref.group, ref.kind) for ref in self.nodes}:
            bodies = {each.ref: self._live(each, pods=0) for each in self.graph.manifests if _kind(each) == kind}
            self._told(self.lookout.listed(kind, bodies, str(next(self.versions))))
        services = [ref.name for ref in self.nodes if ref.kind == "Service"]
        self._told(
            self.lookout.related_listed(SLICES, dict(self._slice(name, is_ready=False) for name in services))
        )
        for _ in range(3):
            self._told(self.lookout.judged(list(self.nodes)))
            self.to_do.append(rollout.Ticked(31.0))
            self._decide()

    def _live(self, manifest: Manifest, *, pods: int) -> Body:
        named = {"name": manifest.ref.name, "namespace": "shop", "uid": str(manifest.ref), "generation": 1}
        body = {**manifest.body, "metadata": {**named, "resourceVersion": str(next(self.versions))}}
        if manifest.ref.kind == "Service":
            body["spec"] = {**manifest.body["spec"], "clusterIP": "10.0.0.1"}
        numbers = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), pods)
        return {**body, "status": {"observedGeneration": 1, **numbers}}

    def _slice(self, of: str, *, is_ready: bool) -> tuple[ObjectRef, Body]:
        version, labels = str(next(self.versions)), {SERVICE_NAME: of}
        endpoints = [{"addresses": ["10.1.0.1"], "conditions": {"ready": is_ready}}]
        body = {"metadata": {"name": of, "labels": labels, "resourceVersion": version}, "endpoints": endpoints}
        return ObjectRef("discovery.k8s.io", "EndpointSlice", "shop", of), body


def _kind(manifest: Manifest) -> tuple[str, str]:
    return manifest.ref.group, manifest.ref.kind


def _checked(manifests: list[Manifest]) -> object:
    return survey(app_of(*manifests))


def _deployed(manifests: list[Manifest]) -> None:
    Deploy(manifests).run()


@pytest.mark.parametrize(
    ("work", "services", "a_service"),
    [
        *product([graph_of], [200], [apart, pooled, in_a_row]),
        *product([removal_order], [200], [apart, pooled, in_a_row]),
        *product([_checked], [100], [apart, pooled, in_a_row]),
        *product([_deployed], [50], [apart, pooled]),
    ],
)
def test_twice_as_many_objects_are_twice_the_work(
    work: Callable[[list[Manifest]], object], services: int, a_service: Callable[[int], Iterable[Manifest]]
) -> None:
    app = [manifest for number in range(2 * services) for manifest in a_service(number)]
    half = len(app) // 2
    once, twice = (lines_of(lambda part=part: work(part)) for part in (app[:half], app))  # type: ignore[misc]
    assert twice / once <= _LINEAR, (once, twice)


@pytest.mark.cluster
def test_to_compare_twice_as_many_new_objects_is_twice_the_work(
    api: ApiServer, namespace: str, tmp_path: Path
) -> None:
    def compared(services: int) -> int:
        root = tmp_path / str(services)
        generate(root, services, namespace)
        prepared = prepare(root)
        assert prepared.app is not None
        resources = Resources(api, prepared.app.manifests)
        wanted = Wanted(
            prepared.app, prepared.graph, api, resources, namespace_exists=True, survey=prepared.survey
        )
        return lines_of(lambda: standing_of(wanted))

    api.create(
        own_resource("v1", "Namespace"), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    )
    once, twice = compared(30), compared(60)
    # What waits for an answer runs a few lines more or less.
    assert twice / once <= _LINEAR, (once, twice)
