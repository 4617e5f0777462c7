from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kploy
from kploy.core.rule_table import OF_OBJECTS, ROWS
from kploy.core.rules import RULES, is_switchable, switchable, switched
from kploy.model.app import Switch
from kploy.model.findings import Severity, error, warning

PACKAGE = Path(kploy.__file__).parent
MODULES = [
    path
    for folder in ("core", "source", "engine")
    for path in sorted((PACKAGE / folder).glob("*.py"))
    if path.name != "rule_table.py"
]

NO_RULES = {
    "before-first-apply", "cert-manager", "controller-revision-hash", "controller-uid", "date-time",
    "ephemeral-storage", "in-progress", "int-or-string", "job-name", "kapp-server-side-apply", "kploy-config",
    "kploy-secrets", "kube-controller-manager", "kube-root-ca", "kubectl-client-side-apply", "kubectl-create",
    "kubectl-edit", "kubectl-replace", "make-room", "not-found", "pid-namespace", "pod-template-generation",
    "pod-template-hash", "standard-wait", "terraform-provider-helm", "timed-out", "unknown-host",
    "use-annotation", "utf-8", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
}  # fmt: skip
"""Words in the code that look like ids of rules, and are none."""


def words(node: ast.AST, form: str = r"[a-z0-9]+(-[a-z0-9]+)+") -> Iterator[str]:
    """The texts in a piece of code that look like the id of a rule."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and re.fullmatch(form, str(inner.value)):
            yield str(inner.value)


def used() -> set[str]:
    """Every id in the code that may report a finding."""
    texts = {word for path in MODULES for word in words(ast.parse(path.read_text()))}
    return (texts | {rule_id for rule_id, _ in reported_as()}) - NO_RULES


def reported_as() -> Iterator[tuple[str, Severity]]:
    """The ids that are given to what makes findings, each with the severity that it makes."""
    made = {"error": Severity.ERROR, "warning": Severity.WARNING, "Fault": Severity.ERROR}
    for path in MODULES:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                severity = made.get(call.func.id)
                if call.func.id in {"Problem", "NoValue", "FetchFailed"}:
                    severity = Severity.WARNING if "Severity.WARNING" in ast.unparse(call) else Severity.ERROR
                if severity:
                    yield from ((word, severity) for word in words(call.args[0], r"[a-z][a-z0-9-]*"))


def test_every_rule_in_the_code_is_in_the_table_and_every_row_is_used() -> None:
    assert used() == {rule.id for rule in ROWS}


def test_every_rule_is_reported_with_the_severity_of_its_row() -> None:
    found = set(reported_as())
    assert {(rule_id, severity) for rule_id, severity in found if RULES[rule_id].severity is not severity} == set()
    assert len(found) > 80


def test_every_row_has_an_id_of_its_own_and_says_what_and_why() -> None:
    assert len(RULES) == len(ROWS)
    for rule in ROWS:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", rule.id)
        assert rule.title
        assert not rule.title.endswith(".")
        assert rule.why.endswith(".")
    assert RULES.keys() >= OF_OBJECTS


def test_what_is_fixed_is_an_error() -> None:
    assert {rule.id for rule in ROWS if rule.is_fixed and rule.severity is Severity.WARNING} == set()


@pytest.mark.parametrize(
    ("switch", "severities"),
    [
        (Switch.IGNORE, []),
        (Switch.WARNING, [Severity.WARNING, Severity.WARNING]),
        (Switch.ERROR, [Severity.ERROR, Severity.ERROR]),
    ],
)
def test_a_switch_changes_the_findings_of_its_rule_and_no_others(
    switch: Switch, severities: list[Severity]
) -> None:
    other = warning("wrong-directory", "a")
    findings = switched([warning("image-tag", "a"), other, error("image-tag", "b")], (("image-tag", switch),))
    assert [finding.severity for finding in findings if finding.rule == "image-tag"] == severities
    assert other in findings


def test_a_fixed_rule_cannot_be_switched() -> None:
    findings = (error("duplicate-object", "a"), error("no-such-rule", "b"))
    rules = (("duplicate-object", Switch.IGNORE), ("no-such-rule", Switch.IGNORE))
    assert switched(findings, rules) == findings
    assert [is_switchable(rule_id) for rule_id in ("duplicate-object", "no-such-rule", "image-tag")] == [
        False,
        False,
        True,
    ]
    assert "duplicate-object" not in {rule.id for rule in switchable()}
