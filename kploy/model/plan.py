"""The plan: what a run would do to each object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kploy.model.objects import ObjectRef


class Action(StrEnum):
    """What happens, or happened, to an object."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    PRUNED = "pruned"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Change:
    """What a run would do to one object.

    ``file`` is the manifest's. ``unchecked`` says why the API server could
    not be asked about it beforehand; "" means that it was.
    """

    ref: ObjectRef
    action: Action
    file: str = ""
    unchecked: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, in the order it would do it."""

    changes: tuple[Change, ...]

    def count(self, action: Action) -> int:
        """How many objects ``action`` would happen to."""
        return sum(change.action is action for change in self.changes)

    @property
    def writes(self) -> bool:
        """Whether a run would change the cluster at all."""
        return any(change.action not in {Action.UNCHANGED, Action.SKIPPED} for change in self.changes)
