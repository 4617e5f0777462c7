"""The logs of the pods that a deploy makes, line by line while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field

from kploy.cluster.port import Cluster
from kploy.core.bodies import entries, mapping, text
from kploy.model.errors import KployError
from kploy.model.frozen import dataclass
from kploy.model.objects import Body

MOST = 20
"""So many containers are followed at once: each takes a connection."""

_ROOM = 1000
"""So many lines may wait to be shown; then the containers' logs are read no further until there is room."""

_LONGEST = 1 << 16
"""Characters of a line that are kept: what is shown of it is less, and is cut when it is masked."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """A container has written a line. Whoever shows it calls ``shown``: then more is read."""

    pod: str
    container: str
    line: str
    shown: Callable[[], None] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a container."""

    uid: str
    container: str
    number: int


class Following:
    """Follows the containers of pods that were not there before.

    ``put`` takes each line, on any thread. ``before`` are the pods that there were. All else is for one thread.
    """

    def __init__(
        self, cluster: Cluster, namespace: str, put: Callable[[Wrote], None], before: Iterable[Body]
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._put = put
        self._before = {text(pod, "metadata", "uid") for pod in before}
        self._known: set[_Run] = set()
        self._room = threading.BoundedSemaphore(_ROOM)
        self._free = threading.BoundedSemaphore(MOST)

    def saw(self, pod: Body) -> bool:
        """Follow what has begun to run in a pod since it was seen last. False if that is too much."""
        uid, name = text(pod, "metadata", "uid"), text(pod, "metadata", "name")
        begun = {} if uid in self._before else {_Run(uid, *run): run[0] for run in _runs(pod)}
        for run, container in begun.items():
            if run in self._known:
                continue
            if not self._free.acquire(blocking=False):
                return False
            self._known.add(run)
            threading.Thread(target=self._follow, args=(name, container), name="follow", daemon=True).start()
        return True

    def _follow(self, pod: str, container: str) -> None:
        try:
            for line in self._cluster.follow_log(self._namespace, pod, container):
                self._tell(pod, container, line[:_LONGEST])
        except KployError as error:
            self._tell(pod, container, f"(its log cannot be read: {error.message})")
        finally:
            self._free.release()

    def _tell(self, pod: str, container: str, line: str) -> None:
        self._room.acquire()
        self._put(Wrote(pod, container, line, self._room.release))


def _runs(pod: Body) -> Iterator[tuple[str, int]]:
    """The containers of a pod that run, or have run, and how often each was started again."""
    status = mapping(pod, "status")
    for container in (*entries(status, "initContainerStatuses"), *entries(status, "containerStatuses")):
        state, restarts = mapping(container, "state"), container.get("restartCount")
        has_begun = "running" in state or "terminated" in state
        if has_begun and text(container, "name"):
            yield text(container, "name"), restarts if isinstance(restarts, int) else 0
