"""The one path that a manifest travels. ``dryrun`` is the first half of ``run``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from kploy.cluster.port import Cluster, Forbidden
from kploy.core.bodies import entries, text
from kploy.core.desired import namespace_manifest
from kploy.core.kinds import own_resource
from kploy.core.schema_store import minor_of
from kploy.engine.acquaint import Acquainted, Connect, checked
from kploy.engine.asking import telling
from kploy.engine.carrier import Inbox
from kploy.engine.check import opened_offline, outcome_of, report
from kploy.engine.compare import Liberties
from kploy.engine.destroy import destroy as destroyed
from kploy.engine.homes import namespace_exists, wait_for_end
from kploy.engine.operation import Operation, Standing, Wanted, standing_of
from kploy.engine.ordering import order_of
from kploy.engine.permissions import preflight
from kploy.engine.prepare import Prepared, has_errors, legible, prepare
from kploy.engine.repair import repair as repaired
from kploy.engine.resources import Resources
from kploy.engine.revisions import stored_app
from kploy.model.app import App
from kploy.model.events import Checked, Event, Finished, NodesCounted, Noted, Opened, Planned
from kploy.model.findings import in_reading_order
from kploy.model.frozen import replace
from kploy.model.plan import Plan
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
    prepared, cluster = yield from _checked(prepare(root), connect, version)
    if cluster is None:
        return
    yield _nodes(cluster)
    wanted = yield from telling(cluster, lambda: _wanted(prepared, cluster, liberties))
    if not (yield from _allowed(prepared, wanted)):
        return
    found = yield from telling(cluster, lambda: standing_of(wanted))
    if (yield from _judged(prepared, found)):
        yield Finished(Outcome.PENDING if tell_pending and found.plan.writes else Outcome.DONE)


def run(
    root: Path,
    connect: Connect,
    timeout: float,
    inbox: Inbox,
    *,
    atomic: bool = False,
    follows_logs: bool = False,
    liberties: Liberties = Liberties(),
) -> Iterator[Event]:
    """Deploy an app: all that ``dryrun`` does, and then what it said. ``timeout`` in seconds.

    Nothing is written before everything is checked. ``atomic``: when it fails, or is
    not ready in time, the last good revision is deployed again; the outcome stays
    that of the failure. ``follows_logs``: what the pods that it makes write is told.
    ``liberties`` are what it may do besides. See engine.operation for how it goes on,
    and engine.deploy for ``inbox``.
    """
    unchecked = prepare(root)
    until = time.monotonic() + timeout
    prepared, cluster = yield from _checked(unchecked, connect, until=until)
    if cluster is None or prepared.app is None:
        return
    operation = Operation(cluster, prepared.app, inbox, until, timeout, "run", follows_logs=follows_logs)
    with closing(operation):
        running = _operate(operation, prepared, cluster, liberties)
        yield from operation.undoing(running) if atomic else running


def rollback(
    root: Path,
    connect: Connect,
    timeout: float,
    inbox: Inbox,
    revision: int | None = None,
    *,
    liberties: Liberties = Liberties(),
) -> Iterator[Event]:
    """Deploy a stored revision of the app in ``root`` again; the newest good one before the present one for None.

    It becomes a new revision. ``liberties`` are what it may do besides.
    Raises NoSuchRevision, and Refused for one that cannot be used.
    """
    present = yield from _named_in(root)
    if present is None:
        return
    until = time.monotonic() + timeout
    cluster = connect(present)
    version = cluster.until(until).version()
    number, app = stored_app(present, cluster.until(until), revision)
    graph = order_of(app, f"revision {number}")
    yield _opened(app, cluster, version, minor_of(version))
    yield Noted(f"deploying revision {number} again")
    with closing(Operation(cluster, app, inbox, until, timeout, f"rollback to {number}")) as operation:
        yield from _operate(operation, Prepared(app, graph, (), 0), cluster, liberties)


def destroy(
    root: Path,
    connect: Connect,
    timeout: float,
    inbox: Inbox,
    ask: Callable[[Opened, Plan], None],
    *,
    everything: bool = False,
) -> Iterator[Event]:
    """Take the app in ``root`` out of its cluster; only its Kployfile counts. See engine.destroy.

    ``ask`` is given what goes, and from where, before anything is written; what it raises ends it.
    """
    app = yield from _named_in(root)
    if app is None:
        return
    cluster = connect(app)
    version = cluster.until(time.monotonic() + timeout).version()
    opened = _opened(app, cluster, version, minor_of(version))
    with closing(destroyed(app, cluster, timeout, inbox, everything=everything)) as events:
        for event in events:
            if isinstance(event, Planned):
                leaving = replace(opened, manifests=len(event.plan.changes), is_leaving=True)
                ask(leaving, event.plan)
                yield leaving
            yield event


def repair(root: Path, connect: Connect, timeout: float, inbox: Inbox) -> Iterator[Event]:
    """Make the inventory of the app in ``root`` anew; only its Kployfile counts. See engine.repair."""
    app = yield from _named_in(root)
    if app is None:
        return
    cluster = connect(app)
    cluster.version()
    yield from repaired(app, cluster, timeout, inbox)


def _named_in(root: Path) -> Generator[Event, None, App | None]:
    """The app that the Kployfile in ``root`` names; None when it ends there, the last event told."""
    found = legible(root)
    if isinstance(found, Prepared):
        yield from report(found, ())
        return None
    return found


def _operate(operation: Operation, prepared: Prepared, cluster: Cluster, liberties: Liberties) -> Iterator[Event]:
    wanted = yield from _home_first(operation, prepared, cluster, liberties)
    if not (yield from _allowed(prepared, wanted, operation.until)):
        return
    if operation.has_to_wait():
        yield from operation.wait()
        wanted = yield from _home_first(operation, prepared, cluster, liberties)
    compared = telling(cluster, partial(standing_of, wanted, operation.until))
    found: Standing | None = yield from compared
    while found is not None and (yield from _judged(prepared, found)):
        found = yield from operation.carry_out(wanted, found)


def _home_first(
    operation: Operation, prepared: Prepared, cluster: Cluster, liberties: Liberties
) -> Generator[Event, None, Wanted]:
    """What is wanted, after the end of a namespace that is being deleted."""
    if prepared.app is not None:
        yield from wait_for_end(prepared.app, cluster.until(operation.until), operation.until)
    return (yield from telling(cluster, lambda: _wanted(prepared, cluster, liberties, operation.until)))


def _checked(
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


def _wanted(prepared: Prepared, cluster: Cluster, liberties: Liberties, until: float = math.inf) -> Wanted:
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


def _allowed(prepared: Prepared, wanted: Wanted, until: float = math.inf) -> Generator[Event, None, bool]:
    """Whether the user may do all that a run does. If not, what is missing is told, and the end."""
    cluster, resources = wanted.cluster.until(until), wanted.resources.until(until)
    rights = preflight(wanted.app, wanted.graph.manifests, cluster, resources)
    yield from rights.notes
    if rights.findings:
        yield Checked(in_reading_order((*prepared.findings, *rights.findings)), prepared.files)
        yield Finished(outcome_of(rights.findings))
    return not rights.findings


def _judged(prepared: Prepared, found: Standing) -> Generator[Event, None, bool]:
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
    yield _opened(prepared.app, met.cluster, met.version, prepared.schemas)
    if not version and minor_of(met.version) != prepared.schemas:
        fact = f"kploy has no schemas of Kubernetes {met.version}"
        yield Noted(f"{fact}: the app was checked against those of {prepared.schemas}")


def _opened(app: App, cluster: Cluster, version: str, schemas: str) -> Opened:
    target = cluster.target
    return replace(
        opened_offline(app, schemas),
        context=target.context,
        server=target.server,
        server_version=version,
        simulated=target.simulated,
    )


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
