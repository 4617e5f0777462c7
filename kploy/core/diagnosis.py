"""Why an object is not ready: from its pods, and from the warnings about it, to one cause.

One pod in trouble is news, and no reason to end a run: what is made of new pods only ends it
when all of them are doomed. Pods of an older template do not count, whatever becomes of them.
What has failed since long before, and was not touched, gets the time that kubelet takes to try it again:
somebody may have pushed the image, and run kploy for that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from kploy.core import claims
from kploy.core.bodies import template_path
from kploy.core.finalizers import of_deletion
from kploy.core.live import Fields, Live, Malformed, condition_of, fields, words
from kploy.core.load_balancers import lacks_address, of_load_balancer
from kploy.core.moment import Moment
from kploy.core.notices import by_uid
from kploy.core.pod_causes import cause_of
from kploy.core.pod_progress import progress_of
from kploy.core.readiness_of_pods import is_of_template, last_change
from kploy.core.verdicts import of_verdict
from kploy.model.frozen import dataclass, replace
from kploy.model.notices import Notice
from kploy.model.objects import Body, Cause, Grade, JsonPath, State, Status, group_of

_QUOTA = re.compile(r"exceeded quota")
_NOT_YET = re.compile(r"serviceaccount .* not found|no API token found", re.IGNORECASE)
"""A new namespace has its ServiceAccount after a moment."""

_REFUSED = re.compile(r"forbidden|is invalid|denied the request|violates PodSecurity", re.IGNORECASE)

_ENDED = frozenset({"CrashLoopBackOff", "Error", "OOMKilled", "Unhealthy"})
"""How containers end. How often they may in a Job, the Job itself says."""

_SETTLING = 15.0
"""Seconds that it may take until a refusal is lifted: a pod is gone and its quota free, a class is made."""

_YOUNG = 120.0
"""A pod that has failed for longer is tried again only every few minutes: what it says may be mended already."""

_USUAL_PAUSE = 90.0
"""So long it takes at first: what is not there may be there when kubelet looks again."""

_LONGEST_PAUSE = 330.0
"""kubelet waits for up to 300 s before it tries again to get an image, or to start what has ended."""


def diagnosed(live: Live, status: Status) -> Status:
    """The same status with its cause, as far as pods and notices tell one; failed if it is fatal.

    Never raises for what cannot be read: then there is no cause.
    """
    try:
        return _diagnosed(live, status)
    except Malformed:
        return status


def _diagnosed(live: Live, status: Status) -> Status:
    match status.state:
        case State.TERMINATING:
            return _with(status, of_deletion(live))
        case State.FAILED:
            return _explained(live, status)
        case State.IN_PROGRESS if not live.is_behind:
            cause = _cause(live)
            if cause is not None and cause.grade is Grade.FATAL:
                return Status(State.FAILED, cause.message, status.counts, cause)
            return _with(status, cause) if cause else _with_progress(live, status)
    # Until its controller has seen the last change, all that is said is about what was before.
    return status


_COUNTED = re.compile(r"\d+ of \d+ (?:ready|updated|available)")
"""A message that says no more than the numbers do."""


def _with_progress(live: Live, status: Status) -> Status:
    """How far its new pods have come, where there is nothing else to say."""
    if not live.related.pods or not _COUNTED.fullmatch(status.message):
        return status
    return replace(status, message=progress_of(_new_pods(live)) or status.message)


def _with(status: Status, cause: Cause | None) -> Status:
    return status if cause is None else replace(status, message=cause.message, cause=cause)


def _explained(live: Live, status: Status) -> Status:
    """What has failed, with why: its controller has the verdict, and its pods tell what led to it."""
    verdict, cause = of_verdict(live), _cause(live)
    if cause is None or verdict == cause:
        return _with(status, verdict)
    if live.body.text("kind") == "Pod" and not live.status.text("reason"):
        return _with(status, cause)
    head = verdict.message if verdict else status.message
    return replace(status, message=words(head, cause.message), cause=cause)


def _cause(live: Live) -> Cause | None:
    kind = live.body.text("kind")
    prefix = template_path(kind)
    if prefix is None or kind == "CronJob":
        return _of_others(live)
    pause = _pause(live)
    if pause is not None and live.status.number("updatedReplicas") == 0:
        # Its newest ReplicaSet is still that of an older template.
        return pause
    found = _of_pods(live, list(_new_pods(live)), by_uid(live.related.notices))
    if found is not None and found.path:
        found = replace(found, path=(*prefix, *found.path))
    if found is None or found.reason == "Unschedulable":
        found = claims.of_pods(live, prefix) or found
    refusal = _refusal(live)
    if refusal is None or (found is not None and found.grade is Grade.FATAL):
        return found or pause
    return refusal


# Its pods.


@dataclass(frozen=True, slots=True)
class _Sick:
    pod: str
    cause: Cause


def _of_pods(live: Live, pods: Sequence[Body], notices: Mapping[str, tuple[Notice, ...]]) -> Cause | None:
    """The most frequent trouble of the new pods, and how grave it is for all of them together."""
    sick = list(_sick(live, pods, notices))
    if not sick:
        return None
    grade, grace = _together(live, sick, len(pods)), max(each.cause.grace for each in sick) or _SETTLING
    decisive = [each for each in sick if each.cause.grade is Grade.FATAL] if grade is Grade.FATAL else sick
    frequent = Counter((each.cause.reason, each.cause.container) for each in decisive).most_common(1)[0][0]
    alike = [each for each in decisive if (each.cause.reason, each.cause.container) == frequent]
    if grade is Grade.FATAL and live.related.is_untouched:
        is_old = all(map(partial(_is_old, live.moment), pods))
        grade, grace = Grade.SUSPECTED, _LONGEST_PAUSE if is_old else _USUAL_PAUSE
    worst = min(alike, key=lambda each: _GRAVITY[each.cause.grade]).cause
    return replace(
        worst,
        grade=grade,
        grace=grace,
        pods=tuple(sorted(each.pod for each in alike)),
        message=_numbered(worst.message, len(alike), len(pods)),
    )


def _is_old(moment: Moment, pod: Body) -> bool:
    return moment.is_past(fields("pod", pod).map("metadata").time("creationTimestamp") + _YOUNG)


_GRAVITY = {Grade.FATAL: 0, Grade.SUSPECTED: 1, Grade.TRANSIENT: 2}


def _sick(live: Live, pods: Iterable[Body], notices: Mapping[str, tuple[Notice, ...]]) -> Iterator[_Sick]:
    is_job = live.body.text("kind") == "Job"
    for pod in pods:
        metadata = fields("pod", pod).map("metadata")
        cause = cause_of(pod, notices.get(metadata.text("uid"), ()))
        if cause is not None:
            if is_job and cause.reason in _ENDED:
                cause = replace(cause, grade=Grade.TRANSIENT)
            yield _Sick(metadata.text("name"), cause)


def _together(live: Live, sick: Sequence[_Sick], pods: int) -> Grade:
    """What the troubles of some pods are for all: a StatefulSet goes on only after each pod is ready."""
    grades = [each.cause.grade for each in sick]
    is_ordered = live.body.text("kind") == "StatefulSet" and live.spec.text("podManagementPolicy") != "Parallel"
    needed = 1 if is_ordered else pods
    if grades.count(Grade.FATAL) >= needed:
        return Grade.FATAL
    is_all = len(sick) == pods and Grade.TRANSIENT not in grades
    return Grade.SUSPECTED if is_all else Grade.TRANSIENT


def _numbered(message: str, sick: int, all_: int) -> str:
    return message if all_ == 1 else f"{sick} of {all_} new pods: {message}"


def _new_pods(live: Live) -> Iterator[Body]:
    """The pods of the template as it is now that have not ended well, and are not on their way out."""
    for body in live.related.pods or ():
        pod = fields("pod", body)
        is_ending = "deletionTimestamp" in pod.map("metadata") or pod.map("status").text("phase") == "Succeeded"
        if not is_ending and is_new_pod(pod, live):
            yield body


def is_new_pod(pod: Fields, live: Live) -> bool:
    """Whether a pod of a workload was made from its template as it is now. Raises Malformed."""
    labels = pod.map("metadata").map("labels")
    match live.body.text("kind"):
        case "Deployment":
            newest = _newest_hash(live)
            return bool(newest) and labels.text("pod-template-hash") == newest
        case "StatefulSet":
            return labels.text("controller-revision-hash") == live.status.text("updateRevision")
        case "DaemonSet":
            wanted = live.metadata.map("annotations").text("deprecated.daemonset.template.generation")
            return labels.text("pod-template-generation") in {wanted, ""}
        case "ReplicaSet" | "ReplicationController":
            return is_of_template(pod, live)
    return True


def _newest(live: Live) -> Fields | None:
    """The ReplicaSet of a Deployment's template as it is now; None where it is not known."""
    revision = live.metadata.map("annotations").text(_REVISION)
    for body in live.related.replica_sets:
        found = fields("replica set", body)
        if revision and found.map("metadata").map("annotations").text(_REVISION) == revision:
            return found
    return None


