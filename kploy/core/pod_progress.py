"""How far new pods have come, while nothing is wrong with them: what they wait for, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kploy.core.live import Fields, Malformed, condition_of, containers_of, fields
from kploy.core.readiness_of_pods import is_ready
from kploy.model.objects import Body

_MOUNTED = "PodReadyToStartContainers"
"""The condition that its volumes are mounted and it has a network (KEP-3085)."""


def progress_of(pods: Iterable[Body]) -> str:
    """``1 pod pulling its image, 2 pods starting``; "" where all are ready, or cannot be read."""
    try:
        stages = Counter(filter(None, (_stage_of(fields("pod", pod)) for pod in pods)))
    except Malformed:
        return ""
    return ", ".join(
        f"{count} {'pod' if count == 1 else 'pods'} {stage}" for stage, count in sorted(stages.items())
    )


def _stage_of(pod: Fields) -> str:
    status = pod.map("status")
    if is_ready(pod) or status.text("phase") in {"Failed", "Succeeded"}:
        return ""
    if not pod.map("spec").text("nodeName"):
        return "waiting for a node"
    return _of_containers(pod.map("spec"), status) or _of_gates(pod.map("spec"), status)


def _of_containers(spec: Fields, status: Fields) -> str:
    """The stage of the first container that has not come as far as it should."""
    for container in containers_of(status):
        state = container.map("state")
        if state.map("waiting").text("reason") in {"ContainerCreating", "PodInitializing"}:
            mounted = condition_of(status, _MOUNTED)
            return "waiting for volumes or a network" if mounted.is_false else "pulling its image"
        if "running" in state and not container.flag("ready"):
            return _of_probes(spec, container)
    return ""


def _of_probes(spec: Fields, container: Fields) -> str:
    """The stage of a container that runs. It is started once its startupProbe has passed."""
    every = (*spec.maps("initContainers"), *spec.maps("containers"))
    probed = {each.text("name") for each in every if each.map("readinessProbe")}
    is_probed = container.flag("started") and container.text("name") in probed
    return "waiting for its readinessProbe to pass" if is_probed else "starting"


def _of_gates(spec: Fields, status: Fields) -> str:
    """The first condition that others have to set before the pod counts as ready (readinessGates)."""
    if not condition_of(status, "ContainersReady").is_true:
        return ""
    gates = [gate.text("conditionType") for gate in spec.maps("readinessGates")]
    return next(
        (f"waiting for its readinessGate {each}" for each in gates if not condition_of(status, each).is_true), ""
    )
