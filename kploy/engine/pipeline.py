"""The one path that a manifest travels. ``dryrun`` is the first half of ``run``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

from kploy.cluster.port import Cluster, Forbidden, Terminating
from kploy.core.bodies import entries, text
from kploy.core.desired import namespace_manifest
from kploy.core.graph import graph_of
from kploy.core.kinds import builtin
from kploy.core.rules import switched
from kploy.engine import outside
from kploy.engine.carrier import Inbox
from kploy.engine.check import opened_offline, outcome_of, report
from kploy.engine.compare import compare
from kploy.engine.deploy import Deploy, deploy
from kploy.engine.prepare import has_errors, prepare
from kploy.engine.resources import Resources
from kploy.model.app import App
from kploy.model.events import Checked, Event, Finished, NodesCounted, Opened, Planned
from kploy.model.findings import in_reading_order
from kploy.model.objects import Resource
from kploy.model.report import Outcome

Connect = Callable[[App], Cluster]
"""Gives the cluster that an app goes to. It may raise KployError, and sends nothing."""


def dryrun(root: Path, connect: Connect, *, tell_pending: bool = False) -> Iterator[Event]:
    """What is wrong with an app, and what a run of it would change. Nothing is written.

    The last event is Finished; with ``tell_pending`` its outcome is PENDING when
    a run would change something. Raises KployError where the cluster stops it.
    """
    job = yield from _compared(root, connect, timeout=0.0, count_nodes=True)
    if job is not None:
        yield Finished(Outcome.PENDING if tell_pending and job.comparison.plan.writes else Outcome.DONE)


def run(root: Path, connect: Connect, timeout: float, inbox: Inbox) -> Iterator[Event]:
    """Deploy an app: all that ``dryrun`` does, and then what it said. ``timeout`` in seconds.

    Nothing is written before everything is checked. See engine.deploy for how
    it goes on, and for ``inbox``.
    """
    job = yield from _compared(root, connect, timeout, count_nodes=False)
    if job is not None:
        yield from deploy(job, inbox)


def _compared(
    root: Path, connect: Connect, timeout: float, *, count_nodes: bool
) -> Generator[Event, None, Deploy | None]:
    """The first half: from the directory to the plan. None when it ends there, with the last event told."""
    prepared = prepare(root)
    app = prepared.app
    if app is None or not prepared.is_valid:
        yield from report(prepared)
        return None
    cluster = connect(app)
    yield _opened(app, cluster)
    if count_nodes:
        yield _nodes(cluster)
    manifests = app.manifests
    namespace_exists = _namespace_exists(app, cluster)
    if not namespace_exists and namespace_manifest(app).ref not in {manifest.ref for manifest in manifests}:
        manifests = (namespace_manifest(app), *manifests)
    resources = Resources(cluster, manifests)
    manifests = resources.settled(manifests)
    graph = prepared.graph if manifests == app.manifests else graph_of(manifests)[0]
    comparison = compare(app, graph.manifests, cluster, resources, namespace_exists=namespace_exists)
    missing = outside.missing(prepared.survey, cluster, resources, namespace_exists=namespace_exists)
    of_cluster = switched((*comparison.findings, *missing), app.kployfile.rules)
    findings = in_reading_order((*prepared.findings, *of_cluster))
    yield Checked(findings, prepared.files)
    if has_errors(findings):
        yield Finished(outcome_of(findings))
        return None
    yield Planned(comparison.plan)
    return Deploy(app, graph, comparison, cluster, resources, timeout)


def _opened(app: App, cluster: Cluster) -> Opened:
    """The first event. Asks the cluster for its version, so that a dead one is noticed before all else."""
    version = cluster.version()
    target = cluster.target
    return replace(
        opened_offline(app),
        context=target.context,
        server=target.server,
        server_version=version,
        simulated=target.simulated,
    )


def _nodes(cluster: Cluster) -> NodesCounted:
    try:
        nodes = cluster.list(_resource("Node"), "").items
    except Forbidden:
        return NodesCounted(None, None)
    return NodesCounted(sum(map(_is_ready, nodes)), len(nodes))


def _is_ready(node: object) -> bool:
    return any(
        text(condition, "type") == "Ready" and text(condition, "status") == "True"
        for condition in entries(node, "status", "conditions")
    )


def _namespace_exists(app: App, cluster: Cluster) -> bool:
    name = app.kployfile.namespace
    try:
        namespace = cluster.get(_resource("Namespace"), "", name)
    except Forbidden:
        # Who may not look at namespaces works in one that others made.
        return True
    if text(namespace, "metadata", "deletionTimestamp"):
        hint = f"run again when it is gone: kubectl wait --for=delete namespace/{name}"
        raise Terminating(f"namespace {name} is being deleted, and takes nothing new", hint)
    return namespace is not None


def _resource(kind: str) -> Resource:
    resource = builtin("v1", kind)
    if resource is None:
        raise LookupError(f"{kind} is not in the table of kinds")
    return resource
