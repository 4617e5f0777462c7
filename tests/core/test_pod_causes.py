"""What a pod's status, in kubelet's own words, says of why it does not get on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.pod_causes import cause_of
from kploy.model.notices import Notice
from kploy.model.objects import Cause, Grade, ObjectRef

IMAGE = "ghcr.io/acme/web:1.0.0"
DEEP = (
    f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": '
    f'failed to resolve reference "{IMAGE}": {IMAGE}: not found'
)
MAIN = ("spec", "containers", 0)


def pod(state: dict[str, Any], wanted: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod of one container, that is ``wanted``, and is in ``state``."""
    container = {"name": "web", "image": IMAGE, **(wanted or {})}
    return {
        "metadata": {"name": "web-1", "uid": "u1"},
        "spec": {"containers": [container], **spec},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "web", "ready": False, **state}]},
    }


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


def looping(restarts: int, code: int = 1, reason: str = "Error") -> dict[str, Any]:
    return waiting("CrashLoopBackOff", restartCount=restarts, lastState=ended(code, reason))


def notice(reason: str, message: str, at: float = 0.0) -> Notice:
    return Notice(ObjectRef("", "Pod", "shop", "web-1"), "u1", reason, message, 1, at)


def told(body: dict[str, Any], *notices: Notice) -> tuple[str, str, Grade, tuple[str | int, ...]] | None:
    found = cause_of(body, notices)
    return None if found is None else (found.reason, found.message, found.grade, found.path)


@pytest.mark.parametrize(
    ("message", "grade", "why"),
    [
        (DEEP, Grade.FATAL, "not found"),
        (f'Back-off pulling image "{IMAGE}": ErrImagePull: manifest unknown', Grade.FATAL, "manifest unknown"),
        ("failed to authorize: failed to fetch anonymous token: 401 Unauthorized", Grade.FATAL,
         "failed to authorize: failed to fetch anonymous token: 401 Unauthorized"),
        ("pull access denied, repository does not exist or may require authorization", Grade.FATAL,
         "pull access denied, repository does not exist or may require authorization"),
        ("dial tcp 140.82.121.34:443: i/o timeout", Grade.TRANSIENT, "dial tcp 140.82.121.34:443: i/o timeout"),
        ("toomanyrequests: You have reached your pull rate limit", Grade.TRANSIENT,
         "toomanyrequests: You have reached your pull rate limit"),
        ("unexpected status code 503 Service Unavailable", Grade.TRANSIENT,
         "unexpected status code 503 Service Unavailable"),
    ],
)  # fmt: skip
def test_an_image_is_lost_if_the_registry_says_so_and_not_if_it_says_nothing(
    message: str, grade: Grade, why: str
) -> None:
    for reason in ("ErrImagePull", "ImagePullBackOff"):
        expected = reason, f"web cannot get the image {IMAGE}: {why}", grade, (*MAIN, "image")
        assert told(pod(waiting(reason, message))) == expected


def test_what_the_registry_said_is_looked_up_in_the_events_where_the_status_has_forgotten_it() -> None:
    body = pod(waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'))
    failed = notice("Failed", f'Failed to pull image "{IMAGE}": {IMAGE}: not found')
    assert told(body, failed) == (
        "ImagePullBackOff",
        f"web cannot get the image {IMAGE}: not found",
        Grade.FATAL,
        (*MAIN, "image"),
    )
    assert cause_of(body) == Cause(
        "ImagePullBackOff",
        f'web cannot get the image {IMAGE}: Back-off pulling image "{IMAGE}"',
        Grade.TRANSIENT,
        (*MAIN, "image"),
        container="web",
    )


def test_the_words_in_the_name_of_an_image_say_nothing_of_the_registry() -> None:
    wanted = {"image": "acme/access-denied:1"}
    found = told(pod(waiting("ErrImagePull", 'pulling "acme/access-denied:1": i/o timeout'), wanted))
    assert found is not None
    assert found[2] is Grade.TRANSIENT


@pytest.mark.parametrize("reason", ["InvalidImageName", "ErrImageNeverPull"])
def test_an_image_that_nobody_tries_to_get_never_comes(reason: str) -> None:
    found = cause_of(pod(waiting(reason)))
    assert found is not None
    assert (found.reason, found.grade, found.path) == (reason, Grade.FATAL, (*MAIN, "image"))


@pytest.mark.parametrize(
    ("restarts", "grade", "times"),
    [
        (0, Grade.TRANSIENT, ""),
        (1, Grade.TRANSIENT, ""),
        (2, Grade.SUSPECTED, ", started again 2 times"),
        (3, Grade.FATAL, ", started again 3 times"),
    ],
)
def test_a_container_that_ended_twice_may_still_run_and_one_that_ended_four_times_will_not(
    restarts: int, grade: Grade, times: str
) -> None:
    assert told(pod(looping(restarts))) == ("CrashLoopBackOff", f"web ends with exit code 1{times}", grade, MAIN)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (126, "exit code 126 (the command cannot be executed)"),
        (127, "exit code 127 (the command was not found)"),
        (139, "exit code 139 (segmentation fault)"),
        (143, "exit code 143 (terminated)"),
    ],
)
def test_an_exit_code_is_told_with_what_it_means(code: int, words: str) -> None:
    reason = "Completed" if code == 0 else "Error"
    found = told(pod(looping(3, code, reason)))
    assert found is not None
    assert found[1] == f"web ends with {words}, started again 3 times"


