"""Why objects that run no pods are not ready, and why those that have failed have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from kploy.core.live import Related
from kploy.core.readiness import status_of
from kploy.core.remedies import remedy
from kploy.model.notices import Notice
from kploy.model.objects import Cause, Grade, ObjectRef, State, Status

UID = "uid-web"
AT = datetime.fromisoformat("2026-11-23T06:00:00Z").timestamp()


def live(kind: str, api_version: str = "v1", /, **parts: Any) -> dict[str, Any]:
    metadata = {"name": "web", "uid": UID, **parts.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def notice(reason: str, message: str, kind: str = "Service", name: str = "web", uid: str = UID) -> Notice:
    return Notice(ObjectRef("", kind, "shop", name), uid, reason, message, 1, AT - 1)


def cause_of(body: dict[str, Any], *notices: Notice, now: float = AT, **related: Any) -> Cause | None:
    return status_of(body, Related(notices=notices, **related), now).cause


def balanced(**spec: Any) -> dict[str, Any]:
    return live("Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.1", **spec})


def test_a_service_that_no_controller_takes_up_is_suspected_to_wait_in_vain() -> None:
    said = "waiting for a load balancer address, and no controller has taken it up so far"
    assert cause_of(balanced()) == Cause("NoLoadBalancer", said, Grade.SUSPECTED, ("spec", "type"), 180.0)
    said = "waiting for a load balancer address, and no controller of class acme.io/lb has taken it up so far"
    at = ("spec", "loadBalancerClass")
    assert cause_of(balanced(loadBalancerClass="acme.io/lb")) == Cause(
        "NoLoadBalancer", said, Grade.SUSPECTED, at, 180.0
    )


def test_a_service_that_a_controller_has_marked_is_waited_for() -> None:
    body = balanced()
    body["metadata"]["finalizers"] = ["service.kubernetes.io/load-balancer-cleanup"]
    assert cause_of(body) == Cause(
        "EnsuringLoadBalancer", "waiting for its load balancer", Grade.TRANSIENT, ("spec", "type")
    )


def test_a_service_with_an_address_waits_for_no_load_balancer() -> None:
    body = balanced(selector={"app": "web"})
    body["status"] = {"loadBalancer": {"ingress": [{"ip": "198.18.0.1"}]}}
    assert cause_of(body) is None


@pytest.mark.parametrize(
    ("spec", "annotations", "cause"),
    [
        (
            {"storageClassName": ""},
            {},
            Cause(
                "FailedBinding",
                "waiting for a volume, and it has no StorageClass that would make one",
                Grade.SUSPECTED,
                ("spec", "storageClassName"),
                60.0,
            ),
        ),
        (
            {"storageClassName": "", "volumeName": "disk"},
            {},
            Cause(
                "FailedBinding",
                "waiting for the volume disk, which it names",
                Grade.SUSPECTED,
                ("spec", "volumeName"),
                60.0,
            ),
        ),
        (
            {"storageClassName": "fast"},
            {"volume.kubernetes.io/storage-provisioner": "acme.io/disks"},
            Cause(
                "Provisioning",
                "waiting for acme.io/disks to make a volume",
                Grade.TRANSIENT,
                ("spec", "storageClassName"),
            ),
        ),
        ({"storageClassName": "fast"}, {}, None),
    ],
)
def test_a_claim_says_whom_it_waits_for(
    spec: dict[str, Any], annotations: dict[str, str], cause: Cause | None
) -> None:
    body = live(
        "PersistentVolumeClaim", metadata={"annotations": annotations}, spec=spec, status={"phase": "Pending"}
    )
    assert cause_of(body) == cause


def test_a_provisioner_that_tries_again_is_given_more_time_than_a_class_that_is_not_there() -> None:
    body = live("PersistentVolumeClaim", spec={}, status={"phase": "Pending"})
    missing = notice("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found', "PersistentVolumeClaim")
    busy = notice("ProvisioningFailed", "rate limited", "PersistentVolumeClaim")
    graces = [cause.grace for each in (missing, busy) if (cause := cause_of(body, each))]
    assert graces == [45.0, 120.0]


@pytest.mark.parametrize("annotations", [{}, {"volume.kubernetes.io/storage-provisioner": "csi.acme.io"}])
def test_a_class_of_which_nobody_says_any_more_that_it_is_missing_is_there(annotations: dict[str, str]) -> None:
    spec, status = {"storageClassName": "fast"}, {"phase": "Pending"}
    body = live("PersistentVolumeClaim", metadata={"annotations": annotations}, spec=spec, status=status)
    said = 'storageclass.storage.k8s.io "fast" not found'
    missing = notice("ProvisioningFailed", said, "PersistentVolumeClaim")
    found = cause_of(body, missing, now=AT if annotations else AT + 60)
    assert found is not None
    assert found.grade is Grade.TRANSIENT


def test_the_claim_of_a_stateful_set_is_told_with_the_class_of_its_template() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    unbound = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    pod = {
        "metadata": {"name": "web-0", "uid": "uid-0", "labels": {"controller-revision-hash": "new"}},
        "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}]},
        "status": {"phase": "Pending", "conditions": [{**condition, "message": unbound}]},
    }
    body = live(
        "StatefulSet",
        "apps/v1",
        spec={
            "replicas": 1,
            "volumeClaimTemplates": [{"metadata": {"name": "logs"}}, {"metadata": {"name": "data"}}],
        },
        status={"updateRevision": "new"},
    )
    said = 'storageclass.storage.k8s.io "nowhere" not found'
    told = notice("ProvisioningFailed", said, "PersistentVolumeClaim", "data-web-0", "uid-claim")
    assert cause_of(body, told, pods=(pod,)) == Cause(
        "ProvisioningFailed",
        f"its claim data-web-0 gets no volume: {said}",
        Grade.SUSPECTED,
        ("spec", "volumeClaimTemplates", 1, "spec", "storageClassName"),
        45.0,
    )
    assert cause_of(body, pods=(pod,)) == Cause(
        "Unschedulable",
        "no node can take it: its claim has no volume yet",
        Grade.TRANSIENT,
        ("spec", "template", "spec", "volumes"),
        180.0,
        pods=("web-0",),
    )


def going(*finalizers: str, kind: str = "ConfigMap", **parts: Any) -> dict[str, Any]:
    metadata = {"deletionTimestamp": "2026-11-23T06:00:00Z", "finalizers": list(finalizers)}
    return live(kind, metadata=metadata, **parts)


def test_what_holds_a_deletion_for_long_is_told_with_who_is_to_act() -> None:
    soon = "waiting for acme.io/keep"
    late = f"{soon}: does the controller run that is to take it away?"
    cause = Cause("Finalizers", late, Grade.TRANSIENT, ("metadata", "finalizers"))
    assert status_of(going("acme.io/keep"), now=AT + 29) == Status(State.TERMINATING, soon)
    assert status_of(going("acme.io/keep"), now=AT + 30) == Status(State.TERMINATING, late, cause=cause)
    ref = ObjectRef("apps", "Deployment", "shop", "web")
    assert remedy(ref, cause).startswith("see who set it: kubectl get -n shop deployment.apps/web -o yaml")
    assert remedy(ObjectRef("", "Node", "", "n1"), cause).startswith("see who set it: kubectl get node/n1 -o yaml")


def test_a_finalizer_of_kubernetes_says_what_it_waits_for() -> None:
    said = "waiting for kubernetes.io/pvc-protection, until no pod uses it"
    status = status_of(going("kubernetes.io/pvc-protection", kind="PersistentVolumeClaim"), now=AT + 60)
    assert (status.message, status.cause and status.cause.message) == (said, said)
    both = status_of(going("kubernetes.io/pvc-protection", "acme.io/keep"), now=AT + 60).message
    assert both == (
        "waiting for kubernetes.io/pvc-protection, acme.io/keep: does the controller run that is to take it away?"
    )


def test_a_namespace_says_what_is_left_of_it() -> None:
    said = "Some content in the namespace has finalizers remaining: acme.io/keep in 1 resource instances"
    left = {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining"}
    held = {"type": "NamespaceFinalizersRemaining", "status": "True", "message": f"{said}."}
    status = status_of(going(kind="Namespace", status={"conditions": [left, held]}), now=AT)
    assert status == Status(State.TERMINATING, said)


def failed_job(reason: str, type_: str = "Failed", **spec: Any) -> dict[str, Any]:
    told = {"type": type_, "status": "True", "reason": reason, "message": "as it says"}
    return live("Job", "batch/v1", spec=spec, status={"conditions": [told]})


@pytest.mark.parametrize(
    ("body", "message", "path"),
    [
        (
            failed_job("DeadlineExceeded", "FailureTarget", activeDeadlineSeconds=5),
            "DeadlineExceeded: not done within 5 s, its activeDeadlineSeconds",
            ("spec", "activeDeadlineSeconds"),
        ),
        (
            failed_job("BackoffLimitExceeded", backoffLimit=0),
            "BackoffLimitExceeded: its pods failed more often than its backoffLimit of 0 allows",
            ("spec", "backoffLimit"),
        ),
        (failed_job("PodFailurePolicy"), "PodFailurePolicy: as it says", ("spec", "podFailurePolicy")),
    ],
)
def test_a_job_that_has_failed_says_by_which_field(
    body: dict[str, Any], message: str, path: tuple[str, ...]
) -> None:
    reason = message.partition(":")[0]
    status = status_of(body)
    assert (status.state, status.message) == (State.FAILED, message)
    assert status.cause == Cause(reason, message, Grade.FATAL, path)
    assert remedy(ObjectRef("batch", "Job", "shop", "web"), status.cause)


def test_what_its_pods_say_comes_after_the_verdict() -> None:
    ended = {"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
    pod = {
        "metadata": {"name": "web-x", "uid": "uid-x"},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]},
        "status": {"phase": "Failed", "containerStatuses": [ended]},
    }
    status = status_of(failed_job("BackoffLimitExceeded", backoffLimit=0), Related(pods=(pod,)))
    head = "BackoffLimitExceeded: its pods failed more often than its backoffLimit of 0 allows"
    assert status.message == f"{head}: main ends with exit code 3"
    assert status.cause is not None
    assert status.cause.path == ("spec", "template", "spec", "containers", 0)


def test_a_bare_pod_that_has_failed_says_so_once() -> None:
    ended = {"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
    spec = {"restartPolicy": "Never", "containers": [{"name": "main"}]}
    body = live("Pod", spec=spec, status={"phase": "Failed", "containerStatuses": [ended]})
    status = status_of(body, Related(pods=(body,)))
    assert (status.state, status.message) == (State.FAILED, "main ends with exit code 3")


def test_an_autoscaler_without_a_target_is_suspected() -> None:
    told = {"type": "AbleToScale", "status": "False", "reason": "FailedGetScale", "message": "not found"}
    body = live("HorizontalPodAutoscaler", "autoscaling/v2", status={"conditions": [told]})
    assert cause_of(body) == Cause(
        "FailedGetScale", "FailedGetScale: not found", Grade.SUSPECTED, ("spec", "scaleTargetRef"), 120.0
    )
