"""Everything that can be known of an app without a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kploy.core import across, checks, custom_resources, schemas
from kploy.core.across import Survey
from kploy.core.graph import Graph, graph_of
from kploy.core.rules import switched
from kploy.model.app import App, Reading
from kploy.model.findings import Finding, Severity, in_reading_order
from kploy.source.app import read_app
from kploy.source.kployfile import FILE as KPLOYFILE


@dataclass(frozen=True, slots=True)
class Prepared:
    """An app, read, checked and ordered. ``app`` is None where the Kployfile is not legible.

    The graph is empty when its dependencies are among the findings. ``survey``
    says what of it only the cluster can tell.
    """

    app: App | None
    graph: Graph
    findings: tuple[Finding, ...]
    files: int
    survey: Survey | None = None

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
    survey = across.survey(app, is_complete=is_complete(reading))
    of_all = (*survey.findings, *survey.offline()) if offline else survey.findings
    of_core = (*checks.check(app), *schemas.check(app.manifests), *custom_resources.check(app.manifests), *of_all)
    findings = switched((*reading.findings, *of_core, *of_graph), app.kployfile.rules)
    return Prepared(app, graph, in_reading_order(findings), reading.files, survey)


def is_complete(reading: Reading) -> bool:
    """Whether every manifest of the app was read: then what is not there is missing."""
    of_manifests = (one for one in reading.findings if one.place is None or one.place.file != KPLOYFILE)
    return not any(one.severity is Severity.ERROR or one.rule == "remote-not-checked" for one in of_manifests)