def test_who_is_killed_for_want_of_memory_is_shown_its_limit() -> None:
    body = pod(looping(3, 137, "OOMKilled"), {"resources": {"limits": {"memory": "64Mi"}}})
    message = "web wants more memory than its limit of 64Mi, started again 3 times"
    assert told(body) == ("OOMKilled", message, Grade.FATAL, (*MAIN, "resources", "limits", "memory"))


@pytest.mark.parametrize(("probe", "field"), [("Liveness", "livenessProbe"), ("Startup", "startupProbe")])
def test_who_is_killed_by_a_probe_is_shown_the_probe(probe: str, field: str) -> None:
    said = f"{probe} probe failed: HTTP probe failed with statuscode: 500"
    found = told(pod(looping(3, 137)), notice("Unhealthy", said))
    assert found == ("Unhealthy", f"web is killed: {said}, started again 3 times", Grade.FATAL, (*MAIN, field))


def test_a_pod_that_is_never_started_again_has_failed_when_it_ended() -> None:
    state = {"state": ended(2)}
    assert told(pod(state)) == ("Error", "web ends with exit code 2", Grade.TRANSIENT, MAIN)
    assert told(pod(state, restartPolicy="Never")) == ("Error", "web ends with exit code 2", Grade.FATAL, MAIN)


ENV = {
    "env": [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "a"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "b"}}},
        {"name": "C", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "c"}}},
    ],
    "envFrom": [{"configMapRef": {"name": "all"}}],
}


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("couldn't find key b in ConfigMap shop/flags", ("env", 1, "valueFrom", "configMapKeyRef")),
        ("couldn't find key c in Secret shop/keys", ("env", 2, "valueFrom", "secretKeyRef")),
        ('configmap "flags" not found', ("env", 0, "valueFrom", "configMapKeyRef")),
        ('secret "keys" not found', ("env", 2, "valueFrom", "secretKeyRef")),
        ('configmap "all" not found', ("envFrom", 0, "configMapRef")),
        ("container has runAsNonRoot and image will run as root", ()),
    ],
)
def test_what_a_container_lacks_is_shown_where_it_names_it(message: str, path: tuple[str | int, ...]) -> None:
    found = told(pod(waiting("CreateContainerConfigError", message), ENV))
    grade = Grade.SUSPECTED if path else Grade.FATAL
    assert found == ("CreateContainerConfigError", f"web cannot be made: {message}", grade, (*MAIN, *path))


def test_a_kubelet_that_has_not_read_the_configmap_yet_will() -> None:
    message = "failed to sync configmap cache: timed out waiting for the condition"
    found = told(pod(waiting("CreateContainerConfigError", message)))
    assert found is not None
    assert found[2] is Grade.TRANSIENT


@pytest.mark.parametrize("reason", ["CreateContainerError", "RunContainerError"])
def test_a_command_that_is_not_there_is_shown(reason: str) -> None:
    message = 'exec: "serve": executable file not found in $PATH'
    expected = reason, f"web cannot be started: {message}", Grade.FATAL
    assert told(pod(waiting(reason, message), {"command": ["serve"]})) == (*expected, (*MAIN, "command"))
    assert told(pod(waiting(reason, message))) == (*expected, (*MAIN, "image"))


