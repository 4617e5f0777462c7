from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.changes import action_for
from kploy.model.plan import Action


def live(**changed: Any) -> dict[str, Any]:
    """An object as the API server gives it, with ``changed`` parts of its metadata or body."""
    metadata = {
        "name": "web",
        "uid": "1",
        "resourceVersion": "10",
        "generation": 1,
        "labels": {"app": "web"},
        "managedFields": [
            {"manager": "kploy-shop", "operation": "Apply", "time": "t1", "fieldsV1": {"f:spec": {}}},
            {"manager": "controller", "operation": "Update", "subresource": "status", "time": "t2"},
        ],
    }
    body: dict[str, Any] = {"spec": {"replicas": 2}, "status": {"ready": 1}, "metadata": metadata}
    for key, value in changed.items():
        (metadata if key in metadata or key == "annotations" else body)[key] = value
    return body


OURS = {"manager": "kploy-shop", "operation": "Apply", "time": "t9", "fieldsV1": {"f:spec": {}}}


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        (live(), Action.UNCHANGED),
        (live(apiVersion="apps/v1", kind="Deployment"), Action.UNCHANGED),
        (live(status={"ready": 2}), Action.UNCHANGED),
        (live(resourceVersion="11"), Action.UNCHANGED),
        (live(generation=2), Action.UNCHANGED),
        (live(managedFields=[OURS]), Action.UNCHANGED),
        (live(managedFields=[{**OURS, "fieldsV1": {"f:spec": {"f:replicas": {}}}}]), Action.CONFIGURED),
        (live(managedFields=[{**OURS, "manager": "kubectl"}]), Action.CONFIGURED),
        (live(managedFields=[]), Action.CONFIGURED),
        (live(spec={"replicas": 3}), Action.CONFIGURED),
        (live(labels={}), Action.CONFIGURED),
        (live(annotations={"a": "b"}), Action.CONFIGURED),
        (live(data={"a": "b"}), Action.CONFIGURED),
    ],
)
def test_a_change_is_what_differs_but_for_what_the_server_keeps(answer: dict[str, Any], action: Action) -> None:
    assert action_for(live(), answer) is action
    assert action_for(answer, live()) is action


def test_what_is_not_live_is_created() -> None:
    assert action_for(None, live()) is Action.CREATED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "kind"]) | st.text(max_size=3), JSON))
def test_nothing_differs_from_itself(body: dict[str, Any]) -> None:
    assert action_for(body, body) is Action.UNCHANGED


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_in_which_owners_are_listed_is_no_change(order: list[str]) -> None:
    owners = [{"manager": name, "operation": "Apply", "fieldsV1": {f"f:{name}": {}}} for name in "abcd"]
    shuffled = [{"manager": name, "operation": "Apply", "fieldsV1": {f"f:{name}": {}}} for name in order]
    assert action_for(live(managedFields=owners), live(managedFields=shuffled)) is Action.UNCHANGED
