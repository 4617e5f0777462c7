"""How a live object is, and why: ``status_of(live) -> Status``, pure.

First what holds for every kind, then one small function a kind, in a table. The words for states and most
rules are kstatus' (sigs.k8s.io/cli-utils, pkg/kstatus).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kploy.core.diagnosis import diagnosed
from kploy.core.finalizers import waits_for
from kploy.core.live import Condition, Fields, Live, Malformed, Related, current, failed, fields, in_progress
from kploy.core.moment import Moment
from kploy.core.readiness_of_workloads import UNSEEN, WORKLOADS
from kploy.core.readiness_rules import Judge
from kploy.model.frozen import replace
from kploy.model.objects import Body, Counts, State, Status, group_of

__all__ = ["Related", "status_at", "status_of"]

_ALONE = Related()

_NO_METRIC = re.compile(r"FailedGet\w*Metric")
"""Why an autoscaler does not scale: FailedGetResourceMetric, FailedGetPodsMetric and their like."""


def status_of(live: Body, related: Related = _ALONE, now: float = 0.0, judge: Judge | None = None) -> Status:
    """How an object is. Never raises: what cannot be read is unknown.

    ``live`` is the object as the API server gives it, with its apiVersion and
    kind (the items of a list come without: add them). ``now`` is in seconds
    since the epoch. ``judge`` is what the Kployfile says of its kind: it goes
    before what kploy knows of it, but not before a deletion, or a change that
    its controller has not seen.
    """
    return status_at(Moment(now), live, related, judge)


def status_at(moment: Moment, live: Body, related: Related, judge: Judge | None = None) -> Status:
    """Like ``status_of``; the moment knows then for how long the status holds, if all else stays as it is."""
    try:
        read = Live(fields("", live), related, moment)
        status = _status_of(read, judge)
        return status if status.cause else diagnosed(read, status)
    except Malformed as exc:
        return Status(State.UNKNOWN, str(exc))


def _status_of(live: Live, judge: Judge | None) -> Status:
    by_kind = _KINDS.get(_key(group_of(live.body.text("apiVersion")), live.body.text("kind")), by_ready_condition)
    general = _of_every_kind(live) or (judge.status_of(live) if judge else None) or _of_conditions(live)
    if general is None:
        return by_kind(live)
    return general if general.state is State.TERMINATING else replace(general, counts=by_kind(live).counts)


def _key(group: str, kind: str) -> str:
    return f"{group}/{kind}" if group else kind


def _of_every_kind(live: Live) -> Status | None:
    """What goes before all rules; None if those decide."""
    if "deletionTimestamp" in live.metadata:
        return Status(State.TERMINATING, waits_for(live))
    return in_progress(UNSEEN) if live.is_behind else None


def _of_conditions(live: Live) -> Status | None:
    """What goes before the rules of the kind; None if those decide."""
    stalled, reconciling = live.condition("Stalled"), live.condition("Reconciling")
    if stalled.is_true:
        return failed(stalled.why)
    return in_progress(reconciling.why) if reconciling.is_true else None


def by_ready_condition(live: Live) -> Status:
    """What its Ready condition says; current if it has none. For custom resources and all other kinds."""
    ready = live.condition("Ready")
    if ready == Condition() or ready.is_true:
        return current()
    return in_progress(ready.why or "not ready")


# Storage and configuration.


def claim(live: Live) -> Status:
    """Bound, or pending until a pod uses it where its StorageClass says so."""
    phase = live.status.text("phase")
    if phase == "Bound":
        return current()
    if phase == "Lost":
        return failed("its volume is lost")
    if live.related.binds_on_use:
        return current("binds when a pod uses it")
    return in_progress("waiting for a volume")


def volume(live: Live) -> Status:
    """Available, bound, or released."""
    phase = live.status.text("phase")
    if phase == "Failed":
        return failed(live.status.text("message") or "its reclamation failed")
    return current() if phase in {"Available", "Bound", "Released"} else in_progress(UNSEEN)


def keys(live: Live) -> Status:
    """Current at once, with the number of keys."""
    names = {*live.body.map("data").data, *live.body.map("binaryData").data}
    return current("", Counts(len(names), None, "key" if len(names) == 1 else "keys"))


def namespace(live: Live) -> Status:
    """Active."""
    return current() if live.status.text("phase") == "Active" else in_progress(UNSEEN)


# The network.


def service(live: Live) -> Status:
    """Has an address, of its load balancer too if it wants one, and a ready endpoint if pods are to answer."""
    type_ = live.spec.text("type")
    if type_ == "ExternalName":
        return current()
    ready = _ready_endpoints(live)
    counts = Counts(ready, None, "ep")
    if not live.spec.text("clusterIP"):
        return in_progress("waiting for a cluster IP", counts)
    if type_ == "LoadBalancer" and not _addresses(live):
        return in_progress("waiting for a load balancer address", counts)
    if ready or not live.spec.map("selector"):
        return current("", counts)
    if live.related.expects_endpoints:
        return in_progress("waiting for an endpoint", counts)
    return current("no pod is to answer", counts)


def _addresses(live: Live) -> tuple[Fields, ...]:
    return live.status.map("loadBalancer").maps("ingress")


def _ready_endpoints(live: Live) -> int:
    """The pods that answer, each once: in a dual-stack cluster every one is in two slices."""
    slices = [fields("endpoint slice", body) for body in live.related.endpoint_slices]
    endpoints = [endpoint for one in slices for endpoint in one.maps("endpoints")]
    return len({_identity(endpoint) for endpoint in endpoints if _is_ready(endpoint)})


def _is_ready(endpoint: Fields) -> bool:
    """An endpoint of unknown readiness is to be taken as ready (discovery.k8s.io/v1, EndpointConditions)."""
    conditions = endpoint.map("conditions")
    return "ready" not in conditions or conditions.flag("ready")


def _identity(endpoint: Fields) -> tuple[str, ...]:
    target = endpoint.map("targetRef")
    return (target.text("uid"), target.text("name")) if target else endpoint.texts("addresses")


def ingress(live: Live) -> Status:
    """Current at once: whether a controller will ever give it an address, nobody can tell."""
    return current("" if _addresses(live) else "no address yet")


# Policies and extensions.


def autoscaler(live: Live) -> Status:
    """Scales, or is switched off by a target at zero. autoscaling/v1 tells only whether it was looked at.

    Metrics are not waited for: new pods give the first after a minute, and some clusters have none at all.
    """
    active = live.condition("ScalingActive")
    if active.is_true:
        return current()
    if active.is_false and active.reason == "ScalingDisabled":
        return current("off: its target is at zero")
    if active.is_false and _NO_METRIC.fullmatch(active.reason):
        return current(active.why)
    if active.is_false:
        return in_progress(active.why)
    if live.condition("AbleToScale").is_false:
        return in_progress(live.condition("AbleToScale").why)
    is_v1 = live.body.text("apiVersion") == "autoscaling/v1"
    return current() if is_v1 and "desiredReplicas" in live.status else in_progress(UNSEEN)


def disruption_budget(live: Live) -> Status:
    """Seen by its controller."""
    return current() if "observedGeneration" in live.status else in_progress(UNSEEN)


def definition(live: Live) -> Status:
    """A CustomResourceDefinition: its names accepted and itself established. Serving it takes a moment more."""
    accepted, established = live.condition("NamesAccepted"), live.condition("Established")
    if accepted.is_false:
        return failed(accepted.why)
    if accepted.is_true and established.is_true:
        return current()
    return in_progress(established.why or UNSEEN)


def api_service(live: Live) -> Status:
    """Available."""
    available = live.condition("Available")
    return current() if available.is_true else in_progress(available.why or UNSEEN)


_KINDS: dict[str, Callable[[Live], Status]] = {
    **WORKLOADS,
    "ConfigMap": keys,
    "Namespace": namespace,
    "PersistentVolume": volume,
    "PersistentVolumeClaim": claim,
    "Secret": keys,
    "Service": service,
    "apiextensions.k8s.io/CustomResourceDefinition": definition,
    "apiregistration.k8s.io/APIService": api_service,
    "autoscaling/HorizontalPodAutoscaler": autoscaler,
    "networking.k8s.io/Ingress": ingress,
    "policy/PodDisruptionBudget": disruption_budget,
}
