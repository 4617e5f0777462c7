from __future__ import annotations

from typing import Any

import pytest

from kploy.core.replicas import autoscaled, is_in_doubt, left_to_autoscaler
from kploy.model.objects import ObjectRef

OURS = "kploy-shop"
SCALER = ("kube-controller-manager", "scale")


def live(replicas: int, *owners: tuple[str, str]) -> dict[str, Any]:
    entries = [
        {"manager": manager, "subresource": subresource, "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        for manager, subresource in owners
    ]
    return {"metadata": {"managedFields": entries}, "spec": {"replicas": replicas}}


def wanted(**spec: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "spec": {**spec, "paused": False}}


@pytest.mark.parametrize("own", [{"replicas": 3}, {}])
@pytest.mark.parametrize(
    ("owners", "sent"),
    [
        ([(OURS, "")], {"replicas": 5}),
        ([SCALER], {}),
        ([(OURS, ""), SCALER], {}),
        ([("kubectl", "scale")], {}),
        ([], {}),
    ],
)
def test_the_number_is_sent_as_it_is_live_until_somebody_else_owns_it(
    own: dict[str, int], owners: list[tuple[str, str]], sent: dict[str, int]
) -> None:
    body = wanted(**own)
    assert left_to_autoscaler(body, live(5, *owners), OURS) == wanted(**sent)
    assert body == wanted(**own)


@pytest.mark.parametrize(
    ("body", "owners", "doubt"),
    [
        (wanted(replicas=3), [(OURS, "")], False),
        (wanted(replicas=3), [SCALER], True),
        (wanted(replicas=3), [("kubectl", "scale")], False),
        (wanted(), [(OURS, "")], True),
        (wanted(), [SCALER], False),
        (wanted(), [], False),
    ],
)
def test_others_autoscalers_are_asked_for_only_where_it_matters(
    body: dict[str, Any], owners: list[tuple[str, str]], doubt: bool
) -> None:
    assert is_in_doubt(body, live(3, *owners), OURS) is doubt


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, [("apps", "Deployment")]),
        ({"kind": "ReplicationController", "name": "web", "apiVersion": "v1"}, [("", "ReplicationController")]),
        ({"apiVersion": "acme.io/v1", "kind": "Thing", "name": "web"}, []),
        (None, []),
        ([], []),
    ],
)  # fmt: skip
def test_an_autoscaler_scales_its_target(target: Any, found: list[tuple[str, str]]) -> None:
    scaled = list(autoscaled([{"spec": {"scaleTargetRef": target}}], "shop"))
    assert scaled == [ObjectRef(*kind, "shop", "web") for kind in found]


@pytest.mark.parametrize(
    "junk", [None, [], "x", {"metadata": {"managedFields": [1, {"fieldsV1": []}]}, "spec": []}]
)
def test_a_malformed_live_object_makes_no_trouble(junk: Any) -> None:
    assert left_to_autoscaler({"spec": {"replicas": 1}}, junk, OURS) == {"spec": {}}
    assert not is_in_doubt({"spec": None}, junk, OURS)
