"""Whether a value is what its schema says, and in people's words where it is not.

A walk of our own over the small part of JSON Schema that Kubernetes uses, because a general validator
describes a fault by quoting the value (which may be a Secret's), does not know the names of definitions,
and takes four times as long, after 85 ms to load. That both agree on what is valid is tested.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kploy.core.field_names import belongs_under
from kploy.core.formats import FORMATS
from kploy.core.schema_store import Schema, Schemas, human
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath

_OWNED_BY_SERVER = ("status",)

_SECRET = "io.k8s.api.core.v1.Secret"  # noqa: S105 - the name of a definition
_SECRET_HINT = "plain text belongs under `stringData`"  # noqa: S105 - no secret either

_HINTED = 100
"""A map with more unknown fields than this is something else altogether; looking for near names takes time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a schema does not allow.

    ``path`` leads to it; ``at_key`` says that its key is meant and not its value.
    No text quotes a value. ``quotable`` is set where the remedy is to put the
    value in quotation marks.
    """

    rule: str
    path: JsonPath
    message: str
    hint: str = ""
    at_key: bool = False
    quotable: bool = False


@dataclass(frozen=True, slots=True)
class _Node:
    """A value, what it should be, and the definition that says so."""

    path: JsonPath
    schema: Schema
    owner: str
    value: Any


def faults(schemas: Schemas, definition: str, body: Any) -> Iterator[Fault]:
    """All that is wrong with ``body`` as a ``definition``, in no order. Never raises, whatever the body.

    ``status`` is not looked at: it is the server's.
    """
    pending = [_Node((), schemas.definitions[definition], definition, body)]
    while pending:
        node = pending.pop()
        if node.path == _OWNED_BY_SERVER or node.value is None:
            continue
        if not _has_type(node.schema, node.value):
            yield _wrong_type(node)
        elif isinstance(node.value, dict):
            yield from _field_faults(schemas, definition, node)
            pending += _fields(schemas, node)
        elif isinstance(node.value, list | tuple):
            pending += _items(schemas, node)
        else:
            yield from _value_faults(node)


def _fields(schemas: Schemas, node: _Node) -> Iterator[_Node]:
    known = node.schema.get("properties", {})
    other = node.schema.get("additionalProperties")
    for key, value in node.value.items():
        schema = known.get(key, other)
        if isinstance(schema, dict):
            yield _child(schemas, node, key, schema, value)


def _items(schemas: Schemas, node: _Node) -> Iterator[_Node]:
    schema = node.schema.get("items")
    if schema is not None:
        for index, value in enumerate(node.value):
            yield _child(schemas, node, index, schema, value)


def _child(schemas: Schemas, node: _Node, step: str | int, schema: Schema, value: Any) -> _Node:
    name, resolved = schemas.resolve(schema)
    return _Node((*node.path, step), resolved, name or node.owner, value)


# Fields: those that should not be there, those that should.


def _field_faults(schemas: Schemas, root: str, node: _Node) -> Iterator[Fault]:
    misspelt = set()
    for position, key in enumerate(_unknown(node)):
        near = nearest(key, node.schema.get("properties", {})) if position < _HINTED else ""
        misspelt.add(near)
        yield _unknown_field(schemas, root, node, key, near)
    for key in node.schema.get("required", ()):
        if node.value.get(key) is None and key not in misspelt:
            yield _missing_field(node, key)


def _unknown(node: _Node) -> list[object]:
    if node.schema.get("additionalProperties") is not False:
        return []
    known = node.schema.get("properties", {})
    return [key for key in node.value if key not in known]


def _unknown_field(schemas: Schemas, root: str, node: _Node, key: object, near: str) -> Fault:
    hint = did_you_mean(near) or belongs_under(schemas, root, node.path, str(key))
    message = f"`{key}` is not a field of {human(node.owner)}"
    return Fault("unknown-field", (*node.path, str(key)), message, hint, at_key=True)


def _missing_field(node: _Node, key: str) -> Fault:
    message = f"`{key}` is required in {human(node.owner)}"
    if key in node.value:
        return Fault("missing-field", (*node.path, key), message, "it is empty", at_key=True)
    in_list = bool(node.path) and isinstance(node.path[-1], int)
    return Fault("missing-field", node.path, message, f"add `{key}:`", at_key=not in_list)


# Types.


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS_TYPE: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list | tuple),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == value // 1,
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}

_WANTED = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "a map",
    "string": "a string",
}


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _has_type(schema: Schema, value: Any) -> bool:
    types = schema.get("type")
    if types is None:
        return True
    if isinstance(types, str):
        return _IS_TYPE[types](value)
    return any(_IS_TYPE[name](value) for name in types)


def _wrong_type(node: _Node) -> Fault:
    types = _types(node.schema)
    wanted = " or ".join(_WANTED[name] for name in types if name != "null")
    message = f"`{label(node.path)}` must be {wanted}, not {_kind_of(node.value)}"
    quotable = "string" in types and "integer" not in types and isinstance(node.value, bool | int | float)
    return Fault("wrong-type", node.path, message, _type_hint(types, node.value), quotable=quotable)


def _kind_of(value: Any) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string"}
    if type(value) in names:
        return names[type(value)]
    return "a map" if isinstance(value, dict) else "a list"


def _type_hint(types: list[str], value: Any) -> str:
    if "array" in types:
        return 'start each entry with "- "'
    if "object" in types and isinstance(value, list | tuple):
        return 'take out the "- "'
    if isinstance(value, str) and _reads_as(types, value):
        return "take out the quotes"
    return "write true or false, without quotes" if "boolean" in types else ""


def _reads_as(types: list[str], text: str) -> bool:
    """Whether a string would be of one of the types if it stood without quotes."""
    if "boolean" in types:
        return text in {"true", "false"}
    return "integer" in types and re.fullmatch(r"-?[0-9]{1,18}", text) is not None


def label(path: JsonPath) -> str:
    """What people call a place in a body: ``replicas``, ``args[1]``."""
    text = ""
    for step in reversed(path):
        if not isinstance(step, int):
            return f"{step}{text}"
        text = f"[{step}]{text}"
    return text or "the manifest"


# Values of the right type.


def _value_faults(node: _Node) -> Iterator[Fault]:
    schema, value = node.schema, node.value
    if "enum" in schema and value not in schema["enum"]:
        yield _invalid(node, f"one of {_list(schema['enum'])}", _near_choice(schema["enum"], value))
    if _is_number(value) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield _invalid(node, _range(schema))
    wanted = FORMATS.get(schema.get("format", ""))
    if wanted is not None and not wanted.fits(value):
        yield _invalid(node, wanted.words, _SECRET_HINT if node.owner == _SECRET else wanted.hint)


def _invalid(node: _Node, wanted: str, hint: str = "") -> Fault:
    return Fault("invalid-value", node.path, f"`{label(node.path)}` must be {wanted}", hint)


def _list(choices: list[Any]) -> str:
    return ", ".join(choice for choice in choices if choice)


def _near_choice(choices: list[Any], value: object) -> str:
    return did_you_mean(nearest(value, filter(None, choices)))


def _range(schema: Schema) -> str:
    if "maximum" in schema:
        return f"from {schema['minimum']} to {schema['maximum']}"
    return f"{schema['minimum']} or more"
