"""What it takes to keep what kploy keeps of an app: the lock, the inventory and the revisions."""

from __future__ import annotations

from collections.abc import Iterator

from kploy.core.lease import LEASES
from kploy.core.permissions import Right
from kploy.engine.store import CONFIG_MAPS, SECRETS

_VERBS = (
    (LEASES, ("create", "get", "update")),
    (CONFIG_MAPS, ("create", "delete", "get", "update")),
    (SECRETS, ("create", "delete", "get")),
)
"""What engine.lock and engine.store do in a run: parts of a large inventory and old revisions are deleted, too."""


def to_keep_state(namespace: str) -> Iterator[Right]:
    """The rights that every run needs besides those for the app's objects.

    They are for all objects of a kind: a right to create knows no names, and
    the names of revisions and of the parts of an inventory change with every run.
    """
    for resource, verbs in _VERBS:
        for verb in verbs:
            yield Right(verb, resource.group, resource.plural, namespace)
