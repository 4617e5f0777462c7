"""Which pods a change restarts, how, and what is down meanwhile: one function a kind.

The rules are those of Kubernetes 1.37's controllers (pkg/controller), which round differently: a Deployment
rounds maxSurge up and maxUnavailable down, a DaemonSet both up, a StatefulSet down, and no less than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kploy.core.bodies import dig, mapping, template_path, text
from kploy.core.differences import by_telling
from kploy.core.graph import backers
from kploy.core.kinds import SCALED
from kploy.core.rolling import together
from kploy.core.scaling import scaled
from kploy.model.app import Manifest
from kploy.model.frozen import replace
from kploy.model.objects import Body, ObjectRef
from kploy.model.plan import FieldChange, Pace, Restart

Served = Mapping[ObjectRef, tuple[ObjectRef, ...]]
"""By workload: the Services that have no endpoints but those of its pods."""

_Rule = Callable[[Body, Body, tuple[str, ...]], Restart]
"""Takes the live object, the answer, and the fields that are the cause."""


def served_alone(manifests: Sequence[Manifest]) -> Served:
    """By workload: the Services of ``manifests`` that select the pods of no other one."""
    served: dict[ObjectRef, tuple[ObjectRef, ...]] = {}
    for service, workloads in backers(manifests).items():
        if len(workloads) == 1:
            ref = manifests[workloads[0]].ref
            served[ref] = (*served.get(ref, ()), manifests[service].ref)
    return served


def restart(
    ref: ObjectRef, live: Body, answer: Body, fields: Iterable[FieldChange], served: Served
) -> Restart | None:
    """The restart of pods that ``fields``, what differs between both, make; None where there is none.

    It is told from the pods that live has. A Job makes none: its template cannot be changed.
    """
    rule = _RULES.get((ref.group, ref.kind))
    causes = tuple(change.name for change in by_telling(fields) if _is_cause(ref, change))
    if rule is None or not causes:
        return None
    found = rule(live, answer, causes)
    if not found.pods:
        return None
    return replace(found, cut_off=served.get(ref, ())) if found.is_down else found


def more_pods(ref: ObjectRef, live: Body, answer: Body) -> int:
    """How many pods a workload would have more than now; fewer if it is negative."""
    if (ref.group, ref.kind) not in SCALED:
        return 0
    return _replicas(answer) - _replicas(live)


def _is_cause(ref: ObjectRef, change: FieldChange) -> bool:
    if ref.kind == "Pod":
        # Of a live pod little can be changed; only a container whose image does is started again.
        return change.path[-1:] == ("image",)
    # All of a CronJob's job is for the next run, not only its pods.
    template = ("spec", "jobTemplate") if ref.kind == "CronJob" else template_path(ref.kind)
    return template is not None and change.path[: len(template)] == template


def _deployment(live: Body, answer: Body, causes: tuple[str, ...]) -> Restart:
    wanted = _replicas(answer)
    pods = min(_replicas(live), wanted)
    if dig(answer, "spec", "paused") is True:
        return Restart(Pace.WHEN_RESUMED, pods, pods, 0, causes)
    if text(answer, "spec", "strategy", "type") == "Recreate":
        return Restart(Pace.ALL_AT_ONCE, pods, pods, pods, causes, is_down=True)
    rolling = mapping(answer, "spec", "strategy", "rollingUpdate")
    surge = _scaled(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = _scaled(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    if surge + unavailable == 0:
        unavailable = 1
    return _rolling(pods, pods, surge + unavailable, causes, is_down=unavailable >= wanted)


def _stateful_set(live: Body, answer: Body, causes: tuple[str, ...]) -> Restart:
    there = min(_replicas(live), _replicas(answer))
    if text(answer, "spec", "updateStrategy", "type") == "OnDelete":
        return Restart(Pace.WHEN_DELETED, there, there, 0, causes)
    rolling = mapping(answer, "spec", "updateStrategy", "rollingUpdate")
    pods = max(0, there - _scaled(rolling.get("partition", 0), there, up=False))
    together = max(1, _scaled(rolling.get("maxUnavailable", 1), _replicas(answer), up=False))
    return _rolling(pods, there, together, causes, is_down=min(together, pods) >= there)


def _daemon_set(live: Body, answer: Body, causes: tuple[str, ...]) -> Restart:
    pods = _number(dig(live, "status", "desiredNumberScheduled"), 0)
    if text(answer, "spec", "updateStrategy", "type") == "OnDelete":
        return Restart(Pace.WHEN_DELETED, pods, pods, 0, causes)
    rolling = mapping(answer, "spec", "updateStrategy", "rollingUpdate")
    surge = _scaled(rolling.get("maxSurge", 0), pods, up=True)
    unavailable = _scaled(rolling.get("maxUnavailable", 1), pods, up=True)
    return _rolling(pods, pods, max(surge, unavailable), causes, is_down=unavailable >= pods)


def _controller(live: Body, answer: Body, causes: tuple[str, ...]) -> Restart:
    """Kubernetes leaves the pods of a ReplicationController alone; kploy replaces them."""
    pods = min(_replicas(live), _replicas(answer))
    number = together(answer)
    return _rolling(pods, pods, number, causes, is_down=number >= pods)


def _kept(live: Body, answer: Body, causes: tuple[str, ...]) -> Restart:
    """Nobody replaces the pods of a ReplicaSet: those that are started later are new."""
    pods = min(_replicas(live), _replicas(answer))
    return Restart(Pace.WHEN_DELETED, pods, pods, 0, causes)


def _cron_job(_: Body, __: Body, causes: tuple[str, ...]) -> Restart:
    return Restart(Pace.NEXT_RUN, 1, 1, 0, causes)


def _pod(_: Body, __: Body, causes: tuple[str, ...]) -> Restart:
    return Restart(Pace.IN_PLACE, 1, 1, 1, causes, is_down=True)


_RULES: dict[tuple[str, str], _Rule] = {
    ("", "Pod"): _pod,
    ("", "ReplicationController"): _controller,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _kept,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "CronJob"): _cron_job,
}


def _rolling(pods: int, there: int, together: int, causes: tuple[str, ...], *, is_down: bool) -> Restart:
    pace = Pace.ALL_AT_ONCE if together >= pods > 1 else Pace.ROLLING
    return Restart(pace, pods, there, min(together, pods), causes, is_down)


def _replicas(body: Body) -> int:
    return _number(dig(body, "spec", "replicas"), 1)


def _number(value: Any, default: int) -> int:
    return max(0, value) if type(value) is int else default


def _scaled(value: Any, whole: int, *, up: bool) -> int:
    return max(0, scaled(value, whole, up=up) or 0)
