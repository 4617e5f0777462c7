"""Files that are nearly right, for hypothesis: manifests with damage, and bodies with values of the wrong type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from kploy.core import schema_store
from kploy.core.schemas import NEWEST

EXAMPLES = Path(__file__).parents[2] / "examples"

_MOST = 20_000
"""Characters at most in a mutated file."""

_INSERTED = (
    *("\t", "\0", "\x1b[31m", "\x85", "\u2028", "\u202e", "\ufeff", "\r", "\r\n", "\ud7ff", "😀", "\x7f"),
    *(
        "&a ",
        "*a",
        "&a [*a]",
        "<<: *a",
        "<<: ",
        "? ",
        "- ",
        ": ",
        " #",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "|\n",
        ">-\n",
    ),
    *("{", "}", "[", "]", ",", "'", '"', "\\", "@", "`", "!!python/object:os.system x", "!!binary aGk=", "!x "),
    *("9" * 5000, "1e999", ".nan", "0x", "2024-13-45", "=", "NO", "~", "null", "[" * 200, "{a: " * 200),
    *("\n" + "- " * 150, "kind: Secret\n", "kind: List\nitems:\n", "stringData: {a: hunter2}\n", "status: 1\n"),
    *("kploy.dev/depends-on: a\n", "kploy.dev/app: x\n", "metadata: 1\n", "spec: [1]\n", "// no comment\n"),
)


@cache
def manifests() -> tuple[str, ...]:
    """The manifests of the examples."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*/*/*.yaml")))


@st.composite
def damaged(draw: DrawFn, originals: tuple[str, ...] = ()) -> str:
    """A text of ``originals``, the examples' manifests if there are none, after one to six accidents."""
    texts = originals or manifests()
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 6))):
        text = _accident(draw, text, texts)[:_MOST]
    return text


def _accident(draw: DrawFn, text: str, texts: tuple[str, ...]) -> str:
    at, to = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    match draw(st.sampled_from(["insert", "cut", "truncate", "double", "splice", "indent", "lines", "word"])):
        case "insert":
            return text[:at] + draw(st.sampled_from(_INSERTED)) + text[at:]
        case "cut":
            return text[:at] + text[min(to, at + 40) :]
        case "truncate":
            return text[:to]
        case "double":
            return text[:to] + text[at:to] + text[to:]
        case "splice":
            return text[:at] + draw(st.sampled_from(texts))[at:]
        case "indent":
            line = text.rfind("\n", 0, at) + 1
            return text[:line] + draw(st.sampled_from([" ", "  ", "\t", "-", "- "])) + text[line:]
        case "lines":
            return text.replace("\n", draw(st.sampled_from(["\r\n", "\r", "\n\n", "\n ", "\x85"])))
        case _:
            return text[:at] + draw(st.text(max_size=4)) + text[at:]


# Bodies: the right fields, and values of any type.

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "a", "A.b/c", "web", "100Mi", "25%", "default", "RollingUpdate", "-1", "\x1b[31m", "a" * 300]
    ),
    st.text(st.characters(codec="utf-8"), max_size=5),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "name", "app", "spec", ""]), inner, max_size=3)
    ),
    max_leaves=4,
)
_LEVELS = 9
_RIGHT = {
    "string": st.sampled_from(
        ["web", "a", "", "v1", "apps/v1", "Service", "Secret", "Role", "x.io", "100m", "Always"]
    ),
    "integer": st.integers(-1, 65536),
    "number": st.floats(0, 10),
    "boolean": st.booleans(),
}
_NESTED = {"spec", "template", "metadata", "containers", "data", "rules", "selector", "subjects", "webhooks"}


@st.composite
def bodies(draw: DrawFn) -> dict[str, Any]:
    """An object of any kind that Kubernetes has, with some of its fields; one value in eight is of any type."""
    schemas = schema_store.load(NEWEST)
    api_version = draw(st.sampled_from(sorted(schemas.kinds)))
    kind = draw(st.sampled_from(sorted(schemas.kinds[api_version])))
    body = _object(draw, schemas.definitions[schemas.kinds[api_version][kind]], _LEVELS)
    return _named(draw, body, api_version, kind)