_REVISION = "deployment.kubernetes.io/revision"


def _newest_hash(live: Live) -> str:
    newest = _newest(live)
    return newest.map("metadata").map("labels").text("pod-template-hash") if newest else ""


# Pods that are not even made.


def _refusal(live: Live) -> Cause | None:
    """Why its controller cannot make pods: quota, policy, admission. Of some kinds only events tell."""
    said, is_certain = _said_of_making(live)
    if not said:
        return None
    message = f"its pods are refused: {said}"
    at: JsonPath = ("spec", "template", "spec")
    if not is_certain:
        return Cause("FailedCreate", message, Grade.TRANSIENT, at)
    if _QUOTA.search(said):
        # What is about to end still counts.
        ending = live.spec.map("template").map("spec").number("terminationGracePeriodSeconds", 30)
        at = ("spec", "replicas") if "replicas" in live.spec and "pods=" in said else at
        return Cause("FailedCreate", message, Grade.SUSPECTED, at, ending + _SETTLING)
    if _NOT_YET.search(said):
        return Cause("FailedCreate", message, Grade.SUSPECTED, (*at, "serviceAccountName"), _SETTLING)
    return Cause("FailedCreate", message, Grade.FATAL if _REFUSED.search(said) else Grade.TRANSIENT, at)


