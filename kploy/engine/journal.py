"""What a run writes down about itself: the revision and the inventory, ahead of all it does, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
    ``forgotten`` are objects that are listed and not the app's any more, or not there.
    """

    wanted: tuple[Entry, ...]
    record: Record | None
    pack: bytes = b""
    forgotten: frozenset[ObjectRef] = frozenset()


class Journal:
    """Writes down one run. Its methods may be called from any thread, but from one at a time.

    ``farewell`` is called instead of a last writing when nothing is left that could be listed.
    """

    def __init__(
        self,
        store: Store,
        found: Stored | None,
        empty: Inventory,
        entered: Entered,
        farewell: Callable[[], tuple[str, ...]] | None = None,
    ) -> None:
        self._store = store
        self._stored = found
        self._inventory = found.inventory if found else empty
        self._known = {record.revision for record in self._inventory.records}
        self._entered = entered
        self._farewell = farewell

    def ahead(self) -> tuple[str, ...]:
        """Write down the revision, and then everything that there may be from now on."""
        record = self._entered.record
        if record is not None and self._entered.pack:
            self._store.save_revision(record.revision, self._entered.pack)
        phase = Phase.APPLYING if record else Phase.DESTROYING
        self._write(inventories.ahead(self._inventory, self._entered.wanted, phase, record))
        return ()

    def after(
        self,
        outcome: Outcome,
        uids: Mapping[ObjectRef, str],
        gone: frozenset[ObjectRef],
        until: float = math.inf,
    ) -> tuple[str, ...]:
        """Write down how it ended, with the UIDs that were seen, and without what is proven gone.

        Nothing is tried again past ``until`` (monotonic). Returns what is to be told of it.
        """
        self._store = self._store.until(until)
        record = self._entered.record
        told = replace(record, outcome=_WORDS.get(outcome, "failed")) if record else None
        is_done = outcome is Outcome.DONE
        phase = Phase.FAILED if not is_done else Phase.DEPLOYED if record else Phase.DESTROYED
        inventory = inventories.settled(self._inventory, uids, self._entered.forgotten | gone, phase, told)
        if is_done and self._farewell is not None and not inventory.entries:
            return self._farewell()
        self._write(inventory)
        for evicted in self._known - {kept.revision for kept in self._inventory.records}:
            self._store.drop_revision(evicted)
        return ()

    def _write(self, inventory: Inventory) -> None:
        self._stored = self._store.write(inventory, self._stored)
        self._inventory = inventory
