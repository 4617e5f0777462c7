"""The schema of a CustomResourceDefinition, cut down to what can be checked here in bounded time.

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

_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*(?:,\d*)?\}|.", re.DOTALL)
_MOST_LOOPS = 2


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
