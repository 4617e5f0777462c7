"""Why a PersistentVolumeClaim gets no volume, and what that is for the pods that wait for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kploy.core.live import Fields, Live, Malformed, fields
from kploy.model.notices import Notice
from kploy.model.objects import Body, Cause, Grade, JsonPath

_TROUBLE = frozenset({"ProvisioningFailed", "FailedBinding", "ClaimMisbound", "VolumeMismatch"})
"""What the controller of volumes and provisioners warn of."""

_NO_CLASS = "storageclass.storage.k8s.io"
_SETTLING = 45.0
"""Seconds in which a StorageClass that is not there may be made; the controller looks again every 15."""

_TRIED_AGAIN = 120.0
"""The same for everything else that a provisioner says: it tries again, at first every few seconds."""

_MADE_BY_HAND = 60.0
"""The same for volumes where nobody makes them on demand."""

_PROVISIONERS = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
_CLASS: JsonPath = ("spec", "storageClassName")


def of_claim(live: Live, notices: list[Notice]) -> Cause | None:
    """Why a claim that is not bound is not; ``notices`` are its own."""
    annotations = live.metadata.map("annotations")
    provisioner = next((name for key in _PROVISIONERS if (name := annotations.text(key))), "")
    # Who is named to make it was found by the class, so that is there by now.
    troubled = [each for each in _troubled(live, notices) if not (provisioner and _is_of_class(each))]
    if troubled:
        last = troubled[-1]
        return Cause(last.reason, last.message, Grade.SUSPECTED, _CLASS, _grace(last))
    if live.status.text("phase") != "Pending":
        return None
    if volume := live.spec.text("volumeName"):
        said = f"waiting for the volume {volume}, which it names"
        return Cause("FailedBinding", said, Grade.SUSPECTED, ("spec", "volumeName"), _MADE_BY_HAND)
    if not live.spec.text("storageClassName"):
        said = "waiting for a volume, and it has no StorageClass that would make one"
        return Cause("FailedBinding", said, Grade.SUSPECTED, _CLASS, _MADE_BY_HAND)
    if provisioner:
        return Cause("Provisioning", f"waiting for {provisioner} to make a volume", Grade.TRANSIENT, _CLASS)
    return None


def of_pods(live: Live, prefix: JsonPath) -> Cause | None:
    """Why the claims of a workload's pods get no volume, of which its pods only say that they wait.

    ``prefix`` leads to its pod template.
    """
    troubled = list(_troubled(live, live.related.notices))
    for body in live.related.pods or ():
        pod = fields("pod", body)
        for number, name in _claims(pod):
            told = [each for each in troubled if _is_about(each, name)]
            if told:
                path = _of_template(live, pod, name) or (*prefix, "spec", "volumes", number)
                said = f"its claim {name} gets no volume: {told[-1].message}"
                return Cause(told[-1].reason, said, Grade.SUSPECTED, path, _grace(told[-1]))
    return None


def claims_of(pod: Body) -> tuple[str, ...]:
    """The names of the claims that a pod uses; none of one that cannot be read."""
    try:
        return tuple(name for _, name in _claims(fields("pod", pod)))
    except Malformed:
        return ()


def _claims(pod: Fields) -> Iterator[tuple[int, str]]:
    for number, volume in enumerate(pod.map("spec").maps("volumes")):
        name = volume.map("persistentVolumeClaim").text("claimName")
        if name:
            yield number, name


def _is_about(notice: Notice, claim: str) -> bool:
    return notice.about.kind == "PersistentVolumeClaim" and notice.about.name == claim


def _of_template(live: Live, pod: Fields, claim: str) -> JsonPath:
    """The way to the class in the template by which a StatefulSet has made a claim; () for any other one."""
    for number, template in enumerate(live.spec.maps("volumeClaimTemplates")):
        name = template.map("metadata").text("name")
        if claim == f"{name}-{pod.map('metadata').text('name')}":
            return "spec", "volumeClaimTemplates", number, *_CLASS
    return ()


def _troubled(live: Live, notices: Iterable[Notice]) -> Iterator[Notice]:
    """The warnings of why there is no volume; that there is no class is said again and again while it is so."""
    for notice in notices:
        is_past = _is_of_class(notice) and live.moment.is_past(notice.at + _SETTLING)
        if notice.reason in _TROUBLE and not is_past:
            yield notice


def _is_of_class(notice: Notice) -> bool:
    return _NO_CLASS in notice.message and "not found" in notice.message


def _grace(notice: Notice) -> float:
    return _SETTLING if _is_of_class(notice) else _TRIED_AGAIN
