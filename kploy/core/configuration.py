"""What pods read of ConfigMaps and Secrets: which, which keys of them, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.bodies import dig, entries, mapping, pod_template, text
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, ObjectRef


@dataclass(frozen=True, slots=True)
class Read:
    """Pods read ``ref``: its ``key``, or all that it has where that is "".

    ``at_start``: as environment variables, which never change in a running pod. What is mounted
    does; but most programs read it once.
    """

    ref: ObjectRef
    key: str = ""
    at_start: bool = False


def reads(ref: ObjectRef, body: Body) -> Iterator[Read]:
    """What the pods of the workload ``ref`` read, some of it often, in no order. ``body`` may be of any shape.

    What only starts them, or mounts their volumes (pull secrets, keys of a storage), is not among it: no program
    of theirs sees it.
    """
    spec = mapping(pod_template(ref.kind, body), "spec")
    for volume in entries(spec, "volumes"):
        yield from _mounted(ref.namespace, volume, "secretName")
        for source in entries(volume, "projected", "sources"):
            yield from _mounted(ref.namespace, source, "name")
    for containers in ("initContainers", "containers"):
        for container in entries(spec, containers):
            yield from _of_environment(ref.namespace, container)


def _mounted(namespace: str, volume: Mapping[str, Any], name_of_secret: str) -> Iterator[Read]:
    """What a volume, or a source of a projected one, shows: all keys, unless it says which."""
    for kind, field, name in (("Secret", "secret", name_of_secret), ("ConfigMap", "configMap", "name")):
        source = mapping(volume, field)
        keys = [text(item, "key") for item in entries(source, "items")]
        for key in keys or [""]:
            yield from _read(kind, namespace, text(source, name), key)


def _of_environment(namespace: str, container: Mapping[str, Any]) -> Iterator[Read]:
    for source in entries(container, "envFrom"):
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            yield from _read(kind, namespace, text(source, field, "name"), at_start=True)
    for variable in entries(container, "env"):
        for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            source = dig(variable, "valueFrom", field)
            yield from _read(kind, namespace, text(source, "name"), text(source, "key"), at_start=True)


def _read(kind: str, namespace: str, name: str, key: str = "", *, at_start: bool = False) -> Iterator[Read]:
    if name:
        yield Read(ObjectRef("", kind, namespace, name), key, at_start)
