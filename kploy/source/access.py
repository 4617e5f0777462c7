"""Remote manifests, as far as every app has to do with them: what points to one, and which ways there are to it.

Apart from those who read them (source.pointers, source.remotes), which load only for an app that has some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kploy.model.frozen import dataclass

if TYPE_CHECKING:
    from kploy.source.network import Network

POINTER = ".url"
"""How the name of a file ends that has the address of a manifest kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Access:
    """Which ways lead to remote manifests.

    ``offline``: no network is touched. ``prefers_copies``: the network is left
    alone where there is a copy of what is pinned. ``network`` None is the real one.
    """

    offline: bool = False
    prefers_copies: bool = False
    network: Network | None = None

    @property
    def begins_with_copies(self) -> bool:
        """Whether a copy is looked for before anything else."""
        return self.offline or self.prefers_copies
