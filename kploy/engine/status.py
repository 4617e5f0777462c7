"""How an app is now: its manifests against what is live."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from kploy.cluster.port import Cluster
from kploy.core.addresses import images_of, urls_of
from kploy.core.bodies import text
from kploy.core.graph import Graph
from kploy.core.kinds import builtin
from kploy.engine.compare import WORKERS
from kploy.engine.live import live_objects
from kploy.engine.lookout import ENDPOINT_SLICE, Lookout
from kploy.engine.prepare import prepare
from kploy.engine.resources import Resources
from kploy.model.app import App
from kploy.model.errors import KployError
from kploy.model.listing import AppListing, Row
from kploy.model.objects import Body, ObjectRef, State, Status
from kploy.model.report import Outcome


def readable(root: Path) -> tuple[App, Graph]:
    """The app in ``root``, for looking at what is live of it. Raises Invalid where it cannot be read."""
    prepared = prepare(root, offline=True)
    if prepared.app is None:
        first = prepared.findings[0]
        raise UnreadableApp(first.message, first.hint)
    return prepared.app, prepared.graph


class UnreadableApp(KployError):
    """There is no legible app in the directory."""

    outcome = Outcome.INVALID


def listing_of(app: App, graph: Graph, cluster: Cluster) -> AppListing:
    """A row for each manifest, then one for each object that is live but has none any more.

    One LIST for each kind in the app. Raises ClusterError.
    """
    cluster.version()
    resources = Resources(cluster, app.manifests)
    manifests = resources.settled(app.manifests)
    kinds = [resources.of(manifest.api_version, manifest.ref.kind) for manifest in manifests]
    slices = builtin(*ENDPOINT_SLICE)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="list") as pool:
        wanted = [kind for kind in (*kinds, slices) if kind is not None]
        live = live_objects(cluster, app, wanted, pool)
    now = time.time()
    lookout = Lookout(graph, live, lambda: now)
    files = {manifest.ref: manifest.file for manifest in manifests}
    gone = sorted(ref for ref in live if ref not in files and ref.kind != ENDPOINT_SLICE[1])
    rows = [_row(ref, live.get(ref), files.get(ref, ""), lookout, now) for ref in (*files, *gone)]
    return AppListing(
        app.kployfile.name, app.kployfile.namespace, cluster.target.context, cluster.target.simulated, tuple(rows)
    )


def _row(ref: ObjectRef, body: Body | None, file: str, lookout: Lookout, now: float) -> Row:
    if body is None:
        return Row(ref, Status(State.NOT_FOUND), None, file)
    status = lookout.applied(ref, body)
    return Row(ref, status, _age(body, now), file, images_of(ref.kind, body), urls_of(ref.kind, body))


def _age(body: Body, now: float) -> float | None:
    created = text(body, "metadata", "creationTimestamp")
    try:
        return max(0.0, now - datetime.fromisoformat(created).timestamp())
    except ValueError:
        return None
