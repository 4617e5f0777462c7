from __future__ import annotations

import base64
import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.desired import desired, namespace_manifest
from kploy.model.app import LABEL, Directory
from kploy.model.objects import ObjectRef
from tests.makers import app_of, manifest_of, thing

APP = app_of()
OWN = {LABEL: APP.id}


@pytest.mark.parametrize(
    ("metadata", "sent"),
    [
        ({}, {"labels": OWN}),
        ({"namespace": "shop"}, {"labels": OWN}),
        ({"labels": None, "annotations": None}, {"labels": OWN}),
        ({"labels": {}, "annotations": {}}, {"labels": OWN}),
        ({"labels": {"app": "web"}}, {"labels": {"app": "web", **OWN}}),
        ({"labels": OWN}, {"labels": OWN}),
        ({"annotations": {"a": "b"}}, {"annotations": {"a": "b"}, "labels": OWN}),
    ],
)
def test_an_object_is_sent_with_its_namespace_and_the_apps_label(
    metadata: dict[str, Any], sent: dict[str, Any]
) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}, "data": {"k": "v"}}
    assert desired(APP, manifest_of(body)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "shop", **sent},
        "data": {"k": "v"},
    }


def test_what_is_cluster_wide_is_sent_without_a_namespace() -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    assert desired(APP, manifest_of(body, namespace="")) == {**body, "metadata": {"name": "shop", "labels": OWN}}


def test_the_status_is_the_servers_and_not_sent() -> None:
    assert "status" not in desired(APP, thing("a", status={"ready": True}))


@pytest.mark.parametrize(
    ("secret", "sent"),
    [
        ({"stringData": {"a": "b"}}, {"data": {"a": "Yg=="}}),
        ({"data": {"a": "YQ==", "c": "Yw=="}, "stringData": {"a": "b"}}, {"data": {"a": "Yg==", "c": "Yw=="}}),
        ({"data": None, "stringData": {"a": "ü\n"}}, {"data": {"a": "w7wK"}}),
        # The API server takes null for the empty string.
        ({"stringData": {"a": None}}, {"data": {"a": ""}}),
        ({"stringData": {}}, {}),
        ({"stringData": None, "data": {"a": "YQ=="}}, {"data": {"a": "YQ=="}}),
        ({"type": "Opaque", "immutable": True}, {"type": "Opaque", "immutable": True}),
    ],
)
def test_a_secret_is_sent_as_data(secret: dict[str, Any], sent: dict[str, Any]) -> None:
    body = desired(APP, thing("a", "Secret", **secret))
    assert {key: body[key] for key in body if key not in {"apiVersion", "kind", "metadata"}} == sent


def test_only_a_secret_of_the_core_group_is_taken_for_one() -> None:
    assert desired(APP, thing("a", "Secret", "example.com/v1", stringData={"a": "b"}))["stringData"] == {"a": "b"}


TEXTS = st.dictionaries(st.text(max_size=5), st.text(st.characters(codec="utf-8"), max_size=5), max_size=3)
BODIES = st.fixed_dictionaries(
    {
        "apiVersion": st.just("v1"),
        "kind": st.sampled_from(["Secret", "ConfigMap"]),
        "metadata": st.fixed_dictionaries(
            {"name": st.just("a")}, optional={"labels": st.none() | TEXTS, "annotations": TEXTS}
        ),
    },
    optional={"data": st.none() | TEXTS, "stringData": st.none() | TEXTS, "status": TEXTS},
)


@given(BODIES)
def test_the_manifest_stays_as_it_is_and_once_is_enough(body: dict[str, Any]) -> None:
    before = copy.deepcopy(body)
    manifest = manifest_of(body)
    once = desired(APP, manifest)
    assert body == before
    assert desired(APP, replace(manifest, body=once)) == once


@given(TEXTS)
def test_every_value_of_string_data_arrives(values: dict[str, str]) -> None:
    sent = desired(APP, thing("a", "Secret", stringData=values)).get("data", {})
    assert {key: base64.b64decode(value).decode() for key, value in sent.items()} == values


def test_the_namespace_of_the_kployfile_makes_a_manifest() -> None:
    made = namespace_manifest(APP)
    assert made.ref == ObjectRef("", "Namespace", "", "shop")
    assert made.body == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    assert (made.api_version, made.file, made.directory) == ("v1", "Kployfile", Directory.RESOURCES)
    assert str(made.positions.value(("metadata", "name"))) == "Kployfile:1:1"
