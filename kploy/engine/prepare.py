"""Everything that can be said of an app before it is compared with a cluster.

In steps: ``prepare`` looks at what is the same in every version of Kubernetes,
``conforming`` at what one version serves, ``defined`` at what a cluster has defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kploy.core import checks, custom_resources, schemas
from kploy.core.graph import Graph, graph_of
from kploy.model.app import App
from kploy.model.findings import Finding, Severity, in_reading_order
from kploy.model.objects import Body
from kploy.source.app import read_app


@dataclass(frozen=True, slots=True)
class Prepared:
    """An app, read, checked and ordered. ``app`` is None where the Kployfile is not legible.

    The graph is empty when its dependencies are among the findings. ``schemas``
    is the version of Kubernetes that the app was checked against, "" before that.
    """

    app: App | None
    graph: Graph
    findings: tuple[Finding, ...]
    files: int
    schemas: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether nothing speaks against sending it to a cluster."""
        return self.app is not None and not has_errors(self.findings)


def has_errors(findings: tuple[Finding, ...]) -> bool:
    """Whether any of the findings is more than a warning."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def prepare(root: Path, *, offline: bool = False) -> Prepared:
    """Read and order the app in ``root``, and check what does not depend on the version of Kubernetes.

    ``offline``: no network is touched, not even for remote manifests.
    Raises Refused for an app that must not be deployed wherever it says it wants to be.
    """
    reading = read_app(root, offline=offline)
    app = reading.app
    if app is None:
        return Prepared(None, Graph(), in_reading_order(reading.findings), reading.files)
    graph, of_graph = graph_of(app.manifests)
    findings = (*reading.findings, *checks.check(app), *custom_resources.check(app.manifests), *of_graph)
    return Prepared(app, graph, in_reading_order(findings), reading.files)


def conforming(prepared: Prepared, version: str) -> Prepared:
    """The same, with the findings of Kubernetes ``version`` as well, one of ``schema_store.versions()``."""
    if prepared.app is None:
        return prepared
    found = schemas.check(prepared.app.manifests, version)
    return replace(prepared, findings=in_reading_order((*prepared.findings, *found)), schemas=version)


def defined(prepared: Prepared, definitions: Sequence[Body]) -> Prepared:
    """The same, with the findings about custom resources by the cluster's ``definitions`` of them.

    For a kind that the app defines itself, the app's definition counts.
    """
    if prepared.app is None or not definitions:
        return prepared
    found = custom_resources.check_against(prepared.app.manifests, definitions)
    return replace(prepared, findings=in_reading_order((*prepared.findings, *found)))