def _named(draw: DrawFn, body: dict[str, Any], api_version: str, kind: str) -> dict[str, Any]:
    """The same with what the loader asks of every object, so that it gets further."""
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    annotations = {"kploy.dev/depends-on": draw(st.sampled_from(["configmap/web", "rcs/a", "x", ""]))}
    if draw(st.booleans()):
        metadata = {**metadata, "annotations": annotations}
    name = draw(st.sampled_from(["web", "a", "x.io"]))
    return {
        **body,
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {**metadata, "name": name, "namespace": "shop"},
    }


def _object(draw: DrawFn, schema: Mapping[str, Any], levels: int) -> dict[str, Any]:
    known = schema.get("properties", {})
    usual = sorted(_NESTED & set(known))
    rest = draw(st.lists(st.sampled_from(sorted(known)), max_size=3)) if known else []
    body = {key: _value(draw, known[key], levels) for key in dict.fromkeys([*usual, *rest])}
    other = schema.get("additionalProperties")
    if isinstance(other, Mapping):
        body |= {key: _value(draw, other, levels) for key in draw(st.lists(st.sampled_from("ab"), max_size=2))}
    return body


def _value(draw: DrawFn, schema: Mapping[str, Any], levels: int) -> Any:
    _, schema = schema_store.load(NEWEST).resolve(schema)
    types = schema.get("type", "object")
    wanted = types if isinstance(types, str) else draw(st.sampled_from(types))
    if levels == 0 or draw(st.integers(0, 7)) == 0:
        return draw(ANYTHING)
    if wanted == "object":
        return _object(draw, schema, levels - 1)
    if wanted == "array":
        return [_value(draw, schema.get("items", {}), levels - 1) for _ in range(draw(st.integers(0, 2)))]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    return draw(_RIGHT.get(wanted, ANYTHING))


_KEYWORDS = {
    "type": st.sampled_from(
        ["object", "array", "string", "integer", "boolean", "number", "null", "x", ["string"], 1]
    ),
    "pattern": st.sampled_from(["^a$", "(", "(a+)+$", r"\p{L}", "", 1]),
    "enum": st.lists(SCALARS, max_size=3) | SCALARS,
    "required": st.lists(st.sampled_from(["spec", "a", "b", 1]), max_size=3) | SCALARS,
    "minimum": SCALARS,
    "exclusiveMinimum": st.booleans() | SCALARS,
    "maxLength": SCALARS,
    "format": st.sampled_from(["int32", "date-time", "x", 1]),
    "default": ANYTHING,
    "nullable": SCALARS,
    "$ref": st.sampled_from(["#", "#/properties/spec", "http://127.0.0.1:1/x", "x", 1]),
    "$schema": st.sampled_from(["http://json-schema.org/draft-03/schema#", "x", 1]),
    "$id": st.sampled_from(["http://127.0.0.1:1/x", "x", 1]),
    "x-kubernetes-int-or-string": st.booleans(),
    "x-kubernetes-preserve-unknown-fields": st.booleans(),
}
OPEN_SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.fixed_dictionaries({}, optional=_KEYWORDS) | SCALARS,
    lambda inner: st.fixed_dictionaries(
        {"properties": st.dictionaries(st.sampled_from(["spec", "a", "b"]), inner, max_size=3)},
        optional={
            "items": inner,
            "additionalProperties": inner,
            "anyOf": st.lists(inner, max_size=2) | SCALARS,
            "not": inner,
            **_KEYWORDS,
        },
    ),
    max_leaves=6,
)


@st.composite
def custom_resources(draw: DrawFn) -> list[dict[str, Any]]:
    """A definition with a schema that may be nonsense, and an object that may fit it."""
    version = {"name": "v1", "schema": {"openAPIV3Schema": draw(OPEN_SCHEMAS)}}
    spec = {"group": "x.io", "scope": "Cluster", "names": {"kind": "A"}, "versions": [version, draw(ANYTHING)]}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "as.x.io"},
        "spec": draw(st.just(spec) | ANYTHING),
    }
    fields = draw(st.dictionaries(st.sampled_from(["spec", "a", "b", "status"]), ANYTHING, max_size=3))
    return [definition, {"apiVersion": "x.io/v1", "kind": "A", "metadata": {"name": "a"}, **fields}]


def as_text(*objects: Mapping[str, Any]) -> str:
    """The objects as a JSON file, which may hold several."""
    return "\n".join(map(json.dumps, objects))
