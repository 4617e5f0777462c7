"""How far along what runs pods is: one function a kind.

The rules are those of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus/status/core.go), with what krane,
kapp and nelm have on top.
"""

from __future__ import annotations

from kploy.core.live import Condition, Fields, Live, current, failed, first, in_progress, words
from kploy.core.nodes import excused, new_pods_on, without
from kploy.core.readiness_of_pods import of_template
from kploy.model.objects import Counts, State, Status

UNSEEN = "waiting for its controller"
"""The controller has not written a status for this generation yet."""

_BACKOFF_LIMIT = 6
"""What batch/v1 sets a Job's backoffLimit to if it says none."""

_SCHEDULING = 15.0
"""Seconds that the scheduler may take before kploy says that a pod finds no node."""


def deployment(live: Live) -> Status:
    """All pods of the new template, all available, none of an old one; failed past the progress deadline."""
    status, wanted = live.status, live.spec.number("replicas", 1)
    counts = Counts(status.number("readyReplicas"), wanted)
    paused = "paused" if live.spec.flag("paused") else ""
    progressing = live.condition("Progressing")
    if progressing.is_false and progressing.reason == "ProgressDeadlineExceeded":
        return failed(progressing.why, counts)
    if not live.is_observed:
        return in_progress(UNSEEN, counts)
    missing = _missing(status, wanted, "updated", "ready", "available") or _surplus(status, wanted)
    if missing:
        return in_progress(words(paused, missing), counts)
    return current(paused, counts)


def replica_set(live: Live) -> Status:
    """As many pods as wanted, all ready and available."""
    status, wanted = live.status, live.spec.number("replicas", 1)
    counts = Counts(status.number("readyReplicas"), wanted)
    if not live.is_observed:
        return in_progress(UNSEEN, counts)
    missing = _missing(status, wanted, "ready", "available") or _surplus(status, wanted)
    return in_progress(missing, counts) if missing else current("", counts)


def replication_controller(live: Live) -> Status:
    """A ReplicaSet whose pods all run its template: nobody but the user replaces those of an older one."""
    status = replica_set(live)
    if status.state is not State.CURRENT or live.related.pods is None:
        return status
    return of_template(live, live.related.pods)


def stateful_set(live: Live) -> Status:
    """All pods ready, and those above the partition of the new revision. OnDelete leaves old pods in peace."""
    status, wanted = live.status, live.spec.number("replicas", 1)
    counts = Counts(status.number("readyReplicas"), wanted)
    if not live.is_observed:
        return in_progress(UNSEEN, counts)
    strategy = live.spec.map("updateStrategy")
    on_delete = strategy.text("type") == "OnDelete"
    partition = min(wanted, strategy.map("rollingUpdate").number("partition"))
    missing = "" if on_delete else _missing(status, wanted - partition, "updated")
    missing = missing or _missing(status, wanted, *_reported(status)) or _surplus(status, wanted)
    if missing:
        return in_progress(missing, counts)
    if _one_revision(status) or wanted == 0:
        return current("", counts)
    return _of_two_revisions(status, counts, on_delete=on_delete, partition=partition)


def _of_two_revisions(status: Fields, counts: Counts, *, on_delete: bool, partition: int) -> Status:
    if on_delete:
        return current("OnDelete: pods of the old revision stay until they are deleted", counts)
    if partition:
        return current(f"partition: {status.number('updatedReplicas')} of {counts.wanted} updated", counts)
    return in_progress("waiting for the new revision to become the current one", counts)


def _one_revision(status: Fields) -> bool:
    return status.text("currentRevision") == status.text("updateRevision")


def _reported(status: Fields) -> tuple[str, ...]:
    """Not every server tells which pods of a StatefulSet are available (KEP-2599)."""
    return ("ready", "available") if "availableReplicas" in status else ("ready",)


def daemon_set(live: Live) -> Status:
    """A pod of the new template, ready and available, on every node that should run one and is in service."""
    status = live.status
    wanted = status.number("desiredNumberScheduled")
    counts = Counts(status.number("numberReady"), wanted)
    if not live.is_observed:
        return in_progress(UNSEEN, counts)
    on_delete = live.spec.map("updateStrategy").text("type") == "OnDelete"
    updated = status.number("updatedNumberScheduled")
    available = status.number("numberAvailable")
    lacking = () if min(updated, counts.ready, available) >= wanted else excused(live)
    # Where no node is in service, the DaemonSet may be what they wait for: a network.
    due = wanted - len(lacking) if len(lacking) < wanted else wanted
    in_service = updated - (new_pods_on(live, lacking) if due < wanted else 0)
    missing = first(
        [
            (in_service < due and not on_delete, f"{updated} of {wanted} updated"),
            (counts.ready < due, f"{counts.ready} of {wanted} ready"),
            (available < due, f"{available} of {wanted} available"),
        ]
    )
    if missing:
        return in_progress(missing, counts)
    if counts.ready < wanted:
        return current(without(lacking), counts)
    if updated < wanted:
        return current("OnDelete: pods of the old template stay until they are deleted", counts)
    return current("" if wanted else "no node is to run it", counts)


