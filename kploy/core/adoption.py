"""Taking over an object that another tool has made: whose it is, and what becomes of what that tool owned.

Who applies an object only takes back fields of its own. So what the other tool owned
has to become the app's, as client-go's csaupgrade does it: then the first apply takes
away what the manifest does not name. What controllers and people at work own is left
alone, and so is every subresource.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.bodies import entries, mapping, text
from kploy.model.app import LABEL, STATE_OF
from kploy.model.frozen import dataclass
from kploy.model.objects import Body

_MAKERS = {
    "kubectl-client-side-apply": "kubectl",
    "kubectl-create": "kubectl",
    "kubectl-edit": "kubectl",
    "kubectl-replace": "kubectl",
    "kubectl": "kubectl",
    "before-first-apply": "kubectl",
    "helm": "Helm",
    "kapp": "kapp",
    "kapp-server-side-apply": "kapp",
}
"""By field manager: the tool that makes objects of manifests, or lets one write a whole one by hand.

`before-first-apply` is what the API server calls whoever it has not seen. Helm 4 and kapp may
apply on the server's side, under the same names.
"""

_STEMS = {"terraform-provider-helm": "Helm", "kploy-": "kploy"}
"""The same, by how the manager's name begins."""

_OF_HELM = "meta.helm.sh/release-name"
_OF_KAPP = "kapp.k14s.io/app"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


