"""The schema of a CustomResourceDefinition as a JSON Schema, of what can be checked here in bounded time.

Anybody may write such a schema. What Kubernetes itself refuses in one ($ref,
uniqueItems, patternProperties …) is dropped, and so is a pattern that would
keep Python busy: the API server, whose patterns take linear time, has the
last word on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST_MATCHED = 256
"""Characters at most in a text that is held against a pattern."""

_KEYWORDS = frozenset(
    [
        "additionalProperties",
        "allOf",
        "anyOf",
        "default",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "nullable",
        "oneOf",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    ]
)
"""What a structural schema may say: validation of apiextensions.k8s.io/v1, Kubernetes 1.37."""

_ALWAYS_ALLOWED: dict[str, Any] = {"apiVersion": {}, "kind": {}, "metadata": {}}
"""The fields of every object that the definition's own schema need not name."""

_ALL_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*(?:,\d*)?\}|.", re.DOTALL)
_MOST_LOOPS = 2


def as_json_schema(schema: Any) -> Any:
    """The JSON Schema of the objects that the API server takes by ``schema``, as far as it can be checked here.

    Fields that it does not name are refused. Raises RecursionError for one that is nested without end.
    """
    return _translated(bounded(schema), is_object=True)


def bounded(schema: Any) -> Any:
    """The same schema, with only such keywords as Kubernetes allows, and patterns that end soon."""
    if not isinstance(schema, Mapping):
        return schema
    return {key: _kept(key, value) for key, value in schema.items() if _is_kept(key, value)}


def _is_kept(key: str, value: Any) -> bool:
    if key == "pattern":
        return isinstance(value, str) and ends_soon(value)
    return key in _KEYWORDS or key.startswith("x-kubernetes-")


def _kept(key: str, value: Any) -> Any:
    match key:
        case "items" | "additionalProperties" | "not":
            return bounded(value)
        case "allOf" | "anyOf" | "oneOf" if isinstance(value, list):
            return [bounded(part) for part in value]
        case "properties" if isinstance(value, Mapping):
            return {name: bounded(field) for name, field in value.items()}
    return value


def ends_soon(pattern: str) -> bool:
    """Whether a backtracking match is sure to end soon: no loop around anything that varies, and few loops."""
    loops = 0 if pattern.startswith("^") else 1
    varies = [False]
    closed = False
    before = ""
    for piece in _PIECE.findall(pattern):
        if _repeats(piece) and before:
            if closed or (before in {"*", "+"}):
                return False
            varies[-1] = True
            loops += 1
        elif piece == "(":
            varies.append(False)
        elif piece in {"?", "|"}:
            varies[-1] = True
        inner = varies.pop() if piece == ")" and len(varies) > 1 else False
        varies[-1] = varies[-1] or inner
        closed, before = inner, piece
    return loops <= _MOST_LOOPS


def _repeats(piece: str) -> bool:
    return piece in {"*", "+"} or (piece.startswith("{") and len(piece) > 1)


# From OpenAPI v3 and Kubernetes' extensions of it to JSON Schema.


def _translated(schema: Any, *, is_object: bool = False) -> Any:
    """A structural schema (OpenAPI v3, Kubernetes' extensions) as a JSON Schema that refuses unknown fields."""
    if not isinstance(schema, Mapping):
        return schema
    new = {
        key: value for key, value in schema.items() if not key.startswith("x-kubernetes-") and key != "nullable"
    }
    if isinstance(schema.get("properties"), Mapping):
        known = {key: _translated(value) for key, value in schema["properties"].items()}
        new["properties"] = {**_ALWAYS_ALLOWED, **known} if is_object or _embeds(schema) else known
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            new.setdefault("additionalProperties", False)
    for nested in ("items", "additionalProperties"):
        if isinstance(schema.get(nested), Mapping):
            new[nested] = _translated(schema[nested], is_object=_embeds(schema[nested]))
    _translate_limits(schema, new)
    if schema.get("x-kubernetes-int-or-string"):
        new["type"] = ["integer", "string"]
    if schema.get("nullable"):
        new["type"] = _or_null(new.get("type", []))
    return new


def _or_null(types: Any) -> Any:
    """The types and null; no types are all of them."""
    named = [types] if isinstance(types, str) else types
    return [*named, "null"] if named and isinstance(named, list) else list(_ALL_TYPES)


def _embeds(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("x-kubernetes-embedded-resource"))


def _translate_limits(schema: Mapping[str, Any], new: dict[str, Any]) -> None:
    """OpenAPI v3 says with a boolean whether a limit is exclusive; and its patterns are Go's."""
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and limit in schema:
            new[exclusive] = new.pop(limit)
        elif isinstance(schema.get(exclusive), bool):
            del new[exclusive]
    if not _is_pattern(schema.get("pattern", "")):
        new.pop("pattern", None)


def _is_pattern(pattern: Any) -> bool:
    """Whether Python reads a regular expression of Go's, and reads the same: not so ``[[:alpha:]]``."""
    try:
        re.compile("" if "[:" in pattern else pattern)
    except (re.error, TypeError):
        return False
    return "[:" not in pattern
