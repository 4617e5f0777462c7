"""How the pods of a ReplicationController get to its template: kploy replaces them, because Kubernetes does not.

A few at a time, and as a Deployment would: pods that serve nobody go first, and of those that
do so many stay that no more than the annotation allows are missing. What is to be done next follows from
what is there, so a run that was killed in between goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from kploy.core.live import Fields, Live, Malformed, Related, fields
from kploy.core.readiness_of_pods import is_of_template, is_ready, is_running
from kploy.core.scaling import scaled
from kploy.model.app import MAX_UNAVAILABLE
from kploy.model.objects import Body

_DEFAULT = "25%"


def together(controller: Body) -> int:
    """So many pods of a controller may be missing at a time: a quarter, or as it says, and at least 1."""
    read = Live(fields("", controller), Related(), 0.0)
    said = read.metadata.map("annotations").text(MAX_UNAVAILABLE)
    value: str | int = int(said) if said.isdecimal() else said or _DEFAULT
    return max(1, scaled(value, read.spec.number("replicas", 1), up=False) or 0)


def to_replace(controller: Body, pods: Sequence[Body], leaving: Collection[str] = ()) -> tuple[Body, ...]:
    """The pods that are to be deleted now, so that new ones come: those of an older template, a few at a time.

    ``pods`` are all that it owns; ``leaving`` the UIDs of those whose deletion was asked
    for already. Nothing while the controller has not seen its last change. Never raises.
    """
    try:
        live = Live(fields("", controller), Related(), 0.0)
        return tuple(_to_replace(live, controller, pods, leaving)) if live.is_observed else ()
    except Malformed:
        return ()


def _to_replace(live: Live, controller: Body, pods: Sequence[Body], leaving: Collection[str]) -> Iterator[Body]:
    read = [(body, fields("pod", body)) for body in pods]
    there = [(body, pod) for body, pod in read if is_running(pod) and _uid(pod) not in leaving]
    old = [(body, pod) for body, pod in there if not is_of_template(pod, live)]
    yield from (body for body, pod in old if not is_ready(pod))
    ready = sum(is_ready(pod) for _, pod in there)
    spare = ready - (live.spec.number("replicas", 1) - together(controller))
    serving = [
        (pod.map("metadata").time("creationTimestamp"), _uid(pod), body) for body, pod in old if is_ready(pod)
    ]
    yield from (body for _, _, body in sorted(serving, key=lambda each: each[:2])[: max(0, spare)])


def _uid(pod: Fields) -> str:
    return pod.map("metadata").text("uid")
