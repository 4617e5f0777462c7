"""Whether all the pods that a run starts fit into the quotas of their namespace.

The server says whether one pod fits. How many there will be, and what goes
away for them, it cannot know: that is estimated here, never too high. Quotas
with scopes, which count only some pods, are left to the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from kploy.core.bodies import dig, mapping, pod_template, text
from kploy.core.pod_costs import Amounts, added, amounts, cost_of, largest, times
from kploy.core.quantities import shown
from kploy.core.scaling import scaled
from kploy.model.frozen import dataclass
from kploy.model.objects import Body

_NONE = Fraction()

_SHORT = {"cpu": "requests.cpu", "memory": "requests.memory", "ephemeral-storage": "requests.ephemeral-storage"}
"""Names in a quota that mean the same as longer ones."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much a quota has left."""

    quota: str
    left: Amounts


@dataclass(frozen=True, slots=True)
class Demand:
    """What the pods of a workload need: ``pods`` of them there will be.

    ``more`` is what they take in the end beyond what the workload has now (less
    than nothing if it shrinks), ``at_once`` the most that has to be free while
    the old ones still run.
    """

    pods: int
    more: Amounts
    at_once: Amounts


@dataclass(frozen=True, slots=True)
class Excess:
    """All demands together are ``wanted`` of ``resource``, of which a quota has only ``left``.

    ``largest`` is the index of the demand that wants most of it.
    """

    quota: str
    resource: str
    wanted: Fraction
    left: Fraction
    largest: int

    def __str__(self) -> str:
        """``8 of requests.cpu; quota `compute` has 3 left``."""
        left = shown(max(self.left, _NONE))
        return f"{shown(self.wanted)} of {self.resource}; quota `{self.quota}` has {left} left"


def rooms_of(quotas: Iterable[Body]) -> Iterator[Room]:
    """What the quotas of a namespace have left, as far as they count every pod."""
    for quota in quotas:
        if dig(quota, "spec", "scopes") or dig(quota, "spec", "scopeSelector"):
            continue
        hard = amounts(mapping(quota, "status", "hard") or mapping(quota, "spec", "hard"))
        used = amounts(mapping(quota, "status", "used"))
        left = {_SHORT.get(name, name): limit - used.get(name, _NONE) for name, limit in hard.items()}
        yield Room(text(quota, "metadata", "name"), left)


def excesses(demands: Sequence[Demand], rooms: Iterable[Room]) -> Iterator[Excess]:
    """Which quotas have too little for all ``demands`` together."""
    for room in rooms:
        for resource, left in room.left.items():
            wanted = _wanted(demands, resource)
            if wanted > max(left, _NONE):
                sizes = [demand.at_once.get(resource, _NONE) for demand in demands]
                yield Excess(room.quota, resource, wanted, left, sizes.index(max(sizes)))


def _wanted(demands: Sequence[Demand], resource: str) -> Fraction:
    """The least that has to be free at some time: in the end, or for one of them while all others have shrunk."""
    more = [demand.more.get(resource, _NONE) for demand in demands]
    freed = sum((min(_NONE, amount) for amount in more), _NONE)
    at_once = (
        demand.at_once.get(resource, _NONE) + freed - min(_NONE, amount)
        for demand, amount in zip(demands, more, strict=True)
    )
    return max(sum(more, _NONE), max(at_once, default=_NONE))


def demand_of(kind: str, live: Body | None, wanted: Body, pod: Body) -> Demand:
    """What a workload needs that is to be as ``wanted``; ``pod`` is one of its pods as the server makes it."""
    new = cost_of(pod)
    pods, present = _pods_of(kind, wanted, live), running(live)
    if kind in _KEEPING:
        more = times(pods - present, new)
        return Demand(pods, more, more)
    # What the old pods leave undeclared was filled in for them as it is for the new one.
    old = {**new, **cost_of(pod_template(kind, live))} if live else new
    more = added(times(pods, new), times(-present, old))
    has_to_surge = bool(present and pods) and not frees_first(kind, wanted) and _differs(kind, live, wanted)
    return Demand(pods, more, largest(more, new) if has_to_surge else more)


_KEEPING = frozenset({"ReplicationController", "ReplicaSet", "Job", "CronJob"})
"""The kinds whose pods stay as they are when the template changes."""


def frees_first(kind: str, workload: Body) -> bool:
    """Whether a rollout may take old pods away before it starts new ones."""
    if kind != "Deployment":
        return kind not in _KEEPING
    if text(workload, "spec", "strategy", "type") == "Recreate":
        return True
    replicas = dig(workload, "spec", "replicas")
    most = dig(workload, "spec", "strategy", "rollingUpdate", "maxUnavailable")
    number = replicas if isinstance(replicas, int) else 1
    return (scaled("25%" if most is None else most, number, up=False) or 0) > 0


def _differs(kind: str, live: Body | None, wanted: Body) -> bool:
    return pod_template(kind, live) != pod_template(kind, wanted)


def _pods_of(kind: str, workload: Body, live: Body | None) -> int:
    """How many pods there will be at once, for all that is known."""
    match kind:
        case "CronJob":
            return 0
        case "DaemonSet":
            return max(1, _number(live, "status", "desiredNumberScheduled"))
        case "Job":
            if dig(workload, "spec", "suspend") is True:
                return 0
            parallel = _number(workload, "spec", "parallelism", default=1)
            return min(parallel, _number(workload, "spec", "completions", default=parallel))
        case _:
            return _number(workload, "spec", "replicas", default=1)


def running(live: Body | None) -> int:
    """How many pods a live workload has."""
    fields = ("replicas", "currentNumberScheduled", "active")
    return max(_number(live, "status", field) for field in fields)


def _number(body: Body | None, *path: str, default: int = 0) -> int:
    value = dig(body, *path)
    return value if type(value) is int else default
