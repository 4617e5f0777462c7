"""How far pods have come with which nothing is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from kploy.core.live import Related
from kploy.core.pod_progress import progress_of
from kploy.core.readiness import status_of
from kploy.model.objects import Counts, State, Status
from tests.core.test_diagnosis import RUNNING, STARTING, pod, workload
from tests.core.test_evidence import NEWEST


def placed(state: dict[str, Any], **status: Any) -> dict[str, Any]:
    body = pod("web", state)
    body["spec"] = {**body["spec"], "nodeName": "node-0"}
    body["status"] |= status
    return body


def probed(**told: Any) -> dict[str, Any]:
    """A pod whose container runs, and has a readinessProbe."""
    body = placed(RUNNING)
    body["spec"] = {**body["spec"], "containers": [{"name": "web", "readinessProbe": {"tcpSocket": {"port": 80}}}]}
    body["status"]["containerStatuses"][0] |= told
    return body


def gated(*conditions: str) -> dict[str, Any]:
    """A pod whose containers are all ready, and that waits for others to set two conditions."""
    body = placed(
        RUNNING, conditions=[{"type": each, "status": "True"} for each in ("ContainersReady", *conditions)]
    )
    body["spec"] = {**body["spec"], "readinessGates": [{"conditionType": "a.io/in"}, {"conditionType": "b.io/in"}]}
    body["status"]["containerStatuses"][0]["ready"] = True
    return body


MOUNTING = [{"type": "PodReadyToStartContainers", "status": "False"}]
READY = [{"type": "Ready", "status": "True"}]
INITIALISING = [{"name": "init", "state": STARTING}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (pod("web", {}), "1 pod waiting for a node"),
        (placed(STARTING, conditions=MOUNTING), "1 pod waiting for volumes or a network"),
        (placed(STARTING), "1 pod pulling its image"),
        (placed({}, initContainerStatuses=INITIALISING), "1 pod pulling its image"),
        (placed(RUNNING), "1 pod starting"),
        (probed(), "1 pod starting"),
        (probed(started=False), "1 pod starting"),
        (probed(started=True), "1 pod waiting for its readinessProbe to pass"),
        (gated(), "1 pod waiting for its readinessGate a.io/in"),
        (gated("a.io/in"), "1 pod waiting for its readinessGate b.io/in"),
        (gated("a.io/in", "b.io/in"), ""),
        (placed(RUNNING, conditions=READY), ""),
        (placed({}, phase="Failed"), ""),
        ({"status": []}, ""),
    ],
)
def test_a_pod_that_is_on_its_way_says_what_it_waits_for(body: dict[str, Any], words: str) -> None:
    assert progress_of([body]) == words


def test_pods_are_counted_by_how_far_they_are() -> None:
    pods = [placed(RUNNING), placed(STARTING), placed(RUNNING)]
    assert progress_of(pods) == "1 pod pulling its image, 2 pods starting"


def test_a_rollout_says_what_its_new_pods_wait_for_instead_of_the_number_once_more() -> None:
    body = workload(updatedReplicas=2, readyReplicas=0, replicas=2)
    related = Related(pods=(placed(STARTING),), replica_sets=(NEWEST,))
    assert status_of(body, related) == Status(State.IN_PROGRESS, "1 pod pulling its image", Counts(0, 2))
