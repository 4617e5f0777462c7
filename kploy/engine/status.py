"""How an app is now: its manifests against what is live."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from kploy.cluster.port import Cluster, Forbidden, NotFound
from kploy.core.addresses import images_of, urls_of
from kploy.core.bodies import dig, text
from kploy.core.graph import Graph
from kploy.core.inventory import Entry, Inventory, Phase
from kploy.core.kinds import builtin
from kploy.core.masking import by_content
from kploy.core.removal import reason_to_keep
from kploy.engine.crew import Pool
from kploy.engine.live import WORKERS, live_objects, named, ref_of, related_objects, selection
from kploy.engine.lookout import Lookout
from kploy.engine.permissions import explain
from kploy.engine.related import explanations_of, relations_of
from kploy.engine.resources import Resources
from kploy.engine.store import Store
from kploy.model.app import App, Manifest
from kploy.model.errors import Refused
from kploy.model.frozen import replace
from kploy.model.listing import AppListing, Row
from kploy.model.objects import Body, ObjectRef, Resource, State, Status

_COMMON = (
    ("v1", "Pod"),
    ("v1", "ReplicationController"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
)
"""The kinds in which an app without an inventory may have left something behind whose manifest is gone."""

_TROUBLE = frozenset({State.FAILED, State.IN_PROGRESS})
"""What is looked at for reasons."""

_NOWHERE = Status(State.NOT_FOUND)


def listing_of(app: App, graph: Graph, cluster: Cluster) -> AppListing:
    """A row for each manifest, then one for each object that is live but has none any more.

    Such objects are found by the kinds that the inventory lists; without one, if they
    are of a common kind, or of one that still has a manifest. One LIST for each kind,
    all at the same time. Raises ClusterError; it is NotAllowed if the user may not
    list the kinds that have manifests.
    """
    cluster.version()
    resources = Resources(cluster, app.manifests)
    manifests = resources.settled(app.manifests)
    try:
        return _listing(app, graph, cluster, resources, manifests)
    except Forbidden:
        explain(app, manifests, cluster, resources)
        raise


def _listing(
    app: App, graph: Graph, cluster: Cluster, resources: Resources, manifests: tuple[Manifest, ...]
) -> AppListing:
    kinds = [resources.of(manifest.api_version, manifest.ref.kind) for manifest in manifests]
    wanted = [kind for kind in kinds if kind is not None]
    inventory, notes = _inventory(app, cluster)
    with Pool(WORKERS, thread_name_prefix="list") as pool:
        left = pool.map(lambda kind: _left_behind(cluster, app, kind), _others(wanted, inventory))
        relations = relations_of((kind.group, kind.kind) for kind in wanted)
        related = pool.map(partial(related_objects, cluster, app), relations)
        live = live_objects(cluster, app, wanted, pool)
        for bodies in left:
            live |= bodies
    now = time.time()
    lookout = Lookout(graph, live, lambda: now, app.kployfile.readiness)
    for relation, others in zip(relations, related, strict=True):
        lookout.related_listed(relation, others)
    for ref, body in live.items():
        lookout.applied(ref, body)
    # A Service looks at its workloads: only now all of them are known.
    late = {ref for ref, status in lookout.judged(live) if status.state in _TROUBLE}
    for relation in explanations_of((ref.group, ref.kind) for ref in late):
        lookout.related_listed(relation, related_objects(cluster, app, relation, may_be_hidden=True))
    statuses = dict(lookout.judged(live))
    files = {manifest.ref: manifest.file for manifest in manifests}
    gone = sorted(ref for ref in live if ref not in files)
    listed = inventory.by_ref if inventory else {}
    rows = (
        *(_row(ref, live.get(ref), statuses.get(ref, _NOWHERE), files[ref], now) for ref in files),
        *(_left_row(ref, live[ref], statuses[ref], listed.get(ref), now) for ref in gone),
    )
    who, target = app.kployfile, cluster.target
    listing = AppListing(
        who.name,
        who.namespace,
        target.context,
        target.simulated,
        rows,
        author=str(by_content(who.author)),
        source=str(by_content(who.source)),
        notes=notes,
    )
    return _dated(listing, inventory, now)


def _inventory(app: App, cluster: Cluster) -> tuple[Inventory | None, tuple[str, ...]]:
    """The inventory, or what is to be said of it: a listing is no less worth without one."""
    try:
        stored = Store(cluster, app, lambda: None).read()
    except (Forbidden, NotFound):
        return None, ()
    except Refused as error:
        return None, (f"{error.message}; {error.hint}",)
    return (stored.inventory if stored else None), ()


def _dated(listing: AppListing, inventory: Inventory | None, now: float) -> AppListing:
    record = inventory.record if inventory else None
    if inventory is None or record is None:
        return listing
    deployed = max(0.0, now - record.at) if record.at else None
    is_leaving = inventory.phase in {Phase.DESTROYING, Phase.DESTROYED}
    outcome = str(inventory.phase) if is_leaving else record.outcome
    return replace(listing, revision=record.revision, deployed=deployed, outcome=outcome)


def _others(wanted: Iterable[Resource], inventory: Inventory | None) -> list[Resource]:
    """The kinds in which something may be left behind, without those that are ``wanted`` in any case."""
    if inventory is not None:
        candidates: list[Resource | None] = [entry.resource for entry in inventory.entries]
    else:
        candidates = [builtin(api_version, kind) for api_version, kind in _COMMON]
    known = {(resource.group, resource.plural) for resource in wanted}
    kinds = {(each.group, each.plural): each for each in candidates if each is not None}
    return [each for key, each in kinds.items() if key not in known]


def _left_behind(cluster: Cluster, app: App, resource: Resource) -> dict[ObjectRef, Body]:
    """The app's own objects of a kind that it has no manifest of; none where nobody may look."""
    try:
        items = cluster.list(resource, *selection(app, resource)).items
    except (Forbidden, NotFound):
        return {}
    own = (body for body in items if not dig(body, "metadata", "ownerReferences"))
    return {ref_of(resource, body): named(resource, body) for body in own}


def _row(ref: ObjectRef, body: Body | None, status: Status, file: str, now: float) -> Row:
    if body is None:
        return Row(ref, status, None, file)
    return Row(ref, status, _age(body, now), file, images_of(ref.kind, body), urls_of(ref.kind, body))


def _left_row(ref: ObjectRef, body: Body, status: Status, entry: Entry | None, now: float) -> Row:
    """The row of an object whose manifest is gone. Of what is not listed, a run leaves its hands."""
    kept = reason_to_keep(entry, body) if entry else "the inventory does not list it"
    return replace(_row(ref, body, status, "", now), kept=kept)


def _age(body: Body, now: float) -> float | None:
    created = text(body, "metadata", "creationTimestamp")
    try:
        return max(0.0, now - datetime.fromisoformat(created).timestamp())
    except ValueError:
        return None
