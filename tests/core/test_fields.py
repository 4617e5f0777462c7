from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.fields import path_of
from kploy.model.objects import JsonPath

WEB = {
    "metadata": {"annotations": {"example.com/a.b": "x", "example.com/a": "y"}, "finalizers": ["one", "two"]},
    "spec": {
        "ports": [{"port": 80}, {"port": 80, "protocol": "UDP", "name": "a,b=c"}, {"port": 443}],
        "containers": [{"name": "web", "imagee": "x"}],
    },
}


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("", ()),
        ("spec", ("spec",)),
        (".spec", ("spec",)),
        ("spec.ports[2].port", ("spec", "ports", 2, "port")),
        ('.spec.containers[name="web"].imagee', ("spec", "containers", 0, "imagee")),
        ('.spec.ports[port=80,protocol="UDP"].name', ("spec", "ports", 1, "name")),
        # The server fills in the default protocol, which the manifest leaves out.
        ('.spec.ports[port=443,protocol="TCP"].port', ("spec", "ports", 2, "port")),
        ("metadata.annotations.example.com/a.b", ("metadata", "annotations", "example.com/a.b")),
        ("metadata.annotations[example.com/a]", ("metadata", "annotations", "example.com/a")),
        ('metadata.annotations["example.com/a.b"]', ("metadata", "annotations", "example.com/a.b")),
        # As far as the body has it.
        ("spec.ports[0].nodePort", ("spec", "ports", 0)),
        ("spec.ports[7].port", ("spec", "ports")),
        ('.spec.containers[name="db"].image', ("spec", "containers")),
        ("spec.template.spec", ("spec",)),
        ("metadata.finalizers[1]", ("metadata", "finalizers", 1)),
        ('.metadata.finalizers[="two"]', ("metadata", "finalizers")),
        ("spec.ports[²]", ("spec", "ports")),
        ("spec.ports[" + "9" * 5000 + "]", ("spec", "ports")),
        ("<nil>", ()),
    ],
)
def test_a_field_in_the_servers_notation_is_found_in_the_body(field: str, path: JsonPath) -> None:
    assert path_of(field, WEB) == path


KEYS = st.from_regex(r"[a-z]{1,3}([./][a-z]{1,2}){0,2}", fullmatch=True)


def is_plain(keys: Any) -> bool:
    """Whether no key is the beginning of another one, up to a dot: then a path can be read in one way only."""
    return not any(other.startswith(f"{key}.") for key in keys for other in keys)


def bodies() -> st.SearchStrategy[dict[str, Any]]:
    values = st.recursive(
        st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3).filter(is_plain),
        max_leaves=8,
    )
    return st.dictionaries(KEYS, values, min_size=1, max_size=3).filter(is_plain)


def paths(value: Any, way: JsonPath = ()) -> list[JsonPath]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(path for step, inner in steps for path in paths(inner, (*way, step)))]


def rendered(path: JsonPath, key: str) -> str:
    """As field.Path of apimachinery writes it; ``key`` is how it writes the key of a map."""
    return "".join(f"[{step}]" if isinstance(step, int) else key.format(step) for step in path)


@given(data=st.data(), body=bodies(), key=st.sampled_from([".{}", "[{}]", '["{}"]']))
def test_every_path_is_found_again_by_its_name(key: str, data: st.DataObject, body: dict[str, Any]) -> None:
    path = data.draw(st.sampled_from(paths(body)))
    assert path_of(rendered(path, key), body) == path
    assert path_of(rendered(path, key).removeprefix("."), body) == path


ODD = st.text(alphabet='ab0²٣.[]="/,: -', max_size=20) | st.text(max_size=20) | st.just("spec[" + "9" * 5000 + "]")


@given(ODD, bodies(), st.sampled_from(["", "spec.", "spec.ports", "metadata.annotations"]))
def test_whatever_the_server_says_the_path_exists_in_the_body(
    field: str, body: dict[str, Any], start: str
) -> None:
    for within in (body, WEB):
        value: Any = within
        for step in path_of(start + field, within):
            value = value[step]
