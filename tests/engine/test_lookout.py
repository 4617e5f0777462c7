from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.graph import graph_of
from kploy.engine.lookout import Lookout, Told
from kploy.engine.related import CLASSES, NODES, NOTICES, PODS, REPLICA_SETS, SLICES, Relatives
from kploy.model.objects import Cause, Counts, Grade, ObjectRef, State, Status
from tests.makers import deployment, service, thing

WEB = ObjectRef("", "Service", "shop", "web")
CLAIM = ObjectRef("", "PersistentVolumeClaim", "shop", "data")
OTHER = ObjectRef("", "PersistentVolumeClaim", "shop", "other")
CLAIMS = ("", "PersistentVolumeClaim")
SLICE = ObjectRef("discovery.k8s.io", "EndpointSlice", "shop", "web-1")
CONTROLLER = ObjectRef("", "ReplicationController", "shop", "old")
DEPLOYMENT = ObjectRef("apps", "Deployment", "shop", "web")

PENDING = Status(State.IN_PROGRESS, "waiting for a volume")
_WITHOUT = "waiting for a volume, and it has no StorageClass that would make one"
CLASSLESS = Status(
    State.IN_PROGRESS,
    _WITHOUT,
    cause=Cause("FailedBinding", _WITHOUT, Grade.SUSPECTED, ("spec", "storageClassName"), 60.0),
)
BOUND = Status(State.CURRENT)
DELETED = Status(State.NOT_FOUND, "somebody deleted it during the run")
WAS_GOING = Status(State.NOT_FOUND, "it was being deleted when the run began: run again")
REPLACED = Status(State.FAILED, "somebody replaced it by another one during the run")


def lookout(
    live: dict[ObjectRef, dict[str, Any]] | None = None, clock: Callable[[], float] = lambda: 0.0
) -> Lookout:
    claim, controller = thing("data", "PersistentVolumeClaim"), thing("old", "ReplicationController")
    graph, _ = graph_of([claim, controller, service("web", app="web"), deployment("web")])
    return Lookout(graph, live or {}, clock)


def claim(version: int, phase: str = "Pending", uid: str = "1") -> dict[str, Any]:
    metadata = {"name": "data", "namespace": "shop", "uid": uid, "resourceVersion": str(version)}
    spec = {"storageClassName": "standard"}
    return {"apiVersion": "v1", "kind": CLAIM.kind, "metadata": metadata, "spec": spec, "status": {"phase": phase}}


def test_the_answer_to_an_apply_tells_how_the_object_is() -> None:
    assert lookout().applied(CLAIM, claim(5)) == PENDING
    assert lookout().applied(CLAIM, claim(5, "Bound")) == BOUND


def test_a_later_sighting_tells_how_it_is_now() -> None:
    seen = lookout()
    seen.applied(CLAIM, claim(5))
    assert seen.seen(CLAIM, claim(6, "Bound")) == ((CLAIM, BOUND),)


def test_a_sighting_from_before_the_apply_tells_nothing() -> None:
    seen = lookout()
    seen.applied(CLAIM, claim(5))
    assert seen.seen(CLAIM, claim(4, "Bound")) == ()
    assert seen.seen(CLAIM, claim(5)) == ((CLAIM, PENDING),)


@pytest.mark.parametrize(
    ("early", "status"),
    [
        ([claim(6, "Bound")], BOUND),
        ([claim(5), claim(6, "Bound")], BOUND),
        ([claim(4, "Bound")], PENDING),
        ([claim(4, "Bound", uid="0")], PENDING),
        ([claim(6, uid="2")], REPLACED),
    ],
)
def test_a_sighting_that_is_told_before_the_answer_it_follows_is_not_lost(
    early: list[dict[str, Any]], status: Status
) -> None:
    seen = lookout()
    assert [seen.seen(CLAIM, body) for body in early] == [()] * len(early)
    assert seen.applied(CLAIM, claim(5)) == status


