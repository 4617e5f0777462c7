"""The end of an app: what kploy kept of it goes, and then the namespace, if it was made for it and is empty."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from kploy.cluster.port import ChangeType, Cluster, ClusterError
from kploy.core.bodies import entries, mapping, text
from kploy.core.kinds import own_resource
from kploy.engine.crew import Pool
from kploy.engine.live import WORKERS
from kploy.model.app import MADE_FOR, App
from kploy.model.objects import Body

NAMESPACES = own_resource("v1", "Namespace")

_EVERYWHERE = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})
"""What every namespace has by itself."""

_FOLLOWING = frozenset({"Event", "Endpoints"})
"""Kinds whose objects tell of others, and go after them."""

_SHOWN = 3
_LOOK_AGAIN = 15.0


def is_made_for(app: App, namespace: Body | None) -> bool:
    """Whether kploy made a namespace, and made it for this app."""
    return text(mapping(namespace, "metadata", "annotations"), MADE_FOR) == app.id


def end_namespace(app: App, cluster: Cluster, until: float) -> tuple[str, ...]:
    """Delete the app's namespace, and wait until it is gone, or until ``until`` on the clock ``time.monotonic``.

    Nothing happens to one that kploy did not make for this app, or in which there
    still is anything. Returns what is to be told of that; raises nothing.
    """
    name = app.kployfile.namespace
    try:
        body = cluster.get(NAMESPACES, "", name)
        if body is None or not is_made_for(app, body):
            return ()
        if not text(body, "metadata", "deletionTimestamp"):
            others = list(islice(_contents(cluster, name), _SHOWN + 1))
            if others:
                shown = ", ".join(others[:_SHOWN]) + (" and more" if len(others) > _SHOWN else "")
                return (f"namespace/{name} stays: there is still {shown}",)
            cluster.delete(NAMESPACES, "", name, uid=text(body, "metadata", "uid"))
    except ClusterError as error:
        return (f"namespace/{name} stays: {error.message}",)
    if is_gone_by(cluster, name, until):
        return ()
    return (f"namespace/{name} is being deleted, and is not gone yet",)


def is_gone_by(cluster: Cluster, name: str, until: float) -> bool:
    """Wait until a namespace is gone; False if it is not by ``until`` on the clock ``time.monotonic``."""
    gone = threading.Event()
    threading.Thread(target=_watch, args=(cluster, name, gone), name="namespace", daemon=True).start()
    while not gone.wait(max(0.0, min(_LOOK_AGAIN, until - time.monotonic()))):
        if cluster.get(NAMESPACES, "", name) is None:
            return True
        if time.monotonic() >= until:
            return False
    return True


def _watch(cluster: Cluster, name: str, gone: threading.Event) -> None:
    selector = f"kubernetes.io/metadata.name={name}"
    with suppress(ClusterError):
        listing = cluster.list(NAMESPACES, "", selector)
        if listing.items:
            changes = cluster.watch(NAMESPACES, "", selector, listing.resource_version)
            if not any(change.type is ChangeType.DELETED for change in changes):
                return
        gone.set()


def _contents(cluster: Cluster, namespace: str) -> Iterator[str]:
    """What is in a namespace and does not go by itself. Raises ClusterError where that cannot be told."""
    kinds = [kind for kind in cluster.kinds() if kind.namespaced and kind.kind not in _FOLLOWING]
    with Pool(WORKERS, thread_name_prefix="look") as pool:
        listings = pool.map(lambda kind: cluster.list(kind, namespace), kinds)
        for kind, listing in zip(kinds, listings, strict=True):
            for body in listing.items:
                name = text(body, "metadata", "name")
                is_owned = any(True for _ in entries(body, "metadata", "ownerReferences"))
                if not is_owned and (kind.kind, name) not in _EVERYWHERE:
                    yield f"{kind.kind.lower()}/{name}"
