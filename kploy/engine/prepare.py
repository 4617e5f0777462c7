"""Everything that can be known of an app without a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kploy.core import checks, custom_resources, schemas
from kploy.core.graph import Graph, graph_of
from kploy.model.app import App
from kploy.model.findings import Finding, Severity, in_reading_order
from kploy.source.app import read_app


@dataclass(frozen=True, slots=True)
class Prepared:
    """An app, read, checked and ordered. ``app`` is None where the Kployfile is not legible.

    The graph is empty when its dependencies are among the findings.
    """

    app: App | None
    graph: Graph
    findings: tuple[Finding, ...]
    files: int

    @property
    def is_valid(self) -> bool:
        """Whether nothing speaks against sending it to a cluster."""
        return self.app is not None and not has_errors(self.findings)


def has_errors(findings: tuple[Finding, ...]) -> bool:
    """Whether any of the findings is more than a warning."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def prepare(root: Path, *, offline: bool = False) -> Prepared:
    """Read, check and order the app in ``root``, and collect all findings at once.

    ``offline``: no network is touched, not even for remote manifests.
    Raises Refused for an app that must not be deployed wherever it says it wants to be.
    """
    reading = read_app(root, offline=offline)
    app = reading.app
    if app is None:
        return Prepared(None, Graph(), in_reading_order(reading.findings), reading.files)
    graph, of_graph = graph_of(app.manifests)
    of_core = (*checks.check(app), *schemas.check(app.manifests), *custom_resources.check(app.manifests))
    findings = (*reading.findings, *of_core, *of_graph)
    return Prepared(app, graph, in_reading_order(findings), reading.files)