def test_a_deletion_that_is_told_before_the_answer_it_follows_is_not_lost() -> None:
    seen = lookout()
    assert seen.gone(CLAIM, claim(6)) == ()
    assert seen.applied(CLAIM, claim(5)) == DELETED


def test_the_deletion_of_an_object_that_was_there_before_is_not_that_of_the_new_one() -> None:
    seen = lookout()
    assert seen.gone(CLAIM, claim(4, uid="0")) == ()
    assert seen.applied(CLAIM, claim(5)) == PENDING
    assert seen.gone(CLAIM, claim(4, uid="0")) == ()


def test_what_somebody_deletes_or_replaces_is_reported() -> None:
    seen = lookout()
    seen.applied(CLAIM, claim(5))
    assert seen.gone(CLAIM, claim(6)) == ((CLAIM, DELETED),)
    assert seen.seen(CLAIM, claim(7, uid="2")) == ((CLAIM, REPLACED),)


def test_a_deletion_that_began_before_the_run_is_nobodys_doing_during_it() -> None:
    seen = lookout()
    body = claim(5)
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert seen.applied(CLAIM, body) == Status(State.TERMINATING)
    assert seen.gone(CLAIM, claim(6)) == ((CLAIM, WAS_GOING),)
    assert seen.listed(CLAIMS, {}, "9") == ((CLAIM, WAS_GOING),)
    assert seen.applied(CLAIM, body) == WAS_GOING


def test_objects_that_are_not_of_the_deploy_tell_nothing() -> None:
    seen = lookout()
    assert seen.seen(OTHER, claim(5)) == ()
    assert seen.gone(OTHER, claim(5)) == ()
    assert seen.listed(CLAIMS, {OTHER: claim(5)}, "9") == ()


@pytest.mark.parametrize(
    ("bodies", "version", "told"),
    [
        ({CLAIM: claim(6, "Bound")}, "9", ((CLAIM, BOUND),)),
        ({CLAIM: claim(5)}, "9", ((CLAIM, PENDING),)),
        ({CLAIM: claim(7, uid="2")}, "9", ((CLAIM, REPLACED),)),
        ({}, "9", ((CLAIM, DELETED),)),
        ({}, "5", ((CLAIM, DELETED),)),
        # Listed before it was applied, or by a server that does not serve the kind (yet).
        ({}, "4", ()),
        ({}, "", ()),
    ],
)
def test_a_listing_tells_what_is_there_and_what_is_not(
    bodies: dict[ObjectRef, dict[str, Any]], version: str, told: tuple[tuple[ObjectRef, Status], ...]
) -> None:
    seen = lookout()
    seen.applied(CLAIM, claim(5))
    assert seen.listed(CLAIMS, bodies, version) == told
    assert seen.listed(("", "ConfigMap"), {}, "99") == ()


@pytest.mark.parametrize(("version", "status"), [("9", DELETED), ("5", DELETED), ("4", PENDING), ("", PENDING)])
def test_a_listing_that_is_told_before_the_answer_it_follows_is_not_lost(version: str, status: Status) -> None:
    seen = lookout()
    assert seen.listed(CLAIMS, {}, version) == ()
    assert seen.applied(CLAIM, claim(5)) == status


@given(
    st.dictionaries(st.integers(1, 9), st.sampled_from(["Pending", "Bound"]), max_size=8),
    st.integers(0, 8),
)
def test_in_whatever_order_they_come_the_newest_version_counts(sightings: dict[int, str], applied_at: int) -> None:
    # A watch tells versions in their order; only the answer to the apply comes when it will.
    seen = lookout()
    phases = {**sightings, 5: "Pending"}
    in_order = sorted(version for version in phases if version != 5)
    for version in in_order[:applied_at]:
        seen.seen(CLAIM, claim(version, phases[version]))
    status = seen.applied(CLAIM, claim(5))
    for version in in_order[applied_at:]:
        told = seen.seen(CLAIM, claim(version, phases[version]))
        status = told[0][1] if told else status
    newest = max(phases)
    assert status == (BOUND if phases[newest] == "Bound" else PENDING)


