"""Why a Service of type LoadBalancer has no address."""

from __future__ import annotations

from kploy.core.live import Live
from kploy.model.notices import Notice
from kploy.model.objects import Cause, Grade, JsonPath

_TROUBLE = frozenset({"SyncLoadBalancerFailed", "CreatingLoadBalancerFailed", "AllocationFailed"})
"""What controllers of load balancers warn of: those in clouds, before and since 1.18, and MetalLB."""

_TAKEN_UP = 180.0
"""Seconds in which a controller, if there is one, has an address or has left its mark."""

_TRIED_AGAIN = 180.0
"""Seconds in which a controller tries again, at first every five."""


def lacks_address(live: Live) -> bool:
    """Whether a Service waits for the address of a load balancer."""
    is_wanted = live.spec.text("type") == "LoadBalancer" and live.spec.text("clusterIP")
    return bool(is_wanted) and not live.status.map("loadBalancer").maps("ingress")


def of_load_balancer(live: Live, notices: list[Notice]) -> Cause:
    """Why it has no address; ``notices`` are those about the Service."""
    class_ = live.spec.text("loadBalancerClass")
    path: JsonPath = ("spec", "loadBalancerClass") if class_ else ("spec", "type")
    troubled = [each for each in notices if each.reason in _TROUBLE]
    if troubled:
        last = troubled[-1]
        said = f"its load balancer cannot be made: {last.message}"
        return Cause(last.reason, said, Grade.SUSPECTED, path, _TRIED_AGAIN)
    if live.metadata.texts("finalizers"):
        # Whoever made a load balancer for it keeps it until that is gone.
        return Cause("EnsuringLoadBalancer", "waiting for its load balancer", Grade.TRANSIENT, path)
    whose = f" of class {class_}" if class_ else ""
    said = f"waiting for a load balancer address, and no controller{whose} has taken it up so far"
    return Cause("NoLoadBalancer", said, Grade.SUSPECTED, path, _TAKEN_UP)
