from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kploy.core.readiness import Related, status_of
from kploy.model.objects import State, Status

CASES = sorted((Path(__file__).parent / "readiness").glob("*.yaml"))


def cases() -> list[Any]:
    """One for each entry of the YAML files: what it is, how it stands, and the object itself."""
    return [
        pytest.param(case, id=f"{path.stem}: {case['is']}, {case.get('message', case['state'])}")
        for path in CASES
        for case in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    ]


@pytest.mark.parametrize("case", cases())
def test_an_object_has_this_status(case: dict[str, Any]) -> None:
    related = dict(case.get("related", {}))
    related["endpoint_slices"] = tuple(related.get("endpoint_slices", ()))
    related["nodes"] = tuple(related.get("nodes", ()))
    related["pods"] = tuple(related["pods"]) if "pods" in related else None
    status = status_of(case["live"], Related(**related), case.get("now", 0.0))
    counts = str(status.counts) if status.counts else None
    wanted = (State(case["state"]), case.get("message", ""), case.get("counts"))
    assert (status.state, status.message, counts) == wanted


WORDS = st.sampled_from(
    [
        "PodScheduled",
        "Ready",
        "Stalled",
        "clusterIP",
        "completions",
        "conditions",
        "containerStatuses",
        "creationTimestamp",
        "data",
        "deletionTimestamp",
        "finalizers",
        "generation",
        "ingress",
        "loadBalancer",
        "message",
        "metadata",
        "observedGeneration",
        "partition",
        "phase",
        "readyReplicas",
        "reason",
        "replicas",
        "rollingUpdate",
        "selector",
        "spec",
        "state",
        "status",
        "type",
        "updateStrategy",
        "waiting",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | WORDS
    | st.sampled_from(["True", "False", "OnDelete"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)
KINDS = st.sampled_from(
    [
        ("v1", "ConfigMap"),
        ("v1", "Namespace"),
        ("v1", "PersistentVolume"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "Pod"),
        ("v1", "ReplicationController"),
        ("v1", "Service"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("apiregistration.k8s.io/v1", "APIService"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("batch/v1", "CronJob"),
        ("batch/v1", "Job"),
        ("networking.k8s.io/v1", "Ingress"),
        ("policy/v1", "PodDisruptionBudget"),
        ("acme.io/v1", "Thing"),
    ]
)
PARTS = st.fixed_dictionaries({}, optional=dict.fromkeys(("metadata", "spec", "status", "data"), JSON))


@settings(deadline=None, max_examples=300)
@given(KINDS, PARTS, st.lists(JSON, max_size=2), st.floats())
def test_no_object_is_too_strange(
    kind: tuple[str, str], parts: dict[str, Any], others: list[Any], now: float
) -> None:
    live = {"apiVersion": kind[0], "kind": kind[1], **parts}
    related = Related(endpoint_slices=tuple(others), pods=tuple(others), nodes=tuple(others))
    assert isinstance(status_of(live, related, now), Status)


@settings(deadline=None)
@given(JSON, JSON)
def test_no_pod_of_a_ready_controller_is_too_strange(template: Any, pod: Any) -> None:
    status = {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    live = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"generation": 2},
        "spec": {"template": template},
        "status": status,
    }
    pods = (pod, {"metadata": {}, "spec": template}, {"metadata": template})
    assert isinstance(status_of(live, Related(pods=pods)), Status)


@settings(deadline=None)
@given(JSON)
def test_what_is_no_object_at_all_has_a_status_too(live: Any) -> None:
    assert isinstance(status_of(live), Status)
