"""One watch, with a cluster that says what a test wants to hear."""
# ruff: noqa: ARG002 - what is played need not look at what it is asked

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from kploy.cluster.port import Change, ChangeType, ClusterError, Expired, Listing, ServerFailed
from kploy.engine.related import NOTICES, Relation
from kploy.engine.watching import Listed, Selection, Sighted, Unheard, Watching
from kploy.model.objects import Body, ObjectRef, Resource
from tests.engine.test_carrier import Refusing

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
A = ObjectRef("", "ConfigMap", "shop", "a")


def body(version: int) -> Body:
    return {"metadata": {"name": "a", "namespace": "shop", "resourceVersion": str(version)}}


def change(version: int, kind: ChangeType = ChangeType.MODIFIED) -> Change:
    return Change(kind, body(version))


class Played(Refusing):
    """Lists and watches as it is told: ``steps`` are changes, errors to raise, and what to do in between."""

    def __init__(self, closed: threading.Event, *steps: Change | ClusterError | Callable[[], object]) -> None:
        super().__init__(ServerFailed("no"))
        self.closed = closed
        self.steps = list(steps)
        self.at = 10
        self.while_listing: Callable[[], object] = lambda: None
        self.since: list[str] = []

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        self.while_listing()
        return Listing((body(self.at),), str(self.at))

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        self.since.append(since)
        while self.steps:
            match self.steps.pop(0):
                case Change() as change:
                    yield change
                case ClusterError() as error:
                    raise error
                case act:
                    act()
        self.closed.set()


class Watched:
    """A watch, and what it told."""

    def __init__(self, relation: Relation | None = None, **how: Any) -> None:
        self.closed = threading.Event()
        self.cluster = Played(self.closed)
        self.told: list[Sighted | Listed | Unheard] = []
        self.failures: list[str] = []
        selection = Selection(CONFIG_MAP, "shop", "app=a", relation)
        self.watching = Watching(self.cluster, selection, self.told.append, self._fails, self.closed, **how)

    def _fails(self, error: ClusterError, since: float) -> None:
        self.failures.append(error.message)

    def play(self, *steps: Change | ClusterError | Callable[[], object]) -> list[tuple[str, int]]:
        """What is told while the cluster does ``steps``, with resource versions."""
        self.cluster.steps = list(steps)
        self.watching.run()
        return [_gist(message) for message in self.told]


def _gist(message: Sighted | Listed | Unheard) -> tuple[str, int]:
    match message:
        case Unheard(for_good=for_good):
            return "hidden" if for_good else "unheard", 0
        case Listed(version=version):
            return "listed", int(version)
        case Sighted(body=seen, is_gone=is_gone):
            return "gone" if is_gone else "seen", int(seen["metadata"]["resourceVersion"])


def test_everything_is_told_in_its_order() -> None:
    steps = change(11), change(12, ChangeType.BOOKMARK), change(13), change(14, ChangeType.DELETED)
    assert Watched().play(*steps) == [("listed", 10), ("seen", 11), ("seen", 13), ("gone", 14)]


def test_a_watch_goes_on_from_where_it_was_and_lists_again_when_that_is_forgotten() -> None:
    watched = Watched()
    told = watched.play(change(11), ServerFailed("odd"), change(12), Expired("too old"), change(13))
    assert told == [("listed", 10), ("seen", 11), ("seen", 12), ("listed", 10), ("seen", 13)]
    assert watched.cluster.since == ["10", "11", "10"]
    assert watched.failures == ["odd"]


def test_a_relation_is_unheard_from_when_its_watch_fails_and_that_is_told_once() -> None:
    steps = change(11), ServerFailed("odd"), ServerFailed("odd"), change(12), ServerFailed("odd"), change(13)
    assert Watched(NOTICES).play(*steps) == [
        ("listed", 10),
        ("seen", 11),
        ("unheard", 0),
        ("seen", 12),
        ("unheard", 0),
        ("seen", 13),
    ]


def test_who_looks_again_tells_how_everything_is_and_older_news_that_come_late_are_none() -> None:
    watched = Watched()

    def look() -> None:
        watched.cluster.at = 20
        watched.watching.look_again()

    told = watched.play(change(11), look, change(12), change(20), change(21))
    assert told == [("listed", 10), ("seen", 11), ("listed", 20), ("seen", 21)]


def test_a_look_that_the_watch_overtakes_is_not_told() -> None:
    watched = Watched()
    looked = threading.Event()

    def look() -> None:
        began, may_end = threading.Event(), threading.Event()

        def listing() -> None:
            began.set()
            may_end.wait(20)

        watched.cluster.while_listing = listing

        def look_elsewhere() -> None:
            watched.watching.look_again()
            looked.set()

        def let_it_end() -> None:
            may_end.set()
            looked.wait(20)

        threading.Thread(target=look_elsewhere).start()
        assert began.wait(20)
        watched.cluster.steps.insert(1, let_it_end)

    assert watched.play(look, change(11)) == [("listed", 10), ("seen", 11)]
    assert looked.is_set()


def test_a_quiet_watch_wants_one_look_at_a_time() -> None:
    assert not Watched().watching.wants_look()
    watched = Watched(too_quiet=0.0)
    assert not watched.watching.wants_look()
    watched.play()
    assert [watched.watching.wants_look() for _ in range(2)] == [True, False]
    seen: list[bool] = []
    watched.cluster.while_listing = lambda: seen.append(watched.watching.wants_look())
    watched.watching.look_again()
    assert seen == [False]
    assert watched.watching.wants_look()


def test_a_look_that_fails_is_left_to_the_watch() -> None:
    watched = Watched()

    def fail() -> None:
        raise ServerFailed("odd")

    watched.cluster.while_listing = fail
    watched.watching.look_again()
    assert (watched.told, watched.failures) == ([], [])
