"""What a revision changed: two stored apps compared, object by object, without a cluster."""

from __future__ import annotations

from kploy.core.changes import created
from kploy.core.differences import differences
from kploy.model.app import App, Manifest
from kploy.model.plan import Action, Change, Plan


def changes_between(before: App | None, after: App) -> Plan:
    """What ``after`` wants otherwise than ``before``, in its own order, and then what it does not have any more.

    These are the manifests' own words: what the server, or anybody else, made of the
    objects is not in them. Secrets are masked. Without a ``before`` all of it is new.
    """
    old = {manifest.ref: manifest for manifest in before.manifests} if before else {}
    new = {manifest.ref for manifest in after.manifests}
    changes = [_change(old.get(manifest.ref), manifest) for manifest in after.manifests]
    gone = [Change(ref, Action.PRUNED, manifest.file) for ref, manifest in old.items() if ref not in new]
    return Plan((*changes, *gone))


def _change(before: Manifest | None, after: Manifest) -> Change:
    if before is None:
        return created(after)
    fields = differences(before.body, after.body)
    moved = before.api_version != after.api_version
    if not fields and not moved:
        return Change(after.ref, Action.UNCHANGED, after.file)
    reason = f"apiVersion {before.api_version}, now {after.api_version}" if moved else ""
    return Change(after.ref, Action.CONFIGURED, after.file, reason=reason, fields=fields)
