"""Checks manifests against Kubernetes' own schemas, without a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from kploy.core import schema_store
from kploy.core.conformance import Fault, faults
from kploy.core.kinds import GROUPS
from kploy.core.schema_store import Schemas
from kploy.model.app import Manifest
from kploy.model.findings import Finding, Place, error, warning
from kploy.model.objects import group_of, version_of

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

_GONE = {
    "PodSecurityPolicy": "label the Namespace pod-security.kubernetes.io/enforce instead",
}
"""Kinds that no version of any API serves any longer, and what took their place."""

_PRERELEASE = re.compile(r"v\d+(alpha|beta)\d+")


def check(manifests: Sequence[Manifest], version: str = NEWEST) -> tuple[Finding, ...]:
    """All that a Kubernetes of that minor version would refuse in the manifests, and what it would overwrite.

    In the order of the manifests, then of lines. A kind of a custom resource is
    left to the cluster. No finding quotes a value of a Secret. Raises LookupError
    for a version that is not among ``schema_store.versions()``.

    Rules: ``unknown-kind``, ``removed-api``, ``unknown-field``, ``wrong-type``,
    ``missing-field``, ``invalid-value``; and ``server-field``, a warning.
    """
    schemas = schema_store.load(version)
    return tuple(finding for manifest in manifests for finding in sorted(_check(schemas, manifest), key=_line))


def _check(schemas: Schemas, manifest: Manifest) -> Iterator[Finding]:
    kind = manifest.ref.kind
    definition = schemas.definition_of(manifest.api_version, kind)
    yield from _server_fields(manifest, is_builtin=definition is not None)
    if definition is not None:
        for fault in faults(schemas, definition, manifest.body):
            yield _finding(manifest, fault)
    elif _is_kubernetes_own(manifest.api_version):
        yield _unserved(schemas, manifest)


def _line(finding: Finding) -> tuple[int, int]:
    return (finding.place.line, finding.place.column) if finding.place else (0, 0)


# Kinds.


def _is_kubernetes_own(api_version: str) -> bool:
    """Whether a group can only be Kubernetes' own: custom groups are domain names, and so have a dot."""
    group = group_of(api_version)
    return group in GROUPS or "." not in group


def _unserved(schemas: Schemas, manifest: Manifest) -> Finding:
    """Says why there is no schema, and which API version or kind was probably meant."""
    kind, api_version = manifest.ref.kind, manifest.api_version
    place = manifest.positions.value(("apiVersion",))
    successors = _api_versions_of(schemas, kind)
    is_removed = _PRERELEASE.fullmatch(version_of(api_version)) is not None
    if kind in _GONE:
        return error("removed-api", f"Kubernetes {schemas.version} has no {kind}", _GONE[kind], place)
    if not successors:
        return _unknown_kind(schemas, manifest)
    message = f"Kubernetes {schemas.version} has no {kind} in {api_version}"
    hint = f"use {_nearest(successors, group_of(api_version))}"
    return error("removed-api" if is_removed else "unknown-kind", message, hint, place)


def _api_versions_of(schemas: Schemas, kind: str) -> list[str]:
    return [api_version for api_version, kinds in schemas.kinds.items() if kind in kinds]


def _nearest(api_versions: Sequence[str], group: str) -> str:
    """The one to move to: in the same group if there is one, then the most stable, then the newest."""
    return min(api_versions, key=lambda candidate: (group_of(candidate) != group, *_maturity(candidate)))


def _maturity(api_version: str) -> tuple[int, list[int], str]:
    """v2, v1, v1beta1, v1alpha1: in this order."""
    version = version_of(api_version)
    stage = 2 if "alpha" in version else 1 if "beta" in version else 0
    return stage, [-int(number) for number in re.findall(r"\d{1,9}", version)], api_version


def _unknown_kind(schemas: Schemas, manifest: Manifest) -> Finding:
    kind = manifest.ref.kind
    known = sorted({known for kinds in schemas.kinds.values() for known in kinds})
    here = {name.lower(): name for name in known}
    near = [here[match] for match in get_close_matches(kind.lower()[:100], here, n=1, cutoff=0.7)]
    hint = _kind_hint(schemas, manifest.api_version, near[0]) if near else ""
    message = f"Kubernetes {schemas.version} has no kind {kind}"
    return error("unknown-kind", message, hint, manifest.positions.value(("kind",)))


def _kind_hint(schemas: Schemas, api_version: str, kind: str) -> str:
    if schemas.definition_of(api_version, kind) is not None:
        return f"did you mean {kind}?"
    return f"did you mean {kind} of {_nearest(_api_versions_of(schemas, kind), group_of(api_version))}?"


# Fields.


def _finding(manifest: Manifest, fault: Fault) -> Finding:
    place = _place(manifest, fault)
    hint = _quote(manifest, fault, place) if fault.quotable else fault.hint
    return error(fault.rule, fault.message, hint, place)


def _place(manifest: Manifest, fault: Fault) -> Place:
    """Where to put the caret; a fault of the object as a whole is shown at its kind."""
    if not fault.path:
        return manifest.positions.value(("kind",))
    return manifest.positions.key(fault.path) if fault.at_key else manifest.positions.value(fault.path)


def _quote(manifest: Manifest, fault: Fault, place: Place) -> str:
    """How the scalar would be written as a string, as it stands in the file: 0644 is not 420."""
    if _is_secret(manifest):
        return "quote it"
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


def _is_secret(manifest: Manifest) -> bool:
    return manifest.ref.kind == "Secret"


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
    if isinstance(metadata, Mapping):
        for key in _SERVER_METADATA:
            if not _is_blank(metadata.get(key)):
                yield ("metadata", key)


def _is_blank(value: Any) -> bool:
    """Whether nothing is said: null, "", or maps and lists of nothing but those."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Mapping):
            pending += item.values()
        elif isinstance(item, list | tuple):
            pending += item
        elif item not in (None, ""):
            return False
    return True
