"""What holds a deletion: finalizers, and what each of them waits for."""

from __future__ import annotations

from kploy.core.live import Live
from kploy.model.objects import Cause, Grade

_PATIENCE = 30.0
"""Seconds after which it is told who is to act: most deletions take less."""

_UNTIL = {
    "batch.kubernetes.io/job-tracking": "until its Job has counted it",
    "customresourcecleanup.apiextensions.k8s.io": "until all objects of its kind are gone",
    "foregroundDeletion": "until all that it owns is gone",
    "kubernetes.io/pv-protection": "until no claim is bound to it",
    "kubernetes.io/pvc-protection": "until no pod uses it",
    "orphan": "until all that it owns is set free",
    "service.kubernetes.io/load-balancer-cleanup": "until its load balancer is gone",
}
"""Those of Kubernetes itself, from k8s.io/api and the controllers that set them."""

_OF_NAMESPACE = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
)
"""The conditions of a namespace that say what is left of it, the most telling first."""


def waits_for(live: Live) -> str:
    """What an object that is being deleted waits for; "" for nothing that is known."""
    names = live.metadata.texts("finalizers")
    said = next((told.message for each in _OF_NAMESPACE if (told := live.condition(each)).is_true), "")
    if said and live.body.text("kind") == "Namespace":
        return said.rstrip(".")
    if not names:
        return ""
    why = f", {_UNTIL[names[0]]}" if len(names) == 1 and names[0] in _UNTIL else ""
    return f"waiting for {', '.join(names)}{why}"


def of_deletion(live: Live) -> Cause | None:
    """Why a deletion takes so long, and who is to act; None as long as it does not."""
    waiting = waits_for(live)
    if not waiting or not live.moment.is_past(live.metadata.time("deletionTimestamp") + _PATIENCE):
        return None
    strangers = [name for name in live.metadata.texts("finalizers") if name not in _UNTIL]
    if strangers and live.body.text("kind") != "Namespace":
        waiting += f": does the controller run that is to take {'it' if len(strangers) == 1 else 'them'} away?"
    return Cause("Finalizers", waiting, Grade.TRANSIENT, ("metadata", "finalizers"))
