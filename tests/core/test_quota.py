from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.pod_costs import cost_of
from kploy.core.quota import Demand, Excess, Room, demand_of, excesses, frees_first, rooms_of

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["spec", "status", "containers", "resources", "limits", "cpu", "hard", "used", "template"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def asks(cpu: str = "", /, **limits: str) -> dict[str, Any]:
    return {"name": "web", "resources": {**({"requests": {"cpu": cpu}} if cpu else {}), "limits": limits}}


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def cpu_of(body: dict[str, Any]) -> Fraction:
    return cost_of(body).get("requests.cpu", Fraction())


@pytest.mark.parametrize(
    ("body", "cpu"),
    [
        (pod(asks("1"), asks("500m")), "3/2"),
        (pod(asks(), asks(memory="1Gi")), "0"),
        (pod(asks("", cpu="2")) , "2"),
        (pod(asks("1"), initContainers=[asks("3"), asks("2")]), "3"),
        (pod(asks("1"), initContainers=[{**asks("1"), "restartPolicy": "Always"}, asks("2")]), "3"),
        (pod(asks("1"), initContainers=[asks("1"), {**asks("1"), "restartPolicy": "Always"}]), "2"),
        (pod(asks("1"), overhead={"cpu": "250m"}), "5/4"),
        (pod(asks("1"), resources={"requests": {"cpu": "4"}}), "4"),
    ],
)  # fmt: skip
def test_a_pod_costs_what_kubernetes_counts(body: dict[str, Any], cpu: str) -> None:
    assert cpu_of(body) == Fraction(cpu)
    assert cost_of(body)["pods"] == 1


@given(JUNK)
def test_a_malformed_pod_costs_something_and_raises_nothing(body: Any) -> None:
    assert cost_of(body)["pods"] == 1
    assert all(room.quota == "" for room in rooms_of([body]))
    assert demand_of("DaemonSet", body, body, body).pods == 1


def deployment(replicas: int, cpu: str, running: int | None = None, **strategy: Any) -> dict[str, Any]:
    spec = {"replicas": replicas, "strategy": strategy, "template": pod(asks(cpu))}
    return {"spec": spec, **({"status": {"replicas": running}} if running is not None else {})}


ROLLING: dict[str, Any] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


@pytest.mark.parametrize(
    ("live", "wanted", "more", "at_once"),
    [
        (None, deployment(4, "2"), 8, 8),
        (deployment(4, "2", running=4), deployment(4, "2"), 0, 0),
        (deployment(4, "2", running=4), deployment(6, "2"), 4, 4),
        (deployment(4, "2", running=4), deployment(4, "3", **ROLLING), 4, 4),
        (deployment(4, "2", running=4), deployment(4, "1", **ROLLING), -4, 1),
        (deployment(4, "2", running=4), deployment(4, "1", type="Recreate"), -4, -4),
        (deployment(4, "2", running=4), deployment(0, "1", **ROLLING), -8, -8),
    ],
)
def test_a_rollout_needs_what_is_more_and_what_stands_beside_the_old(
    live: dict[str, Any] | None, wanted: dict[str, Any], more: int, at_once: int
) -> None:
    demand = demand_of("Deployment", live, wanted, wanted["spec"]["template"])
    found = demand.more["requests.cpu"], demand.at_once["requests.cpu"]
    assert found == (Fraction(more), Fraction(at_once))


@pytest.mark.parametrize(
    ("kind", "wanted", "pods"),
    [
        ("Job", {"spec": {"parallelism": 5, "completions": 2}}, 2),
        ("Job", {"spec": {"suspend": True}}, 0),
        ("Job", {"spec": {}}, 1),
        ("CronJob", {"spec": {"jobTemplate": {"spec": {"parallelism": 3}}}}, 0),
        ("DaemonSet", {"spec": {}}, 1),
        ("StatefulSet", {"spec": {"replicas": 3}}, 3),
        ("Deployment", {"spec": {"replicas": "x"}}, 1),
    ],
)
def test_the_number_of_pods_is_the_kinds_own(kind: str, wanted: dict[str, Any], pods: int) -> None:
    assert demand_of(kind, None, wanted, pod(asks("1"))).pods == pods


@pytest.mark.parametrize(
    ("kind", "spec", "frees"),
    [
        ("Deployment", {"replicas": 4}, True),
        ("Deployment", {"replicas": 3}, False),
        ("Deployment", {"replicas": 3, "strategy": {"type": "Recreate"}}, True),
        ("Deployment", {"replicas": 3, "strategy": {"rollingUpdate": {"maxUnavailable": 1}}}, True),
        ("Deployment", {"replicas": 3, "strategy": {"rollingUpdate": {"maxUnavailable": "34%"}}}, True),
        ("Deployment", {"replicas": 9, "strategy": {"rollingUpdate": {"maxUnavailable": "0%"}}}, False),
        ("Deployment", {"replicas": 9, "strategy": {"rollingUpdate": {"maxUnavailable": "much"}}}, False),
        ("StatefulSet", {}, True),
        ("ReplicationController", {}, False),
    ],
)
def test_whether_old_pods_go_first_follows_from_the_strategy(kind: str, spec: dict[str, Any], frees: bool) -> None:
    assert frees_first(kind, {"spec": spec}) is frees


def quota(name: str = "compute", scopes: list[str] | None = None, used: str = "1", **hard: str) -> dict[str, Any]:
    names = {key.replace("_", "."): value for key, value in hard.items()}
    status = {"hard": names, "used": dict.fromkeys(names, used)}
    return {"metadata": {"name": name}, "spec": {"hard": names, "scopes": scopes}, "status": status}


def test_what_a_quota_has_left_is_what_it_allows_without_what_is_used() -> None:
    found = list(rooms_of([quota(cpu="4", limits_memory="1Gi"), quota(scopes=["BestEffort"], pods="1")]))
    assert found == [Room("compute", {"requests.cpu": Fraction(3), "limits.memory": Fraction(1024**3 - 1)})]


def test_all_pods_together_are_held_against_a_quota() -> None:
    demands = [demand_of("Deployment", None, deployment(n, "2"), pod(asks("2"))) for n in (1, 3)]
    (excess,) = excesses(demands, rooms_of([quota(cpu="4"), quota("wide", cpu="9")]))
    assert excess == Excess("compute", "requests.cpu", Fraction(8), Fraction(3), 1)
    assert str(excess) == "8 of requests.cpu; quota `compute` has 3 left"


NUMBERS = st.integers(-20, 20).map(Fraction)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4), NUMBERS)
def test_nothing_is_said_to_exceed_a_quota_that_may_fit_in_some_order(
    sizes: list[tuple[Fraction, Fraction]], left: Fraction
) -> None:
    demands = [Demand(1, {"cpu": more}, {"cpu": max(more, peak)}) for more, peak in sizes]
    found = list(excesses(demands, [Room("q", {"cpu": left})]))
    nothing = Fraction()
    more = [each for each, _ in sizes]
    shrunk: list[Fraction] = [min(nothing, each) for each in more]
    in_the_end = sum(more, nothing)
    # Each at its peak, when all others that shrink have done so.
    alone = [max(own) + sum(shrunk, nothing) - less for own, less in zip(sizes, shrunk, strict=True)]
    assert bool(found) is (max([in_the_end, *alone]) > max(left, nothing))
