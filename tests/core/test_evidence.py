"""What there is to see of an object in trouble."""

from __future__ import annotations

from typing import Any

import pytest

from kploy.core.evidence import evidence_of
from kploy.core.live import Related
from kploy.model.evidence import Evidence, Serving, Witness
from kploy.model.notices import Notice
from kploy.model.objects import Cause, Grade, ObjectRef
from tests.core.test_diagnosis import RUNNING, pod, workload

WEB = ObjectRef("apps", "Deployment", "shop", "web")
NEWEST = {
    "metadata": {
        "annotations": {"deployment.kubernetes.io/revision": "2"},
        "labels": {"pod-template-hash": "new"},
    }
}
OLD = {"pod-template-hash": "old"}
ENDED = {"exitCode": 1, "reason": "Error"}
CHANGED_AT = 1_000_000_000.0  # 2001-09-09T01:46:40Z


def ready(name: str, labels: dict[str, str] | None = None, image: str = "web:1") -> dict[str, Any]:
    body = pod(name, RUNNING, ready=True, labels=labels)
    body["spec"] = {"containers": [{"name": "web", "image": image}]}
    body["status"] |= {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return body


def doomed(*pods: str) -> Cause:
    return Cause("CrashLoopBackOff", "it ends", Grade.FATAL, pods=pods)


def notice(reason: str, message: str, at: float, count: int = 1) -> Notice:
    return Notice(WEB, "uid-web", reason, message, count, at)


def evidence(*pods: dict[str, Any], cause: Cause | None = None, kind: str = "Deployment") -> Evidence:
    return evidence_of(workload(kind, updatedReplicas=1), Related(pods=pods, replica_sets=(NEWEST,)), cause, 0.0)


def test_pods_of_an_older_template_that_are_ready_still_serve_with_what_they_run() -> None:
    found = evidence(ready("a", OLD, "web:0"), ready("b", OLD, "web:0"), ready("c"), pod("d", RUNNING))
    assert found.serving == Serving(1, 2, ("web:0",))


def test_while_a_deployment_has_no_pod_of_its_new_template_all_are_old() -> None:
    related = Related(pods=(ready("a"),), replica_sets=(NEWEST,))
    assert evidence_of(workload(updatedReplicas=0), related, None, 0.0).serving == Serving(0, 1, ("web:1",))


def test_before_the_controller_has_seen_the_change_nobody_knows_which_pods_are_new() -> None:
    related = Related(pods=(ready("a"),), replica_sets=(NEWEST,))
    body = workload(updatedReplicas=1, observedGeneration=0)
    assert evidence_of(body, related, None, 0.0).serving is None


def test_pods_of_a_replica_set_are_as_old_as_their_template() -> None:
    body = workload("ReplicaSet")
    body["metadata"] |= {"generation": 2, "managedFields": [{"time": "2026-11-23T06:00:00Z"}]}
    body["status"]["observedGeneration"] = 2
    old = ready("a", image="web:0")
    old["metadata"]["creationTimestamp"] = "2026-11-23T05:00:00Z"
    found = evidence_of(body, Related(pods=(old,)), None, 0.0).serving
    assert found == Serving(0, 1, ("web:0",))


def test_a_pod_that_is_on_its_way_out_does_not_serve() -> None:
    leaving = ready("a", OLD)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T06:00:00Z"
    assert evidence(leaving).serving == Serving(0, 0)


@pytest.mark.parametrize("kind", ["Job", "Service"])
def test_what_is_not_there_to_answer_does_not_serve(kind: str) -> None:
    assert evidence(ready("a"), kind=kind).serving is None


def test_nobody_knows_what_serves_where_nobody_looked_at_the_pods() -> None:
    assert evidence_of(workload(), Related(), None, 0.0).serving is None


def told(*notices: Notice, is_untouched: bool = False) -> tuple[Notice, ...]:
    body = workload()
    body["metadata"]["managedFields"] = [{"time": "2001-09-09T01:46:40Z"}]
    return evidence_of(body, Related(notices=notices, is_untouched=is_untouched), None, 0.0).notices


def test_warnings_from_before_the_change_are_none_of_it() -> None:
    before, after = notice("Failed", "then", CHANGED_AT - 1), notice("Failed", "now", CHANGED_AT)
    assert told(before, after) == (after,)
    assert told(before, after, is_untouched=True) == (before, after)


def test_what_several_pods_say_alike_is_said_once_and_counted_together() -> None:
    said = "Back-off restarting failed container web in pod web-{}_shop(3c1f-{})"
    notices = [notice("BackOff", said.format(pod, pod), CHANGED_AT + pod, count=pod) for pod in (1, 2)]
    other = notice("Failed", "no", CHANGED_AT + 1.5)
    assert told(*notices, other) == (
        other,
        notice("BackOff", "Back-off restarting failed container web", CHANGED_AT + 2, count=3),
    )


@pytest.mark.parametrize(
    ("state", "last", "witnesses"),
    [
        ({"waiting": {"reason": "CrashLoopBackOff"}}, ENDED, [Witness("web-1", "web", is_previous=True)]),
        (RUNNING, ENDED, [Witness("web-1", "web", is_previous=True), Witness("web-1", "web")]),
        (RUNNING, None, [Witness("web-1", "web")]),
        ({"terminated": ENDED}, None, [Witness("web-1", "web")]),
        ({"terminated": {"exitCode": 0}}, None, []),
        ({"waiting": {"reason": "ImagePullBackOff"}}, None, []),
    ],
    ids=["crash loop", "started again", "not ready", "ended", "ended well", "never ran"],
)
def test_a_container_that_has_failed_is_asked_for_all_that_it_has_said(
    state: dict[str, Any], last: dict[str, Any] | None, witnesses: list[Witness]
) -> None:
    failing = pod("web-1", state)
    if last:
        failing["status"]["containerStatuses"][0]["lastState"] = {"terminated": last}
    assert evidence(failing, cause=doomed("web-1")).witnesses == tuple(witnesses)


def test_one_pod_speaks_for_all_that_have_the_same_and_its_healthy_containers_are_left_alone() -> None:
    first, second = pod("web-1", RUNNING), pod("web-2", RUNNING)
    first["status"]["containerStatuses"].append({"name": "proxy", "state": RUNNING, "ready": True})
    found = evidence(ready("web-0"), first, second, cause=doomed("web-1", "web-2"))
    assert found.witnesses == (Witness("web-1", "web"),)


@pytest.mark.parametrize("odd", [{"metadata": []}, {"status": {"containerStatuses": 3}}])
def test_what_cannot_be_read_is_left_out(odd: dict[str, Any]) -> None:
    found = evidence(pod("web-1", RUNNING) | odd, cause=doomed("web-1"))
    assert found == Evidence()
