"""What the scheduler says of a pod that no node can take, in words, and what in the pod it is about.

It counts nodes by reason: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable." The
reasons are those of pkg/scheduler/framework/plugins in Kubernetes 1.37; one that is not known is told as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kploy.core.live import Fields
from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath

_NODES = re.compile(r"^0/(\d+) nodes are available: (.*)$", re.DOTALL)
_COUNTED = re.compile(r"(\d+) (.+?)(?=, \d+ |$)")
_AFTER = re.compile(r"\.? ?(?:preemption: |not found$)")
"""What comes after that: about preemption, or an empty rest of that."""

_Finder = Callable[[Fields, re.Match[str]], JsonPath]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no node takes a pod: a sentence, and the way to what it is about in the pod, () if to nothing."""

    message: str
    path: JsonPath


def refusal(pod: Fields, said: str) -> Refusal:
    """What the scheduler ``said`` of a pod."""
    core = _AFTER.split(said, maxsplit=1)[0].rstrip(". ")
    counted = _NODES.match(core)
    if counted is None:
        return Refusal(core, ())
    total, reasons = int(counted[1]), _COUNTED.findall(counted[2])
    if not reasons:
        words, path = _understood(pod, counted[2])
        return Refusal(words, path)
    told = ((int(number), *_understood(pod, reason)) for number, reason in reasons)
    found = sorted(told, key=lambda each: -each[0])
    message = ", ".join(f"{words} on {_of(number, total)}" for number, words, _ in found)
    return Refusal(message, next((path for _, _, path in found if path), ()))


def _of(number: int, total: int) -> str:
    if number < total:
        return f"{number} of {total} nodes"
    return f"all {total} nodes" if total > 1 else "the only node"


def _understood(pod: Fields, reason: str) -> tuple[str, JsonPath]:
    for form, words, find in _REASONS:
        found = re.fullmatch(form, reason)
        if found:
            return found.expand(words).replace(" ()", ""), find(pod, found)
    return reason, ()


def _nowhere(_: Fields, __: re.Match[str]) -> JsonPath:
    return ()


def _at(*path: str) -> _Finder:
    return lambda _, __: ("spec", *path)


def _of_resource(pod: Fields, found: re.Match[str]) -> JsonPath:
    """The first request, or limit, for a resource."""
    for path, container in _containers(pod):
        for kind in ("requests", "limits"):
            if found[1] in container.map("resources").map(kind):
                return (*path, "resources", kind, found[1])
    return ()


def _of_ports(pod: Fields, _: re.Match[str]) -> JsonPath:
    for path, container in _containers(pod):
        for number, port in enumerate(container.maps("ports")):
            if "hostPort" in port:
                return (*path, "ports", number, "hostPort")
    return ()


def _of_labels(pod: Fields, _: re.Match[str]) -> JsonPath:
    has_selector = "nodeSelector" in pod.map("spec")
    return ("spec", "nodeSelector") if has_selector else ("spec", "affinity", "nodeAffinity")


def _of_claim(pod: Fields, found: re.Match[str]) -> JsonPath:
    for number, volume in enumerate(pod.map("spec").maps("volumes")):
        if volume.map("persistentVolumeClaim").text("claimName") == found[1]:
            return "spec", "volumes", number
    return ()


def _containers(pod: Fields) -> Iterator[tuple[JsonPath, Fields]]:
    for kind in ("containers", "initContainers"):
        for number, container in enumerate(pod.map("spec").maps(kind)):
            yield ("spec", kind, number), container


_SPREAD = "topologySpreadConstraints"
_AFFINE, _ANTI = ("affinity", "podAffinity"), ("affinity", "podAntiAffinity")

_REASONS: tuple[tuple[str, str, _Finder], ...] = (
    (r"Insufficient (\S+)", r"too little \1", _of_resource),
    (r"Too many pods", "no room for another pod", _nowhere),
    (
        r"node\(s\) had untolerated taint\(?s?\)?(?: \{(.*?)(?:: )?\})?",
        r"a taint that it does not tolerate (\1)",
        _at("tolerations"),
    ),
    (r"node\(s\) were unschedulable", "a cordon", _nowhere),
    (
        r"node\(s\) didn't match (?:Pod's node affinity/selector|node selector)",
        "not the labels that it asks for",
        _of_labels,
    ),
    (r"node\(s\) didn't match the requested node name", "another name than it asks for", _at("nodeName")),
    (r"node\(s\) didn't have free ports for the requested pod ports", "a host port that is taken", _of_ports),
    (r"node\(s\) didn't match pod affinity rules", "none of the pods that it is to be with", _at(*_AFFINE)),
    (r"node\(s\) didn't match pod anti-affinity rules", "a pod that it is not to be with", _at(*_ANTI)),
    (r"node\(s\) didn't satisfy existing pods anti-affinity rules", "a pod that will not be with it", _nowhere),
    (r"node\(s\) didn't match pod topology spread constraints.*", "too many of its like", _at(_SPREAD)),
    (r"node\(s\) had volume node affinity conflict", "a volume that is elsewhere", _at("volumes")),
    (r"node\(s\) exceed max volume count", "no room for another volume", _at("volumes")),
    (r"node\(s\) didn't find available persistent volumes to bind", "no volume for its claim", _at("volumes")),
    (r"node\(s\) did not have enough free storage", "too little storage for its claim", _at("volumes")),
    (r"pod has unbound immediate PersistentVolumeClaims", "its claim has no volume yet", _at("volumes")),
    (r'persistentvolumeclaim "(.*)" not found\.?', r"its claim \1 is not there", _of_claim),
)
"""What a reason looks like, what it is in words, and what in the pod it is about."""
