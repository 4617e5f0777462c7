"""Finding one's way in bodies of any shape: what is not there is None or empty, never an error.

Bodies are JSON data, so their mappings are dicts: to ask that is five times as fast as to ask for any Mapping,
and it is asked a hundred times for each object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def dig(body: object, *path: str) -> Any:
    """The value at ``path``, or None where the way ends before."""
    for step in path:
        if not isinstance(body, dict):
            return None
        body = body.get(step)
    return body


def text(body: object, *path: str) -> str:
    """The string at ``path``, or "" where there is none."""
    value = dig(body, *path)
    return value if isinstance(value, str) else ""


def mapping(body: object, *path: str) -> Mapping[str, Any]:
    """The mapping at ``path``, or an empty one."""
    value = dig(body, *path)
    return value if isinstance(value, dict) else {}


def entries(body: object, *path: str) -> Iterator[Mapping[str, Any]]:
    """The mappings in the list at ``path``; whatever else is in it is passed over."""
    value = dig(body, *path)
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, dict))


def numbered(body: object, *path: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings in the list at ``path``, each with its index there; whatever else is in it is passed over."""
    value = dig(body, *path)
    if isinstance(value, list):
        yield from ((index, entry) for index, entry in enumerate(value) if isinstance(entry, dict))


def template_path(kind: str) -> tuple[str, ...] | None:
    """The way to the pod template of a workload, () for a Pod; None for what is no workload."""
    return _TEMPLATES.get(kind)


def pod_template(kind: str, body: object) -> Mapping[str, Any]:
    """The pod template of a workload (the Pod itself for a Pod), or an empty mapping."""
    path = _TEMPLATES.get(kind)
    return {} if path is None else mapping(body, *path)


_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "ReplicationController": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
