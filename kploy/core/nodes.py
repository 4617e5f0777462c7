"""Nodes that are out of service: what a DaemonSet lacks there, nobody waits for."""

from __future__ import annotations

from collections.abc import Sequence

from kploy.core.diagnosis import is_new_pod
from kploy.core.live import Fields, Live, fields
from kploy.core.readiness_of_pods import is_ready, last_change

_MOST_NAMED = 3


def excused(live: Live) -> tuple[str, ...]:
    """The nodes on which a pod of a DaemonSet is not ready and need not be, in order.

    They are cordoned, or are not ready since before the last change: a node that fails after it may fail by it.
    None where nobody looked at pods or nodes.
    """
    changed = last_change(live)
    out = {name_of(node) for node in _nodes(live) if _is_out(node, changed)}
    pods = (fields("pod", body) for body in live.related.pods or ())
    lacking = {pod.map("spec").text("nodeName") for pod in pods if not is_ready(pod)}
    return tuple(sorted(out & lacking))


def new_pods_on(live: Live, nodes: Sequence[str]) -> int:
    """How many pods of a DaemonSet's template as it is now are on ``nodes``."""
    pods = (fields("pod", body) for body in live.related.pods or ())
    return sum(pod.map("spec").text("nodeName") in nodes and is_new_pod(pod, live) for pod in pods)


def without(nodes: Sequence[str]) -> str:
    """What is said where it does without them: "without node-2, which is out of service"."""
    named, more = ", ".join(nodes[:_MOST_NAMED]), len(nodes) - _MOST_NAMED
    named += f" and {more} more" if more > 0 else ""
    return f"without {named}, which {'is' if len(nodes) == 1 else 'are'} out of service"


def name_of(node: Fields) -> str:
    """The name of a node."""
    return node.map("metadata").text("name")


def _nodes(live: Live) -> list[Fields]:
    return [fields("node", body) for body in live.related.nodes]


def _is_out(node: Fields, changed: float) -> bool:
    if node.map("spec").flag("unschedulable"):
        return True
    for condition in node.map("status").maps("conditions"):
        if condition.text("type") == "Ready":
            return condition.text("status") != "True" and condition.time("lastTransitionTime") < changed
    return False
