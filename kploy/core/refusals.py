"""What the API server has against an object, as findings at the lines of its manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kploy.core.fields import path_of
from kploy.model.app import LABEL, Manifest
from kploy.model.findings import Finding, Place, error

UNKNOWN_FIELD = "unknown field"


def invalid(manifest: Manifest, message: str, causes: Iterable[tuple[str, str]]) -> tuple[Finding, ...]:
    """The findings for an object that the server does not accept.

    ``causes`` are pairs of a field in the server's notation and what is wrong
    with it; without any, ``message`` is all there is to say.
    """
    findings = tuple(_of_field(manifest, field, said) for field, said in causes)
    return findings or (error("refused-by-server", f"{manifest.ref}: {message}", "", _name(manifest)),)


def _of_field(manifest: Manifest, field: str, said: str) -> Finding:
    path = path_of(field, manifest.body)
    if said == UNKNOWN_FIELD:
        what = f"`{path[-1] if path else field}` is not a field of {manifest.ref.kind} in this cluster"
        return error("unknown-field", what, "correct it, or take it out", manifest.positions.key(path))
    if _is_secret(manifest):
        # The server quotes the value it refuses.
        said = re.sub(r"^(Invalid value|Unsupported value): .*?(?=: [^:]+$|$)", r"\1", said, flags=re.DOTALL)
    place = manifest.positions.value(path)
    return error("refused-by-server", f"`{field}` of {manifest.ref}: {said}", "", place)


def conflicting(manifest: Manifest, message: str, causes: Iterable[tuple[str, str]]) -> tuple[Finding, ...]:
    """The findings for an object of which another field manager owns a part."""
    findings = tuple(_of_conflict(manifest, field, said) for field, said in causes)
    return findings or (error("field-conflict", f"{manifest.ref}: {message}", "", _name(manifest)),)


def _of_conflict(manifest: Manifest, field: str, said: str) -> Finding:
    if LABEL in field:
        return foreign(manifest, said)
    hint = "take the field out of the manifest, or out of the other's hands"
    place = manifest.positions.value(path_of(field, manifest.body))
    return error("field-conflict", f"`{field.lstrip('.')}` of {manifest.ref}: {said}", hint, place)


def foreign(manifest: Manifest, owner: str) -> Finding:
    """The finding for an object that is live but not this app's. ``owner`` says whose it is, if known."""
    whose = f" ({owner})" if owner else ""
    message = f"{manifest.ref} exists already and does not belong to this app{whose}"
    return error("foreign-object", message, "rename yours, or delete or hand over the other one", _name(manifest))


def not_served(manifest: Manifest) -> Finding:
    """The finding for a kind that the cluster does not have."""
    message = f"the cluster has no kind {manifest.ref.kind} in {manifest.api_version}"
    hint = "correct it, or install its CustomResourceDefinition"
    return error("unknown-kind", message, hint, manifest.positions.value(("kind",)))


def forbidden(manifest: Manifest, message: str) -> Finding:
    """The finding for an object that the user, or an admission policy, may not have there."""
    return error(
        "forbidden", f"{manifest.ref}: {message}", "ask for the right, or change the object", _name(manifest)
    )


SAFETY = frozenset({"foreign-object", "field-conflict"})
"""The rules under which the app is fine, but going on would not be safe."""


def _name(manifest: Manifest) -> Place:
    return manifest.positions.value(("metadata", "name"))


def _is_secret(manifest: Manifest) -> bool:
    return (manifest.ref.group, manifest.ref.kind) == ("", "Secret")
