"""Everything that can be said of an app before it is compared with a cluster.

In steps: ``prepare`` looks at what is the same in every version of Kubernetes,
``conforming`` at what one version serves, ``defined`` at what a cluster has defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kploy.core import across, checks, custom_resources, schemas
from kploy.core.across import Survey
from kploy.core.graph import Graph, graph_of
from kploy.core.rules import switched
from kploy.model.app import App, Reading
from kploy.model.findings import Finding, Severity, in_reading_order
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body
from kploy.source.app import read_app
from kploy.source.kployfile import FILE as KPLOYFILE


@dataclass(frozen=True, slots=True)
class Prepared:
    """An app, read, checked and ordered. ``app`` is None where the Kployfile is not legible.

    The graph is empty when its dependencies are among the findings. ``survey``
    says what of it only the cluster can tell. ``schemas`` is the version of
    Kubernetes that the app was checked against, "" before that.
    """

    app: App | None
    graph: Graph
    findings: tuple[Finding, ...]
    files: int
    survey: Survey | None = None
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
    return _checked(read_app(root, offline=offline), offline=offline)


def legible(root: Path) -> App | Prepared:
    """The app in ``root``, for looking at what is live of it; its manifests may have errors.

    All that is wrong with it where its Kployfile is: a pin or a namespace that is
    spelt wrong would lead elsewhere. Raises Refused as ``prepare`` does.
    """
    reading = read_app(root, offline=True)
    app = reading.app
    if app is None or has_errors(switched(filter(_is_of_kployfile, reading.findings), app.kployfile.rules)):
        return _checked(reading, offline=True)
    return app


def _checked(reading: Reading, *, offline: bool) -> Prepared:
    app = reading.app
    if app is None:
        return Prepared(None, Graph(), in_reading_order(reading.findings), reading.files)
    graph, of_graph = graph_of(app.manifests)
    survey = across.survey(app, is_complete=is_complete(reading))
    of_all = (*survey.findings, *survey.offline()) if offline else survey.findings
    of_core = (*checks.check(app), *custom_resources.check(app.manifests), *of_all)
    findings = switched((*reading.findings, *of_core, *of_graph), app.kployfile.rules)
    return Prepared(app, graph, in_reading_order(findings), reading.files, survey)


def is_complete(reading: Reading) -> bool:
    """Whether every manifest of the app was read: then what is not there is missing."""
    of_manifests = (one for one in reading.findings if not _is_of_kployfile(one))
    return not any(one.severity is Severity.ERROR or one.rule == "remote-not-checked" for one in of_manifests)


def _is_of_kployfile(finding: Finding) -> bool:
    return finding.place is not None and finding.place.file == KPLOYFILE


def conforming(prepared: Prepared, version: str) -> Prepared:
    """The same, with the findings of Kubernetes ``version`` as well, one of ``schema_store.VERSIONS``."""
    if prepared.app is None:
        return prepared
    found = schemas.check(prepared.app.manifests, version)
    return replace(_with(prepared, prepared.app, found), schemas=version)


def defined(prepared: Prepared, definitions: Sequence[Body]) -> Prepared:
    """The same, with the findings about custom resources by the cluster's ``definitions`` of them.

    For a kind that the app defines itself, the app's definition counts.
    """
    if prepared.app is None or not definitions:
        return prepared
    return _with(prepared, prepared.app, custom_resources.check_against(prepared.app.manifests, definitions))


def _with(prepared: Prepared, app: App, found: tuple[Finding, ...]) -> Prepared:
    findings = (*prepared.findings, *switched(found, app.kployfile.rules))
    return replace(prepared, findings=in_reading_order(findings))
