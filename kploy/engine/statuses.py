"""The last status of each object, for as long as nothing that it was judged by has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from collections.abc import Set as AbstractSet

from kploy.core.moment import Moment
from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef, Status


@dataclass(frozen=True, slots=True)
class _Held:
    status: Status
    since: float
    until: float


class Statuses:
    """What ``judge`` says of objects, which is asked again only when that may have become something else.

    Whoever judges says by ``looks_at`` what else than the object it goes by, and tells the moment until when
    time alone changes nothing. Whoever sees that something is another now says so by ``changed``.
    """

    def __init__(self, judge: Callable[[ObjectRef, Moment], Status], clock: Callable[[], float]) -> None:
        self._judge = judge
        self._clock = clock
        self._held: dict[ObjectRef, _Held] = {}
        self._lookers: dict[Hashable, set[ObjectRef]] = {}
        self._outdated: set[ObjectRef] = set()

    def of(self, ref: ObjectRef, within: Moment | None = None) -> Status:
        """How an object is now. ``within``: the moment of another judgement, which holds no longer than this."""
        now, held = self._clock(), self._held.get(ref)
        # The clock of a machine may be put back.
        if held is None or not held.since <= now < held.until:
            moment = Moment(now)
            status = self._judge(ref, moment)
            held = self._held[ref] = _Held(status, now, moment.holds_until)
            self._outdated.discard(ref)
        if within is not None:
            within.is_past(held.until)
        return held.status

    def looks_at(self, ref: ObjectRef, what: Hashable) -> None:
        """The status of ``ref`` depends on ``what``: another object, or whatever else ``changed`` will name."""
        self._lookers.setdefault(what, set()).add(ref)

    def changed(self, whats: Iterable[Hashable]) -> None:
        """These are not what they were; no status holds that depends on one of them, or on such a status."""
        pending = list(whats)
        while pending:
            what = pending.pop()
            if self._held.pop(what, None) is not None:  # type: ignore[call-overload]
                self._outdated.add(what)  # type: ignore[arg-type]
            pending += self._lookers.pop(what, ())

    def outdated(self, among: AbstractSet[ObjectRef]) -> AbstractSet[ObjectRef]:
        """Those that were judged once and must be judged again, because something has changed."""
        return self._outdated & among
