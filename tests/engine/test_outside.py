from __future__ import annotations

from typing import Any

import pytest

from kploy.cluster.port import Forbidden, Invalid, Listing, NotFound
from kploy.core.across import Survey, survey
from kploy.core.kinds import builtin
from kploy.engine.outside import Missing, missing
from kploy.engine.resources import Resources
from kploy.model.errors import KployError, Refused
from kploy.model.objects import Body, ObjectRef, Resource
from tests.fakes import RecordingCluster
from tests.makers import app_of, deployment, service


class Closed(RecordingCluster):
    """A cluster that has nothing, or answers all with ``refusal``, and remembers what it was asked."""

    def __init__(self, refusal: KployError | None = None) -> None:
        self.refusal = refusal
        self.asked: list[str] = []

    def resource(self, api_version: str, kind: str) -> Resource | None:
        return builtin(api_version, kind)

    def get(self, resource: Resource, namespace: str, name: str) -> Body | None:
        self._answer(f"{resource.plural}/{namespace}/{name}")
        return None

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        self._answer(f"{resource.plural}/{namespace}?{selector}{fields}")
        return Listing((), "")

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.refusal:
            raise self.refusal


def surveyed() -> Survey:
    needy: dict[str, Any] = {"serviceAccountName": "robot", "containers": []}
    return survey(
        app_of(deployment("a", **needy), deployment("b", **needy), service("c", app="c"), service("d", app="c"))
    )


def asked_of(cluster: Closed, *, namespace_exists: bool = True) -> Missing:
    found = surveyed()
    return missing(found, cluster, Resources(cluster, ()), namespace_exists=namespace_exists)


def test_each_thing_is_asked_for_once() -> None:
    cluster = Closed()
    rules = [finding.rule for finding in asked_of(cluster).findings]
    assert rules == ["missing-service-account", "service-without-pods", "service-without-pods"]
    assert asked_of(cluster).refs == {ObjectRef("", "ServiceAccount", "shop", "robot")}
    assert sorted(set(cluster.asked)) == ["pods/shop?app=c", "serviceaccounts/shop/robot"]


def test_in_a_namespace_that_does_not_exist_there_is_nothing_and_nobody_is_asked() -> None:
    cluster = Closed()
    assert asked_of(cluster, namespace_exists=False) == asked_of(Closed())
    assert cluster.asked == []


@pytest.mark.parametrize(
    "refusal",
    [Forbidden("no"), Invalid("no such selector"), NotFound("no kind", is_object=False), Refused("no name")],
)
def test_of_what_the_cluster_does_not_tell_nothing_is_said(refusal: KployError) -> None:
    assert asked_of(Closed(refusal)) == Missing()


def test_an_app_that_names_nothing_asks_nothing() -> None:
    cluster = Closed()
    assert missing(survey(app_of()), cluster, Resources(cluster, ()), namespace_exists=True) == Missing()
    assert missing(None, cluster, Resources(cluster, ()), namespace_exists=True) == Missing()
    assert cluster.asked == []