def unschedulable(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"metadata": {}, "spec": {}, "status": {"conditions": [condition]}}


def test_a_pod_that_no_node_can_take_is_suspected_for_a_while() -> None:
    said = "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No victims found."
    message = "no node can take it: too little cpu on all 3 nodes"
    assert cause_of(unschedulable(said)) == Cause("Unschedulable", message, Grade.SUSPECTED, grace=180.0)


def test_a_pod_whose_claim_is_not_bound_waits_for_the_claim() -> None:
    found = cause_of(unschedulable("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."))
    assert found is not None
    assert found.grade is Grade.TRANSIENT


RUNNING = {"state": {"running": {"startedAt": "2026-11-23T06:00:00Z"}}}


@pytest.mark.parametrize(
    ("wanted", "grace"),
    [
        ({}, 120.0),
        ({"readinessProbe": {"periodSeconds": 10, "failureThreshold": 3}}, 120.0),
        ({"readinessProbe": {"initialDelaySeconds": 60, "periodSeconds": 10, "failureThreshold": 6}}, 240.0),
        ({"readinessProbe": {}, "startupProbe": {"periodSeconds": 10, "failureThreshold": 30}}, 600.0),
    ],
)
def test_a_readiness_probe_may_fail_for_twice_what_the_probes_give(wanted: dict[str, Any], grace: float) -> None:
    said = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    old = notice("Unhealthy", "Readiness probe failed: connection refused", at=1.0)
    assert cause_of(pod(RUNNING, wanted), [old, notice("Unhealthy", said, at=2.0)]) == Cause(
        "Unhealthy", f"web is not ready: {said}", Grade.SUSPECTED, (*MAIN, "readinessProbe"), grace, "web"
    )


def test_who_runs_and_has_no_failing_probe_is_left_in_peace() -> None:
    assert cause_of(pod(RUNNING)) is None
    assert cause_of(pod({"ready": True, **RUNNING}), [notice("Unhealthy", "Readiness probe failed: 503")]) is None


def test_a_volume_that_cannot_be_mounted_is_suspected_until_the_pod_has_its_volumes() -> None:
    failed = notice("FailedMount", 'MountVolume.SetUp failed for volume "keys" : secret "keys" not found')
    body = pod(waiting("ContainerCreating"))
    assert told(body, failed) == ("FailedMount", failed.message, Grade.SUSPECTED, ("spec", "volumes"))
    late = notice("FailedMount", "failed to sync configmap cache: timed out waiting for the condition")
    assert told(body, late) == ("FailedMount", late.message, Grade.TRANSIENT, ())
    body["status"]["conditions"] = [{"type": "PodReadyToStartContainers", "status": "True"}]
    assert told(body, failed) is None
    assert told(pod(RUNNING), failed) is None


def test_a_sandbox_that_cannot_be_made_is_tried_again() -> None:
    failed = notice("FailedCreatePodSandBox", "failed to setup network for sandbox")
    assert told(pod(waiting("ContainerCreating")), failed) == (failed.reason, failed.message, Grade.TRANSIENT, ())


def test_an_init_container_comes_before_those_that_wait_for_it() -> None:
    body = pod(waiting("PodInitializing"), initContainers=[{"name": "migrate", "image": IMAGE}])
    body["status"]["initContainerStatuses"] = [{"name": "migrate", "ready": False, **looping(4)}]
    expected = "CrashLoopBackOff", "migrate ends with exit code 1, started again 4 times", Grade.FATAL
    assert told(body) == (*expected, ("spec", "initContainers", 0))


def test_a_pod_on_its_way_out_has_no_trouble() -> None:
    body = pod(looping(9))
    body["metadata"]["deletionTimestamp"] = "2026-11-23T06:00:00Z"
    assert cause_of(body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["web", "CrashLoopBackOff", "ErrImagePull"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "state",
                    "waiting",
                    "reason",
                    "message",
                    "lastState",
                    "terminated",
                    "exitCode",
                    "running",
                    "env",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_no_pod_is_too_strange(wanted: Any, state: Any, conditions: Any) -> None:
    body = {
        "spec": {"containers": [wanted]},
        "status": {"containerStatuses": [state], "conditions": conditions},
    }
    assert cause_of(body) is None or isinstance(cause_of(body), Cause)
