"""What there is to see of an object in trouble, besides its cause."""

from __future__ import annotations

from kploy.model.frozen import dataclass
from kploy.model.notices import Notice


@dataclass(frozen=True, slots=True)
class Serving:
    """The pods of a workload that are ready while it is not what it should be.

    ``new`` of them run its template as it is now, ``old`` an older one, with the
    ``images``. ``revision`` is the app's that the old ones are from; None where that is not certain.
    """

    new: int
    old: int
    images: tuple[str, ...] = ()
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A container that has said something before it failed; ``is_previous``: in its run before the present one."""

    pod: str
    container: str
    is_previous: bool = False


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last ``lines`` that a container has written, oldest first; ``missing`` says why there are none."""

    of: Witness
    lines: tuple[str, ...]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to see of an object in trouble.

    ``serving`` is None for what runs no pods, and where nobody looked at them. ``notices``
    are the warnings about it and its pods since it was changed, each said once, oldest
    first. ``witnesses`` are the containers whose logs are worth a look.
    """

    serving: Serving | None = None
    notices: tuple[Notice, ...] = ()
    witnesses: tuple[Witness, ...] = ()


@dataclass(frozen=True, slots=True)
class Runbook:
    """What the app's developers have written down for a cause: ``text`` is Markdown."""

    file: str
    text: str
