"""Selectors of workloads and budgets: whether they select what they should, and only that."""

from __future__ import annotations

from collections.abc import Iterator

from kploy.core.bodies import dig, mapping
from kploy.core.holdings import Holdings, Pods
from kploy.core.kinds import CONTROLLERS, SCALED
from kploy.core.scaling import scaled
from kploy.core.selectors import Selector, by_labels, label_selector, matches, written
from kploy.model.app import Manifest
from kploy.model.findings import Finding, error, warning

_HERE = ("spec", "selector")


def of_controllers(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Rules ``selector-mismatch`` and ``selector-overlap``."""
    selector = _selector(manifest)
    pods = holdings.pods_of(manifest)
    if selector is None or pods is None:
        return
    if not matches(selector, pods.labels):
        yield _mismatch(manifest, selector, pods)
    other = _overlapped(pods, selector, holdings)
    if other is not None:
        message = f"the selector of {manifest.ref} matches the pods of {other.manifest.ref}, too"
        hint = "add a label that tells them apart, to selector and template"
        yield error("selector-overlap", message, hint, manifest.positions.key(_HERE))


def _selector(manifest: Manifest) -> Selector | None:
    """How a controller finds its pods; None for what has no selector, or one that is left to Kubernetes."""
    if (manifest.ref.group, manifest.ref.kind) not in CONTROLLERS:
        return None
    if manifest.ref.kind == "ReplicationController":
        return by_labels(mapping(manifest.body, *_HERE)) or None
    return label_selector(dig(manifest.body, *_HERE)) or None


def _mismatch(manifest: Manifest, selector: Selector, pods: Pods) -> Finding:
    wrong = next(requirement for requirement in selector if not requirement.accepts(pods.labels))
    has = f"{wrong.key}={pods.labels[wrong.key]}" if wrong.key in pods.labels else f"no label {wrong.key}"
    message = f"the selector of {manifest.ref} asks for `{written((wrong,))}`, its pod template has {has}"
    path = (*_HERE, "matchLabels", wrong.key)
    is_plain = dig(manifest.body, *path) is not None
    flat = (*_HERE, wrong.key) if manifest.ref.kind == "ReplicationController" else (*_HERE, "matchExpressions")
    place = manifest.positions.value(path if is_plain else flat)
    return error("selector-mismatch", message, "make the two the same", place)


def _overlapped(pods: Pods, selector: Selector, holdings: Holdings) -> Pods | None:
    """The first other controller whose pods ``selector`` matches.

    Of two that match each other's pods only the second in the order of the manifests has one.
    """
    found = (other for other in holdings.selected(selector) if other.manifest.ref != pods.manifest.ref)
    other = next((one for one in found if _selector(one.manifest) is not None), None)
    if other is None or not _is_mutual(pods, other):
        return other
    return other if holdings.comes_before(other, pods) else None


def _is_mutual(pods: Pods, other: Pods) -> bool:
    back = _selector(other.manifest)
    return back is not None and matches(back, pods.labels)


# Budgets.


def of_budgets(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Rules ``budget-without-pods`` and ``unsatisfiable-budget``."""
    if (manifest.ref.group, manifest.ref.kind) != ("policy", "PodDisruptionBudget"):
        return
    selector = label_selector(dig(manifest.body, *_HERE) or {})
    selected = holdings.selected(selector) if selector is not None and _HERE[-1] in _spec(manifest) else ()
    blocked = _blocked_by_itself(manifest) or _blocked_by_number(manifest, selected, holdings)
    if blocked:
        field, why = blocked
        place = manifest.positions.value(("spec", field))
        message = f"{manifest.ref} lets no pod go: {why}"
        yield warning("unsatisfiable-budget", message, "let at least one pod be away", place)
    if not selected and selector is not None and not holdings.may_have_other_pods:
        place = manifest.positions.key(_HERE)
        hint = "give it the labels of a pod template"
        yield warning("budget-without-pods", f"{manifest.ref} selects no pods of this app", hint, place)


def _spec(manifest: Manifest) -> dict[str, object]:
    return dict(mapping(manifest.body, "spec"))


def _blocked_by_itself(manifest: Manifest) -> tuple[str, str] | None:
    """The field, and why no pod may ever go, however many there are."""
    spec = _spec(manifest)
    if spec.get("maxUnavailable") in (0, "0%") and spec.get("maxUnavailable") is not False:
        return "maxUnavailable", f"at most {spec['maxUnavailable']} may be away"
    least = spec.get("minAvailable")
    is_all = isinstance(least, str) and (scaled(least, 1, up=False) or 0) >= 1
    return ("minAvailable", "all must be there") if is_all else None


def _blocked_by_number(
    manifest: Manifest, selected: tuple[Pods, ...], holdings: Holdings
) -> tuple[str, str] | None:
    """The same for as many pods as the app asks for; None where an autoscaler or a DaemonSet says how many."""
    replicas = _replicas(selected, holdings)
    least = _spec(manifest).get("minAvailable")
    needed = scaled(least, replicas or 0, up=True)
    if not replicas or needed is None or needed < replicas:
        return None
    return "minAvailable", f"{least} must be there, of {replicas}"


def _replicas(selected: tuple[Pods, ...], holdings: Holdings) -> int | None:
    """How many pods there will be; None if that is not known."""
    total = 0
    for pods in selected:
        ref = pods.manifest.ref
        replicas = mapping(pods.manifest.body, "spec").get("replicas", 1)
        if (ref.group, ref.kind) not in SCALED or not isinstance(replicas, int) or ref in holdings.autoscaled:
            return None
        total += replicas
    return total
