"""Which pods restart for a change, how, and what is down meanwhile."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from kploy.core.differences import differences
from kploy.core.restarts import more_pods, restart, served_alone
from kploy.model.objects import ObjectRef
from kploy.model.plan import Pace, Restart
from tests.makers import deployment, service

IMAGE = "spec.template.spec.containers[web].image"


def ref(kind: str, group: str = "apps") -> ObjectRef:
    return ObjectRef(group, kind, "shop", "web")


def workload(kind: str, image: str = "acme/web:1", **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "web", "image": image}]}}
    return {"kind": kind, "spec": {**deepcopy(spec), "template": template}}


def restarts(kind: str, group: str = "apps", status: Any = None, **spec: Any) -> Restart | None:
    """What a new image does to a workload."""
    live, answer = workload(kind, **spec), workload(kind, "acme/web:2", **spec)
    live["status"] = status
    return restart(ref(kind, group), live, answer, differences(live, answer), {})


def rolling(pods: int, together: int, of: int | None = None, *, is_down: bool = False) -> Restart:
    pace = Pace.ALL_AT_ONCE if together == pods > 1 else Pace.ROLLING
    return Restart(pace, pods, of or pods, together, (IMAGE,), is_down)


def by_surge(surge: Any, unavailable: Any) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


@pytest.mark.parametrize(
    ("replicas", "strategy", "expected"),
    [
        (3, {}, rolling(3, 1)),
        (3, by_surge("25%", "25%"), rolling(3, 1)),
        (10, by_surge("25%", "25%"), rolling(10, 5)),  # 2.5 up and 2.5 down
        (4, by_surge(0, "10%"), rolling(4, 1)),  # neither: then one may be missing
        (4, by_surge(0, 2), rolling(4, 2)),
        (4, by_surge("100%", 0), rolling(4, 4)),
        (4, by_surge(0, "100%"), rolling(4, 4, is_down=True)),
        (1, by_surge("25%", "25%"), rolling(1, 1)),
        (1, by_surge(0, 1), rolling(1, 1, is_down=True)),
        (1, by_surge(1, 1), rolling(1, 1, is_down=True)),
        (3, {"type": "Recreate"}, Restart(Pace.ALL_AT_ONCE, 3, 3, 3, (IMAGE,), is_down=True)),
        (0, {}, None),
        (0, {"type": "Recreate"}, None),
        (2, by_surge("many", [1]), rolling(2, 1)),
        (2, [], rolling(2, 1)),
    ],
)
def test_a_deployment_restarts_as_its_strategy_says(
    replicas: int, strategy: Any, expected: Restart | None
) -> None:
    assert restarts("Deployment", replicas=replicas, strategy=strategy) == expected


def test_a_paused_deployment_restarts_when_it_is_resumed() -> None:
    assert restarts("Deployment", replicas=2, paused=True) == Restart(Pace.WHEN_RESUMED, 2, 2, 0, (IMAGE,))


@pytest.mark.parametrize(
    ("replicas", "strategy", "expected"),
    [
        (3, {}, rolling(3, 1)),
        (1, {}, rolling(1, 1, is_down=True)),
        (3, {"rollingUpdate": {"partition": 2}}, rolling(1, 1, of=3)),
        (3, {"rollingUpdate": {"partition": 3}}, None),
        (4, {"rollingUpdate": {"maxUnavailable": "50%"}}, rolling(4, 2)),
        (4, {"rollingUpdate": {"maxUnavailable": "10%"}}, rolling(4, 1)),
        (2, {"rollingUpdate": {"maxUnavailable": 2}}, rolling(2, 2, is_down=True)),
        (3, {"type": "OnDelete"}, Restart(Pace.WHEN_DELETED, 3, 3, 0, (IMAGE,))),
    ],
)
def test_a_stateful_set_restarts_those_above_the_partition(
    replicas: int, strategy: Any, expected: Restart | None
) -> None:
    assert restarts("StatefulSet", replicas=replicas, updateStrategy=strategy) == expected


@pytest.mark.parametrize(
    ("nodes", "strategy", "expected"),
    [
        (5, {}, rolling(5, 1)),
        (5, {"rollingUpdate": {"maxUnavailable": "30%"}}, rolling(5, 2)),  # 1.5 up
        (5, {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 2}}, rolling(5, 2)),
        (1, {}, rolling(1, 1, is_down=True)),
        (2, {"rollingUpdate": {"maxUnavailable": "100%"}}, rolling(2, 2, is_down=True)),
        (5, {"type": "OnDelete"}, Restart(Pace.WHEN_DELETED, 5, 5, 0, (IMAGE,))),
        (0, {}, None),
    ],
)
def test_a_daemon_set_restarts_a_pod_on_every_node(nodes: int, strategy: Any, expected: Restart | None) -> None:
    status = {"desiredNumberScheduled": nodes}
    assert restarts("DaemonSet", status=status, updateStrategy=strategy) == expected


def test_pods_that_nobody_replaces_stay_until_they_are_deleted() -> None:
    assert restarts("ReplicaSet", "apps", replicas=2) == Restart(Pace.WHEN_DELETED, 2, 2, 0, (IMAGE,))


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [
        (1, Restart(Pace.ROLLING, 1, 1, 1, (IMAGE,), is_down=True)),
        (2, Restart(Pace.ROLLING, 2, 2, 1, (IMAGE,))),
        (8, Restart(Pace.ROLLING, 8, 8, 2, (IMAGE,))),
    ],
)
def test_the_pods_of_a_replication_controller_are_replaced_a_quarter_at_a_time(
    replicas: int, expected: Restart
) -> None:
    assert restarts("ReplicationController", "", replicas=replicas) == expected


def test_a_job_restarts_nothing_and_what_has_no_pods_neither() -> None:
    assert restarts("Job", "batch") is None
    assert restarts("Database", "example.com") is None


def test_a_cron_job_takes_its_template_at_the_next_run() -> None:
    live, answer = (
        {"kind": "CronJob", "spec": {"jobTemplate": workload("Job", image)}}
        for image in ("acme/web:1", "acme/web:2")
    )
    found = restart(ref("CronJob", "batch"), live, answer, differences(live, answer), {})
    cause = "spec.jobTemplate.spec.template.spec.containers[web].image"
    assert found == Restart(Pace.NEXT_RUN, 1, 1, 0, (cause,))


def test_a_pod_restarts_in_place_for_an_image_only() -> None:
    live = {
        "kind": "Pod",
        "metadata": {"labels": {"a": "1"}},
        "spec": {"containers": [{"name": "web", "image": "1"}]},
    }
    answer = {**live, "spec": {"containers": [{"name": "web", "image": "2"}]}}
    found = restart(ref("Pod", ""), live, answer, differences(live, answer), {})
    assert found == Restart(Pace.IN_PLACE, 1, 1, 1, ("spec.containers[web].image",), is_down=True)
    relabelled = {**live, "metadata": {"labels": {"a": "2"}}}
    assert restart(ref("Pod", ""), live, relabelled, differences(live, relabelled), {}) is None


def test_what_is_not_in_the_template_restarts_nothing() -> None:
    live, answer = workload("Deployment", replicas=2), workload("Deployment", replicas=3)
    assert restart(ref("Deployment"), live, answer, differences(live, answer), {}) is None
    assert more_pods(ref("Deployment"), live, answer) == 1
    assert more_pods(ref("Deployment"), answer, live) == -1
    assert more_pods(ref("DaemonSet"), live, answer) == 0


def test_pods_that_go_anyway_do_not_restart() -> None:
    live, answer = workload("Deployment", replicas=3), workload("Deployment", "acme/web:2", replicas=2)
    found = restart(ref("Deployment"), live, answer, differences(live, answer), {})
    assert found == rolling(2, 1)


def test_the_image_is_named_first_among_the_causes() -> None:
    live, answer = workload("Deployment"), workload("Deployment", "acme/web:2")
    answer["spec"]["template"] = {"metadata": {"labels": {"a": "b"}}, **answer["spec"]["template"]}
    found = restart(ref("Deployment"), live, answer, differences(live, answer), {})
    assert found is not None
    assert found.because == (IMAGE, "spec.template.metadata")


def test_services_that_only_these_pods_serve_have_no_endpoints_meanwhile() -> None:
    web, other = deployment("web", {"app": "web", "tier": "a"}), deployment("other", {"app": "other", "tier": "a"})
    manifests = [web, other, service("web", app="web"), service("tier", tier="a"), service("out", app="nobody")]
    served = served_alone(manifests)
    assert served == {web.ref: (manifests[2].ref,)}
    live, answer = workload("Deployment", strategy={"type": "Recreate"}), workload("Deployment", "2")
    answer["spec"]["strategy"] = {"type": "Recreate"}
    found = restart(ref("Deployment"), live, answer, differences(live, answer), served)
    assert found is not None
    assert found.cut_off == (manifests[2].ref,)


@pytest.mark.parametrize(
    ("odd", "pods"),
    [(None, 0), ([], 0), ("x", 0), ({"replicas": "two"}, 1), ({"replicas": True, "strategy": 1}, 1)],
)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "ReplicaSet"])
def test_objects_of_any_shape_are_judged(kind: str, odd: Any, pods: int) -> None:
    live = {"kind": kind, "spec": odd, "status": odd}
    answer = workload(kind)
    found = restart(ref(kind), live, answer, differences(live, answer), {})
    assert (found.pods if found else 0) == pods
