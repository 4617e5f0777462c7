from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kploy.core.custom_resources import check, check_against, custom_kinds
from kploy.model.app import Manifest
from kploy.model.findings import Place, error
from tests.makers import manifest, manifest_of, thing

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  names: {kind: CronTab, plural: crontabs}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: '^[0-9 *]+$'}
              replicas: {type: integer, minimum: 0, exclusiveMinimum: true}
              mode: {type: string, enum: [fast, slow]}
              port: {x-kubernetes-int-or-string: true}
              note: {type: string, nullable: true}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}
              labels: {type: object, additionalProperties: {type: string}}
              steps: {type: array, items: {type: object, properties: {name: {type: string}}}}
              template: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}
              odd: {type: string, pattern: '(?<go'}
              pace: {type: string, enum: [walk, run], default: walk}
              any: {x-kubernetes-int-or-string: true, nullable: true}
              lamp: {type: object, required: [lit], properties: {lit: {type: boolean, default: true}}}
          status: {type: object, properties: {seen: {type: integer}}}
  - {name: v2}
"""


def crontab(spec: object, version: str = "v1") -> Manifest:
    body = {
        "apiVersion": f"stable.example.com/{version}",
        "kind": "CronTab",
        "metadata": {"name": "c"},
        "spec": spec,
    }
    return manifest_of(body)


def findings(spec: object, version: str = "v1") -> list[tuple[str, str, str, str]]:
    found = check([manifest(DEFINITION), crontab(spec, version)])
    return [(each.rule, each.message, each.hint, each.place.file if each.place else "") for each in found]


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"replicas": 1, "mode": "fast", "note": None, "odd": "anything"},
        {"port": 80},
        {"port": "http"},
        {"any": None},
        # Where there is a default, null is to the server as if the field were not there.
        {"pace": None},
        {"lamp": {}},
        {"lamp": {"lit": None}},
        {"free": {"a": "x", "b": 1}},
        {"labels": {"a": "b"}},
        {"steps": [{"name": "one"}]},
        {"template": {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}}},
    ],
)
def test_what_the_definition_allows_is_no_finding(extra: dict[str, Any]) -> None:
    assert findings({"cronSpec": "* * * * *", **extra}) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ("missing-field", "`cronSpec` is required in CronTab.spec", "add `cronSpec`", "key spec")),
        (
            {"cronSpec": "*", "replica": 1},
            (
                "unknown-field",
                "`replica` is not a field of CronTab.spec",
                "did you mean `replicas`?",
                "key spec.replica",
            ),
        ),
        (
            {"cronSpec": "*", "steps": [{"nam": "one"}]},
            (
                "unknown-field",
                "`nam` is not a field of CronTab.spec.steps",
                "did you mean `name`?",
                "key spec.steps.0.nam",
            ),
        ),
        ({"cronSpec": 5}, ("wrong-type", "`cronSpec` must be a string", "quote it", "value spec.cronSpec")),
        ({"cronSpec": []}, ("wrong-type", "`cronSpec` must be a string", "", "value spec.cronSpec")),
        ({"cronSpec": None}, ("wrong-type", "`cronSpec` must be a string", "", "value spec.cronSpec")),
        (
            {"cronSpec": "*", "note": True},
            ("wrong-type", "`note` must be a string", "quote it", "value spec.note"),
        ),
        (
            {"cronSpec": "*", "steps": [None]},
            ("wrong-type", "`0` must be an object", "", "value spec.steps.0"),
        ),
        (
            {"cronSpec": "*", "nul": None},
            ("unknown-field", "`nul` is not a field of CronTab.spec", "", "key spec.nul"),
        ),
        (
            {"cronSpec": "*", "replicas": "1"},
            ("wrong-type", "`replicas` must be an integer", "", "value spec.replicas"),
        ),
        (
            {"cronSpec": "*", "port": 1.5},
            ("wrong-type", "`port` must be an integer or a string", "", "value spec.port"),
        ),
        (
            {"cronSpec": "*", "mode": "hunter2"},
            ("invalid-value", "`mode` is none of its choices", "choose one of fast, slow", "value spec.mode"),
        ),
        (
            {"cronSpec": "*", "replicas": 0},
            (
                "invalid-value",
                "`replicas` breaks a rule of its definition",
                "its definition says exclusiveMinimum: 0",
                "value spec.replicas",
            ),
        ),
    ],
)
def test_what_it_does_not_allow_is_found_at_its_place(spec: object, expected: tuple[str, str, str, str]) -> None:
    assert findings(spec) == [expected]


@pytest.mark.parametrize("status", [{"seen": "never"}, "anything", {"no": {"such": "field"}}])
def test_the_status_is_not_looked_at_because_it_is_not_sent(status: object) -> None:
    body = {**crontab({"cronSpec": "*"}).body, "status": status}
    assert check([manifest(DEFINITION), manifest_of(body)]) == ()


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, []),
        ({"x-kubernetes-preserve-unknown-fields": True, "properties": {"spec": {"type": "object"}}}, []),
        # Where fields are named below it, the server takes these alone again.
        (
            {"x-kubernetes-preserve-unknown-fields": True, "properties": {"spec": {"properties": {"a": {}}}}},
            ["`b` is not a field of CronTab.spec"],
        ),
        ({"type": "object", "properties": {"spec": {"type": "object"}}}, ["`more` is not a field of CronTab"]),
    ],
)
def test_a_definition_that_keeps_unknown_fields_at_its_root(schema: dict[str, Any], found: list[str]) -> None:
    definition = manifest(DEFINITION)
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]
    body = {**definition.body, "spec": {**definition.body["spec"], "versions": versions}}
    custom = {**crontab({"b": 1}).body, "more": {"x": 1}}
    assert [each.message for each in check([manifest_of(body), manifest_of(custom)])] == found


def test_every_missing_field_is_named() -> None:
    text = DEFINITION.replace("required: [cronSpec]", "required: [cronSpec, mode]")
    found = check([manifest(text), crontab({})])
    assert [each.message for each in found] == [
        "`cronSpec` is required in CronTab.spec",
        "`mode` is required in CronTab.spec",
    ]


def test_a_version_that_the_definition_does_not_have_names_those_it_has() -> None:
    assert check([manifest(DEFINITION), crontab({}, "v9")]) == (
        error(
            "unknown-kind",
            "CronTab has no version `v9` in its definition",
            "it has v1, v2",
            Place("value apiVersion", 1, 1),
        ),
    )


def test_without_a_definition_in_the_app_nothing_is_said() -> None:
    assert check([crontab({"anything": 1})]) == ()


def definition_of(**properties: Any) -> dict[str, Any]:
    """The definition of a CronTab whose spec has ``properties``."""
    body: dict[str, Any] = yaml.safe_load(DEFINITION)
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    body["spec"]["versions"] = [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]
    return body


def test_a_definition_of_the_cluster_is_as_good_as_one_of_the_app() -> None:
    assert check_against([crontab({"colr": "red"})], [definition_of(color={"type": "string"})]) == (
        error(
            "unknown-field",
            "`colr` is not a field of CronTab.spec",
            "did you mean `color`?",
            Place("key spec.colr", 1, 1),
        ),
    )


def test_of_two_definitions_the_apps_counts() -> None:
    own = manifest_of(definition_of(mode={"type": "string"}))
    assert check_against([own, crontab({"mode": "fast"})], [definition_of()]) == ()


def test_an_old_definition_that_preserves_unknown_fields_allows_everything() -> None:
    body = definition_of(color={"type": "string"})
    body["spec"]["preserveUnknownFields"] = True
    assert check_against([crontab({"size": 1})], [body]) == ()


def test_custom_kinds_are_those_of_other_groups_that_the_app_does_not_define() -> None:
    ingress = thing("i", "Ingress", "networking.k8s.io/v1")
    route = thing("r", "HTTPRoute", "gateway.networking.k8s.io/v1")
    assert custom_kinds([manifest(DEFINITION), crontab({}), ingress, route, thing("c")]) == {
        ("gateway.networking.k8s.io", "HTTPRoute"): "gateway.networking.k8s.io/v1"
    }


@pytest.mark.parametrize(
    "field",
    [
        {"type": "strin"},
        {"type": "string", "enum": 1},
        {"$ref": "http://127.0.0.1:1/never-asked"},
        {"$ref": "#/nowhere"},
        {"allOf": [{"$ref": "#/properties/spec/properties/a"}]},
        {"type": "string", "pattern": "^[[:alpha:]]+$"},
        {"type": "string", "pattern": r"^\pL\z"},
    ],
)
def test_what_a_definition_says_in_another_tongue_is_left_to_the_server(field: dict[str, Any]) -> None:
    assert check_against([crontab({"a": "b"})], [definition_of(a=field)]) == ()


def test_a_definition_nested_deeper_than_python_recurses() -> None:
    field: dict[str, Any] = {}
    for _ in range(2_000):
        field = {"type": "object", "properties": {"a": field}}
    assert check_against([crontab({"a": "b"})], [definition_of(a=field)]) == ()


def test_the_schema_of_a_kind_is_prepared_once_for_all_its_objects() -> None:
    class Counted(dict[str, Any]):
        reads = 0

        def items(self) -> Any:
            Counted.reads += 1
            return super().items()

    body = definition_of(a={"type": "string"})
    version = body["spec"]["versions"][0]["schema"]
    version["openAPIV3Schema"] = Counted(version["openAPIV3Schema"])
    assert check_against([crontab({"a": "b"}) for _ in range(5)], [body]) == ()
    assert Counted.reads == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "pattern", "enum", "minimum", "nullable", "default", "a"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)  # the first call loads jsonschema
@given(JSON, JSON)
def test_no_schema_and_no_object_makes_it_fail(schema: Any, spec: Any) -> None:
    definition = manifest(DEFINITION)
    body = {**definition.body, "spec": {**definition.body["spec"]}}
    body["spec"]["versions"] = [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]
    check([manifest_of(dict(body)), crontab(spec)])
