"""The lock of an app: a Lease that says who deploys it at the moment.

Who holds it renews it every RENEWED seconds. Others take it over when it has not
changed for its whole duration on their own clock, or when they can prove that the
process that holds it is gone. Times in a Lease are for people: no clock of another
machine is ever believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kploy.core.bodies import dig, mapping, text
from kploy.core.kinds import own_resource
from kploy.model.app import STATE_OF
from kploy.model.frozen import dataclass, replace
from kploy.model.holder import Holder
from kploy.model.objects import Body

LEASES = own_resource("coordination.k8s.io/v1", "Lease")

DURATION = 60.0
"""Seconds for which a Lease that nobody renews still holds."""

RENEWED = 10.0
"""Seconds after which it is renewed."""

TRUSTED = 40.0
"""Seconds after its last renewal was sent until which its holder writes: well before others may take over."""

_LONGEST = 3600
"""No Lease of ours lasts longer, whatever it says."""

_PREFIX = "kploy.dev/"


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as it was read. ``holder`` is None when nobody holds it; times in seconds since the epoch."""

    holder: Holder | None
    duration: float
    renewed_at: float
    transitions: int
    body: Body

    @property
    def version(self) -> str:
        """Its resource version, which every renewal changes."""
        return text(self.body, "metadata", "resourceVersion")


def lease_of(body: Body) -> Lease:
    """What a Lease says. One that makes no sense is held by somebody unknown, until it runs out."""
    spec = mapping(body, "spec")
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    return Lease(
        _holder(body),
        float(duration) if type(duration) is int and 0 < duration <= _LONGEST else DURATION,
        _seconds(text(spec, "renewTime")),
        transitions if type(transitions) is int and transitions >= 0 else 0,
        body,
    )


def held(
    name: str, namespace: str, app_id: str, holder: Holder, now: float, before: Lease | None
) -> dict[str, Any]:
    """The Lease to be written by ``holder``, who takes it at ``now``; ``before`` is the one there was."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if before is not None:
        metadata |= mapping(before.body, "metadata")
    metadata["labels"] = {**mapping(metadata, "labels"), STATE_OF: app_id}
    metadata["annotations"] = {**mapping(metadata, "annotations"), **_marks(holder)}
    time = _written(now)
    spec = {
        "holderIdentity": holder.identity,
        "leaseDurationSeconds": int(DURATION),
        "acquireTime": time,
        "renewTime": time,
        "leaseTransitions": before.transitions + 1 if before else 0,
    }
    return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": spec}


def renewed(lease: Lease, now: float) -> dict[str, Any]:
    """The Lease to be written by its holder at ``now``."""
    return {**lease.body, "spec": {**mapping(lease.body, "spec"), "renewTime": _written(now)}}


def released(lease: Lease) -> dict[str, Any]:
    """The Lease to be written by its holder, who needs it no more."""
    spec = {key: value for key, value in mapping(lease.body, "spec").items() if key in _LASTING}
    return {**lease.body, "spec": spec}


_LASTING = frozenset({"leaseDurationSeconds", "leaseTransitions"})


def may_take(lease: Lease | None, unchanged_for: float, *, is_gone: bool) -> bool:
    """Whether a lease is free: nobody holds it, or who did is proven gone, or has let it run out.

    ``unchanged_for`` are the seconds, on our own clock, during which its version stayed the same.
    """
    return lease is None or lease.holder is None or is_gone or unchanged_for >= lease.duration


def is_held_by(lease: Lease, holder: Holder) -> bool:
    """Whether it is this very run that holds it."""
    return lease.holder is not None and lease.holder.identity == holder.identity


def is_same_place(one: Holder, other: Holder) -> bool:
    """Whether two processes are numbered by the same kernel in the same way, so that ids can be compared."""
    return bool(one.boot and one.pids) and (one.boot, one.pids) == (other.boot, other.pids)


def _marks(holder: Holder) -> dict[str, str]:
    return {
        f"{_PREFIX}who": holder.who,
        f"{_PREFIX}what": holder.what,
        f"{_PREFIX}boot": holder.boot,
        f"{_PREFIX}pid-namespace": holder.pids,
        f"{_PREFIX}pid": str(holder.pid),
        f"{_PREFIX}started": holder.started,
    }


def _holder(body: Body) -> Holder | None:
    identity = dig(body, "spec", "holderIdentity")
    if not identity:
        return None
    marks: Mapping[str, Any] = mapping(body, "metadata", "annotations")
    pid = text(marks, f"{_PREFIX}pid")
    holder = Holder(str(identity)[:200], str(identity)[:200], "something else than kploy")
    if not text(marks, f"{_PREFIX}who"):
        return holder
    return replace(
        holder,
        who=text(marks, f"{_PREFIX}who"),
        what=text(marks, f"{_PREFIX}what"),
        boot=text(marks, f"{_PREFIX}boot"),
        pids=text(marks, f"{_PREFIX}pid-namespace"),
        pid=int(pid) if pid.isascii() and pid.isdecimal() and len(pid) < 10 else 0,
        started=text(marks, f"{_PREFIX}started"),
    )


def _written(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _seconds(time: str) -> float:
    try:
        return datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError):
        return 0.0
