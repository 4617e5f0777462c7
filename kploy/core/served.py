"""Whether a version of Kubernetes serves what a manifest is, and for how long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kploy.core import schema_store
from kploy.core.kinds import GROUPS
from kploy.core.lifecycle import Lifecycle, is_reached, lifecycle_of
from kploy.core.schema_store import Schemas
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import Manifest
from kploy.model.findings import Finding, error, warning
from kploy.model.objects import group_of, version_of

_INSTEAD = {
    "AuditSink": "give the API server an audit policy instead",
    "PodPreset": "write into each pod what the preset added",
    "PodSecurityPolicy": "label the Namespace pod-security.kubernetes.io/enforce instead",
}
"""Kinds that no version of any API serves any longer, and what took their place."""

_PRERELEASE = re.compile(r"v\d+(alpha|beta)\d+")


def check(schemas: Schemas, manifest: Manifest) -> Iterator[Finding]:
    """What there is to say of a manifest's API version and kind: at most one finding.

    A kind that can only be a custom resource is left to its definition.

    Rules: ``unknown-kind``, ``removed-api``; and ``deprecated-api``, a warning.
    """
    api_version, kind = manifest.api_version, manifest.ref.kind
    end = lifecycle_of(api_version, kind)
    if schemas.definition_of(api_version, kind) is not None:
        if end is not None and is_reached(end.deprecated, schemas.version):
            yield _deprecated(schemas, manifest, end)
    elif end is not None and is_reached(end.removed, schemas.version):
        yield _removed(schemas, manifest, end)
    elif _is_kubernetes_own(api_version):
        yield _unserved(schemas, manifest)


def _is_kubernetes_own(api_version: str) -> bool:
    """Whether a group can only be Kubernetes' own: custom groups are domain names, and so have a dot."""
    group = group_of(api_version)
    return group in GROUPS or "." not in group


# What has an end.


def _deprecated(schemas: Schemas, manifest: Manifest, end: Lifecycle) -> Finding:
    message = f"{manifest.ref.kind} in {manifest.api_version} is deprecated since Kubernetes {end.deprecated}"
    goes = f", and goes in {end.removed}" if end.removed else ""
    place = manifest.positions.value(("apiVersion",))
    return warning("deprecated-api", message + goes, _instead(schemas, manifest, end), place)


def _removed(schemas: Schemas, manifest: Manifest, end: Lifecycle | None) -> Finding:
    since = f": it went in {end.removed}" if end is not None and end.removed else ""
    place = manifest.positions.value(("apiVersion",))
    return error("removed-api", _absence(schemas, manifest) + since, _instead(schemas, manifest, end), place)


def _instead(schemas: Schemas, manifest: Manifest, end: Lifecycle | None) -> str:
    """What to move to, among what this version serves: as Kubernetes says itself, or else the nearest."""
    kind = manifest.ref.kind
    if end is not None and schemas.definition_of(end.successor, end.successor_kind or kind) is not None:
        renamed = f"{end.successor_kind} in " if end.successor_kind not in {"", kind} else ""
        return f"use {renamed}{end.successor}"
    others = [other for other in _api_versions_of(schemas, kind) if other != manifest.api_version]
    return f"use {_best(others, group_of(manifest.api_version))}" if others else _INSTEAD.get(kind, "")


def _absence(schemas: Schemas, manifest: Manifest) -> str:
    return f"Kubernetes {schemas.version} has no {manifest.ref.kind} in {manifest.api_version}"


# What was never there, or not yet.


def _unserved(schemas: Schemas, manifest: Manifest) -> Finding:
    """Says which API version or kind was probably meant, or which version of Kubernetes."""
    kind, api_version = manifest.ref.kind, manifest.api_version
    if newer := _first_to_serve(api_version, kind, schemas.version):
        return _too_new(schemas, manifest, newer)
    if kind not in _INSTEAD and not _api_versions_of(schemas, kind):
        return _unknown_kind(schemas, manifest)
    if kind in _INSTEAD or _PRERELEASE.fullmatch(version_of(api_version)):
        return _removed(schemas, manifest, None)
    place = manifest.positions.value(("apiVersion",))
    return error("unknown-kind", _absence(schemas, manifest), _instead(schemas, manifest, None), place)


def _first_to_serve(api_version: str, kind: str, after: str) -> str:
    """The first version after ``after`` that has the kind there, "" if none has."""
    later = schema_store.later_than(after)
    served = (each for each in later if schema_store.load(each).definition_of(api_version, kind) is not None)
    return next(served, "")


def _too_new(schemas: Schemas, manifest: Manifest, newer: str) -> Finding:
    message = f"{_absence(schemas, manifest)} ({newer} has)"
    place = manifest.positions.value(("apiVersion",))
    return error("unknown-kind", message, _instead(schemas, manifest, None), place)


def _api_versions_of(schemas: Schemas, kind: str) -> list[str]:
    return [api_version for api_version, kinds in schemas.kinds.items() if kind in kinds]


def _best(api_versions: Sequence[str], group: str) -> str:
    """The one to move to: in the same group if there is one, then the most stable, then the newest."""
    return min(api_versions, key=lambda candidate: (group_of(candidate) != group, *_maturity(candidate)))


def _maturity(api_version: str) -> tuple[int, list[int], str]:
    """v2, v1, v1beta1, v1alpha1: in this order."""
    version = version_of(api_version)
    stage = 2 if "alpha" in version else 1 if "beta" in version else 0
    return stage, [-int(number) for number in re.findall(r"\d{1,9}", version)], api_version


def _unknown_kind(schemas: Schemas, manifest: Manifest) -> Finding:
    kind = manifest.ref.kind
    near = nearest(kind, sorted({known for kinds in schemas.kinds.values() for known in kinds}))
    hint = _kind_hint(schemas, manifest.api_version, near) if near else ""
    message = f"Kubernetes {schemas.version} has no kind {kind}"
    return error("unknown-kind", message, hint, manifest.positions.value(("kind",)))


def _kind_hint(schemas: Schemas, api_version: str, kind: str) -> str:
    if schemas.definition_of(api_version, kind) is not None:
        return did_you_mean(kind)
    return f"did you mean `{kind}` of {_best(_api_versions_of(schemas, kind), group_of(api_version))}?"
