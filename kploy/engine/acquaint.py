"""An app and its cluster meet: the checks for which a cluster has to be asked, and what it is asked for them."""

from __future__ import annotations

import math
from collections.abc import Callable

from kploy.cluster.port import Cluster, Forbidden, NotFound
from kploy.core.custom_resources import custom_kinds
from kploy.core.kinds import own_resource
from kploy.core.schema_store import VERSIONS, minor_of, nearest
from kploy.core.schemas import NEWEST
from kploy.engine.check import opened_offline
from kploy.engine.crew import Pool
from kploy.engine.live import WORKERS
from kploy.engine.prepare import Prepared, conforming, defined
from kploy.model.app import App
from kploy.model.errors import KployError
from kploy.model.events import Opened
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body

Connect = Callable[[App], Cluster]
"""Gives the cluster that an app goes to. It may raise KployError, and sends nothing."""


@dataclass(frozen=True, slots=True)
class Acquainted:
    """A cluster that has answered. ``definitions`` are those of the app's custom kinds, if it shows them."""

    cluster: Cluster
    version: str
    definitions: tuple[Body, ...]


def checked(
    prepared: Prepared, connect: Connect, version: str, until: float = math.inf
) -> tuple[Prepared, Acquainted | None]:
    """An app with all its findings, and its cluster; None when there are errors that need no cluster to be seen.

    It is checked against the schemas of ``version``; for "" the cluster says
    which. It is not asked about an app that is wrong by all of them; there, and
    where it does not answer, the newest count. Nothing is asked again past ``until`` (monotonic).
    Raises KployError for a valid app whose cluster does not answer.
    """
    alone = conforming(prepared, version or NEWEST)
    if alone.app is None or not (alone.is_valid or _may_be_valid(prepared, version)):
        return alone, None
    try:
        met = acquaint(connect(alone.app), alone.app, until)
    except KployError:
        # Whoever cannot be reached: what is wrong with the app is told all the same.
        if alone.is_valid:
            raise
        return alone, None
    there = version or nearest(minor_of(met.version))
    known = alone if alone.schemas == there else conforming(prepared, there)
    return defined(known, met.definitions), met


def _may_be_valid(prepared: Prepared, version: str) -> bool:
    """Whether there is a version of Kubernetes that the cluster may have and by which nothing is wrong."""
    others = () if version or not prepared.is_valid else VERSIONS
    return any(conforming(prepared, each).is_valid for each in others)


def acquaint(cluster: Cluster, app: App, until: float) -> Acquainted:
    """Ask the cluster what the checks of ``app`` need; its version first, so that a dead one is noticed at once.

    Besides, one GET for each custom kind that the app does not define itself.
    Nothing is asked again past ``until`` (monotonic). Raises ClusterError when the cluster fails.
    """
    asked = cluster.until(until)
    version = asked.version()
    kinds = custom_kinds(app.manifests)
    if not kinds:
        return Acquainted(cluster, version, ())
    with Pool(WORKERS, thread_name_prefix="acquaint") as pool:
        found = pool.map(lambda item: _definition(asked, item[1], item[0][1]), kinds.items())
        return Acquainted(cluster, version, tuple(body for body in found if body is not None))


def _definition(cluster: Cluster, api_version: str, kind: str) -> Body | None:
    """The definition of a kind; None where there is none, or nobody lets us see it: the dry run will tell."""
    resource = cluster.resource(api_version, kind)
    if resource is None:
        return None
    where = own_resource("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    try:
        return cluster.get(where, "", f"{resource.plural}.{resource.group}")
    except (Forbidden, NotFound):
        return None


def opened(app: App, cluster: Cluster, version: str, schemas: str) -> Opened:
    """The first event about an app that goes to a cluster of that ``version``, checked by those ``schemas``."""
    target = cluster.target
    return replace(
        opened_offline(app, schemas),
        context=target.context,
        server=target.server,
        server_version=version,
        simulated=target.simulated,
    )
