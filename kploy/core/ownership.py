"""Whose fields an apply takes over, told from ``managedFields`` before and after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.bodies import dig, entries, text
from kploy.model.objects import Body
from kploy.model.plan import Ownership

_Field = tuple[str, ...]
"""The way to a field in the notation of ``fieldsV1``: ``("f:spec", "f:replicas")``."""

_Owners = dict[tuple[str, str], set[_Field]]
"""By manager and operation: what it owns, but for the status."""

_DEEPEST = 100
"""Fields that lie deeper than this count with the one that they lie in."""

_PLAIN = re.compile(r"[\w-]+")


def ownership(live: Body, answer: Body) -> tuple[Ownership, ...]:
    """The fields that the applier would own anew, by who owned them, and those that it would own no longer."""
    before, after = _owners(live), _owners(answer)
    gained = {(owner, field) for owner in after for field in after[owner] - before.get(owner, set())}
    lost = {(owner, field) for owner in before for field in before[owner] - after.get(owner, set())}
    taken: dict[str, set[_Field]] = {}
    for owner, field in gained:
        for manager in {other[0] for other in before if other != owner and field in before[other]} or {""}:
            taken.setdefault(manager, set()).add(field)
    given_up = {field for _, field in lost} - {field for _, field in gained}
    rows = [Ownership(manager, _names(fields)) for manager, fields in sorted(taken.items())]
    return (*rows, *([Ownership("", _names(given_up), is_given_up=True)] if given_up else []))


def _owners(body: Body) -> _Owners:
    owners: _Owners = {}
    for entry in entries(body, "metadata", "managedFields"):
        if not entry.get("subresource"):
            owner = text(entry, "manager"), text(entry, "operation")
            owners.setdefault(owner, set()).update(_leaves(dig(entry, "fieldsV1"), ()))
    return owners


def _leaves(fields: Any, way: _Field) -> Iterator[_Field]:
    """The ends of all ways. ``.`` is the item or map itself, which counts only where it has nothing in it."""
    inner = {key: value for key, value in fields.items() if key != "."} if isinstance(fields, Mapping) else {}
    if way and (not inner or len(way) >= _DEEPEST):
        yield way
        return
    for key, value in inner.items():
        yield from _leaves(value, (*way, key))


def _names(fields: set[_Field]) -> tuple[str, ...]:
    return tuple(sorted("".join(map(_step, field)).removeprefix(".") for field in fields))


def _step(step: str) -> str:
    """``f:spec`` as ``.spec``, ``k:{"name":"web"}`` as ``[web]``; an item of a set is not quoted."""
    sort, _, rest = step.partition(":")
    if sort == "f":
        return f".{rest}" if _PLAIN.fullmatch(rest) else f"[{rest}]"
    return f"[{_key(rest)}]" if sort == "k" else "[]"


def _key(literal: str) -> str:
    try:
        keys = json.loads(literal)
    except ValueError:
        return literal
    if not isinstance(keys, dict):
        return literal
    return "/".join(str(value) for value in keys.values() if value != "TCP")
