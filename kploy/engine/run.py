"""Deploying an app, and a revision of it again: the path of engine.pipeline, and on from its end."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from kploy.cluster.port import Cluster
from kploy.core.schema_store import minor_of
from kploy.engine.acquaint import Connect, opened
from kploy.engine.asking import telling
from kploy.engine.carrier import Inbox
from kploy.engine.check import named_in
from kploy.engine.compare import Liberties
from kploy.engine.homes import wait_for_end
from kploy.engine.operation import Operation
from kploy.engine.ordering import order_of
from kploy.engine.pipeline import allowed, checked_app, judged, wanted_of
from kploy.engine.prepare import Prepared, prepare
from kploy.engine.revisions import stored_app
from kploy.engine.standing import Standing, Wanted, standing_of
from kploy.model.events import Event, Noted


def run(
    root: Path,
    connect: Connect,
    timeout: float,
    inbox: Inbox,
    *,
    atomic: bool = False,
    follows_logs: bool = False,
    liberties: Liberties = Liberties(),
) -> Iterator[Event]:
    """Deploy an app: all that ``dryrun`` does, and then what it said. ``timeout`` in seconds.

    Nothing is written before everything is checked. ``atomic``: when it fails, or is
    not ready in time, the last good revision is deployed again; the outcome stays
    that of the failure. ``follows_logs``: what the pods that it makes write is told.
    ``liberties`` are what it may do besides. See engine.operation for how it goes on,
    and engine.deploy for ``inbox``.
    """
    unchecked = prepare(root)
    until = time.monotonic() + timeout
    prepared, cluster = yield from checked_app(unchecked, connect, until=until)
    if cluster is None or prepared.app is None:
        return
    operation = Operation(cluster, prepared.app, inbox, until, timeout, "run", follows_logs=follows_logs)
    with closing(operation):
        running = _operate(operation, prepared, cluster, liberties)
        yield from operation.undoing(running) if atomic else running


def rollback(
    root: Path,
    connect: Connect,
    timeout: float,
    inbox: Inbox,
    revision: int | None = None,
    *,
    liberties: Liberties = Liberties(),
) -> Iterator[Event]:
    """Deploy a stored revision of the app in ``root`` again; the newest good one before the present one for None.

    It becomes a new revision. ``liberties`` are what it may do besides.
    Raises NoSuchRevision, and Refused for one that cannot be used.
    """
    present = yield from named_in(root)
    if present is None:
        return
    until = time.monotonic() + timeout
    cluster = connect(present)
    version = cluster.until(until).version()
    number, app = stored_app(present, cluster.until(until), revision)
    graph = order_of(app, f"revision {number}")
    yield opened(app, cluster, version, minor_of(version))
    yield Noted(f"deploying revision {number} again")
    with closing(Operation(cluster, app, inbox, until, timeout, f"rollback to {number}")) as operation:
        yield from _operate(operation, Prepared(app, graph, (), 0), cluster, liberties)


def _operate(operation: Operation, prepared: Prepared, cluster: Cluster, liberties: Liberties) -> Iterator[Event]:
    wanted = yield from _home_first(operation, prepared, cluster, liberties)
    if not (yield from allowed(prepared, wanted, operation.until)):
        return
    if operation.has_to_wait():
        yield from operation.wait()
        wanted = yield from _home_first(operation, prepared, cluster, liberties)
    compared = telling(cluster, partial(standing_of, wanted, operation.until))
    found: Standing | None = yield from compared
    while found is not None and (yield from judged(prepared, found)):
        found = yield from operation.carry_out(wanted, found)


def _home_first(
    operation: Operation, prepared: Prepared, cluster: Cluster, liberties: Liberties
) -> Generator[Event, None, Wanted]:
    """What is wanted, after the end of a namespace that is being deleted."""
    if prepared.app is not None:
        yield from wait_for_end(prepared.app, cluster.until(operation.until), operation.until)
    return (yield from telling(cluster, lambda: wanted_of(prepared, cluster, liberties, operation.until)))
