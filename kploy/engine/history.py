"""What became of an app over time."""

from __future__ import annotations

from kploy.cluster.port import Cluster
from kploy.engine.revisions import inventory_of
from kploy.model.app import App
from kploy.model.history import AppHistory


def history_of(app: App, cluster: Cluster) -> AppHistory:
    """The revisions that are kept of an app. Raises Refused if it was never deployed."""
    cluster.version()
    inventory = inventory_of(app, cluster)
    return AppHistory(
        app.kployfile.name,
        app.kployfile.namespace,
        cluster.target.context,
        inventory.revision,
        tuple(reversed(inventory.records)),
    )
