"""What became of an app over time."""

from __future__ import annotations

from kploy.cluster.port import Cluster
from kploy.core.revision_changes import changes_between
from kploy.engine.revisions import inventory_of, record_of, unpacked_app
from kploy.model.app import App
from kploy.model.errors import Refused
from kploy.model.history import AppHistory, RevisionDiff


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


def revision_diff(app: App, cluster: Cluster, number: int) -> RevisionDiff:
    """What a revision changed against the one before it. Raises NoSuchRevision, and Refused as stored_app does."""
    cluster.version()
    inventory = inventory_of(app, cluster)
    record = record_of(inventory, number)
    after = unpacked_app(app, cluster, number)
    against = max((one.revision for one in inventory.records if one.revision < number), default=None)
    before, note = None, "it is the first that is kept: all of it is shown"
    if against is not None:
        try:
            before, note = unpacked_app(app, cluster, against), ""
        except Refused as error:
            against, note = None, f"{error.message}; all of it is shown"
    return RevisionDiff(app.kployfile.name, record, against, changes_between(before, after), note)
