"""What a request is counted as."""

from __future__ import annotations

import json

import pytest

from benchmarks.counting import Requests, tally, verb_of
from tests.faults.proxy import Request


def request(method: str, target: str, body: object = None) -> Request:
    return Request(1, method, target, {}, json.dumps(body).encode() if body else b"")


@pytest.mark.parametrize(
    ("method", "target", "verb"),
    [
        ("GET", "/version", "get"),
        ("GET", "/apis/apps/v1", "get"),
        ("GET", "/api/v1/namespaces/shop", "get"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments/web", "get"),
        ("GET", "/api/v1/namespaces", "list"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments?labelSelector=a%3Db", "list"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments?watch=true", "watch"),
        ("PATCH", "/api/v1/namespaces/shop/configmaps/web?dryRun=All", "dry run"),
        ("PATCH", "/api/v1/namespaces/shop/configmaps/web", "patch"),
        ("POST", "/api/v1/namespaces/shop/secrets", "create"),
        ("PUT", "/api/v1/namespaces/shop/configmaps/web", "update"),
        ("DELETE", "/api/v1/namespaces/shop/configmaps/web", "delete"),
    ],
)
def test_a_request_is_counted_by_what_kubernetes_calls_its_verb(method: str, target: str, verb: str) -> None:
    assert verb_of(request(method, target)) == verb


def test_neither_rehearsals_nor_questions_for_rights_are_writes() -> None:
    review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    requests = [
        request("PATCH", "/api/v1/namespaces/shop/configmaps/web?dryRun=All"),
        request("POST", review, {"spec": {}}),
        request("PATCH", "/api/v1/namespaces/shop/configmaps/web"),
        request("PATCH", "/api/v1/namespaces/shop/configmaps/db"),
    ]
    assert tally(requests) == Requests({"dry run": 1, "create": 1, "patch": 2}, writes=2)
