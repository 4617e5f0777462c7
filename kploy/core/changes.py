"""What an apply would change, told from the live object and the server's dry-run answer."""

from __future__ import annotations

from typing import Any

from kploy.core.bodies import entries, mapping
from kploy.model.objects import Body
from kploy.model.plan import Action


def action_for(live: Body | None, answer: Body) -> Action:
    """What an apply that the server answered with ``answer`` does to ``live``.

    Who owns which field counts as part of the object: an apply that only takes
    fields over is a change. What the server keeps for itself does not: the
    status, the bookkeeping of versions and times.
    """
    if live is None:
        return Action.CREATED
    return Action.UNCHANGED if _comparable(live) == _comparable(answer) else Action.CONFIGURED


def _comparable(body: Body) -> dict[str, Any]:
    metadata = {key: value for key, value in mapping(body, "metadata").items() if key not in _BOOKKEEPING}
    metadata["managedFields"] = sorted(
        (_owner(entry) for entry in entries(body, "metadata", "managedFields") if not entry.get("subresource")),
        key=repr,
    )
    return {**{key: value for key, value in body.items() if key not in _NOT_CONTENT}, "metadata": metadata}


def _owner(entry: Body) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "time"}


_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation"})
# LIST leaves apiVersion and kind out of its items.
_NOT_CONTENT = frozenset({"apiVersion", "kind", "metadata", "status"})
