"""Field changes: exact, aligned as the server merges lists, and without noise."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.differences import by_telling, content, differences
from kploy.model.objects import JsonPath
from kploy.model.plan import Edit, FieldChange

Row = tuple[str, Edit, Any, Any]


def rows(live: dict[str, Any], answer: dict[str, Any]) -> list[Row]:
    return [(change.name, change.edit, change.before, change.after) for change in differences(live, answer)]


def pods(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "spec": {"template": {"spec": {"containers": list(containers), **spec}}}}


WEB = {"name": "web", "image": "acme/web:1.4"}
SIDE = {"name": "side", "image": "acme/side:1"}
IN_PODS = "spec.template.spec"


def test_a_field_of_a_container_is_named_by_the_containers_name() -> None:
    assert rows(pods(WEB), pods({**WEB, "image": "acme/web:1.5"})) == [
        (f"{IN_PODS}.containers[web].image", Edit.CHANGED, "acme/web:1.4", "acme/web:1.5")
    ]


def test_a_container_put_before_another_is_one_addition() -> None:
    (change,) = differences(pods(WEB), pods(SIDE, WEB))
    assert change == FieldChange(
        ("spec", "template", "spec", "containers", 0),
        f"{IN_PODS}.containers[side]",
        "containers[side]",
        Edit.ADDED,
        after=SIDE,
    )


def test_a_variable_put_in_between_is_one_addition_and_a_reference_that_moves_is_told() -> None:
    a, b, c = ({"name": name, "value": "1"} for name in "abc")
    assert rows(pods({**WEB, "env": [a, c]}), pods({**WEB, "env": [a, b, c]})) == [
        (f"{IN_PODS}.containers[web].env[b]", Edit.ADDED, None, b)
    ]
    assert rows(pods({**WEB, "env": [a, b, c]}), pods({**WEB, "env": [c, a]})) == [
        (f"{IN_PODS}.containers[web].env", Edit.REORDERED, ["a", "c"], ["c", "a"]),
        (f"{IN_PODS}.containers[web].env[b]", Edit.REMOVED, b, None),
    ]


def test_ports_go_by_number_and_protocol_and_mounts_by_path() -> None:
    tcp, udp = ({"containerPort": 53, "protocol": protocol} for protocol in ("TCP", "UDP"))
    mount = {"name": "data", "mountPath": "/data"}
    before = pods({**WEB, "ports": [tcp], "volumeMounts": [mount]})
    after = pods({**WEB, "ports": [udp, {**tcp, "name": "dns"}], "volumeMounts": [{**mount, "readOnly": True}]})
    assert rows(before, after) == [
        (f"{IN_PODS}.containers[web].ports[53].name", Edit.ADDED, None, "dns"),
        (f"{IN_PODS}.containers[web].ports[53/UDP]", Edit.ADDED, None, udp),
        (f"{IN_PODS}.containers[web].volumeMounts[/data].readOnly", Edit.ADDED, None, True),
    ]


def test_ports_of_a_service_go_by_their_own_number() -> None:
    before = {"kind": "Service", "spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]}}
    after = {"kind": "Service", "spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}]}}
    assert rows(before, after) == [("spec.ports[80].targetPort", Edit.CHANGED, 80, 8080)]


def test_other_lists_keep_what_is_equal_in_its_order() -> None:
    before, after = {"spec": {"args": ["a", "b", "c"]}}, {"spec": {"args": ["a", "x", "b", "y"]}}
    assert rows(before, after) == [
        ("spec.args[3]", Edit.CHANGED, "c", "y"),
        ("spec.args[1]", Edit.ADDED, None, "x"),
    ]


def test_one_item_more_in_a_long_list_is_one_addition() -> None:
    long = [f"10.0.{number}.0/24" for number in range(1000)]
    assert rows({"spec": {"x": long}}, {"spec": {"x": [*long[:9], "new", *long[9:]]}}) == [
        ("spec.x[9]", Edit.ADDED, None, "new")
    ]


def test_items_that_share_a_name_are_told_apart_by_their_place() -> None:
    twice = [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]
    assert rows({"spec": {"env": twice}}, {"spec": {"env": [*twice, {"name": "a", "value": "3"}]}}) == [
        ("spec.env[2]", Edit.ADDED, None, {"name": "a", "value": "3"})
    ]


def test_keys_that_are_no_words_stand_in_brackets() -> None:
    before = {"kind": "ConfigMap", "data": {"app.properties": "a"}, "metadata": {"annotations": {"a.b/c": "1"}}}
    after = {"kind": "ConfigMap", "data": {"app.properties": "b"}, "metadata": {"annotations": {}}}
    changes = differences(before, after)
    assert [(change.name, change.label) for change in changes] == [
        ("data[app.properties]", "app.properties"),
        ("metadata.annotations[a.b/c]", "a.b/c"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": {"ready": 2}},
        {"apiVersion": "apps/v1", "kind": "Deployment"},
        {"metadata": {"resourceVersion": "2", "generation": 3, "managedFields": [{"manager": "x"}]}},
    ],
)
def test_what_the_server_keeps_for_itself_is_no_difference(answer: dict[str, Any]) -> None:
    assert differences({"status": {"ready": 1}, "metadata": {"resourceVersion": "1"}}, answer) == ()


def test_a_label_is_as_long_as_it_must_be_to_be_the_only_one() -> None:
    before = pods({**WEB, "env": [{"name": "A", "value": "1"}]}, SIDE)
    after = pods({**WEB, "image": "x", "env": [{"name": "A", "value": "2"}]}, {**SIDE, "image": "y"})
    assert [change.label for change in differences(before, after)] == [
        "containers[web].image",
        "env[A].value",
        "containers[side].image",
    ]


def test_images_come_first_then_replicas_then_what_else_is_of_the_pods() -> None:
    before = {**pods(WEB), "metadata": {"labels": {"a": "1"}}}
    after = {**pods({**WEB, "image": "x", "tty": True}), "metadata": {"labels": {"a": "2"}}}
    after["spec"]["replicas"] = 2
    assert [change.label for change in by_telling(differences(before, after))] == ["image", "replicas", "tty", "a"]


@pytest.mark.parametrize("body", [{}, {"spec": None}, {"metadata": []}, {"data": [None, {1: 2}]}, {"env": [1]}])
def test_bodies_of_any_shape_can_be_compared(body: dict[str, Any]) -> None:
    other = {"spec": {"a": [1]}, "metadata": {"labels": 3}, "data": [[], "x"], "env": [{"name": None}]}
    assert done(body, differences(body, other)) == content(other)
    assert done(other, differences(other, body)) == content(body)


def test_what_lies_too_deep_is_compared_without_being_shown() -> None:
    deep: Any = "a"
    other: Any = "b"
    for _ in range(300):
        deep, other = {"x": deep}, {"x": other}
    (change,) = differences({"spec": deep}, {"spec": other})
    assert (change.edit, change.masked) == (Edit.CHANGED, True)


# Names of fields and of items, so that hypothesis finds lists that are merged.
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "c"])
NAMES = st.sampled_from(["name", "image", "env", "ports", "containers", "port", "args", "x"])
ITEMS = st.fixed_dictionaries({"name": st.sampled_from("abcd")}, optional={"x": SCALARS})
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.lists(ITEMS, max_size=4) | st.dictionaries(NAMES, inner),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(["spec", "data", "metadata", "status", "kind"]), VALUES)


@given(BODIES, BODIES)
def test_the_changes_done_to_the_live_object_give_the_answer(live: dict[str, Any], answer: dict[str, Any]) -> None:
    changes = differences(live, answer)
    assert done(live, changes) == content(answer)
    assert len({(change.path, change.edit) for change in changes}) == len(changes)
    assert [change for change in changes if not change.name.rstrip("]").endswith(change.label.rstrip("]"))] == []


@given(BODIES)
def test_nothing_differs_from_itself(body: dict[str, Any]) -> None:
    assert differences(body, deepcopy(body)) == ()


def done(live: dict[str, Any], changes: tuple[FieldChange, ...]) -> dict[str, Any]:
    """What ``changes`` make of ``live``: from the outermost to the innermost.

    Of each list first go the items that are removed, by their indices in the live one;
    then the rest is put in its new order, and what is new in at its index.
    """
    body: Any = deepcopy(content(live))
    for depth in range(max((len(change.path) for change in changes), default=0) + 1):
        for edit in (Edit.REMOVED, Edit.REORDERED, Edit.ADDED, Edit.CHANGED):
            # A list is put in order before anything is put into it.
            length = depth if edit is Edit.REORDERED else depth + 1
            now = [change for change in changes if change.edit is edit and len(change.path) == length]
            for change in sorted(now, key=_place, reverse=edit is Edit.REMOVED):
                _do(body, change)
    return dict(body)


def _place(change: FieldChange) -> list[str]:
    return [f"{step:09}" if isinstance(step, int) else step for step in change.path]


def _do(body: Any, change: FieldChange) -> None:
    if change.edit is Edit.REORDERED:
        items = at(body, change.path)
        items[:] = [items[change.before.index(name)] for name in change.after]
        return
    parent, last = at(body, change.path[:-1]), change.path[-1]
    if change.edit is Edit.REMOVED:
        del parent[last]
    elif change.edit is Edit.ADDED and isinstance(parent, list):
        assert isinstance(last, int)
        parent.insert(last, deepcopy(change.after))
    else:
        parent[last] = deepcopy(change.after)


def at(body: Any, path: JsonPath) -> Any:
    for step in path:
        body = body[step]
    return body