def job(live: Live) -> Status:
    """Complete is current, started is not. A Job that is suspended on purpose is current as well."""
    counts = Counts(live.status.number("succeeded"), _completions(live))
    if live.condition("Complete").is_true:
        return current("", counts)
    for failure in (live.condition("Failed"), live.condition("FailureTarget")):
        if failure.is_true:
            return failed(failure.why, counts)
    if _has_failed_too_often(live):
        return failed(f"{_pods(live.status.number('failed'))} failed", counts)
    if live.spec.flag("suspend"):
        return current("suspended", counts)
    return in_progress(_job_progress(live.status), counts)


def _completions(live: Live) -> int | None:
    return live.spec.number("completions") if "completions" in live.spec else None


def _has_failed_too_often(live: Live) -> bool:
    """More pods failed than may. Not so where some failures do not count (a policy, a limit for each index)."""
    if "podFailurePolicy" in live.spec or "backoffLimitPerIndex" in live.spec:
        return False
    return live.status.number("failed") > live.spec.number("backoffLimit", _BACKOFF_LIMIT)


def _job_progress(status: Fields) -> str:
    if not status:
        return UNSEEN
    active, lost = status.number("active"), status.number("failed")
    return f"{_pods(active)} running" + (f", {lost} failed" if lost else "")


def _pods(number: int) -> str:
    return f"{number} pod" if number == 1 else f"{number} pods"


def cron_job(live: Live) -> Status:
    """Current at once: it is a timetable."""
    return current("suspended" if live.spec.flag("suspend") else "")


def pod(live: Live) -> Status:
    """Ready or completed. An evicted pod has not failed: what owns it starts another."""
    phase, reason = live.status.text("phase"), live.status.text("reason")
    ready = live.condition("Ready")
    if phase == "Succeeded":
        return current("completed", Counts(0, 1))
    if phase == "Failed" and reason not in {"Evicted", "Preempting"}:
        return failed(words(reason, live.status.text("message")) or _exit(live.status) or phase, Counts(0, 1))
    if phase == "Failed":
        return in_progress(words(reason, live.status.text("message")), Counts(0, 1))
    if ready.is_true:
        return current("", Counts(1, 1))
    return in_progress(_pod_progress(live, ready), Counts(0, 1))


def _pod_progress(live: Live, ready: Condition) -> str:
    scheduled = live.condition("PodScheduled")
    if scheduled.is_true:
        return _waiting(live.status) or ready.why or "starting"
    is_late = live.moment.is_past(live.metadata.time("creationTimestamp") + _SCHEDULING)
    return (scheduled.why if is_late else "") or "waiting for a node"


def _waiting(status: Fields) -> str:
    """The first container that does not start, and why."""
    for container in (*status.maps("initContainerStatuses"), *status.maps("containerStatuses")):
        waiting = container.map("state").map("waiting")
        if waiting:
            return words(container.text("name"), waiting.text("reason"), waiting.text("message"))
    return ""


def _exit(status: Fields) -> str:
    for container in (*status.maps("initContainerStatuses"), *status.maps("containerStatuses")):
        ended = container.map("state").map("terminated")
        if ended.number("exitCode"):
            return words(container.text("name"), f"{ended.text('reason')} (exit code {ended.number('exitCode')})")
    return ""


# What the counts of a status say. Each returns "" when all is well.


def _missing(status: Fields, wanted: int, *parts: str) -> str:
    """The first of updated, ready, available of which there are too few."""
    numbers = [(part, status.number(f"{part}Replicas")) for part in parts]
    return first((number < wanted, f"{number} of {wanted} {part}") for part, number in numbers)


def _surplus(status: Fields, wanted: int) -> str:
    surplus = status.number("replicas") - wanted
    return f"{_pods(surplus)} still to stop" if surplus > 0 else ""


WORKLOADS = {
    "ReplicationController": replication_controller,
    "Pod": pod,
    "apps/DaemonSet": daemon_set,
    "apps/Deployment": deployment,
    "apps/ReplicaSet": replica_set,
    "apps/StatefulSet": stateful_set,
    "batch/CronJob": cron_job,
    "batch/Job": job,
}
