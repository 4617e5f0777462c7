"""What the API server has against an object, as findings at the lines of its manifest."""

from __future__ import annotations

from collections.abc import Iterable

from kploy.core.bodies import dig
from kploy.core.fields import path_of
from kploy.core.permissions import is_about_permission
from kploy.core.quoting import quotable, without_quotes
from kploy.core.rules import MISSING_PERMISSION
from kploy.model.app import LABEL, Manifest
from kploy.model.findings import Finding, Place, error
from kploy.model.objects import ObjectRef

UNKNOWN_FIELD = "unknown field"

_LONGEST_QUOTE = 160
"""A refusal longer than this is told without the value it quotes: the server quotes whole pod templates."""


def invalid(
    manifest: Manifest, message: str, causes: Iterable[tuple[str, str]], held: str = ""
) -> tuple[Finding, ...]:
    """The findings for an object that the server does not accept.

    ``causes`` are pairs of a field in the server's notation and what is wrong
    with it; without any, ``message`` is all there is to say. ``held`` says why
    the object must not be replaced by another one, "" if it may be.
    """
    findings = tuple(_of_field(manifest, field, said, held) for field, said in causes)
    message = f"{manifest.ref}: {quotable(manifest.body, message)}"
    return findings or (error("refused-by-server", message, "", _name(manifest)),)


def _of_field(manifest: Manifest, field: str, said: str, held: str) -> Finding:
    path = path_of(_ALIASES.get(field, field), manifest.body)
    shown = quotable(manifest.body, field)
    if said == UNKNOWN_FIELD:
        last = str(path[-1]) if path else ""
        name = last if last and field.endswith(last) else shown.lstrip(".")
        what = f"`{name}` is not a field of {manifest.ref.kind} in this cluster"
        return error("unknown-field", what, "correct it, or take it out", manifest.positions.key(path))
    said = quotable(manifest.body, said)
    if len(said) > _LONGEST_QUOTE:
        # It quotes values, and may append a comparison of all that is and should be.
        said = without_quotes(said).partition("\n")[0]
    message = f"`{shown.lstrip('.')}` of {manifest.ref}: {said}"
    return error("refused-by-server", message, _remedy(manifest, said, held), manifest.positions.value(path))


_IMMUTABLE = (
    "field is immutable",
    "is immutable after creation",
    "may not change once set",
    "updates to statefulset spec for fields other than",
)
"""How the server says that an object would have to be another one."""

_ALIASES = {"spec.clusterIPs[0]": "spec.clusterIP"}
"""Fields that the server makes of another one, and refuses in its place."""


def _remedy(manifest: Manifest, said: str, held: str) -> str:
    is_claim = (manifest.ref.group, manifest.ref.kind) == ("", "PersistentVolumeClaim")
    if not _is_immutable(said) and not (is_claim and "can not be less than" in said):
        return ""
    if is_claim:
        # To replace it would delete what is stored in it.
        return "undo the change: a claim can only grow; a new one under another name leaves the data alone"
    if held:
        return f"undo the change: it is never replaced, for {held}"
    return "undo the change, or replace the object: the same command with --replace"


def immutable(causes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The fields that speak against an object because they cannot change; () where anything else does as well."""
    fields = []
    for field, said in causes:
        if not _is_immutable(said):
            return ()
        fields.append(field)
    return tuple(fields)


def _is_immutable(said: str) -> bool:
    return any(words in said for words in _IMMUTABLE)


def conflicting(manifest: Manifest, message: str, causes: Iterable[tuple[str, str]]) -> tuple[Finding, ...]:
    """The findings for an object of which another field manager owns a part."""
    findings = tuple(_of_conflict(manifest, field, said) for field, said in causes)
    message = f"{manifest.ref}: {quotable(manifest.body, message)}"
    return findings or (error("field-conflict", message, "", _name(manifest)),)


def _of_conflict(manifest: Manifest, field: str, said: str) -> Finding:
    if LABEL in field:
        return foreign(manifest, said)
    hint = "take the field out of the manifest, or out of the other's hands"
    if field == ".spec.replicas":
        number = dig(manifest.body, "spec", "replicas")
        scale = f"kubectl scale {manifest.ref.qualified} --replicas={number} -n {manifest.ref.namespace}"
        hint = f"take it out of the manifest, or make it so: {scale}"
    place = manifest.positions.value(path_of(field, manifest.body))
    shown = quotable(manifest.body, field.lstrip("."))
    return error("field-conflict", f"`{shown}` of {manifest.ref}: {quotable(manifest.body, said)}", hint, place)


def foreign(manifest: Manifest, owner: str, remedy: str = "") -> Finding:
    """The finding for an object that is live but not this app's. ``owner`` says whose it is, if known."""
    whose = f" ({quotable(manifest.body, owner)})" if owner else ""
    message = f"{manifest.ref} exists already and does not belong to this app{whose}"
    remedy = remedy or "rename yours, or delete or hand over the other one"
    return error("foreign-object", message, remedy, _name(manifest))


def not_served(manifest: Manifest) -> Finding:
    """The finding for a kind that the cluster does not have."""
    message = f"the cluster has no kind {manifest.ref.kind} in {manifest.api_version}"
    hint = "correct it, or install its CustomResourceDefinition"
    return error("unknown-kind", message, hint, manifest.positions.value(("kind",)))


def forbidden(manifest: Manifest, message: str) -> Finding:
    """The finding for an object that the user, or an admission policy, may not have there."""
    said = f"{manifest.ref}: {quotable(manifest.body, message)}"
    if is_about_permission(message):
        return error(MISSING_PERMISSION, said, "ask for this right", _name(manifest))
    return error("forbidden", said, "change the object, or have the policy changed", _name(manifest))


def may_pass(manifest: Manifest, message: str, needed: Iterable[ObjectRef]) -> tuple[ObjectRef, ...]:
    """Those of ``needed`` whose absence may be all that the server has against an object: it names them."""
    return tuple(ref for ref in needed if ref != manifest.ref and f'"{ref.name}"' in message)


def _name(manifest: Manifest) -> Place:
    return manifest.positions.value(("metadata", "name"))
