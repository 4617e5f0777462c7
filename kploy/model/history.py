"""The history of an app: its revisions, and what came of each."""

from __future__ import annotations

from kploy.model.frozen import dataclass
from kploy.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one revision.

    ``digest`` tells one content from another. ``at`` is when it was last begun, in
    seconds since the epoch; ``by`` whom, as ``user@host``. ``cause`` is ``run``,
    ``rollback to 9`` or the like, ``outcome`` how it ended: ``deployed``, ``failed``,
    ``timed-out``, ``interrupted``, or ``applying`` while it is under way, or was cut
    off. ``changes`` counts what it did: ``(("configured", 1), ("unchanged", 6))``.
    """

    revision: int
    digest: str
    at: float
    by: str
    cause: str
    outcome: str
    changes: tuple[tuple[str, int], ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether everything in it became ready."""
        return self.outcome == "deployed"

    @property
    def back_to(self) -> int | None:
        """The revision that this one was to be again; None if it was a run."""
        number = self.cause.removeprefix("rollback to ")
        return int(number) if number != self.cause and number.isascii() and number.isdecimal() else None


@dataclass(frozen=True, slots=True)
class AppHistory:
    """The revisions of an app, newest first. ``current`` is the number of the one that was deployed last."""

    app: str
    namespace: str
    context: str
    current: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class RevisionDiff:
    """What one revision changed. ``against`` is the number of the one before it.

    It is None where there is none to compare with, and all of the revision is new; ``note`` says why then.
    """

    app: str
    record: Record
    against: int | None
    plan: Plan
    note: str = ""
