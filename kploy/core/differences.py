"""What of a live object would be otherwise, field by field, told from the server's dry-run answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kploy.core.alignment import align
from kploy.core.bodies import mapping, text
from kploy.core.masking import is_masked, revealed, sealed
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body, JsonPath
from kploy.model.plan import Edit, FieldChange

_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation"})
# LIST leaves apiVersion and kind out of its items.
_NOT_CONTENT = frozenset({"apiVersion", "kind", "metadata", "status"})

_PLAIN = re.compile(r"[\w-]+")
_SAY_LITTLE = frozenset({"key", "name", "value"})
"""Fields that tell nothing without what they belong to."""


def content(body: Body) -> dict[str, Any]:
    """What people say with an object: without its status, and what the server keeps of versions and owners."""
    metadata = {key: value for key, value in mapping(body, "metadata").items() if key not in _BOOKKEEPING}
    return {**{key: value for key, value in body.items() if key not in _NOT_CONTENT}, "metadata": metadata}


def differences(live: Body, answer: Body) -> tuple[FieldChange, ...]:
    """The fields in which ``answer`` differs from ``live``, in the order of the answer; secrets are masked.

    Items of lists belong together as the server merges them, so one that is put in
    between is one addition. Done to ``live``, the changes give the content of ``answer``:
    see tests/core/test_differences.py for how.
    """
    kind = text(answer, "kind") or text(live, "kind")
    found = list(_of_maps(sealed(content(live), kind), sealed(content(answer), kind), _Way()))
    return tuple(_labelled(found))


def by_telling(fields: Iterable[FieldChange]) -> list[FieldChange]:
    """The same fields, those that tell most first: images, the number of pods, the rest of the pods, the rest."""
    return sorted(fields, key=_rank)


def _rank(change: FieldChange) -> int:
    if change.path[-1:] == ("image",):
        return 0
    if change.path == ("spec", "replicas"):
        return 1
    return 2 if change.path[:2] == ("spec", "template") else 3


@dataclass(frozen=True, slots=True)
class _Way:
    """The way to a value: in the object, and in words."""

    path: JsonPath = ()
    steps: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The name of the last map key on it."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")

    def to_key(self, key: str) -> _Way:
        """On to a field of a map."""
        step = f".{key}" if _PLAIN.fullmatch(str(key)) else f"[{key}]"
        return _Way((*self.path, key), (*self.steps, step))

    def to_item(self, index: int, name: str) -> _Way:
        """On to an item of a list."""
        return _Way((*self.path, index), (*self.steps, f"[{name}]"))


def _change(way: _Way, edit: Edit, before: Any = None, after: Any = None) -> FieldChange:
    is_secret = is_masked(before) or is_masked(after)
    name = _joined(way.steps)
    return FieldChange(way.path, name, name, edit, revealed(before), revealed(after), is_secret)


def _joined(steps: Sequence[str]) -> str:
    return steps[0][1:-1] if len(steps) == 1 and steps[0][0] == "[" else "".join(steps).removeprefix(".")


def _of_values(before: Any, after: Any, way: _Way) -> Iterator[tuple[_Way, FieldChange]]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_maps(before, after, way)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, way)
    else:
        yield way, _change(way, Edit.CHANGED, before, after)


def _of_maps(before: Mapping[str, Any], after: Mapping[str, Any], way: _Way) -> Iterator[tuple[_Way, FieldChange]]:
    for key, value in after.items():
        below = way.to_key(key)
        if key in before:
            yield from _of_values(before[key], value, below)
        else:
            yield below, _change(below, Edit.ADDED, after=value)
    for key, value in before.items():
        if key not in after:
            below = way.to_key(key)
            yield below, _change(below, Edit.REMOVED, before=value)


def _of_lists(before: list[Any], after: list[Any], way: _Way) -> Iterator[tuple[_Way, FieldChange]]:
    both = align(way.field, before, after)
    if both.is_reordered:
        old = [both.before_names[index] for index, _ in sorted(both.pairs)]
        new = [both.after_names[index] for _, index in both.pairs]
        yield way, _change(way, Edit.REORDERED, old, new)
    for index, other in both.pairs:
        yield from _of_values(before[index], after[other], way.to_item(other, both.after_names[other]))
    for index in both.added:
        below = way.to_item(index, both.after_names[index])
        yield below, _change(below, Edit.ADDED, after=after[index])
    for index in both.removed:
        below = way.to_item(index, both.before_names[index])
        yield below, _change(below, Edit.REMOVED, before=before[index])


def _labelled(found: list[tuple[_Way, FieldChange]]) -> Iterator[FieldChange]:
    """The changes, each with the shortest end of its name that no other one has."""
    depth = max((len(way.steps) for way, _ in found), default=0)
    counts = [Counter(way.steps[-length:] for way, _ in found) for length in range(1, depth + 1)]
    for way, change in found:
        yield replace(change, label=_label(way, counts))


def _label(way: _Way, counts: list[Counter[tuple[str, ...]]]) -> str:
    for length, count in enumerate(counts[: len(way.steps)], 1):
        end = way.steps[-length:]
        says_enough = end[0].startswith(".") or _is_named_key(way, length)
        if says_enough and count[end] == 1 and not (length == 1 and end[0][1:] in _SAY_LITTLE):
            return _joined(end)
    return _joined(way.steps)


def _is_named_key(way: _Way, length: int) -> bool:
    """Whether the step is a key of a map that is only written in brackets, as ``[app.properties]``."""
    return isinstance(way.path[-length], str)
