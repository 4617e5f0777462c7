from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kploy.core.adoption import (
    LAST_APPLIED,
    Owner,
    makers_of,
    merged,
    migrated,
    migration,
    owner_of,
    without_others,
)
from kploy.model.app import LABEL, STATE_OF

OURS = "kploy-shop-1"


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **more}


def live(*managed: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a", "resourceVersion": "7", "managedFields": list(managed), **metadata}}


DATA: dict[str, Any] = {"f:data": {"f:a": {}}}
MORE: dict[str, Any] = {"f:data": {"f:b": {}}}
BOTH: dict[str, Any] = {"f:data": {"f:a": {}, "f:b": {}}}


def test_what_several_tools_own_becomes_one_entry_of_ours() -> None:
    body = live(entry("kubectl-client-side-apply", DATA), entry("helm", MORE, "Apply"))
    assert merged(body, OURS) == [entry(OURS, BOTH, "Apply")]
    assert makers_of(body, OURS) == ("helm", "kubectl-client-side-apply")


def test_what_is_ours_already_is_kept_in_the_same_entry() -> None:
    body = live(entry(OURS, DATA, "Apply"), entry("kapp", MORE))
    assert merged(body, OURS) == [entry(OURS, BOTH, "Apply")]


def test_controllers_people_and_subresources_are_left_alone() -> None:
    others = (
        entry("kube-controller-manager", DATA),
        entry("kubectl-annotate", DATA),
        entry("kubectl", DATA, subresource="scale"),
        entry(OURS, DATA, "Apply", subresource="status"),
    )
    body = live(*others)
    assert merged(body, OURS) == list(others)
    assert migration(body, OURS) == ()


def test_an_entry_in_another_version_is_dropped() -> None:
    body = live(
        entry("helm", DATA, time="2026-01-02T00:00:00Z"),
        entry("kapp", MORE, apiVersion="v2", time="2026-01-01T00:00:00Z"),
    )
    assert merged(body, OURS) == [entry(OURS, DATA, "Apply", time="2026-01-02T00:00:00Z")]


def test_the_patch_holds_for_one_version_and_takes_last_applied_away() -> None:
    fields: dict[str, Any] = {"f:metadata": {"f:annotations": {".": {}, f"f:{LAST_APPLIED}": {}}}}
    body = live(entry("kubectl-client-side-apply", fields), annotations={LAST_APPLIED: "{}", "a": "b"})
    left = entry(OURS, {"f:metadata": {"f:annotations": {".": {}}}}, "Apply")
    assert migration(body, OURS) == (
        {"op": "replace", "path": "/metadata/managedFields", "value": [left]},
        {"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
    )
    assert migrated(body, OURS)["metadata"]["annotations"] == {"a": "b"}
    assert migration(migrated(body, OURS), OURS) == ()


def test_items_of_lists_go_with_the_last_who_owned_them() -> None:
    one, other = 'k:{"name":"one"}', 'k:{"name":"other"}'
    items: dict[str, Any] = {one: {".": {}, "f:name": {}, "f:x": {}}, other: {".": {}, "f:name": {}}}
    theirs: dict[str, Any] = {"f:spec": {"f:list": items}}
    ours: dict[str, Any] = {"f:spec": {"f:list": {one: {".": {}, "f:name": {}}}}}
    before = live(entry("helm", theirs))
    answer = {
        **live(entry(OURS, ours, "Apply"), entry("helm", theirs)),
        "spec": {"list": [{"name": "one", "x": 1, "y": 2}, {"name": "other"}]},
    }
    after = without_others(answer, before, OURS)
    assert after["spec"] == {"list": [{"name": "one", "y": 2}]}
    assert after["metadata"]["managedFields"] == [entry(OURS, ours, "Apply")]


def test_another_kploy_apps_state_and_what_controllers_make_may_not_be_taken() -> None:
    refused = [
        live(labels={LABEL: "other-2"}),
        live(labels={STATE_OF: "other-2"}),
        live(ownerReferences=[{"kind": "ReplicaSet", "name": "web-1", "controller": True}]),
    ]
    assert [owner_of(body, OURS).may_be_taken for body in refused] == [False, False, False]
    assert owner_of(live(), OURS) == Owner("")
    assert owner_of(live(entry("terraform-provider-helm_v2", {})), OURS) == Owner("it was made by Helm")


JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["f:a", "a", ".", "k:{"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(max_examples=40)
@given(JUNK, JUNK)
def test_a_malformed_object_is_no_fault(fields: Any, metadata: Any) -> None:
    body = {"metadata": {"managedFields": [entry("helm", fields), metadata], "labels": metadata}, "a": fields}
    owner_of(body, OURS)
    migration(body, OURS)
    without_others(body, body, OURS)