_RENAME = "rename yours, or delete the other one"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an object is, in ``words`` ("" where nobody knows), and how to go on.

    ``may_be_taken``: it may be taken over. Another kploy app's may not, nor what a
    controller makes and would make again.
    """

    words: str
    remedy: str = "take it over: kploy run --adopt; or rename yours"
    may_be_taken: bool = True


def owner_of(live: Body, manager: str) -> Owner:
    """Whose a live object is that does not carry the label of the app whose field manager is ``manager``."""
    metadata = mapping(live, "metadata")
    labels, annotations = mapping(metadata, "labels"), mapping(metadata, "annotations")
    if text(labels, LABEL):
        release = f"destroy that app, or take the label {LABEL} off the object"
        return Owner(f"it is of the kploy app {text(labels, LABEL)}", release, may_be_taken=False)
    if text(labels, STATE_OF):
        return Owner("kploy keeps the state of an app in it", "rename yours", may_be_taken=False)
    owners = [f"{text(owner, 'kind').lower()}/{text(owner, 'name')}" for owner in _controllers(metadata)]
    if owners:
        return Owner(f"it was made by {owners[0]}, which would make it again", _RENAME, may_be_taken=False)
    if text(annotations, _OF_HELM):
        return Owner(f"it is of the Helm release {text(annotations, _OF_HELM)}")
    if text(labels, _OF_KAPP):
        return Owner(f"it is of the kapp app {text(labels, _OF_KAPP)}")
    managers = [text(entry, "manager") for entry in _of_objects(live)]
    if manager in managers:
        return Owner("it was this app's, and does not carry its label")
    makers = sorted({_tool(name) or name for name in managers if name})
    return Owner(f"it was made by {', '.join(makers)}" if makers else "")


def makers_of(live: Body, manager: str) -> tuple[str, ...]:
    """The field managers that are taken over from, by name."""
    return tuple(sorted({text(entry, "manager") for entry in _taken(live, manager)}))


def reason_of(live: Body, manager: str) -> str:
    """What the plan says of an object that is taken over."""
    release = text(mapping(live, "metadata", "annotations"), _OF_HELM)
    still = f"; helm uninstall {release} would still delete it" if release else ""
    owner = owner_of(live, manager).words
    return f"taken over{f': {owner}' if owner else ''}{still}"


def migration(live: Body, manager: str) -> tuple[Mapping[str, object], ...]:
    """The JSON patch that makes ``manager`` the owner of what the other tools own; () if they own nothing.

    It holds for the version of ``live`` only: as in csaupgrade the version is set,
    not tested, so that the server calls it a conflict if it is not that one any more.
    """
    is_applied = LAST_APPLIED in mapping(live, "metadata", "annotations")
    if not is_applied and not any(True for _ in _taken(live, manager)):
        return ()
    away = "/metadata/annotations/" + LAST_APPLIED.replace("/", "~1")
    return (
        {"op": "replace", "path": "/metadata/managedFields", "value": merged(live, manager)},
        *([{"op": "remove", "path": away}] if is_applied else []),
        {"op": "replace", "path": "/metadata/resourceVersion", "value": text(live, "metadata", "resourceVersion")},
    )


def merged(live: Body, manager: str) -> list[Mapping[str, Any]]:
    """The managed fields, with all that the other tools own in one entry of ``manager``.

    Field names differ between API versions: an entry in another one than ours is
    dropped, as csaupgrade does it, and nobody owns its fields any more.
    """
    taken = list(_taken(live, manager))
    others = [entry for entry in entries(live, "metadata", "managedFields") if entry not in taken]
    own = [entry for entry in others if _is_applied_by(entry, manager)]
    if not own and not taken:
        return others
    base = own[0] if own else max(taken, key=lambda entry: text(entry, "time"))
    fields: dict[str, Any] = {}
    for entry in (*own, *taken):
        if text(entry, "apiVersion") == text(base, "apiVersion"):
            fields = _union(fields, mapping(entry, "fieldsV1"))
    annotations = mapping(fields, "f:metadata", "f:annotations")
    if f"f:{LAST_APPLIED}" in annotations:
        left = {key: value for key, value in annotations.items() if key != f"f:{LAST_APPLIED}"}
        fields["f:metadata"] = {**fields["f:metadata"], "f:annotations": left}
    one = {**base, "manager": manager, "operation": "Apply", "fieldsV1": fields}
    return [one, *(entry for entry in others if entry not in own)]


def migrated(live: Body, manager: str) -> dict[str, Any]:
    """The object as it is after ``migration``."""
    metadata = mapping(live, "metadata")
    body = {**live, "metadata": {**metadata, "managedFields": merged(live, manager)}}
    annotations = mapping(metadata, "annotations")
    if LAST_APPLIED in annotations:
        left = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
        body["metadata"] = {**body["metadata"], "annotations": left}
    return body


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(one)
    for key, value in other.items():
        there = both.get(key)
        both[key] = _union(there, value) if isinstance(there, Mapping) and isinstance(value, Mapping) else value
    return both


def _taken(live: Body, manager: str) -> Iterator[Mapping[str, Any]]:
    for entry in _of_objects(live):
        if not _is_applied_by(entry, manager) and _tool(text(entry, "manager")):
            yield entry


def _tool(manager: str) -> str:
    of_stem = (tool for stem, tool in _STEMS.items() if manager.startswith(stem))
    return _MAKERS.get(manager) or next(of_stem, "")


def _of_objects(live: Body) -> Iterator[Mapping[str, Any]]:
    """The entries that are not about a subresource."""
    return (entry for entry in entries(live, "metadata", "managedFields") if not entry.get("subresource"))


def _is_applied_by(entry: Mapping[str, Any], manager: str) -> bool:
    is_apply = text(entry, "operation") == "Apply" and not entry.get("subresource")
    return is_apply and text(entry, "manager") == manager


def _controllers(metadata: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (owner for owner in entries(metadata, "ownerReferences") if owner.get("controller") is True)


def without_others(answer: Body, live: Body, manager: str) -> dict[str, Any]:
    """``answer``, which an apply over ``live`` came to, as it is when nobody but the app owns what others owned.

    What the other tools alone had set is not in it any more; defaults that the server
    would set anew neither.
    """
    taken = list(_taken(live, manager))
    kept: dict[str, Any] = {}
    managed = [entry for entry in entries(answer, "metadata", "managedFields") if not _is_among(entry, taken)]
    for entry in managed:
        kept = _union(kept, mapping(entry, "fieldsV1"))
    gone: dict[str, Any] = {}
    for entry in entries(migrated(live, manager), "metadata", "managedFields"):
        if _is_applied_by(entry, manager):
            gone = _union(gone, mapping(entry, "fieldsV1"))
    body = migrated({**answer, "metadata": {**mapping(answer, "metadata"), "managedFields": []}}, manager)
    body = dict(_without(body, gone, kept))
    return {**body, "metadata": {**mapping(body, "metadata"), "managedFields": managed}}


def _is_among(entry: Mapping[str, Any], taken: list[Mapping[str, Any]]) -> bool:
    """Whether it is the entry of one of those that are taken over from, whatever it has left."""
    return any(
        not entry.get("subresource") and all(entry.get(key) == one.get(key) for key in ("manager", "operation"))
        for one in taken
    )


def _without(value: Any, gone: Mapping[str, Any], kept: Mapping[str, Any]) -> Any:
    """``value`` without the fields of ``gone`` that are not in ``kept``, both in the notation of ``fieldsV1``."""
    for step in gone:
        below, place = mapping(gone, step), _place(value, step)
        if place is None:
            continue
        inner = mapping(kept, step)
        is_whole = step not in kept and ("." in below or not below)
        left = None if is_whole else _without(value[place], below, inner)
        value = _put(value, place, left, is_gone=is_whole or (step not in kept and left in ({}, [])))
    return value


def _place(value: Any, step: str) -> Any:
    """The key or the index to which a step leads, None if it is not there."""
    sort, _, rest = step.partition(":")
    if isinstance(value, Mapping):
        return rest if sort == "f" and rest in value else None
    if not isinstance(value, list) or sort not in {"k", "v"}:
        return None
    try:
        wanted = json.loads(rest)
    except ValueError:
        return None
    for index, item in enumerate(value):
        if (item == wanted) if sort == "v" else _has_keys(item, wanted):
            return index
    return None


def _has_keys(item: Any, keys: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(keys, Mapping) and keys.items() <= item.items()


def _put(value: Any, place: Any, left: Any, *, is_gone: bool) -> Any:
    """``value`` with ``left`` at ``place``, or with nothing there."""
    if isinstance(value, Mapping):
        others = {key: inner for key, inner in value.items() if key != place}
        return others if is_gone else {**value, place: left}
    return [*value[:place], *([] if is_gone else [left]), *value[place + 1 :]]


_MADE_OF_METADATA = ("labels", "annotations", "finalizers", "ownerReferences")


def as_patch(live: Body, wanted: Body) -> tuple[Mapping[str, object], ...]:
    """The JSON patch that gives ``live`` the contents of ``wanted``; it holds for the version of ``live`` only."""
    tops: list[tuple[tuple[str, ...], Body, Body, list[str]]] = [
        (("",), live, wanted, [key for key in {**live, **wanted} if key not in _NOT_CONTENT])
    ]
    tops.append(
        (("", "metadata"), mapping(live, "metadata"), mapping(wanted, "metadata"), list(_MADE_OF_METADATA))
    )
    operations: list[Mapping[str, object]] = []
    for way, before, after, keys in tops:
        for key in keys:
            path = "/".join((*way, key.replace("~", "~0").replace("/", "~1")))
            if key in after:
                operations.append({"op": "add", "path": path, "value": after[key]})
            elif key in before:
                operations.append({"op": "remove", "path": path})
    version = text(live, "metadata", "resourceVersion")
    return (*operations, {"op": "replace", "path": "/metadata/resourceVersion", "value": version})


_NOT_CONTENT = frozenset({"apiVersion", "kind", "metadata", "status"})
