"""Whether an apply would change nothing, told without asking: from the live object and who owns what of it.

Server-side apply leaves an object as it is when its manager owns just the fields that are applied, and all of them
have these values (KEP-555; structured-merge-diff, merge/update.go). Both can be read from the object. What is not
plain, such as a value that the server writes in another way than the manifest, is not told: then it is asked.

One thing cannot be read: whether a map that is owned as a whole is atomic, or was empty when it was applied. If it
was, and now has just what others have put there, nothing changes but that the app would own it as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kploy.core.bodies import entries, mapping, text
from kploy.model.objects import Body

_NOT_OWNED = frozenset({"apiVersion", "kind"})
_NOT_OWNED_OF_METADATA = frozenset({"name", "namespace", "generateName", "uid", "resourceVersion"})
"""What names the object is nobody's field."""

_DEEPEST = 60
"""Deeper than this nothing is looked at: whatever lies there is asked for."""

_ABSENT = object()


def is_unchanged(body: Body, live: Body, manager: str) -> bool:
    """Whether to apply ``body`` as ``manager`` would leave ``live`` as it is, for sure.

    False where that is not certain. ``live`` has its apiVersion and kind.
    """
    metadata = mapping(body, "metadata")
    if (text(body, "apiVersion"), text(body, "kind")) != (text(live, "apiVersion"), text(live, "kind")):
        return False
    owned = _owned(live, manager, text(body, "apiVersion"))
    wanted = {key: value for key, value in body.items() if key not in _NOT_OWNED}
    wanted["metadata"] = {key: value for key, value in metadata.items() if key not in _NOT_OWNED_OF_METADATA}
    if not wanted["metadata"]:
        del wanted["metadata"]
    return owned is not None and _is_same(wanted, live, owned, _DEEPEST)


def _owned(live: Body, manager: str, api_version: str) -> Mapping[str, Any] | None:
    """The fields that ``manager`` has applied; None where it has not, or in another version."""
    found = [
        entry
        for entry in entries(live, "metadata", "managedFields")
        if text(entry, "manager") == manager
        and text(entry, "operation") == "Apply"
        and not entry.get("subresource")
    ]
    if len(found) != 1 or text(found[0], "apiVersion") != api_version:
        return None
    return mapping(found[0], "fieldsV1")


def _is_same(wanted: Any, live: Any, owned: Any, depth: int) -> bool:
    """Whether ``owned`` are just the fields of ``wanted``, and those of ``live`` have its values."""
    if not isinstance(owned, Mapping) or depth == 0:
        return False
    inner = {key: fields for key, fields in owned.items() if key != "."}
    if not inner:
        return _is_equal(wanted, live)
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return _is_same_map(wanted, live, inner, depth - 1)
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(inner):
        return all(_is_same_item(key, wanted, live, fields, depth - 1) for key, fields in inner.items())
    return False


def _is_same_map(wanted: Mapping[str, Any], live: Mapping[str, Any], owned: Mapping[str, Any], depth: int) -> bool:
    return wanted.keys() == {key[2:] for key in owned if key.startswith("f:")} and all(
        _is_same(value, live.get(key, _ABSENT), owned[f"f:{key}"], depth) for key, value in wanted.items()
    )


def _is_same_item(key: str, wanted: list[Any], live: list[Any], owned: Any, depth: int) -> bool:
    """Whether an item that is owned under ``key`` is wanted, once, and live in the same way."""
    sort, _, literal = key.partition(":")
    try:
        identity = json.loads(literal)
    except ValueError:
        return False
    if sort == "v":
        return wanted.count(identity) == 1 and identity in live
    if sort != "k" or not isinstance(identity, dict):
        return False
    # Of what identifies it, the manifest may leave out what the server adds: a port's protocol.
    ours = [item for item in wanted if isinstance(item, Mapping) and _may_be(item, identity)]
    theirs = [item for item in live if isinstance(item, Mapping) and _is_of(item, identity)]
    if len(ours) != 1 or len(theirs) != 1:
        return False
    return _is_same(ours[0], theirs[0], owned, depth)


def _may_be(item: Mapping[str, Any], identity: Mapping[str, Any]) -> bool:
    return all(key not in item or _is_equal(item[key], value) for key, value in identity.items())


def _is_of(item: Mapping[str, Any], identity: Mapping[str, Any]) -> bool:
    return all(_is_equal(item.get(key, _ABSENT), value) for key, value in identity.items())


def _is_equal(wanted: Any, live: Any) -> bool:
    """As JSON: 1 is not true, and nothing equals null."""
    if wanted is None or type(wanted) is not type(live):
        return False
    if isinstance(wanted, Mapping):
        return wanted.keys() == live.keys() and all(_is_equal(value, live[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(live) and all(map(_is_equal, wanted, live))
    return bool(wanted == live)
