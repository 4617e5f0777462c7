"""The order of an app that nobody has just checked: of a stored revision, or as this cluster has its kinds."""

from __future__ import annotations

from kploy.core.graph import Graph, graph_of
from kploy.model.app import App
from kploy.model.errors import Refused


def order_of(app: App, what: str) -> Graph:
    """The graph of an app. Raises Refused, about ``what``, where its objects wait for each other.

    An app without an order would pass for one without objects, and all that it has would be deleted.
    """
    graph, findings = graph_of(app.manifests)
    for finding in findings:
        raise Refused(f"{what} cannot be deployed: {finding.message}", finding.hint)
    return graph
