"""The revisions that a cluster keeps of an app: which there are, and what they say."""

from __future__ import annotations

from collections.abc import Iterable

from kploy.cluster.port import Cluster
from kploy.core.inventory import Inventory
from kploy.core.revisions import Unusable, unpacked
from kploy.engine.store import Store
from kploy.model.app import App
from kploy.model.errors import KployError, Refused
from kploy.model.frozen import replace
from kploy.model.history import Record
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
    """The newest revision before the present one in which everything became ready.

    Where the present one was to be such a revision again, and was cut off, that one: it is gone on with.
    """
    present = inventory.record
    if present is not None and present.outcome in {"applying", "interrupted"}:
        good = {record.revision for record in inventory.records if record.is_good}
        if present.back_to in good:
            return present.back_to
    return good_before(inventory.records, inventory.revision)


def good_before(records: Iterable[Record], revision: int) -> int | None:
    """The newest revision before ``revision`` in which everything became ready."""
    good = (record.revision for record in records if record.is_good and record.revision < revision)
    return max(good, default=None)


def record_of(inventory: Inventory, number: int) -> Record:
    """What is known of a revision. Raises NoSuchRevision."""
    for record in inventory.records:
        if record.revision == number:
            return record
    known = [record.revision for record in inventory.records]
    there = f"{known[0]} to {known[-1]}" if known else "none"
    raise NoSuchRevision(f"there is no revision {number}", f"those that are kept: {there}; see kploy history")


def stored_app(app: App, cluster: Cluster, revision: int | None = None) -> tuple[int, App]:
    """The number and the content of a stored revision, by default of ``last_good``.

    It goes where ``app`` is: identity and pins are those of its Kployfile. Raises
    NoSuchRevision; Refused for a revision that is damaged or of another app.
    """
    inventory = inventory_of(app, cluster)
    number = last_good(inventory) if revision is None else revision
    if number is None:
        raise NoSuchRevision(
            "there is no good revision before the present one", "see which there are: kploy history"
        )
    record_of(inventory, number)
    return number, unpacked_app(app, cluster, number)


def unpacked_app(app: App, cluster: Cluster, number: int) -> App:
    """The content of a revision that is listed. It goes where ``app`` is. Raises Refused if it cannot be used."""
    pack = Store(cluster, app, _nothing_is_written).revision(number)
    try:
        found = unpacked(pack, number)
    except Unusable as exc:
        raise Refused(f"revision {number} cannot be used: {exc}", "choose another one: kploy history") from exc
    if found.id != app.id:
        raise Refused(f"revision {number} is of another app", "choose another one: kploy history")
    return replace(found, root=app.root, kployfile=app.kployfile)


def _nothing_is_written() -> None:
    """Looking needs no lock."""
