"""Ports: whether what is named or numbered is there, in Services, probes and routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.bodies import dig, mapping, numbered, text
from kploy.core.inventory import Inventory, Pods, service_selector, similar
from kploy.core.needs import Backend, backends
from kploy.model.app import Manifest
from kploy.model.findings import Finding, error, warning
from kploy.model.objects import JsonPath, ObjectRef

_PROBES = (("livenessProbe",), ("readinessProbe",), ("startupProbe",))
_HOOKS = (("lifecycle", "postStart"), ("lifecycle", "preStop"))


# Services.


def of_services(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    """Rules ``missing-target-port`` and ``undeclared-target-port``: what the selected containers do not have."""
    selector = service_selector(manifest)
    selected = inventory.selected(selector) if selector else ()
    if not selected:
        return
    for index, port in numbered(manifest.body, "spec", "ports"):
        target = port.get("targetPort")
        path = ("spec", "ports", index, "targetPort" if target is not None else "port")
        wanted = target if target is not None else port.get("port")
        if isinstance(wanted, str) and not wanted.isdigit():
            yield from _named_target(manifest, wanted, text(port, "protocol") or "TCP", path, selected)
        elif isinstance(wanted, int):
            yield from _numbered_target(manifest, wanted, path, selected)


def _named_target(
    manifest: Manifest, name: str, protocol: str, path: JsonPath, selected: tuple[Pods, ...]
) -> Iterator[Finding]:
    declared = [port for pods in selected for port in _ports_of(pods)]
    if not any(text(port, "name") == name and (text(port, "protocol") or "TCP") == protocol for port in declared):
        message = f"no container of {_called(selected)} has a port `{name}`"
        yield error("missing-target-port", message, _port_hint(name, declared), manifest.positions.value(path))


def _numbered_target(
    manifest: Manifest, number: int, path: JsonPath, selected: tuple[Pods, ...]
) -> Iterator[Finding]:
    """Containers need not declare their ports, so it takes others that are declared to doubt one."""
    for pods in selected:
        declared = list(_ports_of(pods))
        numbers = {port.get("containerPort") for port in declared}
        if not declared or number in numbers or pods.spec.get("hostNetwork") is True:
            return
    declared = [port for pods in selected for port in _ports_of(pods)]
    message = f"no container of {_called(selected)} declares port {number}"
    yield warning("undeclared-target-port", message, _number_hint(declared), manifest.positions.value(path))


def _ports_of(pods: Pods) -> Iterator[Mapping[str, Any]]:
    return (port for _, container in pods.serving() for _, port in numbered(container, "ports"))


def _called(selected: tuple[Pods, ...]) -> str:
    first = str(selected[0].manifest.ref)
    return first if len(selected) == 1 else f"{first} and {len(selected) - 1} more"


def _port_hint(name: str, declared: list[Mapping[str, Any]]) -> str:
    names = sorted({text(port, "name") for port in declared} - {""})
    near = similar(name, names)
    if near:
        return f"did you mean `{near}`?"
    return f"they have {', '.join(names[:5])}" if names else f"add `name: {name}` to a port"


def _number_hint(declared: list[Mapping[str, Any]]) -> str:
    numbers = sorted({port["containerPort"] for port in declared if isinstance(port.get("containerPort"), int)})
    return f"they declare {', '.join(map(str, numbers[:5]))}" if numbers else ""


# Probes.


def of_probes(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    """Rules ``missing-probe-port`` and ``undeclared-probe-port``, for the handlers of lifecycle as well."""
    pods = inventory.pods_of(manifest)
    if pods is None:
        return
    for path, container in pods.serving():
        for way in (*_PROBES, *_HOOKS):
            for action in ("httpGet", "tcpSocket", "grpc"):
                port = dig(container, *way, action, "port")
                is_elsewhere = bool(text(container, *way, action, "host"))
                if port is not None and not is_elsewhere:
                    yield from _of_probe(pods, container, port, (*path, *way, action, "port"))


def _of_probe(pods: Pods, container: Mapping[str, Any], port: object, path: JsonPath) -> Iterator[Finding]:
    own = [one for _, one in numbered(container, "ports")]
    place = pods.manifest.positions.value(path)
    called = f"container `{text(container, 'name')}`"
    if isinstance(port, str) and not port.isdigit():
        # kubelet looks for a name in the container of the probe only (pkg/probe/util.go).
        if port not in {text(one, "name") for one in own}:
            yield error("missing-probe-port", f"{called} has no port `{port}`", _port_hint(port, own), place)
    elif isinstance(port, int) and own:
        every = [*_ports_of(pods)]
        if port not in {one.get("containerPort") for one in every}:
            message = f"{called} declares no port {port}"
            yield warning("undeclared-probe-port", message, _number_hint(own), place)


# Routes.


def of_routes(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    """Rule ``missing-service-port``: a backend's port that its Service, of this app, does not have."""
    for backend in backends(manifest):
        service = inventory.of(ObjectRef("", "Service", manifest.ref.namespace, backend.service))
        ports = [port for _, port in numbered(service.body, "spec", "ports")] if service else []
        if (
            service is None
            or backend.port is None
            or text(mapping(service.body, "spec"), "type") == "ExternalName"
        ):
            continue
        field = "name" if isinstance(backend.port, str) else "port"
        has = [port.get(field) for port in ports if port.get(field) is not None]
        if backend.port not in has:
            yield _missing_port(manifest, backend, has)


def _missing_port(manifest: Manifest, backend: Backend, has: list[Any]) -> Finding:
    near = similar(backend.port, [str(name) for name in has]) if isinstance(backend.port, str) else ""
    few = f"it has {', '.join(map(str, has[:5]))}" if has else "name its ports"
    hint = f"did you mean `{near}`?" if near else few
    message = f"service/{backend.service} has no port `{backend.port}`"
    return error("missing-service-port", message, hint, manifest.positions.value(backend.port_path))
