"""The one path that a manifest travels. ``dryrun`` is the first half of ``run``."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from kploy.cluster.port import Cluster, Forbidden, Terminating
from kploy.core.bodies import entries, text
from kploy.core.desired import namespace_manifest
from kploy.core.graph import graph_of
from kploy.core.kinds import builtin
from kploy.core.schema_store import minor_of
from kploy.engine.acquaint import Acquainted, Connect, checked
from kploy.engine.carrier import Inbox
from kploy.engine.check import opened_offline, outcome_of, report
from kploy.engine.compare import compare
from kploy.engine.deploy import Deploy, deploy
from kploy.engine.prepare import Prepared, has_errors, prepare
from kploy.engine.resources import Resources
from kploy.model.app import App
from kploy.model.events import Checked, Event, Finished, NodesCounted, Noted, Opened, Planned
from kploy.model.findings import in_reading_order
from kploy.model.objects import Resource
from kploy.model.report import Outcome


def dryrun(root: Path, connect: Connect, *, version: str = "", tell_pending: bool = False) -> Iterator[Event]:
    """What is wrong with an app, and what a run of it would change. Nothing is written.

    ``version`` is that of the schemas to check against; "" for the cluster's own.
    The last event is Finished; with ``tell_pending`` its outcome is PENDING when
    a run would change something. Raises KployError where the cluster stops it.
    """
    job = yield from _compared(root, connect, 0.0, version, count_nodes=True)
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
    root: Path, connect: Connect, timeout: float, version: str = "", *, count_nodes: bool
) -> Generator[Event, None, Deploy | None]:
    """The first half: from the directory to the plan. None when it ends there, with the last event told."""
    prepared, met = checked(prepare(root), connect, version)
    app = prepared.app
    if app is None or met is None or not prepared.is_valid:
        yield from report(prepared, _opening(prepared, met, version))
        return None
    yield from _opening(prepared, met, version)
    cluster = met.cluster
    if count_nodes:
        yield _nodes(cluster)
    return (yield from _planned(prepared, app, cluster, timeout))


def _planned(
    prepared: Prepared, app: App, cluster: Cluster, timeout: float
) -> Generator[Event, None, Deploy | None]:
    """From the valid app to the plan."""
    manifests = app.manifests
    namespace_exists = _namespace_exists(app, cluster)
    if not namespace_exists and namespace_manifest(app).ref not in {manifest.ref for manifest in manifests}:
        manifests = (namespace_manifest(app), *manifests)
    resources = Resources(cluster, manifests)
    manifests = resources.settled(manifests)
    graph = prepared.graph if manifests == app.manifests else graph_of(manifests)[0]
    comparison = compare(app, graph.manifests, cluster, resources, namespace_exists=namespace_exists)
    findings = in_reading_order((*prepared.findings, *comparison.findings))
    yield Checked(findings, prepared.files)
    if has_errors(findings):
        yield Finished(outcome_of(findings))
        return None
    yield Planned(comparison.plan)
    return Deploy(app, graph, comparison, cluster, resources, timeout)


def _opening(prepared: Prepared, met: Acquainted | None, version: str) -> Iterator[Opened | Noted]:
    """How it begins for an app that is legible: what is checked, where it goes, and by which schemas."""
    if prepared.app is None:
        return
    opened = opened_offline(prepared.app, prepared.schemas)
    if met is None:
        yield opened
        return
    target = met.cluster.target
    yield replace(
        opened,
        context=target.context,
        server=target.server,
        server_version=met.version,
        simulated=target.simulated,
    )
    if not version and minor_of(met.version) != prepared.schemas:
        fact = f"kploy has no schemas of Kubernetes {met.version}"
        yield Noted(f"{fact}: the app was checked against those of {prepared.schemas}")


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
