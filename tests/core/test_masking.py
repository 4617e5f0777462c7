"""What may be secret is masked before anything is made of it, and told as changed all the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.differences import differences
from kploy.core.masking import MASK, revealed, sealed
from kploy.model.plan import Edit


def shown(live: dict[str, Any], answer: dict[str, Any]) -> list[tuple[str, Edit, Any, Any, bool]]:
    return [(c.name, c.edit, c.before, c.after, c.masked) for c in differences(live, answer)]


def config(**data: Any) -> dict[str, Any]:
    return {"kind": "ConfigMap", "data": data}


def secret(**data: str) -> dict[str, Any]:
    return {"kind": "Secret", "type": "Opaque", "data": data}


def pod(*env: dict[str, Any], **container: Any) -> dict[str, Any]:
    return {"kind": "Pod", "spec": {"containers": [{"name": "web", "env": list(env), **container}]}}


def test_of_a_secret_the_keys_are_named_and_no_value() -> None:
    before, after = secret(a="aHVudGVyMg==", b="eA=="), secret(a="aHVudGVyMw==", c="eA==")
    assert shown(before, after) == [
        ("data.a", Edit.CHANGED, MASK, MASK, True),
        ("data.c", Edit.ADDED, None, MASK, True),
        ("data.b", Edit.REMOVED, MASK, None, True),
    ]


def test_a_secret_without_any_data_before_shows_the_keys_it_gets() -> None:
    assert shown({"kind": "Secret"}, {"kind": "Secret", "data": {"a": "eA=="}, "type": "Opaque"}) == [
        ("data", Edit.ADDED, None, {"a": MASK}, True),
        ("type", Edit.ADDED, None, "Opaque", False),
    ]


def test_what_names_and_sorts_a_secret_is_shown_and_its_annotations_are_not() -> None:
    before = {**secret(), "metadata": {"labels": {"a": "1"}, "annotations": {"a": "1"}}}
    after = {**secret(), "metadata": {"labels": {"a": "2"}, "annotations": {"a": "2"}}}
    assert shown(before, after) == [
        ("metadata.labels.a", Edit.CHANGED, "1", "2", False),
        ("metadata.annotations.a", Edit.CHANGED, MASK, MASK, True),
    ]


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "API_KEY", "TOKEN", "clientSecret", "KEY", "SECRET_KEY_BASE", "pgpass_pwd", "AUTH"]
)
def test_what_is_called_like_a_secret_is_masked_in_environments_and_config_maps(name: str) -> None:
    before, after = ({"name": name, "value": value} for value in ("hunter2", "hunter3"))
    assert shown(pod(before), pod(after)) == [
        (f"spec.containers[web].env[{name}].value", Edit.CHANGED, MASK, MASK, True)
    ]
    assert shown(config(**{name: "hunter2"}), config(**{name: "hunter3"})) == [
        (f"data.{name}", Edit.CHANGED, MASK, MASK, True)
    ]


@pytest.mark.parametrize("name", ["KEYBOARD", "COLOUR", "MONKEY", "AUTHOR", "COMPASS_URL"])
def test_what_only_looks_a_little_like_it_is_not(name: str) -> None:
    assert shown(config(**{name: "1"}), config(**{name: "2"})) == [(f"data.{name}", Edit.CHANGED, "1", "2", False)]


@pytest.mark.parametrize(
    "value",
    [
        "postgres://shop:hunter2@db/shop",
        "--token=hunter2",
        '{"password": "hunter2"}',
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_value_that_has_a_secret_in_it_is_masked_whatever_it_is_called(value: str) -> None:
    assert shown(config(x="a"), config(x=value)) == [("data.x", Edit.CHANGED, "a", MASK, True)]
    args = shown(pod(args=["a"]), pod(args=[value]))
    assert args == [("spec.containers[web].args[0]", Edit.CHANGED, "a", MASK, True)]


def test_what_follows_a_flag_for_a_secret_is_masked() -> None:
    before, after = pod(args=["--db-password", "hunter2"]), pod(args=["--db-password", "hunter3"])
    assert shown(before, after) == [("spec.containers[web].args[1]", Edit.CHANGED, MASK, MASK, True)]


def test_of_a_file_only_the_lines_with_a_secret_are_masked() -> None:
    before, after = config(f="a=1\npassword=hunter2\n"), config(f="a=2\npassword=hunter3\n")
    assert shown(before, after) == [
        ("data.f", Edit.CHANGED, f"a=1\n{MASK}\n", f"a=2\n{MASK}\n", True),
    ]


def test_the_copy_that_kubectl_keeps_of_an_object_is_masked() -> None:
    copy = "kubectl.kubernetes.io/last-applied-configuration"
    before = {"kind": "Deployment", "metadata": {"annotations": {copy: "{}"}}}
    assert shown(before, {"kind": "Deployment"}) == [
        ("metadata.annotations", Edit.REMOVED, {copy: MASK}, None, True)
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"image": "acme/token:1.4"},
        {"secretName": "login"},
        {"topologyKey": "zone"},
        {"automountServiceAccountToken": False},
        {"valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
        {"tokenExpirationSeconds": 3600},
    ],
)
def test_names_of_secrets_are_no_secrets(spec: dict[str, Any]) -> None:
    assert revealed(sealed({"spec": spec}, "Deployment")) == {"spec": spec}


def test_a_custom_resource_may_have_a_password() -> None:
    body = {"spec": {"password": "hunter2", "adminToken": "x", "size": 3}}
    assert revealed(sealed(body, "Database")) == {"spec": {"password": MASK, "adminToken": MASK, "size": 3}}


VALUES = st.text("hunter2=\n", min_size=8).map(lambda text: f"s3cr3t{text}")
KEYS = st.sampled_from(["a", "b", "c"])
DATA = st.dictionaries(KEYS, VALUES)


@given(DATA, DATA, st.dictionaries(KEYS, VALUES), st.none() | st.lists(VALUES) | VALUES)
def test_nothing_of_a_secrets_values_is_in_its_changes(
    before: dict[str, str], after: dict[str, str], annotations: dict[str, str], other: Any
) -> None:
    live = {**secret(**before), "metadata": {"name": "s"}}
    answer = {**secret(**after), "metadata": {"name": "s", "annotations": annotations}, "other": other}
    assert "s3cr3t" not in repr(differences(live, answer))
    assert "s3cr3t" not in repr(differences(answer, live))


@given(VALUES, VALUES)
def test_a_mask_does_not_tell_how_long_a_value_is(one: str, other: str) -> None:
    assert shown(secret(), secret(a=one)) == shown(secret(), secret(a=other))
