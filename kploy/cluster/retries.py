"""Which failures are worth another try, and after how long: the retry table.

| seen                                     | done                                               |
|------------------------------------------|----------------------------------------------------|
| no connection, no address, a broken one  | again; what was sent may be done already           |
| no answer in time, a truncated one       | again; what was sent may be done already           |
| TLS failure, 407, no JSON                | stop                                               |
| 401                                      | again with credentials that are loaded anew, once  |
| 409 of a quota, or a race of two applies | again                                              |
| 429                                      | again, when the server says                        |
| 500 of etcd or an unreachable webhook    | again                                              |
| 500                                      | again, once                                        |
| 502, 503, 504                            | again; what was sent may be done already           |
| all else                                 | stop                                               |

Whatever kploy sends may be done twice without harm: server-side apply, a DELETE of one UID, a PUT of one resource
version, a POST with a name. See cluster.port for what a second answer means then.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Sequence
from random import SystemRandom

from kploy.cluster.port import ClusterError, Conflict, ServerFailed
from kploy.core.bodies import text
from kploy.model.frozen import dataclass

PATIENCE = 60.0
"""For how many seconds a request is tried again while the failure looks like one that passes."""

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
_LONGEST_RETRY_AFTER = 30.0

_PASSING_FAULT = re.compile(
    r"etcdserver|leader changed|failed calling webhook|context deadline exceeded|rpc error: code = Unavailable"
)
"""What an internal error says that passes by itself."""

_QUOTA_RACE = "Operation cannot be fulfilled on resourcequotas"
_RACE = "the object has been modified"


@dataclass(frozen=True, slots=True)
class Again:
    """A request is worth another try: how often, and after how many seconds if the server said so (else 0)."""

    times: float = math.inf
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Time and chance, as the transport takes them. ``wait`` returns whether the event came first."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    chance: Callable[[float, float], float] = SystemRandom().uniform


def again(status: int, error: ClusterError, body: object, retry_after: str | None) -> Again | None:
    """What the table says of an answer: ``error`` is what it means, ``body`` what was sent. None: stop."""
    match status:
        case 429 | 502 | 503 | 504:
            return Again(after=_seconds(retry_after))
        case 500 if isinstance(error, ServerFailed):
            return Again() if _PASSING_FAULT.search(error.message) else Again(times=1)
        case 409 if isinstance(error, Conflict) and _is_race(error, body):
            return Again()
        case _:
            return None


def pause(attempt: int, how: Again, chance: Callable[[float, float], float]) -> float:
    """For how many seconds to wait after the failure number ``attempt``, counted from 0: full jitter."""
    return how.after or chance(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt, 10)))


def _is_race(error: Conflict, body: object) -> bool:
    """Whether the server lost a race against itself. Who sent a version, as every JSON patch has one, meant it."""
    if error.message.startswith(_QUOTA_RACE):
        return True
    is_versioned = isinstance(body, Sequence) or text(body, "metadata", "resourceVersion")
    return _RACE in error.message and not error.causes and not is_versioned


def _seconds(retry_after: str | None) -> float:
    """What Retry-After says; 0 for what is no number, a date among it, which no API server sends."""
    try:
        seconds = float(retry_after or 0)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