def slice_of(*ready: bool, name: str = "web-1", version: int = 1) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "web"}
    endpoints = [
        {"addresses": [f"{name}-{number}"], "conditions": {"ready": each}} for number, each in enumerate(ready)
    ]
    metadata = {"name": name, "namespace": "shop", "labels": labels, "resourceVersion": str(version)}
    return {"metadata": metadata, "endpoints": endpoints}


SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "5"},
    "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": {"app": "web"}},
}


def states(told: tuple[Told, ...]) -> list[tuple[ObjectRef, State, Counts | None]]:
    return [(ref, status.state, status.counts) for ref, status in told]


def endpoints(state: State, number: int) -> list[tuple[ObjectRef, State, Counts | None]]:
    """What is told of the Service."""
    return [(WEB, state, Counts(number, None, "ep"))]


SECOND = ObjectRef(SLICE.group, SLICE.kind, "shop", "web-2")


def see(lookout: Lookout, body: dict[str, Any], *, is_gone: bool = False) -> tuple[Told, ...]:
    """What a sighting of a slice tells."""
    ref = ObjectRef(SLICE.group, SLICE.kind, "shop", body["metadata"]["name"])
    return lookout.judged(lookout.related_seen(SLICES, ref, body, is_gone=is_gone))


def test_a_service_is_ready_by_its_endpoint_slices() -> None:
    seen = lookout()
    assert seen.applied(WEB, SERVICE).state is State.IN_PROGRESS
    assert states(see(seen, slice_of(False))) == endpoints(State.IN_PROGRESS, 0)
    assert states(see(seen, slice_of(True, False))) == endpoints(State.CURRENT, 1)
    assert states(see(seen, slice_of(True, name="web-2"))) == endpoints(State.CURRENT, 2)
    assert states(see(seen, slice_of(True), is_gone=True)) == endpoints(State.CURRENT, 1)
    assert states(see(seen, slice_of(True, name="web-2"), is_gone=True)) == endpoints(State.IN_PROGRESS, 0)
    assert see(seen, slice_of(True, name="web-2"), is_gone=True) == ()


def test_slices_that_were_there_before_count_and_come_before_their_service() -> None:
    seen = lookout()
    seen.related_listed(SLICES, {SLICE: slice_of(True)})
    assert seen.applied(WEB, SERVICE).counts == Counts(1, None, "ep")
    seen = lookout()
    assert see(seen, slice_of(True)) == ()
    assert seen.applied(WEB, SERVICE).counts == Counts(1, None, "ep")


@pytest.mark.parametrize(
    ("api_version", "kind", "uid", "counts"),
    [
        ("v1", "Service", "1", 1),
        ("v1", "Service", "0", 0),
        ("v1", "Endpoints", "7", 1),
        ("serving.knative.dev/v1", "Service", "7", 1),
    ],
)
def test_a_slice_of_another_service_of_the_same_name_does_not_count(
    api_version: str, kind: str, uid: str, counts: int
) -> None:
    seen = lookout()
    seen.applied(WEB, SERVICE)
    found = slice_of(True)
    owner = {"apiVersion": api_version, "kind": kind, "name": "web", "uid": uid}
    found["metadata"]["ownerReferences"] = [owner]
    assert states(see(seen, found)) == endpoints(State.CURRENT if counts else State.IN_PROGRESS, counts)


def test_a_slice_that_a_listing_lacks_is_gone() -> None:
    seen = lookout()
    seen.related_listed(SLICES, {SLICE: slice_of(True)})
    seen.applied(WEB, SERVICE)
    told = seen.related_listed(SLICES, {SECOND: slice_of(False, name="web-2")})
    assert states(told) == endpoints(State.IN_PROGRESS, 0)
    assert states(seen.related_listed(SLICES, {})) == endpoints(State.IN_PROGRESS, 0)


