"""How what an app wants compares with what its cluster has. Nothing is written."""

from __future__ import annotations

import math

from kploy.cluster.port import Cluster
from kploy.core.across import Survey
from kploy.core.graph import Graph
from kploy.core.inventory import Inventory
from kploy.core.rules import switched
from kploy.engine import outside
from kploy.engine.admission import would_start
from kploy.engine.compare import Comparison, Liberties, compare
from kploy.engine.permissions import may_remove
from kploy.engine.resources import Resources
from kploy.engine.store import Store, Stored
from kploy.model.app import App
from kploy.model.events import Noted
from kploy.model.findings import Finding
from kploy.model.frozen import dataclass
from kploy.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Wanted:
    """An app that has passed the checks, its graph, and where it is to go.

    ``graph`` has all that is wanted, the namespace included where it does not exist.
    ``survey`` knows what of it only the cluster can tell.
    """

    app: App
    graph: Graph
    cluster: Cluster
    resources: Resources
    namespace_exists: bool
    survey: Survey | None = None
    liberties: Liberties = Liberties()


@dataclass(frozen=True, slots=True)
class Standing:
    """How what is wanted compares with what there is, what speaks against it, and what could not be checked."""

    stored: Stored | None
    comparison: Comparison
    findings: tuple[Finding, ...] = ()
    notes: tuple[Noted, ...] = ()

    @property
    def before(self) -> Inventory | None:
        """The inventory, if there is one."""
        return self.stored.inventory if self.stored else None

    @property
    def plan(self) -> Plan:
        """What a run would do."""
        return self.comparison.plan


def standing_of(wanted: Wanted, until: float = math.inf) -> Standing:
    """Compare what is wanted with what there is, the inventory included. Nothing is written.

    Nothing is asked again past ``until`` (monotonic).
    """
    app, manifests, exists = wanted.app, wanted.graph.manifests, wanted.namespace_exists
    cluster = wanted.cluster.until(until)
    stored = Store(cluster, app, lambda: None).read() if exists else None  # No guard: nothing is written.
    known = stored.inventory if stored else None
    resources = wanted.resources.until(until)
    comparison = compare(
        app, manifests, cluster, resources, known, namespace_exists=exists, liberties=wanted.liberties
    )
    missing = outside.missing(wanted.survey, cluster, resources, namespace_exists=exists)
    pods = would_start(app, manifests, comparison, missing.refs, cluster, namespace_exists=exists)
    rights = may_remove(app, {each.entry.resource for each in comparison.parting.leaving}, cluster)
    found = (*comparison.findings, *missing.findings, *rights, *pods.findings)
    findings = switched(found, app.kployfile.rules)
    unknown = (Noted(f"{entry.ref} stays listed: {why}") for entry, why in comparison.parting.unknown)
    return Standing(stored, comparison, findings, (*pods.notes, *unknown))
