"""Writes down what a run does: the revision and the inventory, ahead of all it does, and how it ended.

What is written is decided in core.ledger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from kploy.core import ledger
from kploy.core.inventory import Inventory
from kploy.core.ledger import Entered
from kploy.engine.store import Store, Stored
from kploy.model.objects import ObjectRef
from kploy.model.report import Outcome


class Journal:
    """Writes down one run. Its methods may be called from any thread, but from one at a time.

    ``farewell`` is called after the last writing when nothing is left that could be listed.
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
        self._entered = entered
        self._farewell = farewell

    def ahead(self) -> tuple[str, ...]:
        """Write down the revision, and then everything that there may be from now on."""
        record = self._entered.record
        if record is not None and self._entered.pack:
            self._store.save_revision(record.revision, self._entered.pack)
        self._write(ledger.opened(self._inventory, self._entered))
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
        opened = self._inventory
        closed = ledger.closed(opened, self._entered, outcome, uids, gone)
        if self._farewell is not None and ledger.is_farewell(closed):
            self._write(ledger.parted(closed))
            return self._farewell()
        self._write(closed)
        for number in ledger.evicted(opened, closed, self._store.has_revision):
            self._store.drop_revision(number)
        return ()

    def _write(self, inventory: Inventory) -> None:
        self._stored = self._store.write(inventory, self._stored)
        self._inventory = inventory
