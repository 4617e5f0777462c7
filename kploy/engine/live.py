"""What of an app is live."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor

from kploy.cluster.port import Cluster
from kploy.core.bodies import mapping, text
from kploy.model.app import LABEL, App
from kploy.model.objects import Body, ObjectRef, Resource


def ref_of(resource: Resource, body: Body) -> ObjectRef:
    """The ref of a live object that was read as ``resource``."""
    metadata = mapping(body, "metadata")
    namespace = text(metadata, "namespace") if resource.namespaced else ""
    return ObjectRef(resource.group, resource.kind, namespace, text(metadata, "name"))


def named(resource: Resource, body: Body) -> Body:
    """``body`` with its apiVersion and kind, which the items of a list come without."""
    return {**body, "apiVersion": resource.api_version, "kind": resource.kind}


def live_objects(
    cluster: Cluster, app: App, resources: Iterable[Resource], pool: Executor
) -> dict[ObjectRef, Body]:
    """All objects with the app's label, of the given resources; one LIST for each."""
    wanted = {(resource.group, resource.plural): resource for resource in resources}
    selector = f"{LABEL}={app.id}"
    listings = pool.map(
        lambda resource: cluster.list(resource, app.kployfile.namespace if resource.namespaced else "", selector),
        wanted.values(),
    )
    return {
        ref_of(resource, body): named(resource, body)
        for resource, listing in zip(wanted.values(), listings, strict=True)
        for body in listing.items
    }
