"""What kploy wants to reach, and whether a run of the bench shows it."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.figures import Figures, Summary
from benchmarks.programs import Deed
from kploy.model.frozen import dataclass

_NORMAL, _LARGE = 100, 1000
"""How many services 500 and 5,000 objects are."""


@dataclass(frozen=True, slots=True)
class Goal:
    """``measure`` gives what ``most`` bounds, None if it was not measured; ``unit`` is told behind both."""

    what: str
    most: float
    unit: str
    measure: Callable[[Figures], float | None]

    def row(self, figures: Figures) -> tuple[str, str, str, str]:
        """The goal, what is wanted, what was measured, and how that compares."""
        measured, wanted = self.measure(figures), f"at most {self.most:g}{self.unit}" if self.most else "none"
        if measured is None:
            return (self.what, wanted, "", "not measured")
        return (self.what, wanted, f"{measured:.3g}{self.unit}", "met" if measured <= self.most else "**missed**")


def _wall(services: int, deed: Deed) -> Callable[[Figures], float | None]:
    return lambda figures: _of(figures.of(services, deed), lambda one: one.wall)


def _cpu(deed: Deed) -> Callable[[Figures], float | None]:
    return lambda figures: _of(figures.of(0, deed), lambda one: one.cpu * 1000)


def _memory(figures: Figures) -> float | None:
    peaks = [
        one.memory / 1e6 for (size, who, _), one in figures.summaries.items() if (size, who) == (_LARGE, "kploy")
    ]
    return max(peaks, default=None)


def _growth(figures: Figures) -> float | None:
    large, normal = figures.per_object(_LARGE, Deed.FIRST), figures.per_object(_NORMAL, Deed.FIRST)
    return large / normal if large and normal else None


def _writes(deed: Deed) -> Callable[[Figures], float | None]:
    return lambda figures: figures.writes(_NORMAL, deed)


def _more_writes(figures: Figures) -> float | None:
    """How many more writes one change takes in the largest app than in the smallest: none, if it is O(1)."""
    writes = [figures.writes(size, Deed.CHANGED) for size in sorted(figures.requests)]
    if len(writes) < 2 or writes[0] is None or writes[-1] is None:
        return None
    return writes[-1] - writes[0]


def _of(one: Summary | None, value: Callable[[Summary], float]) -> float | None:
    return None if one is None else value(one)


GOALS = (
    Goal("first deploy of 500 objects", 1.4, " x limit", lambda figures: figures.ratio(_NORMAL, Deed.FIRST)),
    Goal("again with nothing changed, of 500 objects", 1.0, " s", _wall(_NORMAL, Deed.AGAIN)),
    Goal("… and its writes", 0, "", _writes(Deed.AGAIN)),
    Goal("`dryrun` of the same", 1.5, " s", _wall(_NORMAL, Deed.DRYRUN)),
    Goal("… and the writes of that", 0, "", _writes(Deed.DRYRUN)),
    Goal("`list` of 500 objects", 0.7, " s", _wall(_NORMAL, Deed.LIST)),
    Goal("one changed of 500 objects", 1.2, " s", _wall(_NORMAL, Deed.CHANGED)),
    Goal("… more writes in the largest app than in the smallest", 0, "", _more_writes),
    Goal("first deploy, an object of 5,000 beside one of 500", 1.3, " x", _growth),
    Goal("peak memory with 5,000 objects", 300, " MB", _memory),
    Goal("`--help`", 60, " ms CPU", _cpu(Deed.HELP)),
    Goal("completion", 60, " ms CPU", _cpu(Deed.COMPLETION)),
)
