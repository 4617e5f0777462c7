"""What runs in the sandbox behaves as a user of a real cluster expects."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kploy.sandbox import Sandbox
from kploy.sandbox.api import Api, api_of
from tests.eventually import eventually

pytestmark = pytest.mark.cluster


class Room:
    """A namespace of its own for a test."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def path(self, group: str, plural: str, name: str = "") -> str:
        root = "/api/v1" if group == "v1" else f"/apis/{group}"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def create(self, group: str, plural: str, kind: str, name: str, **spec: Any) -> None:
        body = {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.api.create(self.path(group, plural), body)

    def wait(self, group: str, plural: str, name: str, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            body: dict[str, Any] = self.api.get(self.path(group, plural, name))
            return body if body and holds(body) else {}

        return eventually(look)

    def pods(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.api.get(self.path("v1", "pods"))["items"]
        return items


@pytest.fixture
def room(cluster: Sandbox) -> Iterator[Room]:
    api, namespace = api_of(cluster), f"test-{uuid.uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    yield Room(api, namespace)
    api.request("DELETE", f"/api/v1/namespaces/{namespace}")


def _template(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "it"}},
        "spec": {"containers": [{"name": "main", "image": "it:1"}], **spec},
    }


SELECTOR = {"matchLabels": {"app": "it"}}


def test_a_deployment_becomes_available_on_several_nodes(room: Room) -> None:
    room.create("apps/v1", "deployments", "Deployment", "web", replicas=6, selector=SELECTOR, template=_template())
    room.wait("apps/v1", "deployments", "web", lambda body: body["status"].get("availableReplicas") == 6)
    pods = room.pods()
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    assert len({pod["status"]["podIP"] for pod in pods}) == 6
    assert len({pod["spec"]["nodeName"] for pod in pods}) > 1


def test_a_pod_that_is_deleted_goes_and_is_replaced(room: Room) -> None:
    room.create("apps/v1", "deployments", "Deployment", "web", replicas=1, selector=SELECTOR, template=_template())
    room.wait("apps/v1", "deployments", "web", lambda body: body["status"].get("availableReplicas") == 1)
    (old,) = room.pods()
    room.api.request("DELETE", room.path("v1", "pods", old["metadata"]["name"]))

    def is_replaced(_: object) -> bool:
        uids = [pod["metadata"]["uid"] for pod in room.pods()]
        return uids != [] and old["metadata"]["uid"] not in uids

    room.wait("apps/v1", "deployments", "web", is_replaced)
    room.wait("apps/v1", "deployments", "web", lambda body: body["status"].get("availableReplicas") == 1)


def test_init_containers_complete_and_sidecars_stay(room: Room) -> None:
    inits = [{"name": "once", "image": "i:1"}, {"name": "beside", "image": "i:1", "restartPolicy": "Always"}]
    template = _template(initContainers=inits)
    room.create("apps/v1", "deployments", "Deployment", "web", replicas=1, selector=SELECTOR, template=template)
    room.wait("apps/v1", "deployments", "web", lambda body: body["status"].get("availableReplicas") == 1)
    status = room.pods()[0]["status"]
    assert [(one["name"], list(one["state"]), one["ready"]) for one in status["initContainerStatuses"]] == [
        ("once", ["terminated"], True),
        ("beside", ["running"], True),
    ]
    assert [(one["name"], list(one["state"]), one["ready"]) for one in status["containerStatuses"]] == [
        ("main", ["running"], True)
    ]
    assert {one["type"]: one["status"] for one in status["conditions"]} == {
        "PodScheduled": "True",
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "ContainersReady": "True",
        "Ready": "True",
    }


def test_a_job_completes(room: Room) -> None:
    room.create("batch/v1", "jobs", "Job", "migrate", completions=2, template=_template(restartPolicy="Never"))
    done = room.wait("batch/v1", "jobs", "migrate", lambda body: body["status"].get("succeeded") == 2)
    done = room.wait("batch/v1", "jobs", "migrate", lambda body: body["status"].get("completionTime"))
    assert [one["type"] for one in done["status"]["conditions"] if one["status"] == "True"] == [
        "SuccessCriteriaMet",
        "Complete",
    ]


def test_a_stateful_set_with_volume_claims_becomes_ready(room: Room) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    room.create(
        "apps/v1",
        "statefulsets",
        "StatefulSet",
        "db",
        serviceName="db",
        replicas=2,
        selector=SELECTOR,
        template=_template(),
        volumeClaimTemplates=[claim],
    )
    room.wait("apps/v1", "statefulsets", "db", lambda body: body["status"].get("readyReplicas") == 2)
    claims = room.api.get(room.path("v1", "persistentvolumeclaims"))["items"]
    assert [(one["metadata"]["name"], one["status"]["phase"]) for one in claims] == [
        ("data-db-0", "Bound"),
        ("data-db-1", "Bound"),
    ]


def test_a_volume_goes_with_its_claim(room: Room) -> None:
    room.create("v1", "persistentvolumeclaims", "PersistentVolumeClaim", "data", **_claim("standard"))
    bound = room.wait("v1", "persistentvolumeclaims", "data", lambda body: body["status"]["phase"] == "Bound")
    volume = f"/api/v1/persistentvolumes/{bound['spec']['volumeName']}"
    assert room.api.get(volume)["spec"]["capacity"] == {"storage": "1Gi"}
    room.api.request("DELETE", room.path("v1", "persistentvolumeclaims", "data"))
    eventually(lambda: not room.api.get(volume))


def test_a_claim_can_wait_for_the_pod_that_uses_it(room: Room) -> None:
    room.create("v1", "persistentvolumeclaims", "PersistentVolumeClaim", "data", **_claim("standard-wait"))
    time.sleep(0.3)
    waiting = room.api.get(room.path("v1", "persistentvolumeclaims", "data"))
    assert waiting["status"]["phase"] == "Pending"
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    room.create("v1", "pods", "Pod", "user", **_template(volumes=[volume])["spec"])
    room.wait("v1", "pods", "user", lambda body: body["status"]["phase"] == "Running")
    room.wait("v1", "persistentvolumeclaims", "data", lambda body: body["status"]["phase"] == "Bound")


def test_a_load_balancer_gets_an_address(room: Room) -> None:
    room.create("v1", "services", "Service", "web", type="LoadBalancer", ports=[{"port": 80}])
    found = room.wait("v1", "services", "web", lambda body: body["status"]["loadBalancer"].get("ingress"))
    address = found["spec"]["clusterIP"].replace("10.96.", "198.18.")
    assert found["status"]["loadBalancer"] == {"ingress": [{"ip": address, "ipMode": "VIP"}]}


def test_what_does_not_fit_is_not_scheduled(room: Room) -> None:
    container = {"name": "main", "image": "it:1", "resources": {"requests": {"cpu": "1000"}}}
    room.create("v1", "pods", "Pod", "huge", containers=[container])
    pod = room.wait("v1", "pods", "huge", lambda body: body["status"].get("conditions"))
    assert [(one["type"], one["reason"]) for one in pod["status"]["conditions"]] == [
        ("PodScheduled", "Unschedulable")
    ]


def test_what_the_pods_may_do_is_limited_as_in_a_real_cluster(room: Room) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {"name": ""},
        "spec": {
            "user": f"system:serviceaccount:{room.namespace}:default",
            "groups": ["system:serviceaccounts", "system:authenticated"],
            "resourceAttributes": {"verb": "list", "resource": "secrets", "namespace": room.namespace},
        },
    }
    answer = room.api.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer.body["status"] == {"allowed": False}


def _claim(storage_class: str) -> dict[str, Any]:
    return {
        "storageClassName": storage_class,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
