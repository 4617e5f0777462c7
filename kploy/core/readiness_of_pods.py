"""Whether pods run the template that their controller has now, where the controller itself does not see to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kploy.core.live import Fields, Live, condition_of, current, fields, in_progress
from kploy.model.objects import Body, Counts, Status

_ENDED = {"Succeeded", "Failed"}


def of_template(live: Live, pods: tuple[Body, ...]) -> Status:
    """As many pods as wanted run the template and are ready, and none runs an older one."""
    running = [pod for pod in (fields("pod", body) for body in pods) if is_running(pod)]
    young = [pod for pod in running if is_of_template(pod, live)]
    counts = Counts(sum(map(is_ready, young)), live.spec.number("replicas", 1))
    if old := len(running) - len(young):
        verb = "runs" if old == 1 else "run"
        return in_progress(f"{old} of {_pods(len(running))} still {verb} the old template", counts)
    if counts.wanted is not None and counts.ready < counts.wanted:
        return in_progress(f"{counts.ready} of {counts.wanted} ready", counts)
    return current("", counts)


def _pods(number: int) -> str:
    return f"{number} pod" if number == 1 else f"{number} pods"


def is_running(pod: Fields) -> bool:
    """A pod that stops already, or has ended, counts as gone, as it does for its controller."""
    return "deletionTimestamp" not in pod.map("metadata") and pod.map("status").text("phase") not in _ENDED


def is_ready(pod: Fields) -> bool:
    """Whether a pod serves."""
    return condition_of(pod.map("status"), "Ready").is_true


def is_of_template(pod: Fields, live: Live) -> bool:
    """Whether a pod was made from the template as it is now.

    Where there never was another template, or the pod is younger than the last change, it was. That spares
    pods which a webhook changed on their way in. Of all others, every field of the template must say the same.
    """
    if live.metadata.number("generation") == 1 or pod.map("metadata").time("creationTimestamp") > last_change(
        live
    ):
        return True
    template, metadata = live.spec.map("template"), pod.map("metadata")
    return (
        says(metadata.map("labels").data, template.map("metadata").map("labels").data)
        and says(metadata.map("annotations").data, template.map("metadata").map("annotations").data)
        and says(pod.map("spec").data, template.map("spec").data)
    )


def last_change(live: Live) -> float:
    """When somebody last changed more than the status; never (infinitely late), if nobody says."""
    managers = live.metadata.maps("managedFields")
    return max((one.time("time") for one in managers if not one.text("subresource")), default=float("inf"))


def says(found: Any, wanted: Any) -> bool:
    """Whether ``found`` has all that ``wanted`` has; it may have more: defaults, and what was injected.

    Of a list of maps, each must be in the other list, in any place: containers, variables, ports, volumes.
    A list of anything else must be the same, because in a command the order counts.
    """
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            value is None or (key in found and says(found[key], value)) for key, value in wanted.items()
        )
    if isinstance(wanted, list) and any(isinstance(item, Mapping) for item in wanted):
        return isinstance(found, list) and all(any(says(other, item) for other in found) for item in wanted)
    return bool(found == wanted)
