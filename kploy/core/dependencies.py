"""What a manifest depends on: by what it names in its fields, and by annotation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kploy.core.bodies import dig, entries, mapping, pod_template, text
from kploy.core.configuration import reads
from kploy.core.kinds import WORKLOADS
from kploy.model.app import DEPENDS_ON, Manifest
from kploy.model.objects import Body, ObjectRef, group_of

CRD = "CustomResourceDefinition"
CRD_GROUP = "apiextensions.k8s.io"


class Lookup:
    """Answers which manifests of an app something indirect means: a selector, a kind, a namespace.

    Built once for an app, so that asking is quick however many manifests there are.
    """

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._by_label: dict[tuple[str, str, str], set[ObjectRef]] = {}
        self._definitions: dict[tuple[str, str], ObjectRef] = {}
        self._selected: dict[tuple[str, frozenset[tuple[str, str]]], tuple[ObjectRef, ...]] = {}
        self._found: dict[tuple[ObjectRef, ...], tuple[ObjectRef, ...]] = {}
        for manifest in manifests:
            if (manifest.ref.group, manifest.ref.kind) in WORKLOADS:
                self._add_workload(manifest)
            elif (manifest.ref.group, manifest.ref.kind) == (CRD_GROUP, CRD):
                group, kind = text(manifest.body, "spec", "group"), text(manifest.body, "spec", "names", "kind")
                self._definitions[group, kind] = manifest.ref

    def _add_workload(self, manifest: Manifest) -> None:
        labels = mapping(pod_template(manifest.ref.kind, manifest.body), "metadata", "labels")
        for key, value in labels.items():
            self._by_label.setdefault((manifest.ref.namespace, key, str(value)), set()).add(manifest.ref)

    def selected(self, namespace: str, labels: Mapping[str, Any]) -> tuple[ObjectRef, ...]:
        """The workloads in ``namespace`` whose pods carry all of ``labels``; none for no labels.

        Of the same workloads it is the same tuple: to compare tuples would take as long as they are.
        """
        asked = namespace, frozenset((key, str(value)) for key, value in labels.items())
        if asked not in self._selected:
            found = self._carrying(*asked)
            self._selected[asked] = self._found.setdefault(found, found)
        return self._selected[asked]

    def _carrying(self, namespace: str, labels: frozenset[tuple[str, str]]) -> tuple[ObjectRef, ...]:
        sets = sorted((self._by_label.get((namespace, *label), set()) for label in labels), key=len)
        return tuple(sorted(set.intersection(*sets))) if sets else ()

    def definition(self, group: str, kind: str) -> ObjectRef | None:
        """The app's own CustomResourceDefinition of a kind."""
        return self._definitions.get((group, kind))


def explicit(manifest: Manifest) -> list[str]:
    """The names in the depends-on annotation, in order."""
    names = text(manifest.body, "metadata", "annotations", DEPENDS_ON)
    return [name.strip() for name in names.split(",") if name.strip()]


def implied(manifest: Manifest, lookup: Lookup) -> Iterator[ObjectRef]:
    """Everything the manifest names in its fields, whether or not the app has it, and what it selects."""
    yield from named(manifest, lookup)
    yield from selected(manifest, lookup)


def selected(manifest: Manifest, lookup: Lookup) -> tuple[ObjectRef, ...]:
    """The workloads that it needs because it selects their pods; the same tuple for the same ones."""
    if (manifest.ref.group, manifest.ref.kind) != ("policy", "PodDisruptionBudget"):
        return ()
    return lookup.selected(manifest.ref.namespace, mapping(manifest.body, "spec", "selector", "matchLabels"))


def named(manifest: Manifest, lookup: Lookup) -> Iterator[ObjectRef]:
    """Everything the manifest names in its fields, whether or not the app has it."""
    ref = manifest.ref
    if ref.namespace:
        yield ObjectRef("", "Namespace", "", ref.namespace)
    definition = lookup.definition(ref.group, ref.kind)
    if definition is not None:
        yield definition
    if (ref.group, ref.kind) in WORKLOADS:
        yield from _of_pods(ref, mapping(pod_template(ref.kind, manifest.body), "spec"))
        yield from (read.ref for read in reads(ref, manifest.body))
    of_kind = _OF_KIND.get(f"{ref.group}/{ref.kind}")
    if of_kind is not None:
        yield from of_kind(ref, manifest.body)


