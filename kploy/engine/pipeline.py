"""The one path that a manifest travels, up to where something is written: there engine.run goes on."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from pathlib import Path

from kploy.cluster.port import Cluster, Forbidden
from kploy.core.bodies import entries, text
from kploy.core.desired import namespace_manifest
from kploy.core.kinds import own_resource
from kploy.core.schema_store import minor_of
from kploy.engine.acquaint import Acquainted, Connect, checked, opened
from kploy.engine.asking import telling
from kploy.engine.check import opened_offline, outcome_of, report
from kploy.engine.compare import Liberties
from kploy.engine.homes import namespace_exists
from kploy.engine.ordering import order_of
from kploy.engine.permissions import preflight
from kploy.engine.prepare import Prepared, has_errors, prepare
from kploy.engine.resources import Resources
from kploy.engine.standing import Standing, Wanted, standing_of
from kploy.model.events import Checked, Event, Finished, NodesCounted, Noted, Opened, Planned
from kploy.model.findings import in_reading_order
from kploy.model.frozen import replace
from kploy.model.report import Outcome


def dryrun(
    root: Path,
    connect: Connect,
    *,
    version: str = "",
    tell_pending: bool = False,
    liberties: Liberties = Liberties(),
) -> Iterator[Event]:
    """What is wrong with an app, and what a run of it would change. Nothing is written.

    ``version`` is that of the schemas to check against; "" for the cluster's own.
    The last event is Finished; with ``tell_pending`` its outcome is PENDING when
    a run would change something. Raises KployError where the cluster stops it.
    """
    prepared, cluster = yield from checked_app(prepare(root), connect, version)
    if cluster is None:
        return
    yield _nodes(cluster)
    wanted = yield from telling(cluster, lambda: wanted_of(prepared, cluster, liberties))
    if not (yield from allowed(prepared, wanted)):
        return
    found = yield from telling(cluster, lambda: standing_of(wanted))
    if (yield from judged(prepared, found)):
        yield Finished(Outcome.PENDING if tell_pending and found.plan.writes else Outcome.DONE)


def checked_app(
    unchecked: Prepared, connect: Connect, version: str = "", until: float = math.inf
) -> Generator[Event, None, tuple[Prepared, Cluster | None]]:
    """The app with all that is wrong with it, and its cluster; None when it ends there, the last event told."""
    prepared, met = checked(unchecked, connect, version, until)
    opening = _opening(prepared, met, version)
    if met is None or not prepared.is_valid:
        yield from report(prepared, opening)
        return prepared, None
    yield from opening
    return prepared, met.cluster


def wanted_of(prepared: Prepared, cluster: Cluster, liberties: Liberties, until: float = math.inf) -> Wanted:
    """What is to be in the cluster: the app, and its namespace if it is not there.

    Nothing is asked again past ``until`` (monotonic).
    """
    app = prepared.app
    assert app is not None  # noqa: S101 - it is valid
    exists = namespace_exists(app, cluster.until(until))
    manifests = app.manifests
    if not exists and namespace_manifest(app).ref not in {manifest.ref for manifest in manifests}:
        manifests = (namespace_manifest(app), *manifests)
    resources = Resources(cluster, manifests)
    settled = resources.until(until).settled(manifests)
    whole = replace(app, manifests=settled)
    graph = prepared.graph if settled == app.manifests else order_of(whole, "the app")
    own = tuple(manifest for manifest in settled if not manifest.is_implied)
    return Wanted(replace(app, manifests=own), graph, cluster, resources, exists, prepared.survey, liberties)


def allowed(prepared: Prepared, wanted: Wanted, until: float = math.inf) -> Generator[Event, None, bool]:
    """Whether the user may do all that a run does. If not, what is missing is told, and the end."""
    cluster, resources = wanted.cluster.until(until), wanted.resources.until(until)
    rights = preflight(wanted.app, wanted.graph.manifests, cluster, resources)
    yield from rights.notes
    if rights.findings:
        yield Checked(in_reading_order((*prepared.findings, *rights.findings)), prepared.files)
        yield Finished(outcome_of(rights.findings))
    return not rights.findings


def judged(prepared: Prepared, found: Standing) -> Generator[Event, None, bool]:
    """Whether nothing speaks against going on. Tells all findings, then the plan or the end."""
    yield from found.notes
    findings = in_reading_order((*prepared.findings, *found.findings))
    yield Checked(findings, prepared.files)
    if has_errors(findings):
        yield Finished(outcome_of(findings))
        return False
    yield Planned(found.plan)
    return True


def _opening(prepared: Prepared, met: Acquainted | None, version: str) -> Iterator[Opened | Noted]:
    """How it begins for an app that is legible: what is checked, where it goes, and by which schemas."""
    if prepared.app is None:
        return
    if met is None:
        yield opened_offline(prepared.app, prepared.schemas)
        return
    yield opened(prepared.app, met.cluster, met.version, prepared.schemas)
    if not version and minor_of(met.version) != prepared.schemas:
        fact = f"kploy has no schemas of Kubernetes {met.version}"
        yield Noted(f"{fact}: the app was checked against those of {prepared.schemas}")


def _nodes(cluster: Cluster) -> NodesCounted:
    try:
        nodes = cluster.list(own_resource("v1", "Node"), "").items
    except Forbidden:
        return NodesCounted(None, None)
    return NodesCounted(sum(map(_is_ready, nodes)), len(nodes))


def _is_ready(node: object) -> bool:
    return any(
        text(condition, "type") == "Ready" and text(condition, "status") == "True"
        for condition in entries(node, "status", "conditions")
    )
