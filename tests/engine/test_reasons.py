from __future__ import annotations

from math import inf

import pytest

from kploy.core.graph import Graph, Node, graph_of
from kploy.core.inventory import Entry
from kploy.core.kinds import own_resource
from kploy.engine.carrier import Carrier
from kploy.engine.reasons import Reasons, can_wait
from kploy.engine.related import CLASSES, NODES, NOTICES, PODS, REPLICA_SETS, Relation
from kploy.model.app import ReadinessRule
from kploy.model.objects import ObjectRef
from tests.makers import manifest

DEPLOYMENT = ("apps", "Deployment")
SERVICE = ("", "Service")


class Recording(Carrier):
    """Only takes note of what it is to watch, and of what may be hidden."""

    def __init__(self) -> None:
        self.watched: list[tuple[Relation, bool]] = []

    def watch_related(self, relation: Relation, *, may_be_hidden: bool) -> None:
        self.watched.append((relation, may_be_hidden))

    @property
    def relations(self) -> list[Relation]:
        return [relation for relation, _ in self.watched]


@pytest.fixture
def carrier() -> Recording:
    return Recording()


@pytest.fixture
def known() -> set[Relation]:
    """Those of which all objects were told."""
    return set()


@pytest.fixture
def reasons(carrier: Recording, known: set[Relation]) -> Reasons:
    return Reasons(carrier, known.__contains__)


def test_each_relation_is_watched_once_and_only_what_is_needed_must_not_be_hidden(
    reasons: Reasons, carrier: Recording
) -> None:
    reasons.watch([PODS, CLASSES], is_needed=True)
    reasons.watch([NOTICES])
    reasons.watch([PODS, NOTICES])
    assert carrier.watched == [(PODS, False), (CLASSES, True), (NOTICES, True)]


def test_nothing_is_watched_before_it_takes_two_seconds(reasons: Reasons, carrier: Recording) -> None:
    reasons.look({DEPLOYMENT: 10.0}, inf, 10.5)
    assert (carrier.relations, reasons.next_look) == ([], 12.0)
    reasons.look({DEPLOYMENT: 10.0}, inf, 11.9)
    assert (carrier.relations, reasons.next_look) == ([], 12.15)
    reasons.look({DEPLOYMENT: 10.0}, inf, 12.15)
    assert (set(carrier.relations), reasons.next_look) == ({PODS, REPLICA_SETS, NOTICES}, inf)


def test_only_what_explains_what_is_waiting_is_watched(reasons: Reasons, carrier: Recording) -> None:
    reasons.look({("apps", "DaemonSet"): 10.0, ("", "Service"): 11.0}, inf, 12.5)
    assert (set(carrier.relations), reasons.next_look) == ({PODS, NODES, NOTICES}, inf)


def test_while_others_become_ready_and_nobody_warns_only_warnings_are_listened_to(
    reasons: Reasons, carrier: Recording, known: set[Relation]
) -> None:
    reasons.became_ready(12.9)
    reasons.look({DEPLOYMENT: 10.0}, inf, 13.0)
    assert carrier.relations == [NOTICES]
    known.add(NOTICES)
    reasons.became_ready(19.9)
    reasons.look({DEPLOYMENT: 10.0}, inf, 20.0)
    assert (carrier.relations, reasons.next_look) == ([NOTICES], 20.4)


@pytest.mark.parametrize(("relation", "watched"), [(NOTICES, {NOTICES, PODS, REPLICA_SETS}), (PODS, {NOTICES})])
def test_a_warning_ends_the_quiet(
    reasons: Reasons, carrier: Recording, known: set[Relation], relation: Relation, watched: set[Relation]
) -> None:
    known.add(NOTICES)
    reasons.became_ready(19.9)
    reasons.look({DEPLOYMENT: 10.0}, inf, 19.9)
    reasons.beware(relation, 20.0)
    assert (reasons.next_look == 20.0) == (relation is NOTICES)
    reasons.look({DEPLOYMENT: 10.0}, inf, 20.0)
    assert set(carrier.relations) == watched


def test_what_is_asked_for_is_watched_until_it_is_known_or_never_will_be(
    reasons: Reasons, carrier: Recording, known: set[Relation]
) -> None:
    assert not reasons.ask_for(DEPLOYMENT)
    assert not reasons.ask_for(DEPLOYMENT)
    assert carrier.relations == [PODS, REPLICA_SETS, NOTICES]
    known.update({PODS, NOTICES})
    assert not reasons.ask_for(DEPLOYMENT)
    assert reasons.do_without(REPLICA_SETS)
    assert reasons.ask_for(DEPLOYMENT)


def test_only_what_is_missed_cannot_be_told_in_full(reasons: Reasons, known: set[Relation]) -> None:
    known.add(PODS)
    told = {relation: reasons.do_without(relation) for relation in (PODS, NODES, NOTICES)}
    assert told == {PODS: False, NODES: False, NOTICES: True}


def test_a_kind_that_is_put_off_is_watched_once_when_its_reasons_would_be(reasons: Reasons) -> None:
    watched: list[str] = []
    reasons.put_off(SERVICE, lambda: watched.append("services"))
    reasons.became_ready(12.9)
    reasons.look({SERVICE: 10.0}, inf, 13.0)
    assert (watched, reasons.next_look) == ([], 13.4)
    reasons.look({DEPLOYMENT: 10.0}, inf, 13.4)
    assert watched == []
    reasons.look({SERVICE: 10.0}, inf, 13.4)
    reasons.look({SERVICE: 10.0}, inf, 14.0)
    assert watched == ["services"]


def test_what_is_put_off_is_watched_after_four_seconds_however_quiet_it_is(
    reasons: Reasons, known: set[Relation]
) -> None:
    watched: list[str] = []
    known.add(NOTICES)
    reasons.put_off(SERVICE, lambda: watched.append("services"))
    for now in (13.9, 14.0):
        reasons.became_ready(now)
        reasons.look({SERVICE: 10.0}, inf, now)
        assert watched == ["services"] * (now == 14.0)


def graph(*specs: str) -> Graph:
    made = [
        manifest(f"apiVersion: v1\nkind: Service\nmetadata: {{name: web-{number}}}\nspec: {{{spec}}}\n")
        for number, spec in enumerate(specs)
    ]
    return graph_of(made)[0]


def test_the_watch_of_services_can_wait_unless_one_waits_for_more_than_endpoints() -> None:
    plain = graph("selector: {app: web}", "type: NodePort")
    assert can_wait(SERVICE, plain, ())
    assert not can_wait(DEPLOYMENT, plain, ())
    assert not can_wait(SERVICE, plain, [ReadinessRule("Service", ready=(".spec.clusterIP=10.0.0.1",))])
    assert not can_wait(SERVICE, graph("selector: {app: web}", "type: LoadBalancer"), ())
    leaving = Node(
        None, leaving=Entry(ObjectRef("", "Service", "shop", "old"), own_resource("v1", "Service"), "1")
    )
    assert not can_wait(SERVICE, Graph((*plain.nodes, leaving)), ())
