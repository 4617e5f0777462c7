"""Carries requests and watches on threads of its own, and puts what comes back into one inbox."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue

from kploy.cluster.port import ChangeType, Cluster, Expired, NotFound, ServerFailed, Unreachable
from kploy.core.bodies import text
from kploy.core.desired import desired
from kploy.engine.compare import WORKERS
from kploy.engine.live import named, ref_of
from kploy.engine.resources import Resources
from kploy.model.app import LABEL, App, Manifest
from kploy.model.errors import KployError
from kploy.model.objects import Body, ObjectRef, Resource
from kploy.model.plan import Action

_NEW_KIND_PATIENCE = 30.0
"""For how many seconds an object is offered again while the server does not serve its brand-new kind yet."""

_SHORTEST_WATCH = 1.0
"""A watch that ends sooner is begun again only after this many seconds."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The server took the object of a node."""

    node: int
    action: Action
    body: Body = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The server did not take the object of a node."""

    node: int
    error: KployError


@dataclass(frozen=True, slots=True)
class NotSent:
    """The server was never asked to take the object of a node."""

    node: int


@dataclass(frozen=True, slots=True)
class Sighted:
    """An object looks like this now, or is gone."""

    ref: ObjectRef
    body: Body = field(repr=False)
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A watch cannot go on, or kploy itself has a fault: this ends the run."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The user wants the run to end."""


Message = Taken | NotTaken | NotSent | Sighted | Broken | StopRequested


class Inbox(SimpleQueue[Message]):
    """Where everything arrives that happens outside. ``put`` may be called from signal handlers."""

    def stop(self) -> None:
        """Ask for the end of the run that reads this inbox."""
        self.put(StopRequested())


class Carrier:
    """Applies and watches the objects of one app."""

    def __init__(self, app: App, cluster: Cluster, resources: Resources, inbox: Inbox) -> None:
        self._app = app
        self._cluster = cluster
        self._resources = resources
        self._inbox = inbox
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="apply")

    def apply(self, node: int, manifest: Manifest) -> None:
        """Bring an object to the server; what came of it arrives as Taken or NotTaken."""
        self._pool.submit(self._apply, node, manifest).add_done_callback(lambda done: self._done(node, done))

    def watch(self, api_version: str, kind: str) -> None:
        """Begin to watch the app's objects of a kind; they arrive as Sighted."""
        thread = threading.Thread(target=self._watch, args=(api_version, kind), name=f"watch {kind}", daemon=True)
        thread.start()

    def withhold(self) -> None:
        """Send nothing that is not under way yet; each of these arrives as NotSent."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End all watches; wait for nothing."""
        self._closed.set()
        self.withhold()

    def _done(self, node: int, done: Future[Taken]) -> None:
        if done.cancelled():
            self._inbox.put(NotSent(node))
            return
        match done.exception():
            case None:
                self._inbox.put(done.result())
            case KployError() as error:
                self._inbox.put(NotTaken(node, error))
            case error:
                self._inbox.put(Broken(error))

    def _apply(self, node: int, manifest: Manifest) -> Taken:
        resource = self._resources.of(manifest.api_version, manifest.ref.kind)
        if resource is None:
            raise NotFound(
                f"the cluster has no kind {manifest.ref.kind} in {manifest.api_version}", is_object=False
            )
        body = desired(self._app, manifest)
        until = time.monotonic() + _NEW_KIND_PATIENCE
        pause = 0.05
        while True:
            try:
                answer = self._cluster.apply(resource, body, self._app.field_manager, dry_run=False)
            except NotFound as error:
                # A kind is served a moment after its definition says so.
                is_new = not error.is_object and self._resources.is_defined_by_app(resource)
                if not is_new or time.monotonic() > until or self._closed.wait(pause):
                    raise
                pause = min(pause * 2, 2.0)
            else:
                return Taken(node, Action.CREATED if answer.is_new else Action.CONFIGURED, answer.body)

    def _watch(self, api_version: str, kind: str) -> None:
        try:
            resource = self._resources.of(api_version, kind)
            while resource is not None and not self._closed.is_set():
                self._list_and_watch(resource)
        except Exception as error:  # noqa: BLE001 - whatever ends a watch for good must end the run, not only a thread
            self._inbox.put(Broken(error))

    def _list_and_watch(self, resource: Resource) -> None:
        """Tell how everything is, then every change, until the server has forgotten where the watch was."""
        namespace = self._app.kployfile.namespace if resource.namespaced else ""
        selector = f"{LABEL}={self._app.id}"
        listing = self._cluster.list(resource, namespace, selector)
        for body in listing.items:
            self._sight(resource, body)
        since = listing.resource_version
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                for change in self._cluster.watch(resource, namespace, selector, since):
                    since = text(change.body, "metadata", "resourceVersion") or since
                    if change.type is not ChangeType.BOOKMARK:
                        self._sight(resource, change.body, is_gone=change.type is ChangeType.DELETED)
            except Expired:
                return
            except (Unreachable, ServerFailed):
                pass  # It may come back; the deadline of the run is the limit.
            self._closed.wait(max(0.0, _SHORTEST_WATCH - (time.monotonic() - began)))

    def _sight(self, resource: Resource, body: Body, *, is_gone: bool = False) -> None:
        self._inbox.put(Sighted(ref_of(resource, body), named(resource, body), is_gone))
