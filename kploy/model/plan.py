"""The plan: what a run would do to each object."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any

from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath, ObjectRef


class Action(StrEnum):
    """What happens, or happened, to an object."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    PRUNED = "pruned"
    SKIPPED = "skipped"


class Edit(StrEnum):
    """What happens to a field."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a live object that would be otherwise.

    ``path`` leads to it: through the live object where it is removed, through the
    answer of the API server where it is not. ``name`` says the same in words,
    ``spec.template.spec.containers[web].image``, and ``label`` is the shortest end
    of it that no other field of the same object has, ``image``. What is secret in
    ``before`` and ``after`` is masked, and ``masked`` says so. Of a list that is
    ``reordered`` they name the items that were there and stay, in their orders.
    """

    path: JsonPath
    name: str
    label: str
    edit: Edit
    before: Any = field(default=None, hash=False)
    after: Any = field(default=None, hash=False)
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Ownership:
    """Fields that keep their values, and get or lose the app as an owner.

    ``manager`` is the field manager that owned them before, "" where nobody did.
    ``fields`` are their names; with ``is_given_up`` the app owned them, and no longer would.
    """

    manager: str
    fields: tuple[str, ...]
    is_given_up: bool = False


class Pace(StrEnum):
    """How the pods of a workload restart."""

    ROLLING = "rolling"
    ALL_AT_ONCE = "all-at-once"
    IN_PLACE = "in-place"
    WHEN_RESUMED = "when-resumed"
    WHEN_DELETED = "when-deleted"
    NEXT_RUN = "next-run"


@dataclass(frozen=True, slots=True)
class Restart:
    """Pods that restart because their template changes.

    ``pods`` of them, of ``of`` that there are, at most ``together`` at a time
    (0 where nobody restarts them by itself). ``because`` names the fields, those
    that tell most first; ``config`` are the ConfigMaps and Secrets that change, and that
    they restart for. ``is_down``: meanwhile there is a moment without any pod,
    and the Services ``cut_off`` have no endpoints then.
    """

    pace: Pace
    pods: int
    of: int
    together: int
    because: tuple[str, ...]
    is_down: bool = False
    cut_off: tuple[ObjectRef, ...] = ()
    config: tuple[ObjectRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a run would do to one object.

    ``file`` is the manifest's. ``unchecked`` says why the API server could
    not be asked about it beforehand; "" means that it was. ``reason`` says why
    the action is this one, where that is not plain. ``holds`` is what a created
    object is made of, in a few words each; ``fields`` and ``ownership`` are what
    would differ in a live one; ``more_pods`` is how many it would have more, or
    fewer if negative; ``stale`` are workloads that read the object at their start,
    and go on with what they have read.
    """

    ref: ObjectRef
    action: Action
    file: str = ""
    unchecked: str = ""
    reason: str = ""
    holds: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    ownership: tuple[Ownership, ...] = ()
    restart: Restart | None = None
    more_pods: int = 0
    stale: tuple[ObjectRef, ...] = ()


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