def test_a_slice_that_names_no_service_of_the_deploy_tells_nothing() -> None:
    seen = lookout()
    seen.applied(WEB, SERVICE)
    stray = slice_of(True)
    stray["metadata"]["labels"] = {}
    assert see(seen, stray) == ()


def reselected(clock: Callable[[], float] = lambda: 0.0) -> Lookout:
    """A Service at version 5 that selected other pods before, and had two endpoints then."""
    before = {**SERVICE, "spec": {**SERVICE["spec"], "selector": {"app": "old"}}}
    seen = lookout({WEB: before}, clock)
    seen.related_listed(SLICES, {SLICE: slice_of(True, True, version=4)})
    return seen


def test_the_endpoints_of_an_old_selector_do_not_count() -> None:
    seen = reselected()
    assert seen.applied(WEB, SERVICE).state is State.IN_PROGRESS
    assert states(see(seen, slice_of(True, version=5))) == endpoints(State.IN_PROGRESS, 0)
    assert states(see(seen, slice_of(True, version=6))) == endpoints(State.CURRENT, 1)


def test_endpoints_of_a_new_selector_may_be_told_before_the_answer_they_follow() -> None:
    seen = reselected()
    see(seen, slice_of(True, version=6))
    assert seen.applied(WEB, SERVICE) == Status(State.CURRENT, "", Counts(1, None, "ep"))


def test_old_endpoints_count_after_a_while_because_the_new_selector_may_select_the_same_pods() -> None:
    now = [100.0]
    seen = reselected(lambda: now[0])
    seen.applied(WEB, SERVICE)
    now[0] = 109.0
    assert states(seen.judged([WEB])) == endpoints(State.IN_PROGRESS, 0)
    now[0] = 110.0
    assert states(seen.judged([WEB])) == endpoints(State.CURRENT, 2)


def scaled(replicas: int, version: int = 7) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": str(version)}
    status = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), replicas)
    kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
    return {
        **kind,
        "metadata": metadata,
        "spec": {"replicas": replicas},
        "status": {**status, "observedGeneration": 1},
    }


def test_a_service_waits_for_no_endpoint_while_its_workload_is_at_zero() -> None:
    seen = lookout()
    assert seen.applied(WEB, SERVICE).message == "waiting for an endpoint"
    seen.applied(DEPLOYMENT, scaled(0))
    idle = Status(State.CURRENT, "no pod is to answer", Counts(0, None, "ep"))
    assert seen.backed_by(DEPLOYMENT) == ((WEB, idle),)
    assert states(seen.seen(DEPLOYMENT, scaled(1, 8)))[1:] == endpoints(State.IN_PROGRESS, 0)
    assert seen.seen(DEPLOYMENT, scaled(0, 9))[1:] == ((WEB, idle),)


def test_a_service_is_told_anew_only_when_a_workload_comes_to_be_at_zero_or_no_more_is() -> None:
    seen = lookout()
    seen.applied(WEB, SERVICE)
    seen.applied(DEPLOYMENT, scaled(1))
    told = [seen.seen(DEPLOYMENT, scaled(replicas, 8 + at))[1:] for at, replicas in enumerate((2, 0, 0, 3, 1))]
    assert [[ref for ref, _ in each] for each in told] == [[], [WEB], [], [WEB], []]


@pytest.mark.parametrize("replicas", [(0, 1), (1, 0)])
def test_a_service_goes_by_what_has_replaced_its_workload(replicas: tuple[int, int]) -> None:
    seen, (before, after) = lookout(), replicas
    seen.applied(WEB, SERVICE)
    seen.applied(DEPLOYMENT, scaled(before))
    other = scaled(after, 8)
    other["metadata"]["uid"] = "2"
    assert seen.seen(DEPLOYMENT, other) == ((DEPLOYMENT, REPLACED),)
    ((_, status),) = seen.judged([WEB])
    assert status.message == ("waiting for an endpoint" if after else "no pod is to answer")


