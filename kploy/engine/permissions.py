"""Asking whether the user may do all that a run does, before it does any of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor

from kploy.cluster.port import Cluster, ClusterError, Forbidden, Unauthenticated, Unreachable
from kploy.core.permissions import (
    Right,
    namespace_wanted,
    not_permitted,
    to_apply,
    to_forget_state,
    to_keep_state,
    to_look,
    to_remove,
    to_replace_pods,
)
from kploy.engine.crew import Pool
from kploy.engine.live import WORKERS, live_objects
from kploy.engine.related import PODS, relations_of
from kploy.engine.resources import Resources
from kploy.model.app import App, Manifest
from kploy.model.events import Noted
from kploy.model.findings import Finding
from kploy.model.frozen import dataclass
from kploy.model.objects import Resource


class NotAllowed(Forbidden):
    """The credentials do not allow what a command does. ``findings`` say all that is missing."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings[0].message, findings[0].hint)
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Preflight:
    """What speaks against a run on the user's account, and what could not be found out about that."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Noted, ...] = ()


def preflight(app: App, manifests: Sequence[Manifest], cluster: Cluster, resources: Resources) -> Preflight:
    """Whether the user may do all that a run of ``manifests`` does.

    Who may do everything costs one request. A server that does not answer
    such questions is noted: then the dry runs tell. Raises Unreachable, Unauthenticated.
    """
    kinds = _by_kind(manifests, resources)
    rights = {right for kind, names in kinds.items() for right in _rights_for(app, kind, names)}
    rights |= {*_of_related(app, kinds, once=False), *to_keep_state(app.kployfile.namespace)}
    if any((kind.group, kind.kind) in PODS.of for kind in kinds):
        rights |= set(to_replace_pods(app.kployfile.namespace))
    try:
        with Pool(WORKERS, thread_name_prefix="preflight") as pool:
            missing = _missing(app, cluster, rights, pool)
            missing -= _needless(app, cluster, kinds, missing, pool)
    except (Unreachable, Unauthenticated):
        raise
    except ClusterError as error:
        return Preflight(notes=(Noted(f"what you may do could not be checked beforehand: {error.message}"),))
    return Preflight(_findings(app, manifests, cluster, missing)) if missing else Preflight()


def may_remove(
    app: App, kinds: Iterable[Resource], cluster: Cluster, *, all_of_it: bool = False
) -> tuple[Finding, ...]:
    """What keeps the user from deleting objects of ``kinds``; with ``all_of_it`` the app's state as well.

    Where the server does not say, nothing does. Raises Unreachable, Unauthenticated.
    """
    namespace = app.kployfile.namespace
    rights = {right for kind in kinds for right in to_remove(kind, namespace)}
    rights |= set(to_forget_state(namespace)) if all_of_it else set()
    if not rights:
        return ()
    try:
        with Pool(WORKERS, thread_name_prefix="preflight") as pool:
            missing = _missing(app, cluster, rights, pool)
    except (Unreachable, Unauthenticated):
        raise
    except ClusterError:
        return ()
    return not_permitted(app, missing, _user(cluster)) if missing else ()


def explain(app: App, manifests: Sequence[Manifest], cluster: Cluster, resources: Resources) -> None:
    """Raises NotAllowed if the user lacks a right to look at the app, after the server has refused just that."""
    kinds = _by_kind(manifests, resources)
    rights = {right for kind in kinds for right in to_look(kind, app.kployfile.namespace, once=True)}
    rights |= set(_of_related(app, kinds, once=True))
    try:
        with Pool(WORKERS, thread_name_prefix="explain") as pool:
            missing = _missing(app, cluster, rights, pool)
    except ClusterError:
        return
    if missing:
        raise NotAllowed(_findings(app, manifests, cluster, missing))


def _by_kind(manifests: Sequence[Manifest], resources: Resources) -> dict[Resource, list[str]]:
    """The names of the app's objects of each kind, as far as the cluster knows it or the app defines it."""
    kinds: dict[Resource, list[str]] = {}
    for manifest in manifests:
        resource = resources.of(manifest.api_version, manifest.ref.kind)
        if resource is not None:
            kinds.setdefault(resource, []).append(manifest.ref.name)
    return kinds


def _rights_for(app: App, kind: Resource, names: Iterable[str]) -> Iterable[Right]:
    namespace = app.kployfile.namespace
    return (*to_look(kind, namespace), *to_apply(kind, namespace, names))


def _of_related(app: App, kinds: Iterable[Resource], *, once: bool) -> Iterable[Right]:
    """What it takes to see what tells about the app's objects without being of the app. See engine.related."""
    for relation in relations_of((kind.group, kind.kind) for kind in kinds):
        if not relation.may_be_hidden:
            yield from to_look(relation.resource, app.kployfile.namespace, once=once)


def _missing(app: App, cluster: Cluster, rights: set[Right], pool: Executor) -> set[Right]:
    """The rights that the user lacks. Who may do everything is asked about nothing else."""
    if any(not right.namespace for right in rights) and cluster.may("*", "*", "*", ""):
        return set()
    if cluster.may("*", "*", "*", app.kployfile.namespace):
        rights = {right for right in rights if not right.namespace}
    asked = sorted(rights)
    return {
        right
        for right, met in zip(asked, pool.map(lambda right: _is_met(cluster, right), asked), strict=True)
        if not met
    }


def _is_met(cluster: Cluster, right: Right) -> bool:
    """Whether the user has a right, for all objects or for each one that matters (a Role's resourceNames)."""
    asked = right.verb, right.group, right.plural, right.namespace
    return cluster.may(*asked) or (bool(right.names) and all(cluster.may(*asked, name) for name in right.names))


def _needless(
    app: App, cluster: Cluster, kinds: Mapping[Resource, list[str]], missing: set[Right], pool: Executor
) -> set[Right]:
    """Those of the missing rights to create that nobody needs, because all is there already."""
    creating = {
        right: kind
        for kind, names in kinds.items()
        for right in _rights_for(app, kind, names)
        if right.verb == "create"
        and right in missing
        and not missing & set(to_look(kind, app.kployfile.namespace))
    }
    live = live_objects(cluster, app, creating.values(), pool)
    there = {(ref.group, ref.kind, ref.name) for ref in live}
    return {
        right
        for right, kind in creating.items()
        if all((kind.group, kind.kind, name) in there for name in right.names)
    }


def _findings(
    app: App, manifests: Sequence[Manifest], cluster: Cluster, missing: Iterable[Right]
) -> tuple[Finding, ...]:
    user = _user(cluster)
    if not any(manifest.is_implied for manifest in manifests):
        return not_permitted(app, missing, user)
    # It is the only object of its kind that need not be the app's to create.
    of_namespace = {right for right in missing if (right.group, right.plural) == ("", "namespaces")}
    wanted = (namespace_wanted(app, user),) if of_namespace else ()
    return (*wanted, *not_permitted(app, set(missing) - of_namespace, user))


def _user(cluster: Cluster) -> str:
    try:
        return cluster.user()
    except ClusterError:
        return ""
