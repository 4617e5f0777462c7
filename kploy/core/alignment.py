"""Which items of two lists are the same ones, as the API server would merge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from kploy.core.masking import Sealed
from kploy.model.frozen import dataclass

_MERGE_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "hostAliases": (("ip",),),
    "ownerReferences": (("uid",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "volumeDevices": (("devicePath",),),
    "volumeMounts": (("mountPath",),),
    "x-kubernetes-validations": (("rule",),),
}
"""By the name of a field: what its items are merged by (x-kubernetes-list-map-keys of Kubernetes 1.37)."""

_OTHERWISE = (("name",), ("key",), ("host",), ("path",))
"""Most lists that are merged go by name. Those that the server replaces whole are easier to read so, too."""

_LARGEST = 40_000
"""Two lists of more comparisons than this are aligned by their indices, but for equal beginnings and ends."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """What becomes of the items of a list, by their indices in both.

    ``pairs`` are the items that stay, in the order of the second list;
    ``before_names`` and ``after_names`` what the items of each are called, their
    indices where they have no names. ``is_reordered``: the ones that stay have another order.
    """

    pairs: tuple[tuple[int, int], ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]
    before_names: tuple[str, ...]
    after_names: tuple[str, ...]
    is_reordered: bool = False


def align(field: str, before: Sequence[Any], after: Sequence[Any]) -> Alignment:
    """How the items of ``before`` and ``after``, two values of ``field``, belong together.

    By what the server merges them by if they have it, each its own; otherwise those
    that are equal belong together, as many as can in their order, and what
    stands in the place of another has changed.
    """
    for keys in _MERGE_KEYS.get(field, _OTHERWISE):
        names, others = _names(before, keys), _names(after, keys)
        if names is not None and others is not None:
            return _by_name(names, others)
    return _by_order(before, after)


def _names(items: Sequence[Any], keys: tuple[str, ...]) -> tuple[str, ...] | None:
    """What the items are called by ``keys``; None unless each has a name of its own."""
    if not all(isinstance(item, Mapping) and _is_name(item.get(keys[0])) for item in items):
        return None
    names = tuple("/".join(_parts(item, keys)) for item in items)
    return names if len(set(names)) == len(names) else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str | int | Sealed)


def _parts(item: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    """The values of ``keys``; TCP, which the server puts in where there is none, goes without saying."""
    values = [item.get(key) for key in keys]
    return [str(value) for value in values if value is not None and value != "TCP"]


def _by_name(before: tuple[str, ...], after: tuple[str, ...]) -> Alignment:
    old = {name: index for index, name in enumerate(before)}
    pairs = tuple((old[name], index) for index, name in enumerate(after) if name in old)
    kept = {name for name in after if name in old}
    return Alignment(
        pairs,
        removed=tuple(index for index, name in enumerate(before) if name not in kept),
        added=tuple(index for index, name in enumerate(after) if name not in kept),
        before_names=before,
        after_names=after,
        is_reordered=[old for old, _ in pairs] != sorted(old for old, _ in pairs),
    )


def _by_order(before: Sequence[Any], after: Sequence[Any]) -> Alignment:
    pairs: list[tuple[int, int]] = []
    removed: list[int] = []
    added: list[int] = []
    for old, end_of_old, new, end_of_new in _blocks(before, after):
        both = min(end_of_old - old, end_of_new - new)
        pairs += zip(range(old, old + both), range(new, new + both), strict=True)
        removed += range(old + both, end_of_old)
        added += range(new + both, end_of_new)
    names = tuple(map(str, range(max(len(before), len(after)))))
    return Alignment(tuple(pairs), tuple(removed), tuple(added), names, names)


def _blocks(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[int, int, int, int]]:
    """What stands in the place of what: begin and end in the one list, begin and end in the other."""
    if len(before) * len(after) > _LARGEST:
        begin = _same(before, after)
        end = _same(before[begin:][::-1], after[begin:][::-1])
        old, new = len(before) - end, len(after) - end
        return [(0, begin, 0, begin), (begin, old, begin, new), (old, len(before), new, len(after))]
    # Only lists that are compared by their places come here, and few do: it need not load for the others.
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, list(map(_hashable, before)), list(map(_hashable, after)), autojunk=False)
    return [block[1:] for block in matcher.get_opcodes()]


def _same(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many items both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _hashable(value: Any) -> Any:
    """A value that is equal where ``value`` is, and that can be looked up."""
    match value:
        case Mapping():
            return "map", frozenset((key, _hashable(inner)) for key, inner in value.items())
        case list():
            return "list", tuple(map(_hashable, value))
        case Sealed():
            return "sealed", _hashable(value.value)
        case _:
            return value
