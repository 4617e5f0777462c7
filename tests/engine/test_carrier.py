"""What the carrier does with a cluster that will not, without a cluster."""
# ruff: noqa: ARG002 - what refuses everything need not look at what it is asked

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from kploy.cluster.port import (
    Answer,
    Change,
    ClusterError,
    Forbidden,
    Listing,
    NotFound,
    Propagation,
    Target,
    Trouble,
)
from kploy.engine.carrier import Broken, Carrier, Inbox, NotSent, NotTaken
from kploy.engine.related import CLASSES, PODS, Relation
from kploy.engine.resources import Resources
from kploy.engine.watching import Listed, Unheard
from kploy.model.objects import Body, Resource
from tests.makers import app_of, thing

DEFINITION = thing(
    "things.acme.io",
    "CustomResourceDefinition",
    "apiextensions.k8s.io/v1",
    spec={
        "group": "acme.io",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [{"name": "v1"}],
        "scope": "Namespaced",
    },
)
THING = thing("one", "Thing", "acme.io/v1")
FLAGS = thing("flags")
UNSERVED = NotFound("the server could not find the requested resource", is_object=False)


class Refusing:
    """A cluster that refuses every request with the same error."""

    target = Target("", "https://refusing.example")

    def __init__(self, error: ClusterError) -> None:
        self.error = error
        self.was_asked = threading.Event()

    def refuse(self) -> ClusterError:
        self.was_asked.set()
        return self.error

    def until(self, deadline: float) -> Refusing:
        return self

    def observe(self, listener: Callable[[Trouble], None]) -> None:
        """It never makes anybody wait."""

    def version(self) -> str:
        raise self.refuse()

    def resource(self, api_version: str, kind: str) -> Resource | None:
        raise self.refuse()

    def get(self, resource: Resource, namespace: str, name: str) -> Body | None:
        raise self.refuse()

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        raise self.refuse()

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        raise self.refuse()

    def kinds(self) -> tuple[Resource, ...]:
        raise self.refuse()

    def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        raise self.refuse()

    def replace(self, resource: Resource, body: Body) -> Body:
        raise self.refuse()

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        operations: Sequence[Mapping[str, object]],
        manager: str,
        *,
        dry_run: bool = False,
    ) -> Body:
        raise self.refuse()

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str | None = None,
        propagation: Propagation = Propagation.BACKGROUND,
        dry_run: bool = False,
    ) -> Body | None:
        raise self.refuse()

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        raise self.refuse()

    def log(self, namespace: str, pod: str, container: str, *, lines: int, is_previous: bool = False) -> str:
        raise self.refuse()

    def follow_log(self, namespace: str, pod: str, container: str) -> Iterator[str]:
        raise self.refuse()

    def may(self, verb: str, group: str, plural: str, namespace: str, name: str = "") -> bool:
        raise self.refuse()

    def user(self) -> str:
        raise self.refuse()

    def close(self) -> None:
        """Nothing is open."""


class Unwatched(Refusing):
    """A cluster that lists, but does not let anybody watch."""

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        return Listing((), "1")


def carrier_of(cluster: Refusing, inbox: Inbox) -> Carrier:
    manifests = (DEFINITION, THING, FLAGS)
    return Carrier(app_of(*manifests), cluster, Resources(cluster, manifests), inbox)


def assert_offered_again(carrier: Carrier, cluster: Refusing, inbox: Inbox) -> None:
    """What the cluster refuses is not given up, until the user wants the end."""
    carrier.apply(8, THING, THING.body)
    assert cluster.was_asked.wait(10)
    assert inbox.empty()
    carrier.withhold()
    assert inbox.get(timeout=10) == NotSent(8)


def test_a_kind_that_is_not_served_yet_is_offered_again_until_the_user_wants_the_end() -> None:
    inbox, cluster = Inbox(), Refusing(UNSERVED)
    assert_offered_again(carrier_of(cluster, inbox), cluster, inbox)


def test_a_kind_that_is_not_the_apps_own_is_not_offered_again() -> None:
    inbox = Inbox()
    carrier_of(Refusing(UNSERVED), inbox).apply(7, FLAGS, FLAGS.body)
    assert inbox.get(timeout=10) == NotTaken(7, UNSERVED)


def test_what_is_forbidden_is_offered_again_only_if_the_app_brings_rights() -> None:
    inbox, cluster = Inbox(), Refusing(Forbidden("no"))
    carrier_of(cluster, inbox).apply(7, THING, THING.body)
    assert inbox.get(timeout=10) == NotTaken(7, cluster.error)
    cluster.was_asked.clear()
    manifests = (thing("reader", "Role", "rbac.authorization.k8s.io/v1"), DEFINITION, THING)
    carrier = Carrier(app_of(*manifests), cluster, Resources(cluster, manifests), inbox)
    assert_offered_again(carrier, cluster, inbox)


def test_a_pod_is_offered_again_while_its_namespace_has_no_default_account() -> None:
    said = 'error looking up service account shop/default: serviceaccount "default" not found'
    inbox, cluster = Inbox(), Refusing(Forbidden(f'pods "a" is forbidden: {said}'))
    assert_offered_again(carrier_of(cluster, inbox), cluster, inbox)


@pytest.mark.parametrize("cluster", [Refusing(Forbidden("no")), Unwatched(Forbidden("no"))])
def test_a_watch_that_is_forbidden_says_so(cluster: Refusing) -> None:
    inbox = Inbox()
    carrier_of(cluster, inbox).watch_related(PODS, may_be_hidden=PODS.may_be_hidden)
    said = inbox.get(timeout=10)
    if isinstance(said, Listed):
        said = inbox.get(timeout=10)
    assert said == Broken(cluster.error)


@pytest.mark.parametrize("cluster", [Refusing(Forbidden("no")), Unwatched(Forbidden("no"))])
def test_what_may_be_hidden_is_done_without(cluster: Refusing) -> None:
    inbox = Inbox()
    watch_to_its_end(carrier_of(cluster, inbox), CLASSES)
    assert cluster.was_asked.is_set()
    assert [message for message in iter_of(inbox) if not isinstance(message, Listed)] == [
        Unheard(CLASSES, for_good=True)
    ]


def watch_to_its_end(carrier: Carrier, relation: Relation) -> None:
    before = set(threading.enumerate())
    carrier.watch_related(relation, may_be_hidden=relation.may_be_hidden)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


def iter_of(inbox: Inbox) -> Iterator[object]:
    while not inbox.empty():
        yield inbox.get()
