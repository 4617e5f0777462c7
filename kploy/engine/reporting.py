"""What is told of an object in trouble: its line in the manifest, evidence, logs, and the app's own runbook."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import Empty

from kploy.core.bodies import dig, mapping, text
from kploy.core.graph import Graph
from kploy.core.remedies import runbook_names
from kploy.engine.carrier import Inbox, StopRequested
from kploy.engine.following import MOST, Following, Wrote
from kploy.engine.logs import Heard, LogReader, shortened
from kploy.engine.lookout import Lookout
from kploy.model.app import App
from kploy.model.events import Event, Failed, Logged, LogLine, Noted, Unfinished
from kploy.model.evidence import Evidence, LogTail, Runbook
from kploy.model.findings import Place
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body, Cause, JsonPath, ObjectRef
from kploy.source.runbooks import runbook_of

_OBJECTS = 5
"""Of so many objects the logs are read: when all of an app fails, it most often fails of the same."""

_LAST_LOGS = 4.0
"""For so many seconds the end waits for logs that are being read."""

_LAST_LINES = 0.5
"""For so many seconds it waits for lines of what is followed: a Job that is done has just written its last."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The app's revisions before the one that is deployed.

    ``good`` is the last that became ready whole; ``serving`` the one whose pods run
    still, None where others may as well.
    """

    good: int | None = None
    serving: int | None = None


class Reporting:
    """Completes what a deploy tells. ``reader`` puts what it has read into ``inbox``. For one thread."""

    def __init__(
        self, app: App, graph: Graph, lookout: Lookout, reader: LogReader, inbox: Inbox, earlier: Earlier
    ) -> None:
        self._app = app
        self._manifests = {manifest.ref: manifest for manifest in graph.manifests}
        self._lookout = lookout
        self._reader = reader
        self._inbox = inbox
        self._earlier = earlier
        self._asked: set[ObjectRef] = set()
        self._awaited: set[ObjectRef] = set()
        self._told: set[str] = set()
        self._following: Following | None = None
        self._is_too_much = False

    def completed(self, event: Failed | Unfinished) -> Event:
        """The same event with all that can be seen now. The logs are asked for: they arrive in the inbox."""
        cause = event.cause
        found = self._evidence(event.ref, cause)
        is_asked = len(self._asked) < _OBJECTS and not self._inbox.is_stopping
        if found is not None and found.witnesses and is_asked:
            self._asked.add(event.ref)
            self._awaited.add(event.ref)
            self._reader.fetch(event.ref, found.witnesses)
        place = self._place(event.ref, cause.path if cause else ())
        return replace(event, place=place, evidence=found, runbook=self._runbook(cause))

    def follow(self, following: Following) -> None:
        """From now on tell what containers write; ``pods_seen`` says of which pods."""
        self._following = following

    def pods_seen(self, pods: Iterable[tuple[ObjectRef, Body]]) -> Iterator[Event]:
        """Follow those of the app, if anybody wants to read them; and what there is to say about that."""
        following = self._following
        if following is None:
            return
        for ref, body in pods:
            if self._lookout.workload_of(ref) and not following.saw(body) and not self._is_too_much:
                self._is_too_much = True
                yield Noted(f"no more than {MOST} containers are followed at a time")

    def said(self, said: Heard | Wrote, at: float) -> Event:
        """What containers have said. ``at`` is in seconds since the deploy began."""
        if isinstance(said, Heard):
            self._awaited.discard(said.ref)
            return Logged(said.ref, tuple(map(self._masked, said.logs)), at)
        said.shown()
        return LogLine(said.pod, said.container, shortened(self._lookout.masked(said.line)), at)

    def rest(self, began_at: float) -> Iterator[Event]:
        """What is still being read when all is over, as far as it comes soon and nobody wants to leave."""
        ended_at = time.monotonic()
        while self._awaited or self._following:
            left = ended_at + (_LAST_LOGS if self._awaited else _LAST_LINES) - time.monotonic()
            if left <= 0:
                return
            try:
                message = self._inbox.get(timeout=left)
            except Empty:
                return
            if isinstance(message, StopRequested):
                return
            if isinstance(message, Heard | Wrote):
                yield self.said(message, time.monotonic() - began_at)

    def _evidence(self, ref: ObjectRef, cause: Cause | None) -> Evidence | None:
        found = self._lookout.evidence(ref, cause)
        if found is None:
            return None
        serving = found.serving
        if serving is not None and serving.old and not self._keeps_pods(ref):
            serving = replace(serving, revision=self._earlier.serving)
        return replace(found, serving=serving)

    def _keeps_pods(self, ref: ObjectRef) -> bool:
        """Whether a workload may have pods that are older than the revision before."""
        manifest = self._manifests.get(ref)
        strategy = mapping(manifest.body, "spec", "updateStrategy") if manifest else {}
        return text(strategy, "type") == "OnDelete" or bool(dig(strategy, "rollingUpdate", "partition"))

    def _place(self, ref: ObjectRef, path: JsonPath) -> Place | None:
        """Where something stands in the manifest of an object, or what is nearest to it; else its name alone."""
        manifest = self._manifests.get(ref)
        place = manifest.positions.value(path or ("metadata", "name")) if manifest else None
        return place if path or place is None else replace(place, excerpt=())

    def _runbook(self, cause: Cause | None) -> Runbook | None:
        """The app's own words on a cause; each is told once."""
        found = runbook_of(Path(self._app.root), runbook_names(cause.reason)) if cause else None
        if found is None or found.file in self._told:
            return None
        self._told.add(found.file)
        return found

    def _masked(self, tail: LogTail) -> LogTail:
        lines = self._lookout.masked("\n".join(tail.lines)).split("\n") if tail.lines else []
        # Cut before that, half of a secret might be left.
        return replace(tail, lines=tuple(map(shortened, lines)))
