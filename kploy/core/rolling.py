"""How the pods of a ReplicationController get to its template: kploy replaces them, because Kubernetes does not.

A few at a time, and as a Deployment would: as many are always left as must be there, and of those that
serve so many stay that no more are missing than the annotation allows. What is to be done next follows from
what is there, so a run that was killed in between goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kploy.core.live import Fields, Live, Malformed, Related, fields
from kploy.core.moment import Moment
from kploy.core.readiness_of_pods import is_of_template, is_ready, is_running
from kploy.core.scaling import number_or_percentage, scaled
from kploy.model.app import MAX_UNAVAILABLE
from kploy.model.objects import Body

_DEFAULT = "25%"


def together(controller: Body) -> int:
    """So many pods of a controller may be missing at a time: a quarter, or as it says, and at least 1."""
    read = Live(fields("", controller), Related(), Moment(0.0))
    said = read.metadata.map("annotations").text(MAX_UNAVAILABLE) or _DEFAULT
    return max(1, scaled(number_or_percentage(said), read.spec.number("replicas", 1), up=False) or 0)


def to_replace(controller: Body, pods: Sequence[Body], leaving: Collection[str], now: float) -> tuple[Body, ...]:
    """The pods that are to be deleted now, so that new ones come: those of an older template, a few at a time.

    ``pods`` are all that it owns; ``leaving`` the UIDs of those whose deletion was asked
    for already; ``now`` is in seconds since the epoch. Nothing while the controller has not
    seen its last change. Never raises.
    """
    try:
        live = Live(fields("", controller), Related(), Moment(now))
        return tuple(_to_replace(live, controller, pods, leaving)) if live.is_observed else ()
    except Malformed:
        return ()


def _to_replace(live: Live, controller: Body, pods: Sequence[Body], leaving: Collection[str]) -> list[Body]:
    read = [(body, fields("pod", body)) for body in pods]
    there = [each for each in read if is_running(each[1]) and _uid(each[1]) not in leaving]
    new = [pod for _, pod in there if is_of_template(pod, live)]
    known = {_uid(pod) for pod in new}
    old = [each for each in there if _uid(each[1]) not in known]
    wanted = live.spec.number("replicas", 1)
    least = wanted - together(controller)
    # A surplus is the controller's to end: it may take just those that serve.
    serving = min(wanted, sum(_serves(pod, live) for _, pod in there))
    most = len(there) - least - sum(not _serves(pod, live) for pod in new)
    idle = [body for body, pod in old if not is_ready(pod)]
    busy = _oldest_first([each for each in old if is_ready(each[1])])
    return [*idle, *busy[: max(0, serving - least)]][: max(0, most)]


def _serves(pod: Fields, live: Live) -> bool:
    """Whether it is available, as the controller counts: ready for as long as ``minReadySeconds`` wants."""
    if not is_ready(pod):
        return False
    conditions = pod.map("status").maps("conditions")
    since = max(each.time("lastTransitionTime") for each in conditions if each.text("type") == "Ready")
    patience = live.spec.number("minReadySeconds")
    # The cluster's clock may be ahead of this one.
    return patience == 0 or live.moment.is_past(since + patience)


def _oldest_first(pods: Sequence[tuple[Body, Fields]]) -> list[Body]:
    by_age = sorted(pods, key=lambda each: (each[1].map("metadata").time("creationTimestamp"), _uid(each[1])))
    return [body for body, _ in by_age]


def _uid(pod: Fields) -> str:
    return pod.map("metadata").text("uid")
