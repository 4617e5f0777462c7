"""Whether an apply changes nothing, told from the object alone."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.unchanged import is_unchanged

MANAGER = "kploy-shop"
PORT = 'k:{"port":80,"protocol":"TCP"}'

BODY = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {
        "selector": {"app": "web"},
        "ports": [{"port": 80, "name": "http"}],
        "externalIPs": ["198.51.100.1", "198.51.100.2"],
        "sessionAffinityConfig": {},
    },
}
OWNED = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:selector": {},
        "f:ports": {PORT: {".": {}, "f:port": {}, "f:name": {}}},
        "f:externalIPs": {'v:"198.51.100.1"': {}, 'v:"198.51.100.2"': {}},
        "f:sessionAffinityConfig": {},
    },
}
LIVE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "1",
        "labels": {"app": "web", "other": "x"},
        "managedFields": [
            {
                "manager": "kube-controller-manager",
                "operation": "Update",
                "apiVersion": "v1",
                "fieldsV1": {"f:x": {}},
            },
            {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "time": "then", "fieldsV1": OWNED},
        ],
    },
    "spec": {
        "clusterIP": "10.96.0.1",
        "selector": {"app": "web"},
        "ports": [
            {"port": 80, "name": "http", "protocol": "TCP", "targetPort": 80},
            {"port": 81, "protocol": "TCP"},
        ],
        "externalIPs": ["198.51.100.2", "198.51.100.1", "203.0.113.9"],
        "sessionAffinityConfig": {},
    },
    "status": {"loadBalancer": {}},
}


def changed(whole: dict[str, Any], path: tuple[str | int, ...], value: Any = ...) -> dict[str, Any]:
    """A copy with ``value`` at ``path``; without what is there if there is none."""
    result = copy.deepcopy(whole)
    *way, last = path
    inner: Any = result
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return result


def owned(path: tuple[str, ...], value: Any = ...) -> dict[str, Any]:
    return changed(LIVE, ("metadata", "managedFields", 1, "fieldsV1", *path), value)


def test_what_has_all_values_and_all_owners_is_unchanged() -> None:
    assert is_unchanged(BODY, LIVE, MANAGER)


@pytest.mark.parametrize(
    "live",
    [
        changed(LIVE, ("metadata", "labels", "app"), "other"),
        changed(LIVE, ("metadata", "labels", "app")),
        changed(LIVE, ("spec", "selector", "tier"), "front"),
        changed(LIVE, ("spec", "ports", 0, "name"), "https"),
        changed(LIVE, ("spec", "ports", 0)),
        changed(LIVE, ("spec", "externalIPs"), ["198.51.100.2"]),
        changed(LIVE, ("spec", "sessionAffinityConfig")),
        changed(LIVE, ("spec", "ports", 0, "port"), "80"),
        changed(LIVE, ("metadata", "managedFields", 1)),
        changed(LIVE, ("metadata", "managedFields", 1, "operation"), "Update"),
        changed(LIVE, ("metadata", "managedFields", 1, "apiVersion"), "v2"),
        changed(LIVE, ("metadata", "managedFields", 1, "subresource"), "status"),
        owned(("f:metadata",)),
        owned(("f:metadata", "f:labels", "f:gone"), {}),
        owned(("f:spec", "f:ports", PORT)),
        owned(("f:spec", "f:ports", 'k:{"port":81,"protocol":"TCP"}'), {".": {}}),
        owned(("f:spec", "f:ports", PORT, "f:targetPort"), {}),
        owned(("f:spec", "f:externalIPs", 'v:"203.0.113.9"'), {}),
        owned(("f:spec", "f:externalIPs", "v:not json"), {}),
        owned(("f:spec", "f:ports", "i:0"), {}),
        owned(("f:spec",), []),
        owned(("f:spec",), None),
    ],
)
def test_what_somebody_has_changed_is_not(live: dict[str, Any]) -> None:
    assert not is_unchanged(BODY, live, MANAGER)


@pytest.mark.parametrize(
    "body",
    [
        changed(BODY, ("spec", "ports", 0, "port"), 81),
        changed(BODY, ("spec", "ports", 0, "targetPort"), 80),
        changed(BODY, ("spec", "ports", 0, "protocol"), "UDP"),
        changed(BODY, ("spec", "ports"), [{"port": 80, "name": "http"}, {"port": 80, "name": "http"}]),
        changed(BODY, ("spec", "externalIPs", 0), "203.0.113.9"),
        changed(BODY, ("spec", "externalIPs"), ["198.51.100.1"]),
        changed(BODY, ("spec", "type"), "ClusterIP"),
        changed(BODY, ("spec", "clusterIP"), None),
        changed(BODY, ("spec", "selector")),
        changed(BODY, ("metadata", "labels"), {}),
        changed(BODY, ("metadata", "labels")),
        changed(BODY, ("metadata", "annotations"), {"a": "b"}),
        changed(BODY, ("status",), {}),
        changed(BODY, ("apiVersion",), "v2"),
        changed(BODY, ("kind",), "Sidecar"),
    ],
)
def test_what_the_manifest_says_otherwise_is_not(body: dict[str, Any]) -> None:
    assert not is_unchanged(body, LIVE, MANAGER)


def test_what_others_have_added_is_theirs() -> None:
    assert is_unchanged(BODY, changed(LIVE, ("metadata", "annotations"), {"seen": "today"}), MANAGER)
    assert is_unchanged(BODY, changed(LIVE, ("spec", "type"), "NodePort"), MANAGER)


def test_a_default_that_is_written_out_is_owned_where_it_is_the_manifests() -> None:
    said = changed(BODY, ("spec", "ports", 0, "protocol"), "TCP")
    assert not is_unchanged(said, LIVE, MANAGER)
    assert is_unchanged(said, owned(("f:spec", "f:ports", PORT, "f:protocol"), {}), MANAGER)


keys = st.text("abc", min_size=1, max_size=2)
values = st.recursive(
    st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2) | st.lists(st.integers(0, 2), max_size=2),
    lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3),
    max_leaves=6,
)
maps = st.dictionaries(keys, values, max_size=3)


def fields_of(value: Any) -> dict[str, Any]:
    """What an apply of ``value`` owns, where all maps are granular and all lists atomic."""
    return {f"f:{key}": fields_of(inner) for key, inner in value.items()} if isinstance(value, dict) else {}


def merged(live: Any, wanted: Any) -> Any:
    if not isinstance(live, dict) or not isinstance(wanted, dict):
        return wanted
    return {**live, **{key: merged(live.get(key), value) for key, value in wanted.items()}}


@given(maps, maps.filter(bool), maps)
def test_an_apply_that_is_said_to_change_nothing_changes_nothing(
    wanted: dict[str, Any], applied: dict[str, Any], others: dict[str, Any]
) -> None:
    """Server-side apply in few words: what was applied before goes, what is applied now comes, all else stays."""
    spec = merged(others, applied)
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1"}
    live = {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {"managedFields": [{**entry, "fieldsV1": {"f:spec": fields_of(applied)}}]},
        "spec": spec,
    }
    body = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": wanted}
    is_no_change = fields_of(wanted) == fields_of(applied) and merged(spec, wanted) == spec
    same = json.dumps(merged(spec, wanted), sort_keys=True) == json.dumps(spec, sort_keys=True)
    assert is_unchanged(body, live, MANAGER) <= (is_no_change and same)


@given(maps.filter(bool), maps)
def test_what_was_just_applied_is_unchanged(wanted: dict[str, Any], others: dict[str, Any]) -> None:
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1"}
    live = {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {"managedFields": [{**entry, "fieldsV1": {"f:spec": fields_of(wanted)}}]},
        "spec": merged(others, wanted),
    }
    body = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": wanted}
    assert is_unchanged(body, live, MANAGER)


@pytest.mark.parametrize("odd", [None, [], "x", {"metadata": []}, {"metadata": {"managedFields": [1, None]}}])
def test_what_cannot_be_read_is_asked_for(odd: Any) -> None:
    assert not is_unchanged(BODY, odd, MANAGER)


def test_what_lies_too_deep_is_asked_for() -> None:
    wanted: dict[str, Any] = {"x": 1}
    for _ in range(200):
        wanted = {"x": wanted}
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields_of(wanted)}
    live = {"apiVersion": "v1", "kind": "Thing", "metadata": {"managedFields": [entry]}, **wanted}
    assert not is_unchanged({"apiVersion": "v1", "kind": "Thing", **wanted}, live, MANAGER)
