"""What containers have written, read on threads of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import field

from kploy.cluster.port import Cluster
from kploy.model.errors import KployError
from kploy.model.evidence import LogTail, Witness
from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef

LINES = 25
"""So many of the last lines of a failed container are shown."""

_LONGEST = 2000
"""Characters of a line of a log that are shown."""

_PATIENCE = 3.0
"""For how many seconds a log is asked for again: a kubelet may be gone with its node."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The logs of containers of ``ref``, as far as they could be read."""

    ref: ObjectRef
    logs: tuple[LogTail, ...] = field(repr=False)


class LogReader:
    """Reads logs in one namespace; what it has read goes to ``put``, on any thread."""

    def __init__(self, cluster: Cluster, namespace: str, put: Callable[[Heard], None]) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._put = put

    def fetch(self, ref: ObjectRef, witnesses: Sequence[Witness]) -> None:
        """Read the last lines of some containers of ``ref``; they arrive as one Heard, within some seconds."""
        threading.Thread(target=self._fetch, args=(ref, witnesses), name="logs", daemon=True).start()

    def _fetch(self, ref: ObjectRef, witnesses: Sequence[Witness]) -> None:
        cluster = self._cluster.until(time.monotonic() + _PATIENCE)
        self._put(Heard(ref, tuple(self._tail(cluster, witness) for witness in witnesses)))

    def _tail(self, cluster: Cluster, of: Witness) -> LogTail:
        try:
            said = cluster.log(self._namespace, of.pod, of.container, lines=LINES, is_previous=of.is_previous)
        except KployError as error:
            return LogTail(of, (), error.message)
        lines = said.removesuffix("\n").split("\n")[-LINES:] if said else []
        return LogTail(of, tuple(lines))


def shortened(line: str) -> str:
    """A line of a log, cut where nobody reads on."""
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} (and {len(line) - _LONGEST} characters more)"
