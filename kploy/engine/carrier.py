"""Carries requests and watches on threads of its own, and puts what comes back into one inbox."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import field
from enum import StrEnum
from queue import SimpleQueue

from kploy.cluster.port import Cluster, ClusterError, Conflict, Forbidden, Invalid, NotFound, Propagation, Trouble
from kploy.core.admission import lacks_default_account
from kploy.core.bodies import dig, text
from kploy.core.inventory import Entry
from kploy.core.kinds import WORKLOADS
from kploy.core.refusals import UNKNOWN_FIELD
from kploy.core.removal import Leaving, objection
from kploy.engine.asking import in_words
from kploy.engine.crew import Crew
from kploy.engine.following import Wrote
from kploy.engine.live import selection
from kploy.engine.logs import Heard
from kploy.engine.related import PODS, Relation
from kploy.engine.resources import Resources
from kploy.engine.strangers import take_over
from kploy.engine.watching import Listed, Selection, Sighted, Unheard, Watching
from kploy.model.app import App, Manifest
from kploy.model.errors import KployError, LockLost, Refused
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, Resource
from kploy.model.plan import Action

_WRITERS = 32
"""Requests under way at once that write: etcd commits together what comes together, and that is less work."""

_NEW_KIND_PATIENCE = 30.0
"""For how many seconds an object is offered again while the server does not serve its brand-new kind yet."""

_NEW_SCHEMA_PATIENCE = 10.0
"""For how many seconds an object is offered again while the server judges it by an old definition."""

_NEW_RIGHT_PATIENCE = 10.0
"""For how many seconds an object is offered again when the app brings rights, which take a moment to count."""

_NEW_NAMESPACE_PATIENCE = 10.0
"""For how many seconds a pod is offered again while its namespace has no default account yet."""

_PROPAGATIONS = dict.fromkeys(WORKLOADS, Propagation.FOREGROUND)
"""A workload is gone when its pods are; of anything else nothing else runs."""

_RIGHTS = "rbac.authorization.k8s.io"

_TROUBLE = 3.0
"""Seconds of a failing watch that are nothing to speak of."""

_TROUBLE_EVERY = 30.0
"""Seconds after which it is said again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The server took the object of a node."""

    node: int
    action: Action
    body: Body = field(repr=False)


@dataclass(frozen=True, slots=True)
class Removed:
    """The server took the deletion of a node's object; ``is_gone`` if it is gone already.

    ``left`` is the object as it waits for its end, where the server says so.
    """

    node: int
    is_gone: bool
    left: Body | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """What the run writes down about itself is written; or it is not, because of ``error``.

    ``notes`` are worth telling.
    """

    error: KployError | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The server did not take the object of a node."""

    node: int
    error: KployError


@dataclass(frozen=True, slots=True)
class NotReplaced:
    """A pod of the node's controller, which runs an old template, could not be deleted."""

    node: int
    error: KployError


@dataclass(frozen=True, slots=True)
class NotSent:
    """The server was never asked to take the object of a node."""

    node: int


@dataclass(frozen=True, slots=True)
class Troubled:
    """The cluster makes us wait, or does so no more."""

    trouble: Trouble

    @property
    def text(self) -> str:
        """What is to be said of it."""
        return in_words(self.trouble)


@dataclass(frozen=True, slots=True)
class Broken:
    """A watch cannot go on, or kploy itself has a fault: this ends the run."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The user wants the run to end."""


Outgoing = Taken | Removed | NotTaken | NotSent | Written
"""What came of something that was to be sent."""

Message = Outgoing | NotReplaced | Heard | Wrote | Sighted | Listed | Unheard | Troubled | Broken | StopRequested


class Inbox(SimpleQueue[Message]):
    """Where everything arrives that happens outside. ``put`` and ``stop`` may be called from signal handlers."""

    is_stopping = False
    """Whether the end was asked for."""

    def stop(self) -> None:
        """Ask for the end of the run that reads this inbox."""
        self.is_stopping = True
        self.put(StopRequested())


