"""What an apply would change, told from the live object and the server's dry-run answer."""

from __future__ import annotations

from typing import Any

from kploy.core.bodies import entries
from kploy.core.contents import contents
from kploy.core.differences import content, differences
from kploy.core.kinds import WORKLOADS
from kploy.core.ownership import ownership
from kploy.core.restarts import Served, more_pods, restart
from kploy.model.app import Manifest
from kploy.model.frozen import replace
from kploy.model.objects import Body
from kploy.model.plan import Action, Change


def action_for(live: Body | None, answer: Body) -> Action:
    """What an apply that the server answered with ``answer`` does to ``live``.

    Who owns which field counts as part of the object: an apply that only takes
    fields over is a change. What the server keeps for itself does not: the
    status, the bookkeeping of versions and times.
    """
    if live is None:
        return Action.CREATED
    return Action.UNCHANGED if _comparable(live) == _comparable(answer) else Action.CONFIGURED


def created(manifest: Manifest, unchecked: str = "") -> Change:
    """An object comes into being. ``unchecked`` says why the server could not be asked."""
    held = contents(manifest.ref.kind, manifest.body)
    return Change(manifest.ref, Action.CREATED, manifest.file, unchecked, holds=held)


def changed(manifest: Manifest, live: Body, answer: Body, served: Served) -> Change:
    """What an apply that the server answered with ``answer`` does to ``live``, with all that is known of it."""
    action = action_for(live, answer)
    if action is Action.UNCHANGED:
        return Change(manifest.ref, action, manifest.file)
    fields = differences(live, answer)
    owned = ownership(live, answer)
    return Change(
        manifest.ref,
        action,
        manifest.file,
        fields=fields,
        # Where fields change, it goes without saying that they are the app's.
        ownership=tuple(row for row in owned if row.manager or not fields),
        restart=restart(manifest.ref, live, answer, fields, served),
        more_pods=more_pods(manifest.ref, live, answer),
    )


def adopted(manifest: Manifest, live: Body, answer: Body, served: Served, reason: str) -> Change:
    """An object of somebody else's becomes the app's; as ``changed``, and ``reason`` says whose it was."""
    return replace(changed(manifest, live, answer, served), action=Action.CONFIGURED, reason=reason)


def replaced(
    manifest: Manifest, live: Body, answer: Body, immutable: tuple[str, ...], unchecked: str = ""
) -> Change:
    """An object makes room for ``answer``, because the fields ``immutable`` of it cannot change."""
    names = list(dict.fromkeys(field.rpartition(".")[2] for field in immutable))
    reason = f"its {' and '.join(names)} {'is' if len(names) == 1 else 'are'} immutable"
    if (manifest.ref.group, manifest.ref.kind) in WORKLOADS - {("batch", "Job")}:
        reason += "; its pods end before new ones start"
    fields = () if unchecked else differences(live, answer)
    return Change(manifest.ref, Action.REPLACED, manifest.file, unchecked, reason, fields=fields)


def _comparable(body: Body) -> dict[str, Any]:
    owners = [
        _owner(entry) for entry in entries(body, "metadata", "managedFields") if not entry.get("subresource")
    ]
    return {**content(body), "managedFields": sorted(owners, key=repr)}


def _owner(entry: Body) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "time"}
