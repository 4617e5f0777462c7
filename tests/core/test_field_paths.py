"""kubectl's JSONPath, as far as kploy reads it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.field_paths import Illegible, leading_path, path_of, spelled

BODY: dict[str, Any] = {
    "metadata": {"annotations": {"acme.io/tier": "gold", "it's": "here"}, "finalizers": ["a", "b"]},
    "status": {
        "phase": "Running",
        "replicas": 3,
        "share": 0.5,
        "paused": False,
        "nothing": None,
        "conditions": [
            {"type": "Ready", "status": "True", "n": 1},
            {"type": "Synced", "status": "False", "n": 2, "last": True},
        ],
        "zones": {"a": {"ready": 1}, "b": {"ready": 2}},
    },
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{.status.phase}", ["Running"]),
        (".status.phase", ["Running"]),
        ("{ .status.phase }", ["Running"]),
        ("$.status.phase", ["Running"]),
        ("{$['status']['phase']}", ["Running"]),
        (r".metadata.annotations.acme\.io/tier", ["gold"]),
        (r".metadata.annotations['acme\.io/tier']", ["gold"]),
        (".metadata.annotations['acme.io/tier']", ["gold"]),
        ('.metadata.annotations["it\'s"]', ["here"]),
        (r".metadata.annotations['it\'s']", ["here"]),
        (".status.conditions[0].type", ["Ready"]),
        (".status.conditions[-1].type", ["Synced"]),
        (".status.conditions[2].type", []),
        (".status.conditions[*].status", ["True", "False"]),
        (".status.zones.*.ready", [1, 2]),
        (".status.zones[*].ready", [1, 2]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type == 'Ready')].status", ["True"]),
        (".status.conditions[?(@.type!='Ready')].status", ["False"]),
        (".status.conditions[?(@.n==2)].type", ["Synced"]),
        (".status.conditions[?(@.last)].type", ["Synced"]),
        (".status.conditions[?(@.last==true)].type", ["Synced"]),
        (".status.conditions[?(@.last!=false)].type", ["Synced"]),
        (".metadata.finalizers[?(@=='b')]", ["b"]),
        (".status.nothing", []),
        (".status.phase.deeper", []),
        (".status.phase[0]", []),
        (".status.phase[*]", []),
        (".status.zones[?(@.ready==1)]", []),
        (".status.conditions.type", []),
        (".nowhere.at.all", []),
    ],
)
def test_a_path_leads_to_these_values(text: str, values: list[Any]) -> None:
    assert list(path_of(text).values(BODY)) == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a path begins with a dot, as `.status`, not with ``"),
        ("status.phase", "a path begins with a dot, as `.status`, not with `status.phase`"),
        ("{.status", "the brace is not closed"),
        ("{.status} {.spec}", "` {.spec}` is not understood"),
        (".status.", "it ends with a dot"),
        (".status[]", "`[]` is not understood: there are [0], [*], ['key'] and filters"),
        (".status[0:2]", "`[0:2]` is not understood: there are [0], [*], ['key'] and filters"),
        (".status['a','b']", "`['a','b']` is not understood: there are [0], [*], ['key'] and filters"),
        ("..phase", "`..` is not understood: write the whole way"),
        (".status.a b", "` b` is not understood"),
        (".c[?(@.n>1)]", 'a filter is written [?(@.key=="value")], with == or !=, or [?(@.key)]'),
        (".c[?(@.a==b)]", 'a filter is written [?(@.key=="value")], with == or !=, or [?(@.key)]'),
        (".c[?(@)]", 'a filter is written [?(@.key=="value")], with == or !=, or [?(@.key)]'),
        (".c[?(@.a=='x' && @.b)]", 'a filter is written [?(@.key=="value")], with == or !=, or [?(@.key)]'),
        ("{range .items[*]}", "a path begins with a dot, as `.status`, not with `range .items[*]}`"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(Illegible) as refused:
        path_of(text)
    assert str(refused.value) == why


def test_what_comes_after_a_path_is_given_back() -> None:
    path, rest = leading_path("{.status.phase} = Running")
    assert (path.text, rest) == (".status.phase", " = Running")
    path, rest = leading_path('.c[?(@.a=="=")].b=x')
    assert (path.text, rest) == ('.c[?(@.a=="=")].b', "=x")


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (3, "3"), (0.5, "0.5"), ("True", "True"), ([1], None), ({}, None), (1 << 63, None)],
)
def test_values_are_spelled_as_kubectl_compares_them(value: Any, text: str | None) -> None:
    assert spelled(value) == text


KEYS = st.text(st.sampled_from("aB0_-/. '\"\\]["), min_size=1, max_size=6)
JSON = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def written(steps: list[str | int]) -> str:
    """A way as a path: every key in quotes."""
    quoted = (step if isinstance(step, int) else "'" + _escaped(step) + "'" for step in steps)
    return "{" + "".join(f"[{each}]" for each in quoted) + "}"


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace("'", "\\'")


@given(st.data(), JSON)
def test_whatever_way_leads_to_a_value_is_found_by_its_path(data: st.DataObject, body: Any) -> None:
    value: Any = body
    steps: list[str | int] = []
    while isinstance(value, list | dict) and value:
        inside = value if isinstance(value, dict) else dict(enumerate(value))
        steps.append(data.draw(st.sampled_from(list(inside))))
        value = inside[steps[-1]]
    found = path_of(written(steps)).values(body) if steps else ()
    assert list(map(repr, found)) == ([repr(value)] if steps and value is not None else [])


@given(st.text(st.sampled_from(".[]{}()?@*$=!'\"\\a1 -"), max_size=20), JSON)
def test_no_text_and_no_object_is_too_strange(text: str, body: Any) -> None:
    try:
        path, _ = leading_path(text)
    except Illegible:
        return
    assert isinstance(path.values(body), tuple)