class First(StrEnum):
    """What has to happen to a live object before another body is applied to its name."""

    ADOPT = "adopt"
    MAKE_ROOM = "make-room"


_HALF_DONE = "it was deleted to be made anew, and was not made"
_MADE_NEXT = "the next run makes it"


class Carrier:
    """Applies, deletes and watches the objects of one app. ``guard`` raises when nothing may be written."""

    def __init__(
        self,
        app: App,
        cluster: Cluster,
        resources: Resources,
        inbox: Inbox,
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = app
        self._cluster = cluster
        self._resources = resources
        self._inbox = inbox
        self._guard_writes = guard
        self._closed = threading.Event()
        self._withheld = threading.Event()
        self._crew = Crew(_WRITERS, "apply")
        self._watches: list[Watching] = []
        self._lock = threading.Lock()
        self._told = -math.inf

    def begin(self, deadline: float) -> None:
        """Tell from now on when the cluster makes us wait, and try nothing again past ``deadline`` (monotonic)."""
        self._cluster.observe(lambda trouble: self._inbox.put(Troubled(trouble)))
        self._cluster = self._cluster.until(deadline)

    def apply(
        self, node: int, manifest: Manifest, body: Body, live: Body | None = None, first: First | None = None
    ) -> None:
        """Bring ``body`` of a manifest to the server; what came of it arrives as Taken, NotTaken or NotSent.

        ``first`` is what has to happen to ``live`` before that.
        """
        if self._withheld.is_set():
            self._inbox.put(NotSent(node))
            return
        match first, live:
            case First.ADOPT, dict():
                self._send(node, lambda: self._adopt(node, manifest, body, live))
            case First.MAKE_ROOM, dict():
                self._send(node, lambda: self._replace(node, manifest, body, live))
            case _:
                self._send(node, lambda: self._apply(node, manifest, body))

    def delete(self, node: int, leaving: Leaving) -> None:
        """Have an object deleted; what came of it arrives as Removed, NotTaken or NotSent."""
        if self._withheld.is_set():
            self._inbox.put(NotSent(node))
            return
        self._send(node, lambda: self._delete(node, leaving))

    def replace_pod(self, node: int, pod: Body) -> None:
        """Delete a pod, so that its controller makes another; nothing arrives but a refusal, as NotReplaced."""
        if not self._withheld.is_set():
            self._crew.submit(lambda: self._replace_pod(node, pod), _nothing)

    def write(self, writing: Callable[[], tuple[str, ...]]) -> None:
        """Write something down, also after ``withhold``; what it returns arrives as Written."""
        self._begin(lambda: self._write(writing), "writing")

    def watch(self, api_version: str, kind: str) -> None:
        """Begin to watch the app's objects of a kind; they arrive as Listed, and then as Sighted."""
        self._begin(lambda: self._watch(self._resources.of(api_version, kind), None), kind)

    def watch_related(self, relation: Relation, *, may_be_hidden: bool) -> None:
        """Begin to watch what tells about the app's objects, in the same way.

        ``may_be_hidden``: who may not look does without.
        """
        kind = relation.resource.kind
        self._begin(lambda: self._watch(relation.resource, relation, may_be_hidden=may_be_hidden), kind)

    def look_again(self, kinds: Iterable[tuple[str, str]]) -> None:
        """See how these ``kinds`` (group, kind) are, and what tells of them, where there was no news for long."""
        wanted = set(kinds)
        for watching in tuple(self._watches):
            if watching.selection.tells_of & wanted and watching.wants_look():
                self._begin(watching.look_again, watching.selection.resource.kind)

    def withhold(self) -> None:
        """Send nothing that is not under way yet; each of these arrives as NotSent."""
        self._withheld.set()
        self._crew.dismiss()

    def close(self) -> None:
        """End all watches; wait for nothing."""
        self._closed.set()
        self.withhold()

    def _begin(self, watching: Callable[[], None], kind: str) -> None:
        threading.Thread(target=self._guard, args=(watching,), name=kind, daemon=True).start()

    def _guard(self, watching: Callable[[], None]) -> None:
        try:
            watching()
        except Exception as error:  # noqa: BLE001 - whatever ends a watch for good must end the run, not only a thread
            if not self._closed.is_set():
                self._inbox.put(Broken(error))

    def _send(self, node: int, carry: Callable[[], Taken | Removed | NotSent]) -> None:
        """Have something carried for a node; what came of it arrives."""
        self._crew.submit(lambda: self._carried(node, carry), lambda: self._inbox.put(NotSent(node)))

    def _carried(self, node: int, carry: Callable[[], Taken | Removed | NotSent]) -> None:
        try:
            self._inbox.put(carry())
        except LockLost as error:
            self._inbox.put(Broken(error))
            self._inbox.put(NotSent(node))
        except KployError as error:
            self._inbox.put(NotTaken(node, error))
        except BaseException as error:  # noqa: BLE001 - a fault of ours must end the run, not only a thread
            self._inbox.put(Broken(error))

    def _replace_pod(self, node: int, pod: Body) -> None:
        """Delete this pod and no other one of its name; whoever was faster did what was wanted."""
        namespace, name = text(pod, "metadata", "namespace"), text(pod, "metadata", "name")
        try:
            self._guard_writes()
            with suppress(Conflict):
                self._cluster.delete(PODS.resource, namespace, name, uid=text(pod, "metadata", "uid"))
        except LockLost as error:
            self._inbox.put(Broken(error))
        except KployError as error:
            self._inbox.put(NotReplaced(node, error))
        except BaseException as error:  # noqa: BLE001 - as above
            self._inbox.put(Broken(error))

    def _adopt(self, node: int, manifest: Manifest, body: Body, live: Body) -> Taken | NotSent:
        """Take an object over. Cut off in between, it has no label yet, and can be taken over again."""
        take_over(self._app, self._cluster, self._resource(manifest), live, self._guard_writes)
        return self._apply(node, manifest, body, force=True)

    def _replace(self, node: int, manifest: Manifest, body: Body, live: Body) -> Taken | NotSent:
        """Delete an object, wait until it is gone, make it anew. Cut off in between, the next run makes it."""
        resource, ref = self._resource(manifest), manifest.ref
        if not self._delete(node, Leaving(Entry(ref, resource, text(live, "metadata", "uid")), live)).is_gone:
            self._wait_for_end(resource, live)
        try:
            done = self._apply(node, manifest, body)
        except LockLost as error:
            self._inbox.put(Broken(error))
            raise Refused(f"{_HALF_DONE}: {error.message}", error.hint) from error
        except KployError as error:
            raise Refused(f"{_HALF_DONE}: {error.message}", error.hint) from error
        if isinstance(done, NotSent):
            raise Refused(f"{_HALF_DONE}: the run ended first", _MADE_NEXT)
        return Taken(node, Action.REPLACED, done.body)

    def _wait_for_end(self, resource: Resource, live: Body) -> None:
        """Wait until an object that is being deleted is gone, or nothing may be sent any more."""
        namespace, name = text(live, "metadata", "namespace"), text(live, "metadata", "name")
        pause = 0.1
        while True:
            now = self._cluster.get(resource, namespace, name)
            if now is None or text(now, "metadata", "uid") != text(live, "metadata", "uid"):
                return
            if self._withheld.wait(pause):
                holding = dig(now, "metadata", "finalizers") or ["nothing that it names"]
                held = ", ".join(map(str, holding))
                raise Refused(
                    f"it is being deleted to be made anew, and is not gone yet: {held} holds it", _MADE_NEXT
                )
            pause = min(pause * 2, 2.0)

    def _resource(self, manifest: Manifest) -> Resource:
        resource = self._resources.of(manifest.api_version, manifest.ref.kind)
        if resource is None:
            raise NotFound(
                f"the cluster has no kind {manifest.ref.kind} in {manifest.api_version}", is_object=False
            )
        return resource

    def _apply(self, node: int, manifest: Manifest, body: Body, *, force: bool = False) -> Taken | NotSent:
        resource = self._resource(manifest)
        began = time.monotonic()
        pause = 0.05
        while True:
            self._guard_writes()
            try:
                answer = self._cluster.apply(resource, body, self._app.field_manager, dry_run=False, force=force)
            except (NotFound, Forbidden, Invalid) as error:
                if time.monotonic() >= began + self._patience(resource, error):
                    raise
                if self._withheld.wait(pause):
                    return NotSent(node)
                pause = min(pause * 2, 2.0)
            else:
                return Taken(node, Action.CREATED if answer.is_new else Action.CONFIGURED, answer.body)

    def _delete(self, node: int, leaving: Leaving) -> Removed:
        entry, live = leaving.entry, leaving.live
        resource, ref = entry.resource, entry.ref
        while True:
            reason = objection(entry, live, self._app.id)
            if reason:
                raise Refused(f"it was not deleted: {reason}")
            self._guard_writes()
            try:
                answer = self._cluster.delete(
                    resource,
                    ref.namespace,
                    ref.name,
                    uid=text(live, "metadata", "uid"),
                    resource_version=text(live, "metadata", "resourceVersion"),
                    propagation=_PROPAGATIONS.get((ref.group, ref.kind), Propagation.BACKGROUND),
                )
            except Conflict:
                # It has changed since it was looked at: decide again.
                now = self._cluster.get(resource, ref.namespace, ref.name)
                if now is None:
                    return Removed(node, is_gone=True)
                live = now
            else:
                waits = bool(text(answer, "metadata", "deletionTimestamp"))
                return Removed(node, is_gone=answer is None, left=answer if waits else None)

    def _write(self, writing: Callable[[], tuple[str, ...]]) -> None:
        try:
            notes = writing()
        except KployError as error:
            self._inbox.put(Written(error))
        else:
            self._inbox.put(Written(notes=notes))

    def _patience(self, resource: Resource, error: NotFound | Forbidden | Invalid) -> float:
        """For how many seconds a refusal may be about what the run itself has only just made."""
        if isinstance(error, NotFound):
            # A kind is served a moment after its definition says so.
            is_new = not error.is_object and self._resources.is_defined_by_app(resource)
            return _NEW_KIND_PATIENCE if is_new else 0.0
        if isinstance(error, Invalid):
            # The server knows the new fields of a definition only a moment after it took it.
            is_unknown = any(cause.message == UNKNOWN_FIELD for cause in error.causes)
            return _NEW_SCHEMA_PATIENCE if is_unknown and self._resources.is_defined_by_app(resource) else 0.0
        if lacks_default_account(error.message):
            return _NEW_NAMESPACE_PATIENCE
        brings_rights = any(manifest.ref.group == _RIGHTS for manifest in self._app.manifests)
        return _NEW_RIGHT_PATIENCE if brings_rights else 0.0

    def _watch(self, resource: Resource | None, relation: Relation | None, *, may_be_hidden: bool = False) -> None:
        if resource is None:
            return
        namespace, selector = selection(self._app, resource, is_labelled=relation is None or relation.is_labelled)
        what = Selection(resource, namespace, selector, relation, may_be_hidden)
        watching = Watching(self._cluster, what, self._inbox.put, self._fails, self._closed)
        self._watches.append(watching)
        watching.run()

    def _fails(self, error: ClusterError, since: float) -> None:
        """Say that a watch fails, if it has done so for long; of many that do, say it once."""
        now = time.monotonic()
        with self._lock:
            if now - since < _TROUBLE or now - self._told < _TROUBLE_EVERY:
                return
            self._told = now
        self._inbox.put(Troubled(Trouble(error.message, now - since)))


def _nothing() -> None:
    """What comes of a pod that was to be replaced and is not: nothing, the next run does it."""
