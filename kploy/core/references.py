"""What manifests name and the app, or then the cluster, does not have.

What the app has is judged at once. What it does not have is unresolved: offline that
is a warning, else the cluster is asked, and its answers are judged here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from kploy.core.bodies import dig, mapping, numbered, text
from kploy.core.contents import keys_of
from kploy.core.holdings import Holdings, Pods, service_selector
from kploy.core.needs import Need, needs
from kploy.core.rules import RULES
from kploy.core.selectors import Selector, written
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import Directory, Manifest
from kploy.model.findings import Finding, Place, error, warning
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, JsonPath, ObjectRef

_HAVE_KEYS = frozenset({"ConfigMap", "Secret"})
_ENV = {"kploy-secrets": "secret", "kploy-config": "config"}
"""The objects that are made of env/, and how their files end."""

_KEYS_BY_SERVER = "kubernetes.io/service-account-token"
"""The type of a Secret that the server fills."""

_MOST_HINTS = 25
"""So many findings get a suggestion: looking for similar names takes time."""

_MOST_KEYS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class UnresolvedSelector:
    """A selector of a Service that selects no pods of the app."""

    service: Manifest
    selector: Selector


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What the app names and does not have: only the cluster can tell."""

    needs: tuple[Need, ...] = ()
    selectors: tuple[UnresolvedSelector, ...] = ()


# In the app.


def unresolved_in(manifest: Manifest, holdings: Holdings) -> Unresolved:
    """What ``manifest`` needs that is not in the app, and that nothing in the app may have made."""
    pods = holdings.pods_of(manifest)
    wanted = tuple(need for need in needs(manifest, pods) if _is_unresolved(need, holdings))
    selector = service_selector(manifest)
    is_unresolved = bool(selector) and not holdings.selected(selector) and not holdings.may_have_other_pods
    return Unresolved(wanted, (UnresolvedSelector(manifest, selector),) if is_unresolved else ())


def _is_unresolved(need: Need, holdings: Holdings) -> bool:
    if holdings.of(need.ref) is not None:
        return False
    if need.ref.kind in _HAVE_KEYS and holdings.may_be_made(need.ref):
        return False
    return need.ref.kind != "PersistentVolumeClaim" or not _is_claimed_by_set(need.ref, holdings)


def _is_claimed_by_set(claim: ObjectRef, holdings: Holdings) -> bool:
    """Whether a StatefulSet of the app makes a claim: TEMPLATE-SET-ORDINAL."""
    rest = re.sub(r"-\d+$", "", claim.name)
    for cut in (index for index, character in enumerate(rest) if character == "-"):
        found = holdings.of(ObjectRef("apps", "StatefulSet", claim.namespace, rest[cut + 1 :]))
        if found is not None:
            templates = numbered(found.body, "spec", "volumeClaimTemplates")
            if any(text(template, "metadata", "name") == rest[:cut] for _, template in templates):
                return True
    return False


