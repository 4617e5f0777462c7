"""What there is to see of an object in trouble, from the same objects that tell its cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kploy.core.diagnosis import is_new_pod
from kploy.core.live import Fields, Live, Malformed, Related, containers_of, fields
from kploy.core.moment import Moment
from kploy.core.readiness_of_pods import is_ready, is_running, last_change
from kploy.model.evidence import Evidence, Serving, Witness
from kploy.model.frozen import replace
from kploy.model.notices import Notice
from kploy.model.objects import Body, Cause

_SERVE = frozenset({"DaemonSet", "Deployment", "Pod", "ReplicaSet", "ReplicationController", "StatefulSet"})
"""The kinds whose pods are there to answer; those of a Job are there to end."""

_IN_POD = re.compile(r" in pod \S+\(\S+\)$")
"""How kubelet ends some messages, so that those of two pods differ."""


def evidence_of(live: Body, related: Related, cause: Cause | None, now: float) -> Evidence:
    """What there is to see of an object, whose trouble has a ``cause`` if that is known.

    Never raises: what cannot be read is left out.
    """
    try:
        read = Live(fields("", live), related, Moment(now))
        return Evidence(_serving(read), tuple(_said_once(_since_change(read))), tuple(_witnesses(read, cause)))
    except Malformed:
        return Evidence()


def _serving(live: Live) -> Serving | None:
    # Before its controller has seen the change, nobody knows which pods are new.
    if live.related.pods is None or live.is_behind or live.body.text("kind") not in _SERVE:
        return None
    pods = [fields("pod", body) for body in live.related.pods]
    ready = [pod for pod in pods if is_running(pod) and is_ready(pod)]
    has_new = live.body.text("kind") != "Deployment" or live.status.number("updatedReplicas") > 0
    old = [pod for pod in ready if not (has_new and is_new_pod(pod, live))]
    images = {container.text("image"): None for pod in old for container in pod.map("spec").maps("containers")}
    return Serving(len(ready) - len(old), len(old), tuple(images))


def _since_change(live: Live) -> Iterator[Notice]:
    """The warnings since it was changed; of what was found as it is, all that are kept."""
    change = 0.0 if live.related.is_untouched else last_change(live)
    return (notice for notice in live.related.notices if notice.at >= change)


def _said_once(notices: Iterable[Notice]) -> list[Notice]:
    """The same warnings, those of several pods as one, counted together."""
    found: dict[tuple[str, str], Notice] = {}
    for notice in notices:
        message = _IN_POD.sub("", notice.message)
        known = found.get((notice.reason, message))
        count = notice.count + (known.count if known else 0)
        found[notice.reason, message] = replace(known or notice, message=message, count=count, at=notice.at)
    return sorted(found.values(), key=lambda each: each.at)


def _witnesses(live: Live, cause: Cause | None) -> Iterator[Witness]:
    """The containers that failed in one of the pods in trouble: the others most often say the same."""
    names = cause.pods if cause else ()
    for body in live.related.pods or ():
        pod = fields("pod", body)
        name = pod.map("metadata").text("name")
        if name in names and (found := list(_of_pod(name, pod))):
            yield from found
            return


def _of_pod(name: str, pod: Fields) -> Iterator[Witness]:
    for container in containers_of(pod.map("status")):
        state = container.map("state")
        has_ended_before = bool(container.map("lastState").map("terminated"))
        if container.flag("ready") or state.map("terminated").data.get("exitCode") == 0:
            continue
        if has_ended_before:
            yield Witness(name, container.text("name"), is_previous=True)
        if "running" in state or "terminated" in state:
            yield Witness(name, container.text("name"))
