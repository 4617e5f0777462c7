"""What a run writes down about itself: the revision and the inventory, ahead of all it does, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from kploy.core import inventory as inventories
from kploy.core.inventory import Entry, Inventory, Phase
from kploy.engine.store import Store, Stored
from kploy.model.history import Record
from kploy.model.objects import ObjectRef
from kploy.model.report import Outcome

_WORDS = {
    Outcome.DONE: "deployed",
    Outcome.TIMED_OUT: "timed-out",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.REFUSED: "refused",
}
"""How the outcome of a run is told in the history; any other one is ``failed``."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What is to be written down: all that is wanted, and the revision with its pack.

    ``record`` is None for a destroy, which is no revision. ``pack`` is b"" for a revision that is kept already.
    """

    wanted: tuple[Entry, ...]
    record: Record | None
    pack: bytes = b""


class Journal:
    """Writes down one run. Every method may be called from any thread, but from one at a time."""

    def __init__(self, store: Store, found: Stored | None, empty: Inventory, entered: Entered) -> None:
        self._store = store
        self._stored = found
        self._inventory = found.inventory if found else empty
        self._known = {record.revision for record in self._inventory.records}
        self._entered = entered

    def ahead(self) -> None:
        """Write down the revision, and then everything that there may be from now on."""
        record = self._entered.record
        if record is not None and self._entered.pack:
            self._store.save_revision(record.revision, self._entered.pack)
        phase = Phase.APPLYING if record else Phase.DESTROYING
        self._write(inventories.ahead(self._inventory, self._entered.wanted, phase, record))

    def after(self, outcome: Outcome, uids: Mapping[ObjectRef, str], gone: Collection[ObjectRef]) -> None:
        """Write down how it ended, with the UIDs that were seen, and without what is proven gone."""
        record = self._entered.record
        told = replace(record, outcome=_WORDS.get(outcome, "failed")) if record else None
        phase = Phase.FAILED
        if outcome is Outcome.DONE:
            phase = Phase.DEPLOYED if record else Phase.DESTROYING
        self._write(inventories.settled(self._inventory, uids, gone, phase, told))
        for evicted in self._known - {kept.revision for kept in self._inventory.records}:
            self._store.drop_revision(evicted)

    def _write(self, inventory: Inventory) -> None:
        self._stored = self._store.write(inventory, self._stored)
        self._inventory = inventory
