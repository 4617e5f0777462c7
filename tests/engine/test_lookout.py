from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.graph import graph_of
from kploy.engine.lookout import Lookout
from kploy.model.objects import Counts, ObjectRef, State, Status
from tests.makers import deployment, service, thing

WEB = ObjectRef("", "Service", "shop", "web")
CLAIM = ObjectRef("", "PersistentVolumeClaim", "shop", "data")
OTHER = ObjectRef("", "PersistentVolumeClaim", "shop", "other")
CLAIMS = ("", "PersistentVolumeClaim")
SLICE = ObjectRef("discovery.k8s.io", "EndpointSlice", "shop", "web-1")
SLICES = ("discovery.k8s.io", "EndpointSlice")

PENDING = Status(State.IN_PROGRESS, "waiting for a volume")
BOUND = Status(State.CURRENT)
DELETED = Status(State.NOT_FOUND, "somebody deleted it during the run")
REPLACED = Status(State.FAILED, "somebody replaced it by another one during the run")


def lookout(live: dict[ObjectRef, dict[str, Any]] | None = None) -> Lookout:
    graph, _ = graph_of([thing("data", "PersistentVolumeClaim"), service("web", app="web"), deployment("web")])
    return Lookout(graph, live or {}, lambda: 0.0)


def claim(version: int, phase: str = "Pending", uid: str = "1") -> dict[str, Any]:
    metadata = {"name": "data", "namespace": "shop", "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": CLAIM.kind, "metadata": metadata, "status": {"phase": phase}}


def test_the_answer_to_an_apply_tells_how_the_object_is() -> None:
    assert lookout().applied(CLAIM, claim(5)) == PENDING
    assert lookout().applied(CLAIM, claim(5, "Bound")) == BOUND


def test_a_later_sighting_tells_how_it_is_now() -> None:
    seen = lookout()
    seen.applied(CLAIM, claim(5))
    assert seen.seen(CLAIM, claim(6, "Bound")) == (CLAIM, BOUND)


def test_a_sighting_from_before_the_apply_tells_nothing() -> None:
    seen = lookout()
    seen.applied(CLAIM, claim(5))
    assert seen.seen(CLAIM, claim(4, "Bound")) is None
    assert seen.seen(CLAIM, claim(5)) == (CLAIM, PENDING)


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
    assert [seen.seen(CLAIM, body) for body in early] == [None] * len(early)
    assert seen.applied(CLAIM, claim(5)) == status


def test_a_deletion_that_is_told_before_the_answer_it_follows_is_not_lost() -> None:
    seen = lookout()
    assert seen.gone(CLAIM, claim(6)) is None
    assert seen.applied(CLAIM, claim(5)) == DELETED


def test_the_deletion_of_an_object_that_was_there_before_is_not_that_of_the_new_one() -> None:
    seen = lookout()
    assert seen.gone(CLAIM, claim(4, uid="0")) is None
    assert seen.applied(CLAIM, claim(5)) == PENDING
    assert seen.gone(CLAIM, claim(4, uid="0")) is None


def test_what_somebody_deletes_or_replaces_is_reported() -> None:
    seen = lookout()
    seen.applied(CLAIM, claim(5))
    assert seen.gone(CLAIM, claim(6)) == (CLAIM, DELETED)
    assert seen.seen(CLAIM, claim(7, uid="2")) == (CLAIM, REPLACED)


def test_objects_that_are_not_of_the_deploy_tell_nothing() -> None:
    seen = lookout()
    assert seen.seen(OTHER, claim(5)) is None
    assert seen.gone(OTHER, claim(5)) is None
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
        status = told[1] if told else status
    newest = max(phases)
    assert status == (BOUND if phases[newest] == "Bound" else PENDING)


def slice_of(*ready: bool, name: str = "web-1", version: int = 1) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "web"}
    endpoints = [
        {"addresses": [f"{name}-{number}"], "conditions": {"ready": each}} for number, each in enumerate(ready)
    ]
    metadata = {"name": name, "namespace": "shop", "labels": labels, "resourceVersion": str(version)}
    return {"metadata": metadata, "endpoints": endpoints}


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "5"},
    "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", "selector": {"app": "web"}},
}


def states(told: tuple[ObjectRef, Status] | None) -> tuple[ObjectRef, State, Counts | None] | None:
    return (told[0], told[1].state, told[1].counts) if told else None


def test_a_service_is_ready_by_its_endpoint_slices() -> None:
    seen = lookout()
    assert seen.applied(WEB, SERVICE).state is State.IN_PROGRESS
    second = ObjectRef(*SLICES, "shop", "web-2")
    assert states(seen.seen(SLICE, slice_of(False))) == (WEB, State.IN_PROGRESS, Counts(0, None, "ep"))
    assert states(seen.seen(SLICE, slice_of(True, False))) == (WEB, State.CURRENT, Counts(1, None, "ep"))
    told = seen.seen(second, slice_of(True, name="web-2"))
    assert states(told) == (WEB, State.CURRENT, Counts(2, None, "ep"))
    assert states(seen.gone(SLICE, slice_of(True))) == (WEB, State.CURRENT, Counts(1, None, "ep"))
    assert states(seen.gone(second, slice_of(True))) == (WEB, State.IN_PROGRESS, Counts(0, None, "ep"))
    assert seen.gone(second, slice_of(True)) is not None


def test_slices_that_were_there_before_count_and_come_before_their_service() -> None:
    assert lookout({SLICE: slice_of(True)}).applied(WEB, SERVICE).counts == Counts(1, None, "ep")
    seen = lookout()
    assert seen.seen(SLICE, slice_of(True)) is None
    assert seen.applied(WEB, SERVICE).counts == Counts(1, None, "ep")


def test_a_slice_that_a_listing_lacks_is_gone() -> None:
    seen = lookout({SLICE: slice_of(True)})
    seen.applied(WEB, SERVICE)
    second = ObjectRef(*SLICES, "shop", "web-2")
    told = seen.listed(SLICES, {second: slice_of(False, name="web-2")}, "9")
    assert [states(each) for each in told] == [(WEB, State.IN_PROGRESS, Counts(0, None, "ep"))]
    told = seen.listed(SLICES, {}, "10")
    assert [states(each) for each in told] == [(WEB, State.IN_PROGRESS, Counts(0, None, "ep"))]


def test_a_slice_that_names_no_service_of_the_deploy_tells_nothing() -> None:
    seen = lookout()
    seen.applied(WEB, SERVICE)
    stray = slice_of(True)
    stray["metadata"]["labels"] = {}
    assert seen.seen(SLICE, stray) is None
