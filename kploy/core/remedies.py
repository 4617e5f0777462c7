"""What to do about a cause: where to look, and what mends it most often."""

from __future__ import annotations

from kploy.model.objects import Cause, ObjectRef

_PULL = "is the tag pushed, and its name spelt right? may the cluster pull it (imagePullSecrets)?"
_LOGS = "mend what its log tells; all of it: kubectl logs -n {namespace} {pod} -c {container} --previous"
_EVENTS = "see what is tried: kubectl describe -n {namespace} pod {pod}"
_CLASS = "name a StorageClass of this cluster: kubectl get storageclass"
_NO_BALANCER = "make it of type ClusterIP or NodePort, or install a controller of load balancers"
_BALANCER = "mend what it says, or make it of type ClusterIP or NodePort"
_OF_JOB = "see what its pods said: kubectl logs {scope}{object}"

_REMEDIES = {
    "ErrImagePull": _PULL,
    "ImagePullBackOff": _PULL,
    "InvalidImageName": "spell it as REGISTRY/NAME:TAG, in small letters",
    "ErrImageNeverPull": "its pull policy is Never: bring it to the nodes, or take out imagePullPolicy",
    "CrashLoopBackOff": _LOGS,
    "Error": _LOGS.removesuffix(" --previous"),
    "OOMKilled": "raise the limit, or let it use less",
    "CreateContainerConfigError": "bring what it names into the app: a file in env/, or a manifest",
    "CreateContainerError": "hold its command against what is in the image",
    "RunContainerError": "hold its command against what is in the image",
    "Unhealthy": "does it listen there? see for yourself: kubectl logs -n {namespace} {pod} -c {container}",
    "Unschedulable": "ask for less (resources.requests, nodeSelector, affinity), or add a node",
    "FailedCreate": "mend what is refused, or ask whoever looks after the cluster",
    "FailedMount": _EVENTS,
    "FailedAttachVolume": _EVENTS,
    "ProvisioningFailed": _CLASS,
    "ClaimMisbound": _CLASS,
    "VolumeMismatch": _CLASS,
    "Provisioning": "does its provisioner run? see what is tried: kubectl describe {scope}{object}",
    "ReadinessFailed": "see what else is said of it: kubectl describe {scope}{object}",
    "FailedBinding": _CLASS,
    "NoLoadBalancer": _NO_BALANCER,
    "EnsuringLoadBalancer": "see what is tried: kubectl describe {scope}{object}",
    "SyncLoadBalancerFailed": _BALANCER,
    "CreatingLoadBalancerFailed": _BALANCER,
    "AllocationFailed": _BALANCER,
    "Finalizers": "see who set it: kubectl get {scope}{object} -o yaml; by hand it is taken away at your own risk",
    "ProgressDeadlineExceeded": "see what its pods do: kubectl describe {scope}{object}, or give it more time",
    "BackoffLimitExceeded": _OF_JOB,
    "DeadlineExceeded": "give it more time, or see what its pods do: kubectl describe {scope}{object}",
    "FailedIndexes": _OF_JOB,
    "MaxFailedIndexesExceeded": _OF_JOB,
    "PodFailurePolicy": _OF_JOB,
    "Paused": "take paused out of the manifest; where it is not in it: kubectl rollout resume {scope}{object}",
    "FailedGetScale": "name a workload that is there, with its kind and apiVersion",
}

REASONS = frozenset(_REMEDIES)
"""The words for trouble that kploy knows best. Others come from the cluster as they are."""

_SAME = (
    ("ErrImagePull", "ImagePullBackOff"),
    ("Error", "CrashLoopBackOff"),
    ("CreateContainerError", "RunContainerError"),
    ("FailedScheduling", "Unschedulable"),
)
"""Reasons that are stages of one trouble: which of them is seen last is a matter of seconds."""


def runbook_names(reason: str) -> tuple[str, ...]:
    """What a runbook for this reason may be called, the reason itself first."""
    others = (other for same in _SAME if reason in same for other in same if other != reason)
    return (reason, *others)


def remedy(ref: ObjectRef, cause: Cause) -> str:
    """What to do when ``cause`` keeps the object ``ref`` from being ready; "" if nobody knows."""
    pod = cause.pods[0] if cause.pods else ref.name
    return _REMEDIES.get(cause.reason, "").format(
        namespace=ref.namespace,
        pod=pod,
        container=cause.container,
        scope=f"-n {ref.namespace} " if ref.namespace else "",
        object=ref.qualified,
    )
