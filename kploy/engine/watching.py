"""One watch: all objects of a selection, then every change of them, for as long as anybody wants to know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from kploy.cluster.port import (
    Change,
    ChangeType,
    Cluster,
    ClusterError,
    Expired,
    Forbidden,
    Listing,
    NotFound,
    ServerFailed,
    Unreachable,
)
from kploy.core.bodies import text
from kploy.engine.live import named, ref_of
from kploy.engine.related import Relation
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, ObjectRef, Resource

_PASSING = (Unreachable, ServerFailed, NotFound)
"""What ends a watch, but maybe not for good; the deadline of the run is the limit."""

_SHORTEST_WATCH = 1.0
"""A watch that ends sooner is begun again only after this many seconds."""

_TOO_QUIET = 15.0
"""After so many seconds without news one looks: a proxy may hold them back."""

_AT_ONCE = 10.0
"""What fails after fewer seconds nobody has waited for, so nobody has said anything of it."""


@dataclass(frozen=True, slots=True)
class Sighted:
    """An object looks like this now, or is gone. ``relation`` says why it was watched if not for its own sake."""

    ref: ObjectRef
    body: Body = field(repr=False)
    is_gone: bool = False
    relation: Relation | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """These are all of the app's objects of a kind, or all of a relation, as they were at ``version``."""

    resource: Resource
    bodies: Mapping[ObjectRef, Body] = field(repr=False)
    version: str
    relation: Relation | None = None


@dataclass(frozen=True, slots=True)
class Unheard:
    """What happens to a relation is not told at once: its watch fails; or, ``for_good``, who asks may not watch.

    Who may list it is told how it is all the same, whenever somebody looks.
    """

    relation: Relation
    for_good: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """What is watched: a resource, a namespace and a label selector; ``relation`` if not for its own sake.

    ``may_be_hidden``: who may not look does without; a relation only.
    """

    resource: Resource
    namespace: str
    selector: str
    relation: Relation | None = None
    may_be_hidden: bool = False

    @property
    def tells_of(self) -> frozenset[tuple[str, str]]:
        """The groups and kinds of the objects whose status it tells."""
        if self.relation:
            return self.relation.tells_of
        return frozenset({(self.resource.group, self.resource.kind)})

    @property
    def fields(self) -> str:
        """The field selector, "" for none."""
        return self.relation.fields if self.relation else ""


class Watching:
    """Watches one selection on the thread that calls ``run``; others may call ``look_again``.

    ``put`` takes what is seen, in the order in which it happened; ``fails`` is
    told what a watch failed of and since when it does, whenever it fails at once.
    After ``too_quiet`` seconds without news it is worth a look.
    """

    def __init__(
        self,
        cluster: Cluster,
        selection: Selection,
        put: Callable[[Sighted | Listed | Unheard], None],
        fails: Callable[[ClusterError, float], None],
        closed: threading.Event,
        too_quiet: float = _TOO_QUIET,
    ) -> None:
        self.selection = selection
        self._cluster = cluster
        self._put = put
        self._fails = fails
        self._closed = closed
        self._too_quiet = too_quiet
        self._lock = threading.Lock()
        self._is_listed = False
        self._heard = 0
        self._heard_at = time.monotonic()
        self._is_looking = False
        self._floor = 0
        self._failing_since: float | None = None

    def run(self) -> None:
        """Tell everything until it is closed. Raises the error that ends a watch for good."""
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                self._watch_from(self._list())
            except Forbidden:
                if self.selection.relation is None or not self.selection.may_be_hidden:
                    raise
                self._put(Unheard(self.selection.relation, for_good=True))
                return
            except (Expired, *_PASSING) as error:
                self._failed(error, began)
            self._pause_after(began)

    def wants_look(self) -> bool:
        """Whether there was no news for so long that it is worth a look. Who is told so calls ``look_again``.

        Until something was listed there is none: what is refused once is not asked for again. Nobody else is told
        until that look is over. For one thread.
        """
        if not self._is_listed or self._is_looking or time.monotonic() - self._heard_at < self._too_quiet:
            return False
        self._is_looking = True
        return True

    def look_again(self) -> None:
        """Tell how everything is, unless the watch tells something meanwhile. A failure the watch will tell."""
        heard = self._heard
        try:
            listing = self._listing()
        except ClusterError:
            return
        finally:
            self._heard_at = time.monotonic()
            self._is_looking = False
        with self._lock:
            if self._heard == heard:
                self._tell_all(listing)

    def _list(self) -> str:
        """Tell how everything is. Returns as of which resource version."""
        listing = self._listing()
        with self._lock:
            self._tell_all(listing)
        return listing.resource_version

    def _watch_from(self, since: str) -> None:
        """Tell every change after ``since``. Raises Expired when the server has forgotten where that was."""
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                for change in self._changes(since):
                    since = text(change.body, "metadata", "resourceVersion") or since
                    self._failing_since = None
                    self._tell(change)
            except _PASSING as error:
                self._failed(error, began)
            self._pause_after(began)

    def _changes(self, since: str) -> Iterator[Change]:
        what = self.selection
        return self._cluster.watch(what.resource, what.namespace, what.selector, since, what.fields)

    def _listing(self) -> Listing:
        what = self.selection
        return self._cluster.list(what.resource, what.namespace, what.selector, what.fields)

    def _tell_all(self, listing: Listing) -> None:
        resource = self.selection.resource
        bodies = {ref_of(resource, body): named(resource, body) for body in listing.items}
        self._floor = max(self._floor, _number(listing.resource_version))
        self._is_listed = True
        self._put(Listed(resource, bodies, listing.resource_version, self.selection.relation))

    def _tell(self, change: Change) -> None:
        resource = self.selection.resource
        with self._lock:
            self._heard += 1
            self._heard_at = time.monotonic()
            version = _number(text(change.body, "metadata", "resourceVersion"))
            # What was held back may be older than what a look has told since.
            if change.type is not ChangeType.BOOKMARK and not 0 < version <= self._floor:
                body = named(resource, change.body)
                is_gone = change.type is ChangeType.DELETED
                self._put(Sighted(ref_of(resource, body), body, is_gone, self.selection.relation))

    def _failed(self, error: ClusterError, began: float) -> None:
        if isinstance(error, Expired) or time.monotonic() - began > _AT_ONCE:
            return
        if self._failing_since is None:
            self._failing_since = began
            if self.selection.relation is not None:
                self._put(Unheard(self.selection.relation, for_good=False))
        self._fails(error, self._failing_since)

    def _pause_after(self, began: float) -> None:
        self._closed.wait(max(0.0, _SHORTEST_WATCH - (time.monotonic() - began)))


def _number(version: str) -> int:
    """The resource version as a number; that they can be compared is KEP-5504. 0 for none."""
    return int(version) if version.isdecimal() else 0
