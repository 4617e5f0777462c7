"""Where a field belongs that stands in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from kploy.core.schema_store import Schema, Schemas
from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath

_DEPTH = 6
"""How far below the root a field is looked for: ``spec.template.spec.containers`` is 4."""


@dataclass(frozen=True, slots=True)
class _Map:
    """A map with named fields: the way to it, its schema, and the definitions it lies within."""

    place: tuple[str, ...]
    schema: Schema
    within: tuple[str, ...]


def belongs_under(schemas: Schemas, root: str, path: JsonPath, key: str) -> str:
    """A hint for a known field in the wrong place: "`containers` belongs under spec.template.spec".

    ``root`` is the definition of the whole object and ``path`` where ``key``
    stands in it. Of several places it takes the one that is the fewest
    steps away, up and down. "" if there is none.
    """
    here = tuple(step for step in path if isinstance(step, str))
    places = _places(schemas, root).get(key)
    if not places:
        return ""
    place = min(places, key=lambda place: (len(place) - 2 * _shared(place, here), place))
    return f"`{key}` belongs under {'.'.join(place)}" if place else f"`{key}` belongs at the top"


def _shared(place: tuple[str, ...], here: tuple[str, ...]) -> int:
    steps = 0
    for one, other in zip(place, here, strict=False):
        if one != other:
            break
        steps += 1
    return steps


@cache
def _places(schemas: Schemas, root: str) -> Mapping[str, list[tuple[str, ...]]]:
    """Where in an object there are fields of each name."""
    places: dict[str, list[tuple[str, ...]]] = {}
    for found in _maps(schemas, root):
        for key in found.schema.get("properties", {}):
            places.setdefault(key, []).append(found.place)
    return places


def _maps(schemas: Schemas, root: str) -> Iterator[_Map]:
    """All maps with named fields in an object, those nearest to the root first. ``status`` is left out."""
    level = [_Map((), schemas.definitions[root], (root,))]
    for _ in range(_DEPTH):
        yield from level
        level = [below for found in level for below in _below(schemas, found)]


def _below(schemas: Schemas, found: _Map) -> Iterator[_Map]:
    for key, part in found.schema.get("properties", {}).items():
        name, resolved = schemas.resolve(part.get("items", part))
        if name and name not in found.within and key != "status":
            yield _Map((*found.place, key), resolved, (*found.within, name))
