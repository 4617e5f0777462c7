"""Schemas that would keep the checker busy, or lead it elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from kploy.core.custom_resources import check
from kploy.core.structural import LONGEST_MATCHED, bounded, ends_soon
from kploy.model.findings import Finding
from tests.makers import manifest_of


def found(schema: dict[str, Any], **fields: Any) -> tuple[Finding, ...]:
    """What is said of an object with ``fields`` whose definition has ``schema``."""
    version = {"name": "v1", "schema": {"openAPIV3Schema": schema}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "as.x.io"},
        "spec": {"group": "x.io", "names": {"kind": "A"}, "versions": [version]},
    }
    custom = {"apiVersion": "x.io/v1", "kind": "A", "metadata": {"name": "a"}, **fields}
    return check([manifest_of(definition), manifest_of(custom)])


def field(**schema: Any) -> dict[str, Any]:
    """A schema with one field, ``a``."""
    return {"type": "object", "properties": {"a": schema}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "pattern": "^(a+)+$"}, "a" * 40 + "b"),
        ({"type": "string", "pattern": "a*a*a*b"}, "a" * 5000),
        ({"type": "string", "pattern": "^a*b$"}, "a" * (LONGEST_MATCHED + 1)),
        ({"patternProperties": {"^(a+)+$": {}}}, {"a" * 40 + "b": 1}),
        ({"uniqueItems": True}, [{"b": number} for number in range(5000)]),
        ({"$ref": "#/properties/a"}, {"b": 1}),
        ({"anyOf": [{"$ref": "http://127.0.0.1:1/x"}, {}]}, 1),
        ({"not": {"$dynamicRef": "#x"}, "$schema": "http://json-schema.org/draft-03/schema#"}, 1),
    ],
)
def test_what_would_not_end_or_leads_elsewhere_is_left_to_the_server(schema: dict[str, Any], value: Any) -> None:
    rules = [finding.rule for finding in found(field(**schema), a=value)]
    assert rules == (["invalid-value"] if "not" in schema else [])


def test_an_ordinary_pattern_is_checked() -> None:
    assert [finding.rule for finding in found(field(type="string", pattern="^a*b$"), a="c")] == ["invalid-value"]
    assert found(field(type="string", pattern="^a*b$"), a="aab") == ()


def test_of_thousands_of_unknown_fields_none_is_looked_at_for_likeness() -> None:
    many = {"type": "object", "properties": {f"known{number}": {} for number in range(2000)}}
    findings = found(many, **{f"unknown{number}": 1 for number in range(2000)})
    assert {(finding.rule, finding.hint) for finding in findings} == {("unknown-field", "")}
    assert len(findings) == 2000


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "^a$",
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        r"^\d{1,3}$",
        r"^\(\*\)\+$",
        "^[]*+(]+$",
        "^(a|b)$",
        "a+?b",
        "{a}+",
    ],
)
def test_a_pattern_with_few_loops_ends_soon(pattern: str) -> None:
    assert ends_soon(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a|aa)*", "(a?){30}", "((a)*)*", "(?:x+x+)+y", "a*a*b", "^a*a*a*$", "a**", "(a{1,3}){1,30}"],
)
def test_a_pattern_that_may_take_long_does_not(pattern: str) -> None:
    assert not ends_soon(pattern)


@pytest.mark.parametrize(
    "schema", [None, 1, [], "x", {"properties": [1], "items": 1, "anyOf": {"$ref": 1}, "$ref": 1}]
)
def test_a_schema_that_makes_no_sense_stays_so(schema: Any) -> None:
    kept = bounded(schema)
    assert kept == ({key: schema[key] for key in schema if key != "$ref"} if isinstance(schema, dict) else schema)
