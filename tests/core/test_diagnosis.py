"""From the troubles of single pods to what they mean for what runs them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from kploy.core.live import Related
from kploy.core.readiness import status_of
from kploy.model.notices import Notice
from kploy.model.objects import Cause, Counts, Grade, ObjectRef, State, Status

IMAGE = "ghcr.io/acme/web:1.0.0"
TEMPLATE = {"spec": {"containers": [{"name": "web", "image": IMAGE}]}}
AT = ("spec", "template", "spec", "containers", 0)

LOST = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
AWAY = {"waiting": {"reason": "ErrImagePull", "message": "i/o timeout"}}
STARTING = {"waiting": {"reason": "ContainerCreating"}}
RUNNING = {"running": {"startedAt": "2026-11-23T06:00:00Z"}}


def pod(
    name: str, state: dict[str, Any], *, ready: bool = False, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    told = {"name": "web", "state": state, "ready": ready}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": {"pod-template-hash": "new", **(labels or {})}},
        "spec": TEMPLATE["spec"],
        "status": {"phase": "Pending", "containerStatuses": [told]},
    }


def homeless(name: str) -> dict[str, Any]:
    """A pod that no node can take."""
    body = pod(name, STARTING)
    said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient cpu"}
    body["status"] = {"phase": "Pending", "conditions": [said]}
    return body


def workload(kind: str = "Deployment", /, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1" if kind == "Job" else "v1" if kind == "ReplicationController" else "apps/v1",
        "kind": kind,
        "metadata": {
            "name": "web",
            "uid": "uid-web",
            "generation": 1,
            "annotations": {
                "deployment.kubernetes.io/revision": "2",
                "deprecated.daemonset.template.generation": "1",
            },
        },
        "spec": {"replicas": 2, "template": TEMPLATE},
        "status": {"observedGeneration": 1, "updateRevision": "web-new", "desiredNumberScheduled": 2, **status},
    }


def replica_set(name: str, revision: str) -> dict[str, Any]:
    labels = {"pod-template-hash": name}
    annotations = {"deployment.kubernetes.io/revision": revision}
    return {"metadata": {"name": f"web-{name}", "labels": labels, "annotations": annotations}}


SETS = (replica_set("old", "1"), replica_set("new", "2"))


def judged(live: dict[str, Any], *pods: dict[str, Any], notices: tuple[Notice, ...] = ()) -> Status:
    return status_of(live, Related(pods=pods, replica_sets=SETS, notices=notices))


def verdict(*pods: dict[str, Any], live: dict[str, Any] | None = None) -> tuple[State, str, Grade | None]:
    status = judged(live or workload(), *pods)
    return status.state, status.message, status.cause.grade if status.cause else None


def aged(seconds: float) -> dict[str, Any]:
    body = pod("web-1", LOST)
    body["metadata"]["creationTimestamp"] = f"2026-11-23T06:00:{60 - seconds:02.0f}Z" if seconds < 60 else EARLIER
    return body


EARLIER = "2026-11-23T05:00:00Z"
NOW = datetime.fromisoformat("2026-11-23T06:01:00Z").timestamp()


@pytest.mark.parametrize(
    ("seconds", "is_untouched", "state", "grade", "grace"),
    [
        (3600.0, True, State.IN_PROGRESS, Grade.SUSPECTED, 330.0),
        (3600.0, False, State.FAILED, Grade.FATAL, 15.0),
        (30.0, True, State.IN_PROGRESS, Grade.SUSPECTED, 90.0),
    ],
)
def test_what_has_failed_since_long_before_gets_the_time_in_which_it_is_tried_again(
    seconds: float, is_untouched: bool, state: State, grade: Grade, grace: float
) -> None:
    related = Related(pods=(aged(seconds),), replica_sets=SETS, is_untouched=is_untouched)
    status = status_of(workload(), related, NOW)
    assert status.cause is not None
    assert (status.state, status.cause.grade, status.cause.grace) == (state, grade, grace)


def test_when_all_new_pods_are_doomed_so_is_what_runs_them() -> None:
    message = f"2 of 2 new pods: web cannot get the image {IMAGE}: not found"
    assert judged(workload(), pod("web-1", LOST), pod("web-2", LOST)) == Status(
        State.FAILED,
        message,
        Counts(0, 2),
        Cause(
            "ImagePullBackOff",
            message,
            Grade.FATAL,
            (*AT, "image"),
            15.0,
            container="web",
            pods=("web-1", "web-2"),
        ),
    )


def test_one_pod_in_trouble_is_news_and_no_failure() -> None:
    message = f"1 of 2 new pods: web cannot get the image {IMAGE}: not found"
    expected = State.IN_PROGRESS, message, Grade.TRANSIENT
    assert verdict(pod("web-1", LOST), pod("web-2", STARTING)) == expected
    assert verdict(pod("web-1", LOST), pod("web-2", RUNNING, ready=True)) == expected


def test_the_pods_of_an_older_template_do_not_count() -> None:
    old = pod("web-0", LOST, labels={"pod-template-hash": "old"})
    assert verdict(old, pod("web-1", STARTING))[2] is None
    assert verdict(pod("web-0", RUNNING, ready=True, labels={"pod-template-hash": "old"}), pod("web-1", LOST)) == (
        State.FAILED,
        f"web cannot get the image {IMAGE}: not found",
        Grade.FATAL,
    )


def test_pods_that_end_or_have_ended_well_do_not_count() -> None:
    going, done = pod("web-0", STARTING), pod("web-1", STARTING)
    going["metadata"]["deletionTimestamp"] = "2026-11-23T06:00:00Z"
    done["status"]["phase"] = "Succeeded"
    assert verdict(going, done, pod("web-2", LOST))[0] is State.FAILED


def test_what_may_pass_for_one_pod_may_pass_for_all() -> None:
    assert verdict(pod("web-1", AWAY), pod("web-2", AWAY))[::2] == (State.IN_PROGRESS, Grade.TRANSIENT)
    assert verdict(pod("web-1", AWAY), pod("web-2", LOST))[::2] == (State.IN_PROGRESS, Grade.TRANSIENT)


def test_all_pods_under_suspicion_make_one_suspicion() -> None:
    assert verdict(homeless("web-1"), homeless("web-2")) == (
        State.IN_PROGRESS,
        "2 of 2 new pods: no node can take it: Insufficient cpu",
        Grade.SUSPECTED,
    )
    assert verdict(homeless("web-1"), pod("web-2", LOST))[2] is Grade.SUSPECTED
    assert verdict(homeless("web-1"), pod("web-2", RUNNING, ready=True))[2] is Grade.TRANSIENT


def test_a_statefulset_never_comes_past_a_doomed_pod() -> None:
    live = workload("StatefulSet")
    first = pod("web-0", RUNNING, ready=True, labels={"controller-revision-hash": "web-new"})
    second = pod("web-1", LOST, labels={"controller-revision-hash": "web-new"})
    old = pod("web-1", LOST, labels={"controller-revision-hash": "web-old"})
    assert verdict(first, second, live=live)[::2] == (State.FAILED, Grade.FATAL)
    assert verdict(first, old, live=live)[::2] == (State.IN_PROGRESS, None)


def test_a_statefulset_that_starts_all_its_pods_together_is_doomed_with_all_of_them() -> None:
    live = workload("StatefulSet")
    live["spec"]["podManagementPolicy"] = "Parallel"
    of_it = {"controller-revision-hash": "web-new"}
    starting = pod("web-0", STARTING, labels=of_it)
    assert verdict(starting, pod("web-1", LOST, labels=of_it), live=live)[::2] == (
        State.IN_PROGRESS,
        Grade.TRANSIENT,
    )
    assert verdict(pod("web-1", LOST, labels=of_it), live=live)[0] is State.FAILED


def test_what_is_fatal_is_told_before_what_is_more_frequent() -> None:
    live = workload("StatefulSet")
    of_it = {"controller-revision-hash": "web-new"}
    pods = [pod(f"web-{number}", AWAY, labels=of_it) for number in range(3)]
    message = f"1 of 4 new pods: web cannot get the image {IMAGE}: not found"
    assert verdict(*pods, pod("web-3", LOST, labels=of_it), live=live)[:2] == (State.FAILED, message)


def test_the_new_pods_of_a_daemonset_have_its_generation() -> None:
    live = workload("DaemonSet")
    assert verdict(pod("web-1", LOST, labels={"pod-template-generation": "1"}), live=live)[0] is State.FAILED
    assert verdict(pod("web-1", LOST, labels={"pod-template-generation": "0"}), live=live)[0] is State.IN_PROGRESS


def test_how_often_a_container_of_a_job_may_end_the_job_says() -> None:
    crash = {"waiting": {"reason": "CrashLoopBackOff"}}
    body = pod("web-1", crash)
    body["status"]["containerStatuses"][0] |= {"restartCount": 5, "lastState": {"terminated": {"exitCode": 3}}}
    assert verdict(body, live=workload("Job"))[::2] == (State.IN_PROGRESS, Grade.TRANSIENT)
    assert verdict(pod("web-1", LOST), live=workload("Job"))[0] is State.FAILED
    failed = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "message": "it failed too often",
    }
    assert verdict(body, live=workload("Job", conditions=[failed]))[1] == (
        "BackoffLimitExceeded: its pods failed more often than its backoffLimit of 6 allows: "
        "web ends with exit code 3, started again 5 times"
    )


@pytest.mark.parametrize("kind", ["Deployment", "ReplicationController"])
@pytest.mark.parametrize(
    ("said", "grade", "state"),
    [
        ('pods "web-" is forbidden: violates PodSecurity "restricted:latest"', Grade.FATAL, State.FAILED),
        ('admission webhook "x" denied the request: no', Grade.FATAL, State.FAILED),
        ('pods "web-" is forbidden: exceeded quota: small', Grade.SUSPECTED, State.IN_PROGRESS),
        (
            'pods "web-" is forbidden: error looking up service account: serviceaccount "default" not found',
            Grade.SUSPECTED,
            State.IN_PROGRESS,
        ),
        ("Internal error occurred: failed calling webhook", Grade.TRANSIENT, State.IN_PROGRESS),
    ],
)
def test_pods_that_are_refused_are_told_in_the_words_of_who_refuses_them(
    kind: str, said: str, grade: Grade, state: State
) -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": said}
    newest = {**SETS[1], "status": {"conditions": [condition]}}
    live = workload(kind, conditions=[condition])
    status = status_of(live, Related(pods=(), replica_sets=(SETS[0], newest)))
    assert (status.state, status.message) == (state, f"its pods are refused: {said}")
    assert status.cause is not None
    assert (status.cause.reason, status.cause.grade) == ("FailedCreate", grade)


def test_what_an_older_replica_set_was_refused_ends_nothing() -> None:
    said = 'pods "web-" is forbidden: violates PodSecurity "restricted:latest"'
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": said}
    status = judged(workload(conditions=[condition]))
    assert (status.state, status.message) == (State.IN_PROGRESS, f"its pods are refused: {said}")
    assert status.cause is not None
    assert status.cause.grade is Grade.TRANSIENT


def paused(updated: int, replicas: int = 2) -> dict[str, Any]:
    live = workload(updatedReplicas=updated, replicas=replicas)
    live["spec"]["paused"] = True
    return live


@pytest.mark.parametrize("updated", [0, 1])
def test_a_paused_deployment_waits_to_be_resumed(updated: int) -> None:
    message = f"paused: {updated} of 2 updated"
    assert judged(paused(updated)) == Status(
        State.IN_PROGRESS, message, Counts(0, 2), Cause("Paused", message, Grade.TRANSIENT, ("spec", "paused"))
    )


def test_a_pause_holds_nothing_up_once_all_pods_are_new_or_only_their_number_changes() -> None:
    status = judged(paused(2))
    assert (status.message, status.cause) == ("paused: 0 of 2 ready", None)
    status = judged(paused(1, replicas=1))
    assert (status.message, status.cause) == ("paused: 1 of 2 updated", None)


def test_what_its_new_pods_say_goes_before_a_pause_and_what_older_ones_say_does_not_count() -> None:
    assert verdict(pod("web-1", LOST), live=paused(1))[0] is State.FAILED
    assert verdict(pod("web-1", LOST), live=paused(0)) == (
        State.IN_PROGRESS,
        "paused: 0 of 2 updated",
        Grade.TRANSIENT,
    )


def test_before_its_controller_has_seen_it_a_deployment_is_not_told_to_be_paused() -> None:
    live = paused(0)
    del live["status"]
    assert judged(live) == Status(State.IN_PROGRESS, "waiting for its controller", Counts(0, 2))


def test_before_its_controller_has_seen_a_change_nothing_that_was_before_counts() -> None:
    said = 'pods "web-" is forbidden: violates PodSecurity "restricted:latest"'
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": said}
    live = workload("ReplicationController", conditions=[condition])
    live["metadata"]["generation"] = 2
    assert judged(live, pod("web-1", LOST)).cause is None


def test_while_the_newest_replica_set_is_not_known_no_pod_is_new() -> None:
    assert status_of(workload(), Related(pods=(pod("web-1", LOST),))).cause is None


def notice(reason: str, message: str, kind: str = "StatefulSet") -> Notice:
    return Notice(ObjectRef("apps", kind, "shop", "web"), "uid-web", reason, message, 1, 1.0)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Job"])
def test_where_no_condition_tells_of_it_an_event_does_that_is_younger_than_the_last_change(kind: str) -> None:
    refused = notice("FailedCreate", 'create Pod web-0 failed: pods "web-0" is forbidden: exceeded quota', kind)
    live = workload(kind)
    live["metadata"]["managedFields"] = [{"time": "1970-01-01T00:00:01Z"}]
    status = judged(live, notices=(refused,))
    assert (status.state, status.message) == (State.IN_PROGRESS, f"its pods are refused: {refused.message}")
    assert status.cause is not None
    assert (status.cause.grade, status.cause.grace) == (Grade.SUSPECTED, 45.0)
    # It has all its pods; nobody has looked for them; it was changed since.
    assert judged(live, pod("web-0", STARTING), pod("web-1", STARTING), notices=(refused,)).cause is None
    assert status_of(live, Related(notices=(refused,))).cause is None
    live["metadata"]["managedFields"] = [{"time": "1970-01-01T00:00:02Z"}]
    assert judged(live, notices=(refused,)).cause is None


CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"uid": "uid-web"}, "spec": {}}


def test_a_claim_that_gets_no_volume_says_why() -> None:
    said = notice("ProvisioningFailed", 'storageclass.storage.k8s.io "gold" not found', "PersistentVolumeClaim")
    status = status_of(CLAIM, Related(notices=(said,)))
    assert (status.state, status.message) == (State.IN_PROGRESS, said.message)
    assert status.cause == Cause(
        "ProvisioningFailed", said.message, Grade.SUSPECTED, ("spec", "storageClassName"), 45.0
    )


def test_what_keeps_a_load_balancer_from_being_made_is_shown() -> None:
    live = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"uid": "uid-web"},
        "spec": {"type": "LoadBalancer"},
    }
    live["spec"] |= {"clusterIP": "10.0.0.1"}  # type: ignore[operator]
    said = notice("SyncLoadBalancerFailed", "no public IP left", "Service")
    status = status_of(live, Related(notices=(said,)))
    message = "its load balancer cannot be made: no public IP left"
    assert (status.state, status.message) == (State.IN_PROGRESS, message)
    assert status.cause == Cause("SyncLoadBalancerFailed", message, Grade.SUSPECTED, ("spec", "type"), 180.0)


def test_what_is_ready_has_no_cause() -> None:
    ready = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    assert judged(workload(**ready), pod("web-1", LOST)) == Status(State.CURRENT, "", Counts(2, 2))
