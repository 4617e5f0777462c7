from __future__ import annotations

import copy
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kploy.core.rehearsal import STAGE, in_own_words, on_stage

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


def body_of(name: str, namespace: str = "shop") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"a": "b"}},
        "data": {"key": "value"},
    }


def test_only_name_and_namespace_are_other_on_stage() -> None:
    staged = on_stage(body_of("web"))
    name = staged["metadata"]["name"]
    assert staged == {**body_of("web"), "metadata": {"name": name, "namespace": STAGE, "labels": {"a": "b"}}}


@given(NAMES, NAMES)
def test_a_rehearsed_name_is_a_label_whatever_the_name(name: str, namespace: str) -> None:
    body = body_of(name, namespace)
    before = copy.deepcopy(body)
    staged = on_stage(body)["metadata"]["name"]
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", staged)
    assert body == before
    assert staged == on_stage(body)["metadata"]["name"]


@given(st.lists(st.tuples(NAMES, NAMES), min_size=2, max_size=2, unique=True))
def test_two_objects_have_two_names_on_stage(objects: list[tuple[str, str]]) -> None:
    one, other = (on_stage(body_of(name, namespace))["metadata"]["name"] for name, namespace in objects)
    assert one != other


@given(NAMES)
def test_what_the_server_says_of_a_rehearsed_object_names_the_real_one(name: str) -> None:
    body = body_of(name)
    staged = on_stage(body)["metadata"]["name"]
    said = f'ConfigMap "{staged}" is invalid: metadata.name: Invalid value: "{staged}": no'
    assert in_own_words(said, body) == f'ConfigMap "{name}" is invalid: metadata.name: Invalid value: "{name}": no'
