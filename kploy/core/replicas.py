"""Who says how many pods a workload has: its manifest, or an autoscaler.

An apply that leaves out a field which nobody else owns takes it away, and
`replicas` is then 1. So a manifest's number gives way in two steps (Kubernetes'
documentation of server-side apply, "Transferring ownership"): as long as the
number is the app's own, it is sent as it is live; once another manager owns it,
it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kploy.core.bodies import dig, entries, mapping, text
from kploy.core.kinds import SCALED
from kploy.model.objects import Body, ObjectRef, group_of

AUTOSCALER = ("autoscaling", "HorizontalPodAutoscaler")

_ITS_MANAGER = "kube-controller-manager"
"""As whom an autoscaler writes, through the subresource `scale`."""


def autoscaled(autoscalers: Iterable[Body], namespace: str) -> Iterator[ObjectRef]:
    """The workloads that ``autoscalers`` of a namespace scale."""
    for body in autoscalers:
        target = mapping(body, "spec", "scaleTargetRef")
        key = group_of(text(target, "apiVersion")), text(target, "kind")
        if key in SCALED:
            yield ObjectRef(*key, namespace, text(target, "name"))


def is_in_doubt(wanted: Body, live: Body, manager: str) -> bool:
    """Whether it matters if an autoscaler that is none of the app's scales a workload.

    So it is when an autoscaler has set the number that ``wanted`` sets as well,
    or when ``wanted`` takes a number away that only ``manager`` has set.
    """
    owners = set(_owners(live))
    if dig(wanted, "spec", "replicas") is None:
        return owners == {(manager, "")}
    return (_ITS_MANAGER, "scale") in owners


def left_to_autoscaler(wanted: Body, live: Body, manager: str) -> dict[str, Any]:
    """The body to apply for a live workload that an autoscaler scales: the number of pods stays as it is."""
    spec = {key: value for key, value in mapping(wanted, "spec").items() if key != "replicas"}
    if set(_owners(live)) == {(manager, "")}:
        spec["replicas"] = dig(live, "spec", "replicas")
    return {**wanted, "spec": spec}


def _owners(live: Body) -> Iterator[tuple[str, str]]:
    """The manager and the subresource of everybody who has set ``spec.replicas``."""
    for entry in entries(live, "metadata", "managedFields"):
        if "f:replicas" in mapping(entry, "fieldsV1", "f:spec"):
            yield text(entry, "manager"), text(entry, "subresource")
