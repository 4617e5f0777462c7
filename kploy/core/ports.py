"""Ports: whether what is named or numbered is there, in Services, probes and routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from kploy.core.bodies import dig, mapping, numbered, text
from kploy.core.holdings import Holdings, Pods, Ports, declared_by, service_selector
from kploy.core.needs import Backend, backends
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import Manifest
from kploy.model.findings import Finding, Place, error, warning
from kploy.model.objects import JsonPath, ObjectRef


class _Tell(Protocol):
    """Makes a finding: ``error`` or ``warning``."""

    def __call__(self, rule: str, message: str, hint: str = "", place: Place | None = None) -> Finding: ...


_ASKING = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)
"""Where a container says how it is asked."""


# Services.


def of_services(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Rules ``missing-target-port`` and ``undeclared-target-port``: what the selected containers do not have."""
    selector = service_selector(manifest)
    selected = holdings.selected(selector) if selector else ()
    if not selected:
        return
    declared = holdings.declared(selector)
    for index, port in numbered(manifest.body, "spec", "ports"):
        field = "targetPort" if port.get("targetPort") is not None else "port"
        problem = _doubt(port.get(field), text(port, "protocol") or "TCP", declared)
        if problem:
            tell, rule, fact, hint = problem
            place = manifest.positions.value(("spec", "ports", index, field))
            yield tell(rule, f"no container of {_called(selected)} {fact}", hint, place)


def _doubt(target: object, protocol: str, declared: Ports) -> tuple[_Tell, str, str, str] | None:
    """What is wrong with a targetPort: error or warning, the rule, the fact and the remedy."""
    if isinstance(target, str) and not target.isdigit():
        if (target, protocol) not in declared.names:
            return error, "missing-target-port", f"has a port `{target}`", _name_hint(target, declared)
    elif isinstance(target, int) and declared.is_whole and target not in declared.numbers:
        # Containers need not declare their ports, so it takes others that are declared to doubt one.
        return warning, "undeclared-target-port", f"declares port {target}", _number_hint(declared)
    return None


def _called(selected: tuple[Pods, ...]) -> str:
    first = str(selected[0].manifest.ref)
    return first if len(selected) == 1 else f"{first} and {len(selected) - 1} more"


def _name_hint(name: str, declared: Ports) -> str:
    names = sorted({known for known, _ in declared.names if known})
    if name in names:
        return "its protocol is another"
    few = f"there are {', '.join(names[:5])}" if names else f"add `name: {name}` to a port"
    return did_you_mean(nearest(name, names), few)


def _number_hint(declared: Ports) -> str:
    return f"there are {', '.join(map(str, sorted(declared.numbers)[:5]))}" if declared.numbers else ""


# Probes.


def of_probes(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Rules ``missing-probe-port`` and ``undeclared-probe-port``, for the handlers of lifecycle as well."""
    pods = holdings.pods_of(manifest)
    if pods is None:
        return
    every = declared_by([pods])
    for path, container in pods.serving():
        for way in _ASKING:
            handler = mapping(container, *way)
            for action in ("httpGet", "tcpSocket", "grpc") if handler else ():
                port = dig(handler, action, "port")
                if port is not None and not text(handler, action, "host"):
                    yield from _of_probe(pods, container, port, every, (*path, *way, action, "port"))


def _of_probe(
    pods: Pods, container: Mapping[str, Any], port: object, every: Ports, path: JsonPath
) -> Iterator[Finding]:
    own = [one for _, one in numbered(container, "ports")]
    called = f"container `{text(container, 'name')}`"
    if isinstance(port, str) and not port.isdigit():
        # kubelet looks for a name in the container of the probe only (pkg/probe/util.go).
        names = sorted({text(one, "name") for one in own} - {""})
        if port not in names:
            hint = did_you_mean(nearest(port, names), f"name one of its ports `{port}`, or write a number")
            place = pods.manifest.positions.value(path)
            yield error("missing-probe-port", f"{called} has no port `{port}`", hint, place)
    elif isinstance(port, int) and own and port not in every.numbers:
        place = pods.manifest.positions.value(path)
        yield warning("undeclared-probe-port", f"{called} declares no port {port}", _number_hint(every), place)


# Routes.


def of_routes(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Rule ``missing-service-port``: a backend's port that its Service, of this app, does not have."""
    for backend in backends(manifest):
        service = holdings.of(ObjectRef("", "Service", manifest.ref.namespace, backend.service))
        ports = [port for _, port in numbered(service.body, "spec", "ports")] if service else []
        if service is None or backend.port is None or text(service.body, "spec", "type") == "ExternalName":
            continue
        field = "name" if isinstance(backend.port, str) else "port"
        has = [port.get(field) for port in ports if port.get(field) is not None]
        if backend.port not in has:
            yield _missing_port(manifest, backend, has)


def _missing_port(manifest: Manifest, backend: Backend, has: list[Any]) -> Finding:
    near = nearest(backend.port, has) if isinstance(backend.port, str) else ""
    few = f"it has {', '.join(map(str, has[:5]))}" if has else "name its ports"
    hint = did_you_mean(near, few)
    message = f"service/{backend.service} has no port `{backend.port}`"
    return error("missing-service-port", message, hint, manifest.positions.value(backend.port_path))
