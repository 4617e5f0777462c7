"""What is wrong across the manifests of an app, without asking a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from kploy.core.annotations import unclear_annotations, unknown_annotations
from kploy.core.bodies import dig, text
from kploy.core.exemptions import heeded
from kploy.core.kinds import GROUPS, ROUTES, WORKLOADS, builtin
from kploy.model.app import LABEL, App, Directory, Manifest
from kploy.model.findings import Finding, error, warning
from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef


@dataclass(frozen=True, slots=True)
class _NameRule:
    """What Kubernetes asks of the names of one kind, beyond what it asks of every name."""

    longest: int
    why: str
    dots: bool = False


_NAMES: dict[tuple[str, str], _NameRule] = {
    ("", "Namespace"): _NameRule(63, "it is part of host names"),
    ("", "Service"): _NameRule(63, "it is the name of a host"),
    ("apps", "StatefulSet"): _NameRule(63, "its pods are named after it, and have host names"),
    ("batch", "CronJob"): _NameRule(52, "its Jobs' names are 11 longer", dots=True),
    ("batch", "Job"): _NameRule(63, "its pods carry it as a label", dots=True),
}
"""From pkg/apis/*/validation of Kubernetes 1.37, held against a server by a test.

The server says so as well, but not in the rehearsal for a namespace that does not exist yet, which is done
under another name. That a Service begins with a letter is asked by servers before 1.36 only.
"""


def check(app: App) -> tuple[Finding, ...]:
    """All findings of this module's rules, in the order of the manifests."""
    return (
        *_duplicates(app),
        *heeded((manifest, finding) for manifest in app.manifests for finding in _of_one(app, manifest)),
    )


def directory_for(ref: ObjectRef) -> Directory:
    """The directory where an object of this kind belongs."""
    if (ref.group, ref.kind) in WORKLOADS:
        return Directory.RCS
    return Directory.SERVICES if (ref.group, ref.kind) in ROUTES else Directory.RESOURCES


def _duplicates(app: App) -> Iterator[Finding]:
    seen: dict[ObjectRef, Manifest] = {}
    for manifest in app.manifests:
        first = seen.setdefault(manifest.ref, manifest)
        if first is not manifest:
            there = first.positions.value(("metadata", "name"))
            here = manifest.positions.value(("metadata", "name"))
            message = f"{manifest.ref} is defined twice: first at {there}"
            yield error("duplicate-object", message, "take one of them out, or rename it", here)


def _of_one(app: App, manifest: Manifest) -> Iterator[Finding]:
    yield from _name(manifest)
    yield from _namespace(app, manifest)
    yield from _label(app, manifest)
    yield from _directory(manifest)
    yield from unknown_annotations(manifest)
    yield from unclear_annotations(manifest)


def _name(manifest: Manifest) -> Iterator[Finding]:
    ref = manifest.ref
    rule = _NAMES.get((ref.group, ref.kind))
    if rule is None or (ref.kind == "Job" and dig(manifest.body, "spec", "manualSelector") is True):
        return
    if len(ref.name) > rule.longest:
        message = f"the name of a {ref.kind} has at most {rule.longest} characters, this has {len(ref.name)}"
        hint = f"shorten it: {rule.why}"
    elif "." in ref.name and not rule.dots:
        message, hint = f"the name of a {ref.kind} has no dots", f"write `-`: {rule.why}"
    else:
        return
    # To find a place is to read the document again: only for who needs it.
    yield error("invalid-name", message, hint, manifest.positions.value(("metadata", "name")))


def _namespace(app: App, manifest: Manifest) -> Iterator[Finding]:
    namespace = text(manifest.body, "metadata", "namespace")
    if not namespace:
        return
    resource = builtin(manifest.api_version, manifest.ref.kind)
    if resource is not None and not resource.namespaced:
        message = f"{manifest.ref} belongs to the whole cluster and can have no namespace"
        rule, hint = "cluster-wide-kind", "take `namespace` out"
    elif namespace != app.kployfile.namespace:
        message = f"{manifest.ref} asks for namespace `{namespace}`, but the app's is `{app.kployfile.namespace}`"
        rule, hint = "foreign-namespace", "take it out, or change `namespace` in the Kployfile"
    else:
        return
    yield error(rule, message, hint, manifest.positions.value(("metadata", "namespace")))


def _label(app: App, manifest: Manifest) -> Iterator[Finding]:
    label = dig(manifest.body, "metadata", "labels", LABEL)
    if label is not None and label != app.id:
        place = manifest.positions.value(("metadata", "labels", LABEL))
        yield error("foreign-label", f"{manifest.ref} carries the label of another app", "take it out", place)


def _directory(manifest: Manifest) -> Iterator[Finding]:
    right = directory_for(manifest.ref)
    is_kubernetes = manifest.ref.group in GROUPS or "." not in manifest.ref.group
    is_unknown = is_kubernetes and builtin(manifest.api_version, manifest.ref.kind) is None
    if is_unknown or manifest.directory in {right, Directory.ENV}:
        return
    path = f"{right}/{manifest.file.partition('/')[2]}"
    article = "an" if manifest.ref.kind[:1] in "AEIO" else "a"
    message = f"{article} {manifest.ref.kind} belongs into {right}/, not {manifest.directory}/"
    yield warning("wrong-directory", message, f"move it to {path}", manifest.positions.value(("kind",)))