def missing_keys(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Keys that pods need of a ConfigMap or Secret of the app, and that it does not have."""
    pods = holdings.pods_of(manifest)
    if pods is None:
        return
    for need in needs(manifest, pods):
        found = holdings.of(need.ref) if need.key else None
        keys = _known_keys(found) if found else None
        if keys is not None and need.key not in keys:
            yield _missing_key(need, keys, _owner(found))
    yield from _missing_sub_paths(pods, holdings)


def _owner(found: Manifest | None) -> str:
    return "env/ has no file for it" if found and found.directory is Directory.ENV else ""


def _known_keys(manifest: Manifest) -> frozenset[str] | None:
    """The keys of a ConfigMap or Secret; None if others fill it."""
    keys = keys_of(manifest.body)
    is_filled = text(manifest.body, "type") == _KEYS_BY_SERVER
    annotations = mapping(manifest.body, "metadata", "annotations")
    is_empty = not keys and any(not key.startswith("kploy.dev/") for key in annotations)
    return None if is_filled or is_empty else keys


def _missing_key(need: Need, keys: frozenset[str], fact: str = "") -> Finding:
    place = need.manifest.positions.value(need.key_path)
    why = f": {fact}" if fact else ""
    return error("missing-data-key", f"{need.ref} has no key `{need.key}`{why}", _key_hint(need, keys), place)


def _key_hint(need: Need, keys: frozenset[str]) -> str:
    near = nearest(need.key, sorted(keys))
    if near:
        return did_you_mean(near)
    if need.ref.name in _ENV:
        return f"add env/{need.key}.{_ENV[need.ref.name]}"
    few = sorted(keys)[:_MOST_KEYS_SHOWN]
    more = ", …" if len(keys) > _MOST_KEYS_SHOWN else ""
    return f"it has {', '.join(few)}{more}" if few else "add it"


def _missing_sub_paths(pods: Pods, holdings: Holdings) -> Iterator[Finding]:
    """Mounts of one file of a ConfigMap or Secret of the app that does not have it."""
    volumes = {text(volume, "name"): volume for _, volume in numbered(pods.spec, "volumes")}
    for path, container in pods.containers():
        for index, mount in numbered(container, "volumeMounts"):
            sub_path = text(mount, "subPath").strip("/")
            found = _mounted(pods, volumes.get(text(mount, "name"), {}), holdings)
            if sub_path and found and sub_path not in found[1]:
                message = f"{found[0]} has no `{sub_path}`: the mount would be an empty directory"
                hint = f"it has {', '.join(sorted(found[1])[:_MOST_KEYS_SHOWN])}"
                where = pods.manifest.positions.value((*path, "volumeMounts", index, "subPath"))
                yield warning("missing-sub-path", message, hint, where)


def _mounted(pods: Pods, volume: Body, holdings: Holdings) -> tuple[ObjectRef, frozenset[str]] | None:
    """What of the app a volume shows: an object, and the paths there are; None if that is not known."""
    for field, name, kind in (("configMap", "name", "ConfigMap"), ("secret", "secretName", "Secret")):
        ref = ObjectRef("", kind, pods.manifest.ref.namespace, text(volume, field, name))
        found = holdings.of(ref)
        if found is None or dig(volume, field, "optional") is True:
            continue
        items = [text(item, "path").strip("/") for _, item in numbered(volume, field, "items")]
        paths = {"/".join(item.split("/")[:count]) for item in items for count in range(1, item.count("/") + 2)}
        known = frozenset(paths) if items else _known_keys(found)
        return (ref, known) if known else None
    return None


# Offline.


def not_in_app(unresolved: Unresolved, holdings: Holdings) -> Iterator[tuple[Manifest, Finding]]:
    """What can be said of what is unresolved without asking the cluster."""
    for number, (need, others) in enumerate(_first_of_each(unresolved.needs, lambda need: need.ref)):
        near = holdings.near(need.ref) if number < _MOST_HINTS else ""
        message = f"{need.ref} is not in this app{_more(others)}; only the cluster can tell if it is there"
        yield need.manifest, warning("not-in-app", message, _hint(need, near), _place(need))
    for number, wanted in enumerate(unresolved.selectors):
        near = _meant(wanted, holdings) if number < _MOST_HINTS else ""
        yield wanted.service, _not_selecting(wanted, near)


def _not_selecting(wanted: UnresolvedSelector, near: str) -> Finding:
    if near:
        return _without_pods(wanted, "no pod template of this app carries", did_you_mean(near))
    message = f"{wanted.service.ref} selects no pods of this app; only the cluster can tell if there are any"
    return warning("not-in-app", message, "correct the labels, if they should be the app's", _at(wanted))


def _meant(wanted: UnresolvedSelector, holdings: Holdings) -> str:
    """Labels of pods that the Service was probably meant for: of its namesake, or similar ones; of no other's."""
    keys = [one.key for one in wanted.selector]
    home = wanted.service.ref
    for pods in holdings.without_service(limit=200):
        if all(key in pods.labels for key in keys):
            is_namesake = pods.manifest.ref.name == home.name
            differing = [one for one in wanted.selector if not one.accepts(pods.labels)]
            if is_namesake or all(nearest(pods.labels[one.key], sorted(one.values)) for one in differing):
                return ",".join(f"{one.key}={pods.labels[one.key]}" for one in differing)
    return ""


# With the cluster's answers.

Answers = Mapping[ObjectRef, Body | None]
"""What was looked up in the cluster, None for what is not there. What could not be told is not in it."""


def missing(
    unresolved: Unresolved, answers: Answers, pods: Mapping[Selector, bool], holdings: Holdings
) -> Iterator[tuple[Manifest, Finding]]:
    """What is neither in the app nor in the cluster. ``pods``: whether there are any that a selector selects."""
    gone = [need for need in unresolved.needs if need.ref in answers and answers[need.ref] is None]
    for number, (need, others) in enumerate(_first_of_each(gone, lambda need: need.rule, lambda need: need.ref)):
        near = holdings.near(need.ref) if number < _MOST_HINTS else ""
        message = f"{need.ref} is neither in this app nor in namespace {need.ref.namespace}{_more(others)}"
        yield (
            need.manifest,
            Finding(need.rule, RULES[need.rule].severity, message, _hint(need, near), _place(need)),
        )
    for need in unresolved.needs:
        body = answers.get(need.ref)
        if body is not None and need.key and need.key not in keys_of(body):
            yield need.manifest, _missing_key(need, keys_of(body), "it is in the cluster, not in this app")
    for number, wanted in enumerate(unresolved.selectors):
        if pods.get(wanted.selector) is False:
            near = _meant(wanted, holdings) if number < _MOST_HINTS else ""
            hint = did_you_mean(near, "give it the labels of a pod template")
            yield wanted.service, _without_pods(wanted, "no pod carries, in this app or in its namespace", hint)


def _without_pods(wanted: UnresolvedSelector, who: str, hint: str) -> Finding:
    message = f"{wanted.service.ref} selects `{written(wanted.selector)}`, which {who}"
    return error("service-without-pods", message, hint, _at(wanted))


def _at(wanted: UnresolvedSelector) -> Place:
    return wanted.service.positions.key(("spec", "selector"))


def _place(need: Need) -> Place:
    return need.manifest.positions.value(need.path)


def _hint(need: Need, near: str) -> str:
    if near:
        return did_you_mean(near)
    if need.ref.name in _ENV:
        return f"add env/{need.key or 'NAME'}.{_ENV[need.ref.name]}"
    return "add it, or name one that is there"


def _first_of_each(found: Iterable[Need], *aspects: Callable[[Need], object]) -> Iterator[tuple[Need, int]]:
    """The first need of each aspect, and how many places more name the same."""
    places: dict[tuple[object, ...], set[JsonPath]] = {}
    first: dict[tuple[object, ...], Need] = {}
    for need in found:
        key = tuple(aspect(need) for aspect in aspects)
        first.setdefault(key, need)
        places.setdefault(key, set()).add((str(need.manifest.ref), *need.path))
    return ((need, len(places[key]) - 1) for key, need in first.items())


def _more(others: int) -> str:
    return f" (named in {others + 1} places)" if others else ""
