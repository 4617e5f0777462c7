"""Whatever is seen, in whatever order and at whatever time: what is remembered is what would be judged anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kploy.core.graph import Graph, graph_of
from kploy.core.moment import Moment
from kploy.engine.lookout import REPLACED, Lookout, Told
from kploy.engine.related import CLASSES, NODES, NOTICES, PODS, REPLICA_SETS, SLICES, Relation
from kploy.engine.statuses import Statuses
from kploy.model.app import ReadinessRule
from kploy.model.objects import ObjectRef, State, Status
from tests.makers import deployment, service, thing

Body = dict[str, Any]

NAMESPACE = "shop"
START = 1_800_000_000.0


def ref(kind: str, name: str, group: str = "") -> ObjectRef:
    return ObjectRef(group, kind, NAMESPACE, name)


WEB, API = ref("Deployment", "web", "apps"), ref("Deployment", "api", "apps")
STATEFUL, DAEMON, JOB = (
    ref("StatefulSet", "db", "apps"),
    ref("DaemonSet", "agent", "apps"),
    ref("Job", "job", "batch"),
)
OLD, LONELY, CLAIM = (
    ref("ReplicationController", "old"),
    ref("Pod", "lonely"),
    ref("PersistentVolumeClaim", "data"),
)
ALONE, FIRST, SECOND = ref("Service", "alone"), ref("Service", "first"), ref("Service", "second")
THING = ref("Database", "main", "acme.io")
API_VERSIONS = {"": "v1", "apps": "apps/v1", "batch": "batch/v1", "acme.io": "acme.io/v1"}
OWN = (WEB, API, STATEFUL, DAEMON, JOB, OLD, LONELY, CLAIM, ALONE, FIRST, SECOND, THING)

RULES = (ReadinessRule("Database.acme.io", ("{.status.phase}=Up",), ("{.status.phase}=Down",), ""),)


def graph() -> Graph:
    """Two Deployments back two Services together, a pool; one backs another Service alone."""
    others = (
        thing(each.name, each.kind, API_VERSIONS[each.group]) for each in (STATEFUL, DAEMON, JOB, OLD, LONELY)
    )
    built, findings = graph_of(
        [
            *(service(name, tier="front") for name in ("first", "second")),
            service("alone", app="web"),
            *(deployment(name, {"app": name, "tier": "front"}) for name in ("web", "api")),
            *others,
            thing("data", "PersistentVolumeClaim"),
            thing("main", "Database", "acme.io/v1"),
        ]
    )
    assert not findings
    return built


class Forgetful(Lookout):
    """Judges everything anew whenever it is asked."""

    def judged(self, refs: Iterable[ObjectRef]) -> tuple[Told, ...]:
        self._statuses.changed(OWN)
        return super().judged(refs)


def at(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, UTC).isoformat()


AGES = st.sampled_from([0, -10, -100, -290])
NUMBERS = st.integers(0, 1)
CONDITIONS = st.lists(
    st.builds(
        lambda type_, status: {"type": type_, "status": status, "reason": "Because", "message": "it is so"},
        st.sampled_from(["Ready", "PodScheduled", "Progressing", "Available", "Failed"]),
        st.sampled_from(["True", "False"]),
    ),
    max_size=2,
)
WAITING = st.sampled_from([{}, {"waiting": {"reason": "ErrImagePull", "message": "not found"}}])


@st.composite
def objects(draw: Callable[..., Any], about: ObjectRef) -> Body:
    """An object of the app, as it may be."""
    made = at(draw(AGES))
    metadata: Body = {
        "name": about.name,
        "namespace": NAMESPACE,
        "uid": draw(st.sampled_from("1112")) + about.name,
        "resourceVersion": str(draw(st.integers(1, 9))),
        "generation": draw(st.integers(1, 2)),
        "creationTimestamp": made,
        "annotations": {"deployment.kubernetes.io/revision": "1"},
        "managedFields": [{"manager": "kploy", "operation": "Apply", "time": made}],
    }
    is_well = draw(st.booleans())
    if not is_well and draw(st.booleans()):
        metadata |= {"deletionTimestamp": made, "finalizers": ["acme.io/keep"]}
    wanted = draw(NUMBERS)
    there = wanted if is_well else draw(NUMBERS)
    parts = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "desiredNumberScheduled")
    status: Body = {
        "observedGeneration": 2 if is_well else draw(st.integers(1, 2)),
        "phase": draw(st.sampled_from(["Pending", "Bound", "Up", "Down"])),
        "conditions": [] if is_well else draw(CONDITIONS),
        **dict.fromkeys(parts, there),
        "updateRevision": "x",
        "containerStatuses": [{"name": "web", "state": draw(WAITING)}],
    }
    if not is_well and draw(st.booleans()):
        del status["observedGeneration"]
    return {
        "apiVersion": API_VERSIONS[about.group],
        "kind": about.kind,
        "metadata": metadata,
        "spec": {
            "type": draw(st.sampled_from(["ClusterIP", "LoadBalancer"])),
            "clusterIP": "10.0.0.1",
            "selector": {"app": draw(st.sampled_from(["web", "api"]))},
            "replicas": wanted,
            "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}},
            "storageClassName": "standard",
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        },
        "status": status,
    }


OWNERS = {
    "web-x-1": ref("ReplicaSet", "web-x", "apps"),
    "api-x-1": ref("ReplicaSet", "api-x", "apps"),
    "db-0": STATEFUL,
    "agent-1": DAEMON,
    "job-1": JOB,
    "old-1": OLD,
}


def owned(by: ObjectRef) -> list[Body]:
    return [{"apiVersion": API_VERSIONS[by.group], "kind": by.kind, "name": by.name, "uid": f"1{by.name}"}]


@st.composite
def pods(draw: Callable[..., Any]) -> tuple[Relation, ObjectRef, Body]:
    name = draw(st.sampled_from(sorted(OWNERS)))
    metadata = {
        "name": name,
        "uid": name,
        "creationTimestamp": at(draw(AGES)),
        "labels": {"pod-template-hash": "x", "controller-revision-hash": "x"},
        "ownerReferences": owned(OWNERS[name]),
    }
    image, claim = draw(st.sampled_from(["web:1", "web:2"])), {"claimName": "data-db-0"}
    spec = {
        "nodeName": "node-1",
        "containers": [{"name": "web", "image": image}],
        "volumes": [{"name": "data", "persistentVolumeClaim": claim}],
    }
    conditions, state = draw(CONDITIONS), draw(WAITING)
    status = {"conditions": conditions, "containerStatuses": [{"name": "web", "state": state}]}
    return PODS, ref("Pod", name), {"metadata": metadata, "spec": spec, "status": status}


@st.composite
def replica_sets(draw: Callable[..., Any]) -> tuple[Relation, ObjectRef, Body]:
    owner = draw(st.sampled_from([WEB, API]))
    metadata = {
        "name": f"{owner.name}-x",
        "uid": f"1{owner.name}-x",
        "labels": {"pod-template-hash": draw(st.sampled_from(["x", "y"]))},
        "annotations": {"deployment.kubernetes.io/revision": "1"},
        "ownerReferences": owned(owner),
    }
    return REPLICA_SETS, ref("ReplicaSet", f"{owner.name}-x", "apps"), {"metadata": metadata}


@st.composite
def notices(draw: Callable[..., Any]) -> tuple[Relation, ObjectRef, Body]:
    claims = [ref("PersistentVolumeClaim", "data-db-0"), CLAIM]
    about = draw(st.sampled_from([*claims, *claims, *(ref("Pod", name) for name in OWNERS), *OWN]))
    involved = {"apiVersion": API_VERSIONS[about.group], "kind": about.kind, "namespace": NAMESPACE}
    uid = about.name if about.name in OWNERS else f"1{about.name}"
    body = {
        "type": "Warning",
        "reason": draw(st.sampled_from(["ProvisioningFailed", "FailedCreate", "FailedMount", "AllocationFailed"])),
        "message": draw(st.sampled_from(["forbidden", "not found"])),
        "involvedObject": {**involved, "name": about.name, "uid": uid},
        "lastTimestamp": at(draw(AGES)),
    }
    return NOTICES, ref("Event", draw(st.sampled_from("ab"))), body


@st.composite
def slices(draw: Callable[..., Any]) -> tuple[Relation, ObjectRef, Body]:
    name = draw(st.sampled_from([ALONE.name, FIRST.name, SECOND.name]))
    labels = {"kubernetes.io/service-name": name}
    version = str(draw(st.integers(1, 9)))
    endpoint = {"addresses": ["10.0.0.2"], "conditions": {"ready": draw(st.booleans())}}
    body = {"metadata": {"name": name, "labels": labels, "resourceVersion": version}, "endpoints": [endpoint]}
    return SLICES, ref("EndpointSlice", name, "discovery.k8s.io"), body


@st.composite
def cluster_wide(draw: Callable[..., Any]) -> tuple[Relation, ObjectRef, Body]:
    if draw(st.booleans()):
        body = {"metadata": {"name": "node-1"}, "spec": {"unschedulable": draw(st.booleans())}}
        return NODES, ObjectRef("", "Node", "", "node-1"), body
    binding = draw(st.sampled_from(["Immediate", "WaitForFirstConsumer"]))
    body = {"metadata": {"name": "standard"}, "volumeBindingMode": binding}
    return CLASSES, ObjectRef("storage.k8s.io", "StorageClass", "", "standard"), body


RELATED = st.one_of(pods(), pods(), replica_sets(), notices(), slices(), cluster_wide())
BODIES = st.sampled_from(OWN).flatmap(lambda about: objects(about).map(lambda body: (about, body)))

Step = Callable[[Lookout], tuple[Told, ...]]
"""What happens to a lookout, and what that tells."""


def applied(about: ObjectRef, body: Body, *, is_untouched: bool) -> Step:
    return lambda lookout: (
        (about, lookout.applied(about, body, is_untouched=is_untouched)),
        *lookout.backed_by(about),
    )


def leaving(about: ObjectRef, body: Body) -> Step:
    return lambda lookout: ((about, lookout.leaving(about, body, is_gone=False)),)


def listed(found: list[tuple[Relation, ObjectRef, Body]]) -> Step:
    relation = found[0][0]
    bodies = {each: body for of, each, body in found if of is relation}
    return lambda lookout: lookout.related_listed(relation, bodies, is_followed=True)


def related(relation: Relation, ref: ObjectRef, body: Body, *, is_gone: bool) -> Step:
    return lambda lookout: lookout.judged(lookout.related_seen(relation, ref, body, is_gone=is_gone))


STEPS = st.one_of(
    BODIES.flatmap(lambda one: st.booleans().map(lambda said: applied(*one, is_untouched=said))),
    BODIES.map(lambda one: applied(*one, is_untouched=False)),
    BODIES.map(lambda one: lambda lookout: lookout.seen(*one)),
    BODIES.map(lambda one: lambda lookout: lookout.gone(*one)),
    BODIES.map(lambda one: leaving(*one)),
    st.lists(RELATED, min_size=1, max_size=4).map(listed),
    *2 * [RELATED.map(lambda one: related(*one, is_gone=False))],
    RELATED.map(lambda one: related(*one, is_gone=True)),
)
NO_JUDGEMENT = (
    REPLACED,
    Status(State.NOT_FOUND),
    Status(State.NOT_FOUND, "somebody deleted it during the run"),
    Status(State.NOT_FOUND, "it was being deleted when the run began: run again"),
)
"""What a lookout says of what is not there any more."""

PASSING = st.sampled_from([0, 0, 1, 10, 15, 30, 120, 300, -20])
"""Seconds; a clock may be put back."""

BEFORE = st.lists(BODIES, max_size=3).map(dict)
ALL_AT_ONCE = st.tuples(*(st.tuples(st.just(about), objects(about)) for about in OWN))


@settings(max_examples=100)
@given(BEFORE, ALL_AT_ONCE, st.lists(st.tuples(STEPS, PASSING), max_size=12))
def test_what_is_remembered_is_what_would_be_judged_anew(
    before: dict[ObjectRef, Body], first: tuple[tuple[ObjectRef, Body], ...], steps: list[tuple[Step, int]]
) -> None:
    now = [START]
    known, anew = (kind(graph(), before, lambda: now[0], RULES) for kind in (Lookout, Forgetful))
    for step in (*(applied(*one, is_untouched=False) for one in first), listed([(PODS, LONELY, {})])):
        step(known)
        step(anew)
    for step, seconds in steps:
        told = step(known)
        step(anew)
        judged = anew.judged(OWN)
        assert known.judged(OWN) == judged
        assert [each for each in told if each[1] not in NO_JUDGEMENT and each not in judged] == []
        now[0] += seconds
        assert known.judged(OWN) == anew.judged(OWN)


def test_what_goes_by_another_holds_no_longer_than_that() -> None:
    """No rule of kploy is known where this counts: the property cannot show it."""
    now = [5.0]

    def judge(about: ObjectRef, moment: Moment) -> Status:
        if about is WEB:
            return Status(State.CURRENT if moment.is_past(10.0) else State.IN_PROGRESS)
        statuses.looks_at(about, WEB)
        return statuses.of(WEB, moment)

    statuses = Statuses(judge, lambda: now[0])
    assert statuses.of(ALONE).state is State.IN_PROGRESS
    now[0] = 10.0
    assert statuses.of(ALONE).state is State.CURRENT
