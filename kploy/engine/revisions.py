"""The revisions that a cluster keeps of an app: which there are, and what they say."""

from __future__ import annotations

from dataclasses import replace

from kploy.cluster.port import Cluster
from kploy.core.inventory import Inventory
from kploy.core.revisions import Unusable, unpacked
from kploy.engine.store import Store
from kploy.model.app import App
from kploy.model.errors import KployError, Refused
from kploy.model.report import Outcome


class NoSuchRevision(KployError):
    """The app has no revision of that number."""

    outcome = Outcome.USAGE


def inventory_of(app: App, cluster: Cluster) -> Inventory:
    """The inventory of an app, to look at. Raises Refused if there is none, or it cannot be used."""
    stored = Store(cluster, app, _nothing_is_written).read()
    if stored is None:
        name, namespace = app.kployfile.name, app.kployfile.namespace
        raise Refused(f"there is no app {name} in namespace {namespace}: it was never deployed there", "kploy run")
    return stored.inventory


def last_good(inventory: Inventory) -> int | None:
    """The newest revision before the present one in which everything became ready."""
    good = [record.revision for record in inventory.records if record.is_good]
    return max((number for number in good if number < inventory.revision), default=None)


def stored_app(app: App, cluster: Cluster, revision: int | None = None) -> tuple[int, App]:
    """The number and the content of a stored revision, by default of ``last_good``.

    It goes where ``app`` is: identity and pins are those of its Kployfile. Raises
    NoSuchRevision; Refused for a revision that is damaged or of another app.
    """
    inventory = inventory_of(app, cluster)
    number = last_good(inventory) if revision is None else revision
    known = [record.revision for record in inventory.records]
    if number is None:
        raise NoSuchRevision(
            "there is no good revision before the present one", "see which there are: kploy history"
        )
    if number not in known:
        there = f"{known[0]} to {known[-1]}" if known else "none"
        raise NoSuchRevision(f"there is no revision {number}", f"those that are kept: {there}; see kploy history")
    pack = Store(cluster, app, _nothing_is_written).revision(number)
    try:
        found = unpacked(pack, number)
    except Unusable as exc:
        raise Refused(f"revision {number} cannot be used: {exc}", "choose another one: kploy history") from exc
    if found.id != app.id:
        raise Refused(f"revision {number} is of another app", "choose another one: kploy history")
    return number, replace(found, root=app.root, kployfile=app.kployfile)


def _nothing_is_written() -> None:
    """Looking needs no lock."""
