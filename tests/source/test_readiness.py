from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kploy.model.app import Kployfile, ReadinessRule
from kploy.source.kployfile import read_kployfile, schema

from .conftest import Write

AS_KUBECTL = "write it as kubectl wait takes it: '{.status.phase}=Running'"


def test_rules_of_readiness_are_read(write: Write) -> None:
    content = """\
name: shop
readiness:
  Database.example.com:
    ready: '{.status.phase}=Running'
    failed: ['{.status.phase}=Failed', .status.error]
    message: '{.status.message}'
  Pod:
    failed: .status.phase=Unknown
"""
    rules = (
        ReadinessRule(
            "Database.example.com",
            ("{.status.phase}=Running",),
            ("{.status.phase}=Failed", ".status.error"),
            "{.status.message}",
        ),
        ReadinessRule("Pod", (), (".status.phase=Unknown",)),
    )
    assert read_kployfile(write({"Kployfile": content})) == (Kployfile(name="shop", readiness=rules), ())
    assert read_kployfile(write({"Kployfile": "name: shop\nreadiness:\n"})) == (Kployfile(name="shop"), ())


@pytest.mark.parametrize(
    ("rule", "place", "message", "hint"),
    [
        (
            "Database.example.com/v1: {ready: .a}",
            "3:3",
            "`Database.example.com/v1` is no kind",
            "write KIND.GROUP without a version, as Database.example.com or Deployment.apps",
        ),
        ("Database: .status.phase=Running", "3:13", "this must be a mapping, not text", AS_KUBECTL),
        ("Database:", "3:3", "this must be a mapping, not empty", AS_KUBECTL),
        ("Database: {ready: .a, reddy: .b}", "3:25", "`reddy` says nothing of readiness", "did you mean `ready`?"),
        (
            "Database: {message: .a}",
            "3:3",
            "it is not said when such an object is ready",
            "add `ready: '{.status.phase}=Running'`",
        ),
        ("Database: {ready: .a., failed: .b}", "3:21", "this path cannot be read: it ends with a dot", AS_KUBECTL),
        (
            "Database: {failed: [.b, a]}",
            "3:27",
            "this path cannot be read: a path begins with a dot, as `.status`, not with `a`",
            AS_KUBECTL,
        ),
        (
            "Database: {ready: {.status.phase}}",
            "3:14",
            "this must be text, not a mapping",
            "put it into quotes: '{.status.phase}=Running'",
        ),
        (
            "Database: {ready: .a, message: .b=c}",
            "3:34",
            "this path cannot be read: `=c` is not understood",
            "write a path: '{.status.message}'",
        ),
    ],
)
def test_a_wrong_rule_is_a_finding_at_its_line(
    rule: str, place: str, message: str, hint: str, write: Write
) -> None:
    found, findings = read_kployfile(write({"Kployfile": f"name: shop\nreadiness:\n  {rule}\n"}))
    assert found == Kployfile(name="shop")
    assert [(f.rule, f.message, f.hint, str(f.place)) for f in findings] == [
        ("invalid-readiness", message, hint, f"Kployfile:{place}")
    ]


CONDITIONS: st.SearchStrategy[Any] = st.sampled_from(["{.a}=b", ".a", "", [".a", ".b"], [], None, 1, {}])
SAID = (
    st.dictionaries(st.sampled_from(["ready", "failed", "message", "reddy"]), CONDITIONS) | st.none() | st.just(1)
)
RULES = st.dictionaries(st.sampled_from(["Pod", "Database.example.com", "pod", "Pod.", "P.A"]), SAID)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=RULES)
def test_what_the_schema_refuses_is_a_finding(rules: dict[str, Any], write: Write) -> None:
    data = {"name": "shop", "readiness": rules}
    findings = read_kployfile(write({"Kployfile": json.dumps(data)}))[1]
    if not jsonschema.Draft202012Validator(schema()).is_valid(data):
        assert findings
