"""What a run writes down about itself, and when: decided here, carried out by engine.journal.

Every writing is a request of its own, and a run may be killed between any two. So each
must leave an inventory that the next run can rely on: it lists all that kploy may have
made, it claims no UID of an object that the run had no part in, and it names no revision
that is not kept. What is to go is taken out of the inventory first, and deleted then,
where it is a revision; it is the other way round where it is an object.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from kploy.core import inventory as inventories
from kploy.core.inventory import Entry, Inventory, Phase
from kploy.core.removal import Parting
from kploy.model.frozen import dataclass, replace
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


def number_of(before: Inventory | None, digest: str) -> int:
    """The number of the revision with this content: the newest one's if that is the same, else the next."""
    if before is None:
        return 1
    return before.revision + (0 if _is_newest(before, digest) else 1)


def is_kept(before: Inventory | None, record: Record) -> bool:
    """Whether the revision is kept already, so that its pack need not be written."""
    return before is not None and _is_newest(before, record.digest) and before.revision == record.revision


def _is_newest(before: Inventory, digest: str) -> bool:
    last = before.record
    return last is not None and last.revision == before.revision and last.digest == digest


def has_work(before: Inventory | None, wanted: Iterable[Entry], parting: Parting, digest: str) -> bool:
    """Whether the inventory or the history must be written, though no object has to be changed."""
    if before is None or before.phase is not Phase.DEPLOYED or parting.gone or parting.released:
        return True
    known = before.by_ref
    return not _is_newest(before, digest) or any(
        entry.ref not in known or known[entry.ref].uid != entry.uid for entry in wanted
    )


def forgotten(parting: Parting) -> frozenset[ObjectRef]:
    """What is listed, and is not the app's any more, or not there."""
    return frozenset(entry.ref for entry in (*parting.gone, *(entry for entry, _ in parting.released)))


def opened(before: Inventory, entered: Entered) -> Inventory:
    """What is to be written before anything is changed."""
    phase = Phase.APPLYING if entered.record else Phase.DESTROYING
    return inventories.ahead(before, entered.wanted, phase, entered.record)


def closed(
    opened: Inventory,
    entered: Entered,
    outcome: Outcome,
    uids: Mapping[ObjectRef, str],
    gone: Collection[ObjectRef],
) -> Inventory:
    """What is to be written when nothing is under way any more, with the ``uids`` of what was applied."""
    record = entered.record
    told = replace(record, outcome=_WORDS.get(outcome, "failed")) if record else None
    ends = (Phase.FAILED, Phase.DEPLOYED) if record else (Phase.DESTROYING, Phase.DESTROYED)
    phase = ends[outcome is Outcome.DONE]
    return inventories.settled(opened, uids, entered.forgotten | frozenset(gone), phase, told)


def is_farewell(closed: Inventory) -> bool:
    """Whether nothing is left that kploy would have to know about: the app was destroyed, and is gone whole."""
    return closed.phase is Phase.DESTROYED and not closed.entries


def parted(closed: Inventory) -> Inventory:
    """The last inventory of an app, to be written before its revisions are dropped: it names none of them."""
    return replace(closed, records=())


def evicted(before: Inventory, after: Inventory, is_kept: Callable[[int], bool]) -> tuple[int, ...]:
    """The revisions to be dropped, in this order, when ``after`` is written: it does not name them any more.

    Older ones that ``is_kept`` knows are among them: those were to be dropped by runs that were killed.
    The oldest goes first, so that what is left by a kill reaches up to those that are named, and is found.
    """
    named = {record.revision for record in after.records}
    going = {record.revision for record in before.records} - named
    oldest = min(going | named, default=1)
    while oldest > 1 and is_kept(oldest - 1):
        oldest -= 1
        going.add(oldest)
    return tuple(sorted(going))
