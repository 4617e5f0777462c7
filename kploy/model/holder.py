"""Who holds the lock of an app."""

from __future__ import annotations

from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that deploys.

    ``identity`` is unlike that of any other run. ``who`` is ``user@host``, ``what`` the
    command. ``boot``, ``pids``, ``pid`` and ``started`` tell the process from every other
    one there ever was: which boot of which machine, which namespace of process ids, the
    id in it, and when it began in clock ticks after the boot; "" and 0 where the system
    does not tell.
    """

    identity: str
    who: str
    what: str
    boot: str = ""
    pids: str = ""
    pid: int = 0
    started: str = ""

    def __str__(self) -> str:
        """``ada@laptop, process 4711, kploy run``."""
        process = f", process {self.pid}" if self.pid else ""
        return f"{self.who}{process}, {self.what}"
