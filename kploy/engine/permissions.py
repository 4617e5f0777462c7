"""Asking whether the user may do all that a run does, before it does any of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from kploy.cluster.port import Cluster, ClusterError, Forbidden, Unauthenticated, Unreachable
from kploy.core.permissions import (
    Need,
    namespace_wanted,
    not_permitted,
    to_apply,
    to_forget_state,
    to_keep_state,
    to_look,
    to_remove,
)
from kploy.engine.live import WORKERS, live_objects
from kploy.engine.related import relations_of
from kploy.engine.resources import Resources
from kploy.model.app import App, Manifest
from kploy.model.events import Noted
from kploy.model.findings import Finding
from kploy.model.objects import Resource


class NotAllowed(Forbidden):
    """The credentials do not allow what a command does. ``findings`` say all that is missing."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(findings[0].message, findings[0].hint)
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Rights:
    """What speaks against a run on the user's account, and what could not be found out about that."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Noted, ...] = ()


def preflight(app: App, manifests: Sequence[Manifest], cluster: Cluster, resources: Resources) -> Rights:
    """Whether the user may do all that a run of ``manifests`` does.

    Who may do everything costs one request. A server that does not answer
    such questions is noted: then the dry runs tell. Raises Unreachable, Unauthenticated.
    """
    kinds = _by_kind(manifests, resources)
    needs = {need for kind, names in kinds.items() for need in _needs_of(app, kind, names)}
    needs |= set(_of_related(app, kinds, once=False))
    needs |= set(to_keep_state(app.kployfile.namespace))
    try:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="preflight") as pool:
            missing = _missing(app, cluster, needs, pool)
            missing -= _needless(app, cluster, kinds, missing, pool)
    except (Unreachable, Unauthenticated):
        raise
    except ClusterError as error:
        return Rights(notes=(Noted(f"what you may do could not be checked beforehand: {error.message}"),))
    return Rights(_findings(app, manifests, cluster, missing)) if missing else Rights()


def may_remove(
    app: App, kinds: Iterable[Resource], cluster: Cluster, *, all_of_it: bool = False
) -> tuple[Finding, ...]:
    """What keeps the user from deleting objects of ``kinds``; with ``all_of_it`` the app's state as well.

    Where the server does not say, nothing does. Raises Unreachable, Unauthenticated.
    """
    namespace = app.kployfile.namespace
    needs = {need for kind in kinds for need in to_remove(kind, namespace)}
    needs |= set(to_forget_state(namespace)) if all_of_it else set()
    if not needs:
        return ()
    try:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="preflight") as pool:
            missing = _missing(app, cluster, needs, pool)
    except (Unreachable, Unauthenticated):
        raise
    except ClusterError:
        return ()
    return not_permitted(app, missing, _user(cluster)) if missing else ()


def explain(app: App, manifests: Sequence[Manifest], cluster: Cluster, resources: Resources) -> None:
    """Raises NotAllowed if the user lacks a right to look at the app, after the server has refused just that."""
    kinds = _by_kind(manifests, resources)
    needs = {need for kind in kinds for need in to_look(kind, app.kployfile.namespace, once=True)}
    needs |= set(_of_related(app, kinds, once=True))
    try:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="explain") as pool:
            missing = _missing(app, cluster, needs, pool)
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


def _needs_of(app: App, kind: Resource, names: Iterable[str]) -> Iterable[Need]:
    namespace = app.kployfile.namespace
    return (*to_look(kind, namespace), *to_apply(kind, namespace, names))


def _of_related(app: App, kinds: Iterable[Resource], *, once: bool) -> Iterable[Need]:
    """What it takes to see what tells about the app's objects without being of the app. See engine.related."""
    for relation in relations_of((kind.group, kind.kind) for kind in kinds):
        if not relation.may_be_hidden:
            yield from to_look(relation.resource, app.kployfile.namespace, once=once)


def _missing(app: App, cluster: Cluster, needs: set[Need], pool: Executor) -> set[Need]:
    """The needs that are not met. Who may do everything is asked about nothing else."""
    if any(not need.namespace for need in needs) and cluster.may("*", "*", "*", ""):
        return set()
    if cluster.may("*", "*", "*", app.kployfile.namespace):
        needs = {need for need in needs if not need.namespace}
    asked = sorted(needs)
    return {
        need
        for need, met in zip(asked, pool.map(lambda need: _is_met(cluster, need), asked), strict=True)
        if not met
    }


def _is_met(cluster: Cluster, need: Need) -> bool:
    """Whether the user has a right, for all objects or for each one that matters (a Role's resourceNames)."""
    asked = need.verb, need.group, need.plural, need.namespace
    return cluster.may(*asked) or (bool(need.names) and all(cluster.may(*asked, name) for name in need.names))


def _needless(
    app: App, cluster: Cluster, kinds: Mapping[Resource, list[str]], missing: set[Need], pool: Executor
) -> set[Need]:
    """Those of the missing rights to create that nobody needs, because all is there already."""
    creating = {
        need: kind
        for kind, names in kinds.items()
        for need in _needs_of(app, kind, names)
        if need.verb == "create" and need in missing and not missing & set(to_look(kind, app.kployfile.namespace))
    }
    live = live_objects(cluster, app, creating.values(), pool)
    there = {(ref.group, ref.kind, ref.name) for ref in live}
    return {
        need
        for need, kind in creating.items()
        if all((kind.group, kind.kind, name) in there for name in need.names)
    }


def _findings(
    app: App, manifests: Sequence[Manifest], cluster: Cluster, missing: Iterable[Need]
) -> tuple[Finding, ...]:
    user = _user(cluster)
    if not any(manifest.is_implied for manifest in manifests):
        return not_permitted(app, missing, user)
    # It is the only object of its kind that need not be the app's to create.
    of_namespace = {need for need in missing if (need.group, need.plural) == ("", "namespaces")}
    wanted = (namespace_wanted(app, user),) if of_namespace else ()
    return (*wanted, *not_permitted(app, set(missing) - of_namespace, user))


def _user(cluster: Cluster) -> str:
    try:
        return cluster.user()
    except ClusterError:
        return ""
