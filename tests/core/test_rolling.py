"""The pods of a ReplicationController get to its template: all of them, and never too many at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.rolling import to_replace, together

CHANGED = "2026-11-23T06:00:00Z"
BEFORE = "2026-11-23T05:00:00Z"
NOW = datetime.fromisoformat("2026-11-23T07:00:00Z").timestamp()


def controller(replicas: int = 4, said: str | None = None, **metadata: Any) -> dict[str, Any]:
    annotations = {} if said is None else {"kploy.dev/max-unavailable": said}
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {
            "name": "web",
            "generation": 2,
            "annotations": annotations,
            "managedFields": [{"manager": "kploy", "time": CHANGED}],
            **metadata,
        },
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}},
        "status": {"observedGeneration": 2},
    }


def pod(uid: str, image: str = "web:1", ready: bool = True, at: str = BEFORE, **metadata: Any) -> dict[str, Any]:
    ready_condition = {"type": "Ready", "status": "True" if ready else "False"}
    return {
        "metadata": {"name": f"web-{uid}", "uid": uid, "creationTimestamp": at, **metadata},
        "spec": {"containers": [{"name": "web", "image": image}]},
        "status": {"phase": "Running", "conditions": [ready_condition]},
    }


def chosen(*pods: dict[str, Any], of: dict[str, Any] | None = None, leaving: tuple[str, ...] = ()) -> list[str]:
    return [body["metadata"]["uid"] for body in to_replace(of or controller(), pods, leaving, NOW)]


@pytest.mark.parametrize(
    ("replicas", "said", "number"),
    [
        (1, None, 1),
        (4, None, 1),
        (8, None, 2),
        (11, None, 2),
        (8, "3", 3),
        (8, "50%", 4),
        (8, "0", 1),
        (8, "0%", 1),
        (8, "many", 1),
    ],
)
def test_a_quarter_may_be_missing_or_what_the_annotation_says_and_one_at_least(
    replicas: int, said: str | None, number: int
) -> None:
    assert together(controller(replicas, said)) == number


def test_the_oldest_pods_go_first_as_many_as_may_be_missing() -> None:
    pods = [pod("a", at="2026-11-23T05:30:00Z"), pod("b"), pod("c", at="2026-11-23T04:00:00Z"), pod("d")]
    assert chosen(*pods) == ["c"]
    assert chosen(*pods, of=controller(4, "50%")) == ["c", "b"]


def test_while_one_is_missing_no_other_one_goes() -> None:
    new = pod("n", "web:2", ready=False)
    assert chosen(new, pod("b"), pod("c"), pod("d")) == []
    assert chosen(pod("b"), pod("c"), pod("d")) == []
    assert chosen(pod("n", "web:2"), pod("b"), pod("c"), pod("d")) == ["b"]


def test_one_whose_deletion_was_asked_for_counts_as_missing_and_is_not_named_again() -> None:
    assert chosen(pod("a"), pod("b"), pod("c"), pod("d"), leaving=("a",)) == []


def test_old_pods_that_serve_nobody_go_first_and_no_more_at_a_time_than_others() -> None:
    pods = [pod("a", ready=False), pod("b", ready=False), pod("c"), pod("d")]
    assert chosen(*pods) == ["a"]
    assert chosen(*pods, of=controller(4, "50%")) == ["a", "b"]
    assert chosen(*[pod(name, ready=False) for name in "abcd"]) == ["a"]
    assert chosen(pod("n", "web:2", ready=False), *pods[1:]) == []


def test_a_surplus_is_left_to_the_controller() -> None:
    assert chosen(*[pod(name) for name in "abcdefghij"], of=controller(3)) == ["a"]


def test_a_new_pod_serves_when_it_is_ready_for_as_long_as_it_must() -> None:
    patient = controller(2)
    patient["spec"]["minReadySeconds"] = 60
    fresh, settled = pod("n", "web:2"), pod("n", "web:2")
    for body, since in ((fresh, "2026-11-23T06:59:30Z"), (settled, "2026-11-23T06:58:30Z")):
        body["status"]["conditions"][0]["lastTransitionTime"] = since
    assert chosen(fresh, pod("b"), of=patient) == []
    assert chosen(settled, pod("b"), of=patient) == ["b"]


def test_a_clock_that_is_behind_holds_nothing_up() -> None:
    ahead = pod("n", "web:2")
    ahead["status"]["conditions"][0]["lastTransitionTime"] = "2026-11-23T08:00:00Z"
    assert chosen(ahead, pod("b"), of=controller(2)) == ["b"]


def test_a_number_as_long_as_a_book_is_no_number() -> None:
    assert together(controller(8, "9" * 5000)) == 1


@pytest.mark.parametrize(
    "gone",
    [
        {"deletionTimestamp": CHANGED},
        {"phase": "Failed"},
    ],
)
def test_pods_that_go_or_have_ended_are_left_alone(gone: dict[str, str]) -> None:
    ended = pod("a")
    ended["metadata"] |= {key: value for key, value in gone.items() if key != "phase"}
    ended["status"]["phase"] = gone.get("phase", "Running")
    assert chosen(ended, pod("b"), pod("c"), pod("d")) == []


def test_nothing_goes_before_the_controller_has_seen_its_template_or_when_all_have_it() -> None:
    assert chosen(pod("a"), of=controller(1, generation=3)) == []
    assert chosen(pod("a", "web:2"), pod("b", "web:2")) == []


class Cluster:
    """A controller that makes a pod for each that goes, and pods that become ready when they please."""

    def __init__(self, replicas: int, said: str | None) -> None:
        self.controller = controller(replicas, said)
        self.replicas = replicas
        self.pods = [pod(f"old-{number}") for number in range(replicas)]
        self.made = 0

    def ready(self) -> int:
        return sum(each["status"]["conditions"][0]["status"] == "True" for each in self.pods)

    def delete(self, uid: str) -> None:
        self.pods = [each for each in self.pods if each["metadata"]["uid"] != uid]
        self.made += 1
        self.pods.append(pod(f"new-{self.made}", "web:2", ready=False, at="2026-11-23T06:00:01Z"))

    def become_ready(self, number: int) -> None:
        waiting = [each for each in self.pods if each["status"]["conditions"][0]["status"] == "False"]
        if waiting:
            waiting[number % len(waiting)]["status"]["conditions"][0]["status"] = "True"


@given(
    st.integers(1, 9),
    st.sampled_from([None, "1", "2", "50%", "100%"]),
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60),
)
def test_whatever_happens_in_between_enough_stay_ready_and_in_the_end_all_are_new(
    replicas: int, said: str | None, steps: list[tuple[bool, int]]
) -> None:
    cluster = Cluster(replicas, said)
    may_miss = together(cluster.controller)
    asked: set[str] = set()
    # After the steps that were drawn, it is left to itself: the most that it can take is two a pod.
    for forgets, number in [*steps, *[(False, 0)] * (2 * replicas)]:
        if forgets:
            asked = set()  # A run was killed, and the next one begins.
        for body in to_replace(cluster.controller, cluster.pods, asked, NOW):
            asked.add(body["metadata"]["uid"])
            cluster.delete(body["metadata"]["uid"])
        assert cluster.ready() >= replicas - may_miss
        cluster.become_ready(number)
    assert {each["spec"]["containers"][0]["image"] for each in cluster.pods} == {"web:2"}
    assert cluster.made == replicas


KEYS = st.sampled_from(["metadata", "uid", "status", "phase", "conditions", "annotations"])
JSON = st.recursive(
    st.none() | st.integers() | st.just("metadata"),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


@given(JSON)
def test_no_pod_is_too_strange(body: Any) -> None:
    assert isinstance(to_replace(controller(), [body], (), NOW), tuple)
