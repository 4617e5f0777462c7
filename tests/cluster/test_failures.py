from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.cluster.failures import failure_of
from kploy.cluster.port import (
    AlreadyExists,
    Cause,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerFailed,
    Terminating,
    Unauthenticated,
)
from kploy.model.report import Outcome


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (302, ServerFailed, Outcome.FAILED),
        (400, Invalid, Outcome.FAILED),
        (401, Unauthenticated, Outcome.UNREACHABLE),
        (403, Forbidden, Outcome.UNREACHABLE),
        (404, NotFound, Outcome.FAILED),
        (405, Invalid, Outcome.FAILED),
        (409, Conflict, Outcome.FAILED),
        (410, Expired, Outcome.FAILED),
        (422, Invalid, Outcome.FAILED),
        (429, ServerFailed, Outcome.FAILED),
        (500, ServerFailed, Outcome.FAILED),
        (504, ServerFailed, Outcome.FAILED),
    ],
)
def test_the_status_says_what_kind_of_failure_it_is(
    status: int, error: type[ClusterError], outcome: Outcome
) -> None:
    failure = failure_of(status, {"message": "so it is"})
    assert (type(failure), failure.outcome) == (error, outcome)


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (403, {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}, Terminating),
        (403, {"message": "no new content because it is being terminated"}, Terminating),
        (403, {"details": {"causes": [{"reason": "other"}, 5]}}, Forbidden),
        (409, {"reason": "AlreadyExists"}, AlreadyExists),
        (409, {"reason": "Conflict"}, Conflict),
    ],
)
def test_the_reason_tells_apart_what_the_status_does_not(
    status: int, answer: object, error: type[ClusterError]
) -> None:
    assert type(failure_of(status, answer)) is error


def test_the_servers_own_words_are_kept_but_for_credentials() -> None:
    assert failure_of(403, {"message": "you may not"}).message == "you may not"
    assert failure_of(403, {}).message == "the API server answered 403"
    assert failure_of(401, {"message": "token hunter2 is bad"}).message == "the API server refused the credentials"


@pytest.mark.parametrize(
    ("answer", "is_object"),
    [
        ({"message": 'configmaps "a" not found', "details": {"name": "a", "kind": "configmaps"}}, True),
        ({"message": "the server could not find the requested resource", "details": {}}, False),
        ({"message": "404 page not found"}, False),
        (None, False),
    ],
)
def test_a_missing_object_is_told_from_a_missing_route(answer: object, is_object: bool) -> None:
    failure = failure_of(404, answer)
    assert isinstance(failure, NotFound)
    assert failure.is_object is is_object


def causes(status: int, message: str, *rows: dict[str, Any]) -> tuple[Cause, ...]:
    failure = failure_of(status, {"message": message, "details": {"causes": list(rows)}})
    assert isinstance(failure, Invalid | Conflict)
    return failure.causes


def test_causes_are_told_field_by_field() -> None:
    rows = [{"field": "spec.ports[0].port", "message": "Required value", "reason": "x"}, {"message": "odd"}]
    expected = (Cause("spec.ports[0].port", "Required value"), Cause("", "odd"))
    assert causes(422, "invalid", *rows) == expected
    assert causes(409, "conflict", *rows) == expected


TYPED = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): "


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (
            400,
            'strict decoding error: unknown field "spec.replicass", duplicate field "spec.paused"',
            (Cause("spec.replicass", "unknown field"), Cause("spec.paused", "duplicate field")),
        ),
        (400, "invalid object type", ()),
        (
            500,
            TYPED + '.spec.template.spec.containers[name="web"].imagee: field not declared in schema',
            (Cause('.spec.template.spec.containers[name="web"].imagee', "unknown field"),),
        ),
        (
            500,
            TYPED + '.spec.x[a="b: c]",d=1].y: expected string, got &value.valueUnstructured{Value:"hunter2"}',
            (Cause('.spec.x[a="b: c]",d=1].y', "expected string"),),
        ),
        (
            500,
            TYPED + "errors:\n  .dat: field not declared in schema\n  .spec: expected map, got &{hunter2}",
            (Cause(".dat", "unknown field"), Cause(".spec", "expected map")),
        ),
        (
            500,
            TYPED + '.spec.env: duplicate entries for key [name="A"]',
            (Cause(".spec.env", 'duplicate entries for key [name="A"]'),),
        ),
        (
            500,
            "failed to convert new object (shop/web; /v1, Kind=Secret) to proper version: illegal base64 data",
            (),
        ),
    ],
)
def test_fields_that_are_only_named_in_the_message_are_found_there(
    status: int, message: str, expected: tuple[Cause, ...]
) -> None:
    failure = failure_of(status, {"message": message})
    assert isinstance(failure, Invalid)
    assert failure.causes == expected


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "details", "causes", "field", "name", "code"]), inner)
    ),
    max_leaves=10,
)


@given(st.integers(300, 599), JSON)
def test_an_answer_of_any_shape_is_some_failure_in_words(status: int, answer: object) -> None:
    failure = failure_of(status, answer)
    assert isinstance(failure, ClusterError)
    assert failure.message
