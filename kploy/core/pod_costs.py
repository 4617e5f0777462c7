"""What a pod takes of a quota, by what its containers declare."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from kploy.core.bodies import entries, mapping, text
from kploy.core.quantities import quantity
from kploy.model.objects import Body

Amounts = Mapping[str, Fraction]
"""How much of each resource."""

_NONE = Fraction()


def cost_of(pod: Body) -> dict[str, Fraction]:
    """What one pod with this ``spec`` takes, under the names that quotas have for it (``requests.cpu``, ``pods``).

    As in Kubernetes' PodUsageFunc and PodRequests: init containers run one after
    the other before all others, those that restart always go on beside them.
    """
    cost = {"pods": Fraction(1), "count/pods": Fraction(1)}
    spec = mapping(pod, "spec")
    for what in ("requests", "limits"):
        for name, amount in _of_spec(spec, what).items():
            cost[f"{what}.{name}"] = amount
    return cost


def _of_spec(spec: Mapping[str, Any], what: str) -> Amounts:
    beside: Amounts = {}
    most: Amounts = {}
    for container in entries(spec, "initContainers"):
        own = _declared(container, what)
        most = largest(most, added(beside, own))
        if text(container, "restartPolicy") == "Always":
            beside = added(beside, own)
    together = beside
    for container in entries(spec, "containers"):
        together = added(together, _declared(container, what))
    # What is declared for the pod as a whole is no less than for its containers.
    needed = largest(largest(together, most), _declared(spec, what))
    overhead = amounts(mapping(spec, "overhead"))
    return added(needed, {name: overhead[name] for name in overhead if what == "requests" or name in needed})


def _declared(of: Mapping[str, Any], what: str) -> Amounts:
    """What a container, or the pod as a whole, asks for; to the server a limit alone is a request, too."""
    limits = amounts(mapping(of, "resources", "limits"))
    return limits if what == "limits" else {**limits, **amounts(mapping(of, "resources", "requests"))}


def amounts(data: Mapping[str, Any]) -> dict[str, Fraction]:
    """The quantities in ``data``; what is none is passed over."""
    read = {name: quantity(value) for name, value in data.items() if isinstance(name, str)}
    return {name: amount for name, amount in read.items() if amount is not None}


def added(one: Amounts, other: Amounts) -> dict[str, Fraction]:
    """Both together."""
    return {name: one.get(name, _NONE) + other.get(name, _NONE) for name in (*one, *other)}


def times(number: int, each: Amounts) -> dict[str, Fraction]:
    """So many of the same."""
    return {name: number * amount for name, amount in each.items()}


def largest(one: Amounts, other: Amounts) -> dict[str, Fraction]:
    """The larger one of each."""
    return {name: max(one.get(name, _NONE), other.get(name, _NONE)) for name in (*one, *other)}
