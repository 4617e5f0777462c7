"""What kploy asks of a cluster, and how a cluster may refuse.

ClusterError
├── Unreachable        no answer, or one that is not from an API server (exit 4)
├── Unauthenticated    the credentials were refused, or there are none (exit 4)
├── Forbidden          the credentials do not allow it (exit 4)
├── NotFound           the object, or the route to its kind, is not there
├── Conflict           others own a field, or the object changed meanwhile
│   └── AlreadyExists  what was to be created is there
├── Invalid            the object is not acceptable, with a cause for each field
├── Expired            a watch cannot go on from where it was
├── Terminating        what is needed is being deleted
└── ServerFailed       the API server answered with an error of its own
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from kploy.model.errors import KployError
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, Resource
from kploy.model.report import Outcome


class ClusterError(KployError):
    """The cluster would not, or could not."""


class Unreachable(ClusterError):
    """No answer, or one that is not an API server's."""

    outcome = Outcome.UNREACHABLE


class Unauthenticated(ClusterError):
    """The credentials were refused, or there are none."""

    outcome = Outcome.UNREACHABLE


class Forbidden(ClusterError):
    """The credentials are good, but do not allow this; or an admission policy does not. See core.permissions."""

    outcome = Outcome.UNREACHABLE


class NotFound(ClusterError):
    """It is not there. ``is_object`` tells an object that is missing from a kind that is not served."""

    def __init__(self, message: str, hint: str = "", *, is_object: bool) -> None:
        super().__init__(message, hint)
        self.is_object = is_object


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an object was refused: ``field`` in the server's notation (``spec.ports[0].port``), or ""."""

    field: str
    message: str


class Conflict(ClusterError):
    """Another field manager owns what an apply would change, or the object is not what it was."""

    def __init__(self, message: str, hint: str = "", causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message, hint)
        self.causes = causes


class AlreadyExists(Conflict):
    """What was to be created is there: somebody else's, or one's own if an earlier answer was lost."""


class Invalid(ClusterError):
    """The object is not acceptable to this API server (400 or 422)."""

    def __init__(self, message: str, hint: str = "", causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message, hint)
        self.causes = causes


class Expired(ClusterError):
    """The resource version is too old to watch from (410): list again."""


class Terminating(ClusterError):
    """What is needed is being deleted: nothing new goes into a namespace that ends."""


class ServerFailed(ClusterError):
    """The API server answered with an error of its own."""


@dataclass(frozen=True, slots=True)
class Target:
    """The cluster that is talked to.

    ``context`` is "" where none is involved; ``server`` is a URL. ``simulated``
    says that it is kploy's own sandbox, whose pods only pretend to run.
    """

    context: str
    server: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server made of an apply: the whole object, and whether it is new."""

    body: Body
    is_new: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a selection as they were at ``resource_version``."""

    items: tuple[Body, ...]
    resource_version: str


class ChangeType(StrEnum):
    """What a watch says of an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch. The body of a BOOKMARK holds only its resource version."""

    type: ChangeType
    body: Body


@dataclass(frozen=True, slots=True)
class Trouble:
    """Requests wait for the cluster, because of ``fact``, for ``seconds`` already; or that is over."""

    fact: str
    seconds: float
    is_over: bool = False


class Propagation(StrEnum):
    """What becomes of the objects that a deleted one owns."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


class Cluster(Protocol):
    """An API server. Every method may raise any ClusterError, and may be called from any thread.

    A namespace is "" for cluster-wide resources. A ``selector`` is a label
    selector in the API's notation, "" for everything.
    """

    target: Target

    def until(self, deadline: float) -> Cluster:
        """The same cluster, but nothing that is asked of it is tried again past ``deadline``.

        In seconds of time.monotonic(). What is under way then has a few seconds
        to be answered, else it fails; watches end when they are closed. It may be
        asked for as often as needed: everything else is shared.
        """

    def observe(self, listener: Callable[[Trouble], None]) -> None:
        """From now on tell ``listener`` when requests have to be sent again and again, and when that is over.

        It is called on any thread, at once: after 3 s of trouble, then every
        30 s. There is one listener for a cluster; the last one counts.
        """

    def version(self) -> str:
        """The server's version, ``v1.37.2``. The first thing to ask: it fails fast."""

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """Where this server keeps a kind; None if it does not serve it."""

    def kinds(self) -> tuple[Resource, ...]:
        """Every kind whose objects can be listed and deleted, each in one version. All of them, or it raises."""

    def get(self, resource: Resource, namespace: str, name: str) -> Body | None:
        """One object; None if it does not exist."""

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        """All objects of a selection, by labels and ``fields``. Empty if the server does not serve the kind."""

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        """Server-side apply of ``body`` with strict field validation, or what it would do."""

    def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        """The new object. Raises AlreadyExists, NotFound when its namespace is not there.

        An answer may get lost, and the request is then sent again: AlreadyExists may
        mean one's own object. Who must know reads it, and looks for a mark of one's own.
        """

    def replace(self, resource: Resource, body: Body) -> Body:
        """The object with the contents of ``body``, which names the resource version it replaces.

        Raises Conflict when the object is not of that version any more, NotFound
        when it is gone. As with ``create`` it may be one's own write that was the
        other one. Raises ValueError for a body without a resource version.
        """

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        operations: Sequence[Mapping[str, object]],
        manager: str,
        *,
        dry_run: bool = False,
    ) -> Body:
        """The object after a JSON patch (RFC 6902), or as it would be.

        Operations that set ``/metadata/resourceVersion`` hold for that version only:
        Conflict is raised if the object has another one by then. As with ``replace`` it
        may be one's own write that was the other one. Raises NotFound when it is gone.
        """

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str | None = None,
        propagation: Propagation = Propagation.BACKGROUND,
        dry_run: bool = False,
    ) -> Body | None:
        """Delete the object with this UID, and no other one of its name.

        Returns what the server says: the object, which may stay until its
        finalizers are done, or a Status. None if it was gone already. Raises
        Conflict when the object has another UID or, if one is given, another
        resource version; NotFound when its kind is not served.
        """

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        """The changes of a selection after a resource version, until the server or the network ends it."""

    def log(self, namespace: str, pod: str, container: str, *, lines: int, is_previous: bool = False) -> str:
        """The last ``lines`` that a container has written, in its run before the present one if ``is_previous``.

        Raises NotFound when the pod is gone, Invalid when the container has not written anything yet.
        """

    def follow_log(self, namespace: str, pod: str, container: str) -> Iterator[str]:
        """The lines of a container from the first, as it writes them, until it ends or the connection breaks."""

    def may(self, verb: str, group: str, plural: str, namespace: str, name: str = "") -> bool:
        """Whether the user may do ``verb`` to a resource, by SelfSubjectAccessReview; "*" means all there are.

        A namespace of "" means every one, or what is cluster-wide; a name of "" any object.
        """

    def user(self) -> str:
        """Whom the server takes the user for, by SelfSubjectReview: ``system:serviceaccount:ci:deployer``."""

    def close(self) -> None:
        """End all watches and connections; what still waits for an answer fails."""
