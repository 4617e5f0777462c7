"""How the user calls kploy, for advice that can be typed as it stands."""

from __future__ import annotations

from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Calls:
    """How the user calls kploy: ``words`` say which app and which cluster, quoted as a shell takes them.

    ``command`` is the one that runs, and ``more`` what else of it counts when it is run again.
    """

    program: str = "kploy"
    words: str = ""
    command: str = "run"
    more: str = ""

    @property
    def again(self) -> str:
        """``kploy rollback shop 12``: what goes on where this command was cut off."""
        return self.of(self.command, self.more)

    def of(self, command: str, more: str = "") -> str:
        """``kploy list shop --context dev``: another command on the same app and cluster."""
        return " ".join(filter(None, (self.program, command, self.words, more)))
