"""What of an app is live, and what else tells of it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor

from kploy.cluster.port import Cluster, Forbidden
from kploy.core.bodies import mapping, text
from kploy.engine.related import Relation
from kploy.model.app import LABEL, App
from kploy.model.objects import Body, ObjectRef, Resource

WORKERS = 16
"""Requests under way at once that only ask: with more the API server is no faster. Writes: engine.carrier."""


def ref_of(resource: Resource, body: Body) -> ObjectRef:
    """The ref of a live object that was read as ``resource``."""
    metadata = mapping(body, "metadata")
    namespace = text(metadata, "namespace") if resource.namespaced else ""
    return ObjectRef(resource.group, resource.kind, namespace, text(metadata, "name"))


def named(resource: Resource, body: Body) -> Body:
    """``body`` with its apiVersion and kind, which the items of a list come without."""
    return {**body, "apiVersion": resource.api_version, "kind": resource.kind}


def selection(app: App, resource: Resource, *, is_labelled: bool = True) -> tuple[str, str]:
    """The namespace and label selector for an app's objects of a kind, or for all of it if they carry no label."""
    namespace = app.kployfile.namespace if resource.namespaced else ""
    return namespace, f"{LABEL}={app.id}" if is_labelled else ""


def live_objects(
    cluster: Cluster, app: App, resources: Iterable[Resource], pool: Executor
) -> dict[ObjectRef, Body]:
    """All objects with the app's label, of the given resources; one LIST for each."""
    wanted = {(resource.group, resource.plural): resource for resource in resources}
    listings = pool.map(lambda resource: cluster.list(resource, *selection(app, resource)), wanted.values())
    return {
        ref_of(resource, body): named(resource, body)
        for resource, listing in zip(wanted.values(), listings, strict=True)
        for body in listing.items
    }


def related_objects(
    cluster: Cluster, app: App, relation: Relation, *, may_be_hidden: bool = False
) -> dict[ObjectRef, Body]:
    """All objects of a relation; none where nobody lets us see what may be hidden."""
    resource = relation.resource
    try:
        listing = cluster.list(
            resource, *selection(app, resource, is_labelled=relation.is_labelled), relation.fields
        )
    except Forbidden:
        if may_be_hidden or relation.may_be_hidden:
            return {}
        raise
    return {ref_of(resource, body): named(resource, body) for body in listing.items}
