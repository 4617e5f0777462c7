"""Checks manifests against Kubernetes' own schemas, without a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from kploy.core import schema_store, served
from kploy.core.conformance import Fault, faults
from kploy.core.masking import secrets
from kploy.core.schema_store import Schemas
from kploy.model.app import Manifest
from kploy.model.findings import Finding, Place, error, warning
from kploy.model.objects import JsonPath

NEWEST = schema_store.newest()
"""The newest minor version of Kubernetes that there are schemas of, such as "1.37"."""

_SERVER_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)


def check(manifests: Sequence[Manifest], version: str = NEWEST) -> tuple[Finding, ...]:
    """All that a Kubernetes of that minor version would refuse in the manifests, and what it would overwrite.

    In the order of the manifests, then of lines. A kind of a custom resource is
    left to its definition. No finding quotes a value of a Secret. Raises LookupError
    for a version that is not among ``schema_store.VERSIONS``.

    Rules: those of ``core.served``, ``unknown-field``, ``wrong-type``,
    ``missing-field``, ``invalid-value``; and ``server-field``, a warning.
    """
    schemas = schema_store.load(version)
    return tuple(finding for manifest in manifests for finding in sorted(_check(schemas, manifest), key=_line))


def _check(schemas: Schemas, manifest: Manifest) -> Iterator[Finding]:
    definition = schemas.definition_of(manifest.api_version, manifest.ref.kind)
    yield from _server_fields(manifest, is_builtin=definition is not None)
    yield from served.check(schemas, manifest)
    if definition is not None:
        hidden = _Hidden(manifest)
        for fault in faults(schemas, definition, manifest.body):
            yield _finding(schemas, manifest, fault, hidden)


def _line(finding: Finding) -> tuple[int, int]:
    return (finding.place.line, finding.place.column) if finding.place else (0, 0)


# Fields.


class _Hidden:
    """The parts of a manifest that may be secret. They are looked for once, if anybody asks."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __contains__(self, path: JsonPath) -> bool:
        if self._manifest.ref.kind == "Secret":
            return True
        return any(path[:length] in self._paths for length in range(len(path) + 1))

    @cached_property
    def _paths(self) -> frozenset[JsonPath]:
        return frozenset(path for path, _ in secrets(self._manifest.body))


def _finding(schemas: Schemas, manifest: Manifest, fault: Fault, hidden: _Hidden) -> Finding:
    place = _place(manifest, fault)
    return error(fault.rule, fault.message, _hint(schemas, manifest, fault, place, hidden), place)


def _hint(schemas: Schemas, manifest: Manifest, fault: Fault, place: Place, hidden: _Hidden) -> str:
    if fault.quotable:
        return "quote it" if fault.path in hidden else _quote(manifest, fault, place)
    newer = _first_to_know(schemas.version, manifest, fault.path) if fault.rule == "unknown-field" else ""
    return f"Kubernetes {newer} has it" if newer else fault.hint


def _first_to_know(version: str, manifest: Manifest, path: JsonPath) -> str:
    """The first version of Kubernetes after ``version`` that has a field, "" if none has."""
    later = map(schema_store.load, schema_store.later_than(version))
    return next((each.version for each in later if _knows(each, manifest, path)), "")


def _knows(schemas: Schemas, manifest: Manifest, path: JsonPath) -> bool:
    definition = schemas.definition_of(manifest.api_version, manifest.ref.kind)
    return definition is not None and schemas.has_field(definition, path)


def _place(manifest: Manifest, fault: Fault) -> Place:
    """Where to put the caret; a fault of the object as a whole is shown at its kind."""
    if not fault.path:
        return manifest.positions.value(("kind",))
    return manifest.positions.key(fault.path) if fault.at_key else manifest.positions.value(fault.path)


def _quote(manifest: Manifest, fault: Fault, place: Place) -> str:
    """How the scalar would be written as a string, as it stands in the file: 0644 is not 420."""
    text = _text_at(place) or _integer_at(manifest.body, fault)
    return f'quote it: "{text}"' if re.fullmatch(r"[\w.+-]{1,40}", text) else "quote it"


def _text_at(place: Place) -> str:
    """What the file says there, "" if the place carries no excerpt."""
    if not place.excerpt:
        return ""
    start = place.column - 1
    return place.excerpt[-1].text[start : start + place.width]


def _integer_at(body: Any, fault: Fault) -> str:
    """The text of an integer, which has one way to be written; "" for any other value."""
    value = body
    for step in fault.path:
        value = value[step]
    return str(value) if type(value) is int and abs(value) < 1 << 63 else ""


# What the server writes.


def _server_fields(manifest: Manifest, *, is_builtin: bool) -> Iterator[Finding]:
    for path in _written_by_server(manifest.body, is_builtin=is_builtin):
        message = f"`{'.'.join(path)}` is the server's to write"
        yield warning("server-field", message, "take it out", manifest.positions.key(path))


def _written_by_server(body: Mapping[str, Any], *, is_builtin: bool) -> Iterator[tuple[str, ...]]:
    """Fields of the server that say something; ``kubectl create --dry-run`` leaves blank ones behind."""
    if is_builtin and not _is_blank(body.get("status")):
        yield ("status",)
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        for key in _SERVER_METADATA:
            if not _is_blank(metadata.get(key)):
                yield ("metadata", key)


def _is_blank(value: Any) -> bool:
    """Whether nothing is said: null, "", or maps and lists of nothing but those."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list | tuple):
            pending += item
        elif item not in (None, ""):
            return False
    return True
