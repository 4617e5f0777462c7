"""What a manifest names and cannot do without, each with the place where it is named.

What is optional, and what is there in every namespace, is not among it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.bodies import dig, mapping, numbered, text
from kploy.core.holdings import Pods
from kploy.model.app import Manifest
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import JsonPath, ObjectRef, group_of


@dataclass(frozen=True, slots=True)
class Need:
    """``manifest`` names ``ref`` at ``path``, and that it is missing is a case for ``rule``.

    ``api_version`` says in which API it is looked for. ``key`` is the key of a
    ConfigMap or Secret that is wanted, "" for none in particular; it is named at
    ``key_path``.
    """

    rule: str
    ref: ObjectRef
    manifest: Manifest
    path: JsonPath
    key: str = ""
    key_path: JsonPath = ()
    api_version: str = "v1"


_RULES = {
    "ConfigMap": "missing-config-map",
    "Secret": "missing-secret",
    "PersistentVolumeClaim": "missing-claim",
    "ServiceAccount": "missing-service-account",
}

_EVERYWHERE = frozenset(
    {("ConfigMap", "kube-root-ca.crt"), ("ConfigMap", "openshift-service-ca.crt"), ("ServiceAccount", "default")}
)
"""What controllers put into every namespace."""

_ROUTES = frozenset({"GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute"})

_ALB_ACTION = "use-annotation"
"""AWS' load balancer controller: this port means an annotation, and no Service of that name is needed."""


def needs(manifest: Manifest, pods: Pods | None) -> Iterator[Need]:
    """Everything that ``manifest`` needs of objects that others may have made; ``pods`` are those it makes."""
    if pods:
        for need in _of_pods(pods):
            if (need.ref.kind, need.ref.name) not in _EVERYWHERE:
                yield need
    match manifest.ref.group, manifest.ref.kind:
        case "apps", "StatefulSet":
            path = ("spec", "serviceName")
            yield from _need("missing-governing-service", manifest, _home(manifest, "Service"), path)
        case "autoscaling", "HorizontalPodAutoscaler":
            yield from _of_autoscaler(manifest)
    for backend in backends(manifest):
        yield from _need("missing-backend", manifest, _home(manifest, "Service"), backend.path)


@dataclass(frozen=True, slots=True)
class Backend:
    """A Service that a route leads to: named at ``path``, with a port at ``port_path``, None if there is none."""

    path: JsonPath
    service: str
    port_path: JsonPath
    port: int | str | None


def backends(manifest: Manifest) -> Iterator[Backend]:
    """The Services in the same namespace that an Ingress, or a route of the Gateway API, leads to."""
    match manifest.ref.group, manifest.ref.kind:
        case "networking.k8s.io", "Ingress":
            yield from _ingress_backend(manifest, ("spec", "defaultBackend"))
            for index, rule in numbered(manifest.body, "spec", "rules"):
                for number, _ in numbered(rule, "http", "paths"):
                    path = ("spec", "rules", index, "http", "paths", number, "backend")
                    yield from _ingress_backend(manifest, path)
        case "gateway.networking.k8s.io", kind if kind in _ROUTES:
            for index, rule in numbered(manifest.body, "spec", "rules"):
                for number, reference in numbered(rule, "backendRefs"):
                    yield from _route_backend(reference, ("spec", "rules", index, "backendRefs", number))


def at(body: object, path: JsonPath) -> Any:
    """The value at a path that may lead through lists, None where the way ends before."""
    for step in path:
        if isinstance(step, str):
            body = dig(body, step)
        else:
            body = body[step] if isinstance(body, list) and step < len(body) else None
    return body


def _ingress_backend(manifest: Manifest, path: JsonPath) -> Iterator[Backend]:
    service = mapping(at(manifest.body, path), "service")
    name = text(service, "name")
    field = "name" if dig(service, "port", "name") else "number"
    port = dig(service, "port", field)
    if name and port != _ALB_ACTION:
        here = (*path, "service")
        yield Backend((*here, "name"), name, (*here, "port", field), port)


