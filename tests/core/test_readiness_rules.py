"""What a Kployfile says of a kind, and what comes of it for its objects."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.across import survey
from kploy.core.field_paths import Illegible
from kploy.core.readiness import Related, status_of
from kploy.core.readiness_rules import condition_of, judge_of, judges
from kploy.model.app import ReadinessRule
from kploy.model.findings import Severity
from kploy.model.objects import Cause, Counts, Grade, State, Status
from tests.makers import PathPlaces, app_of, deployment, thing

DATABASE = ReadinessRule(
    "Database.example.com",
    ("{.status.phase}=Running", '{.status.conditions[?(@.type=="Synced")].status}=True'),
    ("{.status.phase}=Failed", "{.status.error}"),
    "{.status.message}",
)
SYNCED = [{"type": "Synced", "status": "True"}]


def database(*, generation: int = 1, **status: Any) -> dict[str, Any]:
    metadata = {"name": "db", "generation": generation}
    return {"apiVersion": "example.com/v1", "kind": "Database", "metadata": metadata, "status": status}


def judged(live: dict[str, Any], rule: ReadinessRule = DATABASE) -> Status:
    return status_of(live, judge=judge_of(rule))


@pytest.mark.parametrize(
    ("status", "state", "message"),
    [
        ({}, State.IN_PROGRESS, "waiting for .status.phase=Running"),
        ({"phase": "Starting"}, State.IN_PROGRESS, "waiting for .status.phase=Running, it is Starting"),
        ({"phase": "Starting", "message": "wait\n a bit"}, State.IN_PROGRESS, "wait a bit"),
        (
            {"phase": "Running", "conditions": [{"type": "Synced", "status": "False"}]},
            State.IN_PROGRESS,
            'waiting for .status.conditions[?(@.type=="Synced")].status=True, it is False',
        ),
        ({"phase": "Running", "conditions": SYNCED}, State.CURRENT, ""),
        ({"phase": "Running", "conditions": SYNCED, "observedGeneration": 1}, State.CURRENT, ""),
        ({"phase": "Running", "conditions": [*SYNCED, *SYNCED]}, State.CURRENT, ""),
        ({"phase": "Failed"}, State.FAILED, "it says .status.phase=Failed"),
        ({"phase": "Failed", "message": "no disk"}, State.FAILED, "no disk"),
        ({"phase": "Running", "conditions": SYNCED, "error": {"code": 5}}, State.FAILED, "it says .status.error"),
        ({"phase": ["Running"]}, State.IN_PROGRESS, "waiting for .status.phase=Running"),
        (
            # What it says by conditions does not count.
            {"phase": "Running", "conditions": [*SYNCED, {"type": "Stalled", "status": "True"}]},
            State.CURRENT,
            "",
        ),
    ],
)
def test_an_object_is_as_its_fields_say(status: dict[str, Any], state: State, message: str) -> None:
    cause = Cause("ReadinessFailed", message, Grade.FATAL) if state is State.FAILED else None
    assert judged(database(**status)) == Status(state, message, cause=cause)


def test_a_change_that_its_controller_has_not_seen_and_a_deletion_go_before() -> None:
    seen: dict[str, Any] = {"phase": "Running", "conditions": SYNCED, "observedGeneration": 1}
    assert judged(database(generation=2, **seen)) == Status(State.IN_PROGRESS, "waiting for its controller")
    going = database(**seen)
    going["metadata"] |= {"deletionTimestamp": "2026-11-23T06:00:00Z", "finalizers": ["example.com/db"]}
    assert judged(going).state is State.TERMINATING


def changed(at: str, told: str) -> dict[str, Any]:
    """One of a second generation, which failed; nobody says of which."""
    live = database(generation=2, phase="Failed")
    live["metadata"]["managedFields"] = [{"time": at}, {"time": told, "subresource": "status"}]
    return live


def test_a_failure_from_before_the_change_must_hold() -> None:
    message = "it says .status.phase=Failed"
    cause = Cause("ReadinessFailed", message, Grade.SUSPECTED, grace=30.0)
    earlier, later = "2026-11-23T06:00:00Z", "2026-11-23T06:00:01Z"
    assert judged(changed(later, earlier)) == Status(State.IN_PROGRESS, message, cause=cause)
    assert judged(changed(later, later)) == Status(State.IN_PROGRESS, message, cause=cause)
    assert judged(changed(earlier, later)).state is State.FAILED
    much_later = datetime.fromisoformat(later).timestamp() + 301.0
    assert status_of(changed(later, later), now=much_later, judge=judge_of(DATABASE)).state is State.FAILED
    assert judged(database(generation=2, phase="Failed", observedGeneration=2)).state is State.FAILED


def test_what_a_run_has_found_failing_may_be_mended_by_something_else_in_it() -> None:
    live = database(phase="Failed")
    assert judged(live).state is State.FAILED
    found = status_of(live, Related(is_untouched=True), judge=judge_of(DATABASE))
    assert found.state is State.IN_PROGRESS
    assert found.cause is not None
    assert (found.cause.grade, found.cause.grace) == (Grade.SUSPECTED, 30.0)


def test_who_only_says_what_a_failure_is_leaves_the_rest_as_it_is() -> None:
    rule = ReadinessRule("Database.example.com", failed=("{.status.phase}=Failed",))
    assert judged(database(phase="Running"), rule) == Status(State.CURRENT)
    ready = {"type": "Ready", "status": "False", "reason": "Starting"}
    assert judged(database(conditions=[ready]), rule) == Status(State.IN_PROGRESS, "Starting")
    assert judged(database(phase="Failed", conditions=[ready]), rule).state is State.FAILED


def test_a_kind_of_kubernetes_can_have_a_rule_and_keeps_its_counts() -> None:
    rule = ReadinessRule("Deployment.apps", ready=("{.status.readyReplicas}=1",))
    live = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"generation": 1},
        "spec": {"replicas": 3},
        "status": {"observedGeneration": 1, "readyReplicas": 1},
    }
    assert judged(live, rule) == Status(State.CURRENT, "", Counts(1, 3))


def test_what_an_object_says_is_shortened() -> None:
    said = judged(database(phase="Starting", message="x" * 5000)).message
    assert (len(said), said[-1]) == (300, "…")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{.status.phase}=Running", ".status.phase=Running"),
        (".status.phase = 'Running'", ".status.phase=Running"),
        ("{.status.url}=http://a=b", ".status.url=http://a=b"),
        ("{.status.loadBalancer.ingress}", ".status.loadBalancer.ingress"),
    ],
)
def test_a_condition_is_written_as_for_kubectl_wait(text: str, told: str) -> None:
    assert str(condition_of(text)) == told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{.status.phase}==Running", "after the path comes one `=`, and a value"),
        ("{.status.phase}=", "after the path comes one `=`, and a value"),
        ("{.status.phase}!=Failed", "`!=Failed` is not understood: after the path comes =VALUE or nothing"),
        ("jsonpath='{.a}'=b", "a path begins with a dot, as `.status`, not with `jsonpath='{.a}'=b`"),
    ],
)
def test_a_condition_that_is_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(Illegible) as refused:
        condition_of(text)
    assert str(refused.value) == why


def test_rules_are_found_by_group_and_kind() -> None:
    rules = (DATABASE, ReadinessRule("Pod", ready=("{.status.phase}=Running",)))
    assert judges(rules).keys() == {("example.com", "Database"), ("", "Pod")}


def test_a_rule_for_a_kind_that_the_app_does_not_have_is_a_warning_with_what_was_meant() -> None:
    app = app_of(deployment("web"), thing("db", "Database", "example.com/v1"))
    rules = (DATABASE, replace(DATABASE, kind="Database.exmaple.com"), replace(DATABASE, kind="Zebra"))
    app = replace(app, kployfile=replace(app.kployfile, readiness=rules, positions=PathPlaces()))
    found = [each for each in survey(app).findings if each.rule == "unused-readiness"]
    assert {each.severity for each in found} == {Severity.WARNING}
    assert [(each.message, each.hint, each.place and each.place.file) for each in found] == [
        (
            "the app has no `Database.exmaple.com` that this could be said of",
            "did you mean `Database.example.com`?",
            "key readiness.Database.exmaple.com",
        ),
        (
            "the app has no `Zebra` that this could be said of",
            "take it out, or write it as KIND.GROUP",
            "key readiness.Zebra",
        ),
    ]
    assert "unused-readiness" not in {each.rule for each in survey(app, is_complete=False).findings}


WORDS = st.sampled_from(
    ["conditions", "message", "phase", "Running", "Failed", "status", "type", "Synced", "True"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("metadata", "spec", "status"), JSON)))
def test_no_object_is_too_strange(parts: dict[str, Any]) -> None:
    live = {"apiVersion": "example.com/v1", "kind": "Database", **parts}
    assert isinstance(judged(live), Status)
