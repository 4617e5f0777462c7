"""Which workloads of an app are scaled by an autoscaler, its own or somebody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kploy.cluster.port import Cluster, Forbidden
from kploy.core.desired import desired
from kploy.core.kinds import own_resource
from kploy.core.replicas import AUTOSCALER, autoscaled, is_in_doubt, left_to_autoscaler
from kploy.model.app import App, Manifest
from kploy.model.objects import Body, ObjectRef


def bodies_of(
    app: App, manifests: Sequence[Manifest], live: Mapping[ObjectRef, Body], cluster: Cluster
) -> dict[ObjectRef, dict[str, Any]]:
    """What is sent for each manifest: as core.desired has it, with the replicas left to autoscalers.

    Asks for autoscalers that are none of the app's, by one LIST, only where a workload looks as if it had one.
    """
    wanted = {manifest.ref: desired(app, manifest) for manifest in manifests}
    namespace, manager = app.kployfile.namespace, app.field_manager
    own = (manifest.body for manifest in manifests if (manifest.ref.group, manifest.ref.kind) == AUTOSCALER)
    scaled = set(autoscaled(own, namespace))
    doubtful = (ref for ref, body in wanted.items() if ref in live and ref not in scaled)
    if any(is_in_doubt(wanted[ref], live[ref], manager) for ref in doubtful):
        scaled |= set(autoscaled(_others(cluster, namespace), namespace))
    for ref in scaled & wanted.keys() & live.keys():
        wanted[ref] = left_to_autoscaler(wanted[ref], live[ref], manager)
    return wanted


def _others(cluster: Cluster, namespace: str) -> Iterable[Body]:
    try:
        return cluster.list(own_resource("autoscaling/v2", AUTOSCALER[1]), namespace).items
    except Forbidden:
        # Then the server says who owns the number, as a conflict.
        return ()