def test_a_service_goes_by_how_its_workload_was_when_that_is_gone_before_it_is_known() -> None:
    seen = lookout()
    seen.applied(WEB, SERVICE)
    seen.gone(DEPLOYMENT, scaled(0, 8))
    assert seen.applied(DEPLOYMENT, scaled(0)) == DELETED
    assert seen.judged([WEB]) == ((WEB, Status(State.CURRENT, "no pod is to answer", Counts(0, None, "ep"))),)


def controller(version: int, uid: str = "1") -> dict[str, Any]:
    metadata = {"name": "old", "namespace": "shop", "uid": uid, "resourceVersion": str(version), "generation": 2}
    spec = {"replicas": 1, "template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}
    status = {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    kind = {"apiVersion": "v1", "kind": "ReplicationController"}
    return {**kind, "metadata": metadata, "spec": spec, "status": status}


def pod_of(image: str, owner: str = "1", kind: str = "ReplicationController") -> dict[str, Any]:
    owners = [{"kind": kind, "name": "old", "uid": owner}]
    return {
        "metadata": {"name": "old-x", "namespace": "shop", "ownerReferences": owners},
        "spec": {"containers": [{"name": "web", "image": image}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


POD = ObjectRef("", "Pod", "shop", "old-x")
OLD = Status(
    State.IN_PROGRESS,
    "1 of 1 pod still runs the old template",
    Counts(0, 1),
)


def test_a_replication_controller_is_ready_by_its_pods_once_they_are_known() -> None:
    seen = lookout()
    assert seen.applied(CONTROLLER, controller(5)) == Status(State.CURRENT, "", Counts(1, 1))
    assert seen.related_listed(PODS, {POD: pod_of("web:1")}) == ((CONTROLLER, OLD),)
    none = Status(State.IN_PROGRESS, "0 of 1 ready", Counts(0, 1))
    assert seen.judged(seen.related_seen(PODS, POD, pod_of("web:1"), is_gone=True)) == ((CONTROLLER, none),)
    ready = Status(State.CURRENT, "", Counts(1, 1))
    assert seen.judged(seen.related_seen(PODS, POD, pod_of("web:2"), is_gone=False)) == ((CONTROLLER, ready),)


def test_pods_of_others_tell_nothing_of_a_replication_controller() -> None:
    seen = lookout()
    seen.related_listed(PODS, {})
    seen.applied(CONTROLLER, controller(5))
    none = Status(State.IN_PROGRESS, "0 of 1 ready", Counts(0, 1))
    assert seen.judged(seen.related_seen(PODS, POD, pod_of("web:2", kind="ReplicaSet"), is_gone=False)) == ()
    assert seen.judged(seen.related_seen(PODS, POD, pod_of("web:2", owner="0"), is_gone=False)) == (
        (CONTROLLER, none),
    )
    # It was released: its old controller hears of it, too.
    assert seen.judged(seen.related_seen(PODS, POD, {"metadata": {}}, is_gone=False)) == ((CONTROLLER, none),)


def storage_class(
    name: str, binding: str, *, default: str = "false", created: str = "2026-01-01"
) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": default}
    metadata = {"name": name, "annotations": annotations, "creationTimestamp": f"{created}T00:00:00Z"}
    return {"metadata": metadata, "volumeBindingMode": binding}


WAIT, AT_ONCE = "WaitForFirstConsumer", "Immediate"
ON_USE = Status(State.CURRENT, "binds when a pod uses it")


@pytest.mark.parametrize(
    ("wanted", "classes", "status"),
    [
        ({"storageClassName": "wait"}, [storage_class("wait", WAIT)], ON_USE),
        ({"storageClassName": "other"}, [storage_class("wait", WAIT, default="true")], PENDING),
        ({"storageClassName": ""}, [storage_class("wait", WAIT, default="true")], CLASSLESS),
        ({"storageClassName": "once"}, [storage_class("once", AT_ONCE)], PENDING),
        ({}, [storage_class("once", AT_ONCE), storage_class("wait", WAIT, default="true")], ON_USE),
        ({}, [storage_class("wait", WAIT)], CLASSLESS),
        (
            {},
            [
                storage_class("wait", WAIT, default="true", created="2026-02-02"),
                storage_class("once", AT_ONCE, default="true"),
            ],
            ON_USE,
        ),
        ({}, [], CLASSLESS),
    ],
)
def test_a_claim_is_ready_when_its_class_waits_for_a_pod(
    wanted: dict[str, str], classes: list[dict[str, Any]], status: Status
) -> None:
    seen = lookout()
    assert seen.applied(CLAIM, {**claim(5), "spec": wanted}).state is State.IN_PROGRESS
    named = {ObjectRef("storage.k8s.io", "StorageClass", "", one["metadata"]["name"]): one for one in classes}
    assert seen.related_listed(CLASSES, named) == ((CLAIM, status),)


def web_with(password: str, generation: int) -> dict[str, Any]:
    """A Deployment that is given a password, and has no pod yet."""
    variable = {"name": "DB_PASSWORD", "value": password}
    template = {"spec": {"containers": [{"name": "web", "image": "web:1", "env": [variable]}]}}
    metadata = {"name": "web", "namespace": "shop", "uid": "7", "resourceVersion": str(generation)}
    metadata |= {"annotations": {"deployment.kubernetes.io/revision": "1"}}  # type: ignore[dict-item]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**metadata, "generation": generation},
        "spec": {"replicas": 1, "template": template},
        "status": {"observedGeneration": generation},
    }


def pod_that_quotes(password: str) -> dict[str, Any]:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-x", "uid": "8"}
    state = {"waiting": {"reason": "RunContainerError", "message": f"no such host: {password}"}}
    return {
        "metadata": {"name": "web-x-1", "labels": {"pod-template-hash": "x"}, "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"containerStatuses": [{"name": "web", "state": state}]},
    }


def test_what_a_pod_says_of_its_trouble_hides_the_secrets_of_its_workload_as_they_are_now() -> None:
    replica_set = {
        "metadata": {
            "name": "web-x",
            "uid": "8",
            "labels": {"pod-template-hash": "x"},
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "7"}],
        }
    }
    there = lookout()
    for generation, password in enumerate(("hunter2hunter2", "swordfish"), 1):
        there.applied(DEPLOYMENT, web_with(password, generation))
        there.related_listed(REPLICA_SETS, {ObjectRef("apps", "ReplicaSet", "shop", "web-x"): replica_set})
        pods = {ObjectRef("", "Pod", "shop", "web-x-1"): pod_that_quotes(password)}
        ((_, status),) = there.related_listed(PODS, pods)
        assert status.cause is not None
        assert status.message == status.cause.message == "web cannot be started: no such host: ••••••"


def test_of_the_pods_of_others_nothing_is_remembered() -> None:
    relatives = Relatives(PODS, {DEPLOYMENT})
    own, other = ObjectRef("", "Pod", "shop", "web-x-1"), ObjectRef("", "Pod", "shop", "db-x-1")
    body = pod_that_quotes("")
    stranger = {"metadata": {**body["metadata"], "name": "db-x-1"}}
    stranger["metadata"]["ownerReferences"] = [{**body["metadata"]["ownerReferences"][0], "name": "db-x"}]
    relatives.listed({own: body, other: stranger})
    assert relatives.of(DEPLOYMENT) == (body,)
    assert (relatives.subject_of(own), relatives.subject_of(other)) == (DEPLOYMENT, None)


def test_a_daemon_set_does_without_the_nodes_that_are_out_of_service() -> None:
    agent, other = thing("agent", "DaemonSet", "apps/v1"), ObjectRef("", "Node", "", "node-1")
    seen = Lookout(graph_of([agent])[0], {}, lambda: 0.0)
    body = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "uid": "1", "resourceVersion": "5", "generation": 1},
        "status": {
            "observedGeneration": 1,
            "desiredNumberScheduled": 2,
            "updatedNumberScheduled": 2,
            "numberReady": 1,
            "numberAvailable": 1,
        },
    }
    pods = {
        ObjectRef("", "Pod", "shop", f"agent-{number}"): {
            "metadata": {"name": f"agent-{number}", "ownerReferences": [{**_owner(agent.ref), "uid": "1"}]},
            "spec": {"nodeName": f"node-{number}"},
            "status": {"conditions": [{"type": "Ready", "status": "True" if number == 0 else "False"}]},
        }
        for number in range(2)
    }
    lacking = Status(State.IN_PROGRESS, "1 of 2 ready", Counts(1, 2))
    assert seen.applied(agent.ref, body) == lacking
    assert seen.related_listed(PODS, pods, is_followed=True) == ((agent.ref, lacking),)
    node = {"metadata": {"name": "node-1"}, "spec": {"unschedulable": True}}
    doing_without = Status(State.CURRENT, "without node-1, which is out of service", Counts(1, 2))
    assert seen.related_listed(NODES, {other: node}, is_followed=True) == ((agent.ref, doing_without),)
    assert seen.judged(seen.related_seen(NODES, other, {"metadata": {"name": "node-1"}}, is_gone=False)) == (
        (agent.ref, lacking),
    )


def _owner(ref: ObjectRef) -> dict[str, str]:
    return {"apiVersion": f"{ref.group}/v1", "kind": ref.kind, "name": ref.name}


def failed_job() -> dict[str, Any]:
    told = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}
    metadata = {"name": "migrate", "uid": "1", "resourceVersion": "5"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": {"conditions": [told]}}


def test_what_a_job_says_of_its_failure_is_completed_by_its_pods() -> None:
    job = thing("migrate", "Job", "batch/v1")
    seen = Lookout(graph_of([job])[0], {}, lambda: 0.0)
    assert seen.applied(job.ref, failed_job()).state is State.FAILED
    ended = {"name": "main", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
    pod = {
        "metadata": {"name": "migrate-x", "uid": "2", "ownerReferences": [{**_owner(job.ref), "uid": "1"}]},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]},
        "status": {"phase": "Failed", "containerStatuses": [ended]},
    }
    ((_, status),) = seen.related_listed(PODS, {ObjectRef("", "Pod", "shop", "migrate-x"): pod}, is_followed=True)
    said = "its pods failed more often than its backoffLimit of 6 allows: main ends with exit code 3"
    assert (status.state, status.message) == (State.FAILED, f"BackoffLimitExceeded: {said}")


def test_what_is_said_of_its_claims_is_said_of_a_pod() -> None:
    pod = thing("lonely", "Pod")
    seen = Lookout(graph_of([pod])[0], {}, lambda: 0.0)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    claims = [{"name": "data", "persistentVolumeClaim": {"claimName": "late"}}]
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "lonely", "uid": "1", "resourceVersion": "5"},
        "spec": {"volumes": claims},
        "status": {"conditions": [{**condition, "message": "0/3 nodes are available: 3 Insufficient cpu."}]},
    }
    assert seen.applied(pod.ref, body).message == "no node can take it: too little cpu on all 3 nodes"
    about = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "shop", "name": "late"}
    event = {"type": "Warning", "reason": "ProvisioningFailed", "message": "no space", "involvedObject": about}
    seen.related_listed(NOTICES, {ObjectRef("", "Event", "shop", "e"): event}, is_followed=True)
    ((_, status),) = seen.judged([pod.ref])
    assert status.cause == Cause(
        "ProvisioningFailed",
        "its claim late gets no volume: no space",
        Grade.SUSPECTED,
        ("spec", "volumes", 0),
        120.0,
    )