def _said_of_making(live: Live) -> tuple[str, bool]:
    """What was said last when a pod could not be made, and whether that is about the template as it is now."""
    kind = live.body.text("kind")
    if kind in _PODS_WANTED:
        return _told(live, "FailedCreate", _PODS_WANTED[kind](live)), True
    said = _replica_failure(live.status)
    newest = _newest(live) if kind == "Deployment" else None
    if newest is not None and (of_newest := _replica_failure(newest.map("status"))):
        return of_newest, True
    # A Deployment repeats what its older ReplicaSets say.
    return said, kind != "Deployment"


def _replica_failure(status: Fields) -> str:
    condition = condition_of(status, "ReplicaFailure")
    return condition.message if condition.is_true else ""


_PODS_WANTED: Mapping[str, Callable[[Live], int]] = {
    "StatefulSet": lambda live: live.spec.number("replicas", 1),
    "DaemonSet": lambda live: live.status.number("desiredNumberScheduled"),
    "Job": lambda live: live.spec.number("parallelism", 1),
}
"""Of these, only events tell that a pod could not be made; and how many there are to be."""


def _told(live: Live, reason: str, wanted: int) -> str:
    """The last notice of a reason since it was changed, if it lacks pods; "" where nobody looked at these."""
    pods = live.related.pods
    if pods is None or len(pods) >= wanted:
        return ""
    found = [each for each in _own_notices(live) if each.reason == reason]
    return found[-1].message if found and found[-1].at >= last_change(live) else ""


def _pause(live: Live) -> Cause | None:
    """That pods of an older template stay until it is resumed: by a person, or by who rolls it out step by step.

    While it is only scaled, all its pods are new: that goes on though it is paused.
    """
    if live.body.text("kind") != "Deployment" or not live.spec.flag("paused") or not live.is_observed:
        return None
    updated, wanted = live.status.number("updatedReplicas"), live.spec.number("replicas", 1)
    if updated >= wanted or live.status.number("replicas") == updated > 0:
        return None
    return Cause("Paused", f"paused: {updated} of {wanted} updated", Grade.TRANSIENT, ("spec", "paused"))


# Everything else.


def _of_others(live: Live) -> Cause | None:
    """Why something that runs no pods is not ready; what is not known is the last warning about it."""
    found, kind = _own_notices(live), (group_of(live.body.text("apiVersion")), live.body.text("kind"))
    last = Cause(found[-1].reason, found[-1].message, Grade.TRANSIENT) if found else None
    match kind:
        case "", "PersistentVolumeClaim":
            return claims.of_claim(live, found) or last
        case "", "Service" if lacks_address(live):
            return of_load_balancer(live, found)
        case "autoscaling", "HorizontalPodAutoscaler":
            return of_verdict(live)
    return last


def _own_notices(live: Live) -> list[Notice]:
    """The warnings about it, without those about its pods."""
    uid = live.metadata.text("uid")
    return [each for each in live.related.notices if each.uid == uid]
