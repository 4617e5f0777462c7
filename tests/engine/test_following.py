"""Following what the new pods of a deploy write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest.mock import ANY

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.port import Forbidden, NotFound
from kploy.engine import reporting
from kploy.engine.carrier import Inbox
from kploy.engine.following import MOST, Following, Wrote
from kploy.engine.run import run
from kploy.model.events import Event, Finished, LogLine, Noted
from kploy.model.objects import Resource
from kploy.model.report import Outcome
from kploy.sandbox.pod_logs import pod_logs
from tests.engine.test_diagnosis import app
from tests.fakes import RecordingCluster, Unwilling

RUNNING: dict[str, Any] = {"running": {}}


class Speaking:
    """Containers that say their names, and go on once they are let."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.asked: SimpleQueue[str] = SimpleQueue()

    def follow_log(self, namespace: str, pod: str, container: str) -> Iterator[str]:
        self.asked.put(f"{namespace}/{pod}/{container}")
        if pod == "gone":
            raise NotFound("pods gone not found", is_object=True)
        yield "hello"
        self.may_end.wait(10)


def pod(name: str, state: dict[str, Any] = RUNNING, restarts: int = 0) -> dict[str, Any]:
    container = {"name": "web", "state": state, "restartCount": restarts}
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"containerStatuses": [container]}}


def following(speaking: Speaking, *before: dict[str, Any]) -> tuple[Following, SimpleQueue[Wrote]]:
    said: SimpleQueue[Wrote] = SimpleQueue()
    return Following(speaking, "shop", said.put, before), said  # type: ignore[arg-type]


def test_each_run_of_a_container_is_followed_once_and_only_when_it_has_begun() -> None:
    speaking = Speaking()
    found, said = following(speaking, pod("old"))
    assert found.saw(pod("old"))
    assert found.saw(pod("new", {"waiting": {"reason": "ContainerCreating"}}))
    assert found.saw(pod("new"))
    assert said.get(timeout=10) == Wrote("new", "web", "hello", ANY)
    assert found.saw(pod("new"))
    assert found.saw(pod("new", {"terminated": {"exitCode": 1}}, restarts=1))
    assert said.get(timeout=10) == Wrote("new", "web", "hello", ANY)
    speaking.may_end.set()
    assert [speaking.asked.get() for _ in range(2)] == ["shop/new/web"] * 2
    assert speaking.asked.empty()


def test_a_log_that_cannot_be_read_says_so() -> None:
    found, said = following(Speaking())
    assert found.saw(pod("gone"))
    assert said.get(timeout=10) == Wrote("gone", "web", "(its log cannot be read: pods gone not found)", ANY)


def test_no_more_are_followed_than_there_are_connections_for() -> None:
    speaking = Speaking()
    found, said = following(speaking)
    assert [found.saw(pod(f"web-{number}")) for number in range(MOST + 1)] == [True] * MOST + [False]
    assert len({said.get(timeout=10).pod for _ in range(MOST)}) == MOST
    speaking.may_end.set()


def test_what_there_was_no_connection_for_is_followed_once_there_is() -> None:
    speaking = Speaking()
    found, said = following(speaking)
    for number in range(MOST):
        assert found.saw(pod(f"web-{number}"))
    assert not found.saw(pod("late"))
    speaking.may_end.set()
    while not found.saw(pod("late")):
        pass
    assert "late" in {said.get(timeout=10).pod for _ in range(MOST + 1)}


def lines(said: list[Event]) -> list[tuple[str, str, str]]:
    return [(each.pod, each.container, each.line) for each in said if isinstance(each, LogLine)]


class Chatty(RecordingCluster):
    """Containers write without end, as quickly as they are read."""

    def follow_log(self, namespace: str, pod: str, container: str) -> Iterator[str]:  # noqa: ARG002 - the port's
        while True:
            yield "and on it goes"


@pytest.mark.cluster
def test_a_log_without_end_keeps_no_run_from_ending(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    said = list(run(app(tmp_path, namespace, "nothing"), lambda _: Chatty(api), 60, Inbox(), follows_logs=True))
    assert isinstance(said[-1], Finished)
    assert said[-1].outcome is Outcome.DONE
    assert len(lines(said)) > 0


@pytest.mark.cluster
def test_what_is_read_for_one_deploy_does_not_stop_the_next_one(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = app(tmp_path, namespace, "nothing")
    list(run(root, lambda _: api, 60, Inbox()))
    manifest = root / "rcs/web.yaml"
    manifest.write_text(manifest.read_text().replace("plays: nothing", "plays: not-ready"))
    said = list(run(root, lambda _: Chatty(api), 8, Inbox(), atomic=True, follows_logs=True))
    assert Noted("revision 1 is back") in said
    assert isinstance(said[-1], Finished)
    assert (said[-1].outcome, said[-1].good) == (Outcome.TIMED_OUT, None)
    assert len(lines(said)) > 0


@pytest.mark.cluster
def test_what_the_new_pods_write_is_told_and_the_old_ones_are_left_alone(
    api: ApiServer, tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "_LAST_LINES", 3.0)  # What else is on the machine must not matter.
    root = app(tmp_path, namespace, "nothing")
    written = [line.split(" F ", 1)[1] for line in pod_logs()["pod.log"].splitlines()]
    first = list(run(root, lambda _: api, 60, Inbox(), follows_logs=True))
    (pod,) = {name for name, _, _ in lines(first)}
    assert lines(first) == [(pod, "web", line) for line in written]
    manifest = root / "rcs/web.yaml"
    manifest.write_text(manifest.read_text().replace("web:1.0.0", "web:1.0.1"))
    second = list(run(root, lambda _: api, 60, Inbox(), follows_logs=True))
    assert pod not in {name for name, _, _ in lines(second)}
    assert len(lines(second)) == len(written)
    assert isinstance(second[-1], Finished)
    assert second[-1].outcome is Outcome.DONE


class Blind(Unwilling):
    """May not look at pods."""

    def refusal(self, method: str, resource: Resource) -> Exception | None:
        return Forbidden("you may not list pods") if method == "list" and resource.kind == "Pod" else None


@pytest.mark.cluster
def test_who_may_not_see_pods_is_told_that_nothing_is_followed(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    said = list(run(app(tmp_path, namespace, "nothing"), lambda _: Blind(api), 60, Inbox(), follows_logs=True))
    assert Noted("no logs are followed: you may not list pods") in said
    assert isinstance(said[-1], Finished)
    assert said[-1].outcome is Outcome.DONE