def _route_backend(reference: Mapping[str, Any], path: JsonPath) -> Iterator[Backend]:
    is_service = text(reference, "kind") in {"", "Service"} and not text(reference, "group")
    if is_service and text(reference, "name") and not text(reference, "namespace"):
        yield Backend((*path, "name"), text(reference, "name"), (*path, "port"), dig(reference, "port"))


def _of_autoscaler(manifest: Manifest) -> Iterator[Need]:
    target = mapping(manifest.body, "spec", "scaleTargetRef")
    if text(target, "kind"):
        api_version = text(target, "apiVersion")
        home = ObjectRef(group_of(api_version), text(target, "kind"), manifest.ref.namespace, "")
        for need in _need("missing-scale-target", manifest, home, ("spec", "scaleTargetRef", "name")):
            yield replace(need, api_version=api_version)


def _home(manifest: Manifest, kind: str) -> ObjectRef:
    return ObjectRef("", kind, manifest.ref.namespace, "")


def _need(
    rule: str, manifest: Manifest, home: ObjectRef, path: JsonPath, key_path: JsonPath = ()
) -> Iterator[Need]:
    """The need of what is named at ``path``, if anything is."""
    name = at(manifest.body, path)
    key = at(manifest.body, key_path) if key_path else ""
    if isinstance(name, str) and name:
        ref = ObjectRef(home.group, home.kind, home.namespace, name)
        yield Need(rule, ref, manifest, path, key if isinstance(key, str) else "", key_path)


# Pods.


def _of_pods(pods: Pods) -> Iterator[Need]:
    spec, path = pods.spec, pods.path
    field = "serviceAccountName" if text(spec, "serviceAccountName") else "serviceAccount"
    yield from _pod_need(pods, "ServiceAccount", (*path, field))
    for index, _ in numbered(spec, "imagePullSecrets"):
        secrets = (*path, "imagePullSecrets", index, "name")
        yield from _need("missing-pull-secret", pods.manifest, _home(pods.manifest, "Secret"), secrets)
    for index, volume in numbered(spec, "volumes"):
        yield from _of_volume(pods, volume, (*path, "volumes", index))
    for place, container in pods.containers():
        yield from _of_container(pods, container, place)


def _pod_need(pods: Pods, kind: str, path: JsonPath, key_path: JsonPath = ()) -> Iterator[Need]:
    return _need(_RULES[kind], pods.manifest, _home(pods.manifest, kind), path, key_path)


def _of_volume(pods: Pods, volume: Mapping[str, Any], path: JsonPath) -> Iterator[Need]:
    yield from _pod_need(pods, "PersistentVolumeClaim", (*path, "persistentVolumeClaim", "claimName"))
    yield from _of_source(pods, "ConfigMap", (*path, "configMap"), "name")
    yield from _of_source(pods, "Secret", (*path, "secret"), "secretName")
    for index, _ in numbered(volume, "projected", "sources"):
        source = (*path, "projected", "sources", index)
        yield from _of_source(pods, "ConfigMap", (*source, "configMap"), "name")
        yield from _of_source(pods, "Secret", (*source, "secret"), "name")


def _of_source(pods: Pods, kind: str, path: JsonPath, field: str) -> Iterator[Need]:
    """A ConfigMap or Secret that is mounted, and the keys of it that ``items`` names."""
    source = at(pods.manifest.body, path)
    if dig(source, "optional") is not True:
        yield from _pod_need(pods, kind, (*path, field))
        for index, _ in numbered(source, "items"):
            yield from _pod_need(pods, kind, (*path, field), (*path, "items", index, "key"))


def _of_container(pods: Pods, container: Mapping[str, Any], path: JsonPath) -> Iterator[Need]:
    for index, source in numbered(container, "envFrom"):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if dig(source, field, "optional") is not True:
                yield from _pod_need(pods, kind, (*path, "envFrom", index, field, "name"))
    for index, variable in numbered(container, "env"):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if dig(variable, "valueFrom", field, "optional") is not True:
                source_path = (*path, "env", index, "valueFrom", field)
                yield from _pod_need(pods, kind, (*source_path, "name"), (*source_path, "key"))
