"""What is live of the objects that nobody wants any more: looked at one by one, nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor

from kploy.cluster.port import Cluster, ClusterError, NotFound, Unauthenticated, Unreachable
from kploy.core.inventory import Entry, Inventory
from kploy.core.kinds import GROUPS, own_resource
from kploy.core.removal import Parting, parting
from kploy.model.objects import Body, ObjectRef, Resource

_DEFINITIONS = own_resource("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_API_SERVICES = own_resource("apiregistration.k8s.io/v1", "APIService")


def departures(
    inventory: Inventory,
    wanted: Iterable[ObjectRef],
    cluster: Cluster,
    pool: Executor,
    *,
    everything: bool = False,
) -> Parting:
    """What is to become of the entries that are not ``wanted``; one GET for each of them. See core.removal.

    Raises Unreachable and Unauthenticated; whatever else a cluster has against
    being asked keeps the entry.
    """
    wishes = frozenset(wanted)
    entries = [entry for entry in inventory.entries if entry.ref not in wishes]
    looks = pool.map(lambda entry: _look(cluster, entry), entries)
    live = {ref: body for found in looks for ref, body in found.items()}
    return parting(entries, live, inventory.app_id, everything=everything)


def _look(cluster: Cluster, entry: Entry) -> Mapping[ObjectRef, Body | None]:
    try:
        return {entry.ref: cluster.get(entry.resource, entry.ref.namespace, entry.ref.name)}
    except (Unreachable, Unauthenticated):
        raise
    except NotFound:
        return {entry.ref: None} if _is_undefined(cluster, entry.resource) else {}
    except ClusterError:
        return {}


def _is_undefined(cluster: Cluster, resource: Resource) -> bool:
    """Whether it is proven that a kind that is not served has no objects.

    Not to be served is no proof: an API server can be down. But a kind without its
    definition, in a version that no other API server is registered for, has none.
    """
    if resource.group in GROUPS:
        return False
    definition = f"{resource.plural}.{resource.group}"
    try:
        if cluster.get(_DEFINITIONS, "", definition) is not None:
            return False
        return cluster.get(_API_SERVICES, "", f"{resource.version}.{resource.group}") is None
    except (Unreachable, Unauthenticated):
        raise
    except ClusterError:
        return False
