"""How far a long step has come: what ``up`` tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from kploy.model.frozen import dataclass


class Phase(StrEnum):
    """What is being done."""

    WAITING = "waiting for another kploy"
    DOWNLOADING = "downloading modules"
    COMPILING = "compiling"
    STARTING = "starting the control plane"
    JOINING = "waiting for the nodes"


@dataclass(frozen=True, slots=True)
class Progress:
    """One report: ``done`` of ``total`` parts after ``seconds``; a total of 0 is not known."""

    phase: Phase
    done: int = 0
    total: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        """``compiling: 412 of 1893 packages, 1:05``."""
        return (
            f"{self.phase}{self._parts}, {clock(self.seconds)}"
            if self.seconds >= 1
            else f"{self.phase}{self._parts}"
        )

    @property
    def _parts(self) -> str:
        unit = {Phase.DOWNLOADING: "modules", Phase.COMPILING: "packages", Phase.JOINING: "ready"}.get(
            self.phase, ""
        )
        if not unit or not (self.done or self.phase is Phase.JOINING):
            return ""
        return f": {self.done} of {self.total} {unit}" if self.total else f": {self.done} so far"


Report = Callable[[Progress], None]
"""What takes the reports. It is called often; it decides what to show."""


def silent(_: Progress) -> None:
    """Show nothing."""


def clock(seconds: float) -> str:
    """``1:05`` for 65 seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
