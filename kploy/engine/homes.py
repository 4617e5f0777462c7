"""The namespace that an app lives in: whether it is there, and the end of one that is being deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kploy.cluster.port import Cluster, Forbidden, Terminating
from kploy.core.bodies import entries, text
from kploy.engine.farewell import NAMESPACES, is_gone_by
from kploy.model.app import App
from kploy.model.errors import KployError
from kploy.model.events import Event, Noted
from kploy.model.objects import Body
from kploy.model.report import Outcome


class StillTerminating(KployError):
    """A namespace was being deleted, and was not gone in time."""

    outcome = Outcome.TIMED_OUT


def home_of(app: App, cluster: Cluster) -> Body | None:
    """The app's namespace; None if it is not there, and empty where the user may not look at it."""
    try:
        return cluster.get(NAMESPACES, "", app.kployfile.namespace)
    except Forbidden:
        # Who may not look at namespaces works in one that others made.
        return {}


def is_ending(namespace: Body | None) -> bool:
    """Whether a namespace is being deleted."""
    return bool(text(namespace, "metadata", "deletionTimestamp"))


def namespace_exists(app: App, cluster: Cluster) -> bool:
    """Whether the app's namespace is there. Raises Terminating for one that is being deleted."""
    name = app.kployfile.namespace
    namespace = home_of(app, cluster)
    if is_ending(namespace):
        hint = f"kploy run waits until it is gone; kubectl get namespace {name} -o yaml says what holds it"
        raise Terminating(f"namespace {name} is being deleted, and takes nothing new", hint)
    return namespace is not None


def wait_for_end(app: App, cluster: Cluster, until: float) -> Iterator[Event]:
    """Wait until the app's namespace is gone if it is being deleted, saying so; at once if it is not.

    ``until`` is on the clock ``time.monotonic``. Raises StillTerminating.
    """
    name = app.kployfile.namespace
    if not is_ending(home_of(app, cluster)):
        return
    yield Noted(f"namespace {name} is being deleted: waiting until it is gone, to make it anew")
    if not is_gone_by(cluster, name, until):
        held = _held_by(cluster.get(NAMESPACES, "", name)) if time.monotonic() <= until + _LAST_LOOK else ""
        fact = f"namespace {name} is being deleted, and was not gone in time{f': {held}' if held else ''}"
        raise StillTerminating(fact, f"see what holds it: kubectl get namespace {name} -o yaml")


_LAST_LOOK = 3.0


def _held_by(namespace: Body | None) -> str:
    """What the namespace's controller says is left in it."""
    told = [
        text(condition, "message")
        for condition in entries(namespace, "status", "conditions")
        if text(condition, "status") == "True" and text(condition, "message")
    ]
    return "; ".join(told)