def _named(group: str, kind: str, namespace: str, name: str) -> Iterator[ObjectRef]:
    if kind and name:
        yield ObjectRef(group, kind, namespace, name)


def _service(reference: Mapping[str, Any]) -> Iterator[ObjectRef]:
    return _named("", "Service", text(reference, "namespace"), text(reference, "name"))


def _of_pods(ref: ObjectRef, spec: Mapping[str, Any]) -> Iterator[ObjectRef]:
    """What must be there for the pods of a workload to start, besides what they read."""
    account = text(spec, "serviceAccountName") or text(spec, "serviceAccount")
    yield from _named("", "ServiceAccount", ref.namespace, account)
    yield from _named("scheduling.k8s.io", "PriorityClass", "", text(spec, "priorityClassName"))
    for secret in entries(spec, "imagePullSecrets"):
        yield from _named("", "Secret", ref.namespace, text(secret, "name"))
    for volume in entries(spec, "volumes"):
        claim = text(volume, "persistentVolumeClaim", "claimName")
        yield from _named("", "PersistentVolumeClaim", ref.namespace, claim)


def _of_binding(ref: ObjectRef, body: Body) -> Iterator[ObjectRef]:
    kind = text(body, "roleRef", "kind")
    namespace = ref.namespace if kind == "Role" else ""
    yield from _named(ref.group, kind, namespace, text(body, "roleRef", "name"))
    for subject in entries(body, "subjects"):
        if text(subject, "kind") == "ServiceAccount":
            home = text(subject, "namespace") or ref.namespace
            yield from _named("", "ServiceAccount", home, text(subject, "name"))


def _of_ingress(ref: ObjectRef, body: Body) -> Iterator[ObjectRef]:
    backends = [dig(body, "spec", "defaultBackend")]
    for rule in entries(body, "spec", "rules"):
        backends += [dig(path, "backend") for path in entries(rule, "http", "paths")]
    for backend in backends:
        yield from _named("", "Service", ref.namespace, text(backend, "service", "name"))
    yield from _named("networking.k8s.io", "IngressClass", "", text(body, "spec", "ingressClassName"))


def _of_stateful_set(ref: ObjectRef, body: Body) -> Iterator[ObjectRef]:
    return _named("", "Service", ref.namespace, text(body, "spec", "serviceName"))


def _of_autoscaler(ref: ObjectRef, body: Body) -> Iterator[ObjectRef]:
    target = mapping(body, "spec", "scaleTargetRef")
    group = group_of(text(target, "apiVersion"))
    return _named(group, text(target, "kind"), ref.namespace, text(target, "name"))


def _of_webhooks(_: ObjectRef, body: Body) -> Iterator[ObjectRef]:
    for webhook in entries(body, "webhooks"):
        yield from _service(mapping(webhook, "clientConfig", "service"))


def _of_api_service(_: ObjectRef, body: Body) -> Iterator[ObjectRef]:
    return _service(mapping(body, "spec", "service"))


def _of_route(ref: ObjectRef, body: Body) -> Iterator[ObjectRef]:
    for rule in entries(body, "spec", "rules"):
        for backend in entries(rule, "backendRefs"):
            if text(backend, "kind") in {"", "Service"}:
                yield from _named("", "Service", ref.namespace, text(backend, "name"))


_OF_KIND: dict[str, Callable[[ObjectRef, Body], Iterator[ObjectRef]]] = {
    "admissionregistration.k8s.io/MutatingWebhookConfiguration": _of_webhooks,
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration": _of_webhooks,
    "apiregistration.k8s.io/APIService": _of_api_service,
    "apps/StatefulSet": _of_stateful_set,
    "autoscaling/HorizontalPodAutoscaler": _of_autoscaler,
    "gateway.networking.k8s.io/GRPCRoute": _of_route,
    "gateway.networking.k8s.io/HTTPRoute": _of_route,
    "gateway.networking.k8s.io/TCPRoute": _of_route,
    "gateway.networking.k8s.io/TLSRoute": _of_route,
    "networking.k8s.io/Ingress": _of_ingress,
    "rbac.authorization.k8s.io/ClusterRoleBinding": _of_binding,
    "rbac.authorization.k8s.io/RoleBinding": _of_binding,
}
