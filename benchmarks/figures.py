"""What many samples say: medians, and how they compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from benchmarks.counting import Requests
from benchmarks.course import Sample
from benchmarks.generate import OBJECTS
from benchmarks.programs import Deed
from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """The medians of wall time and CPU in seconds, the quickest and slowest run, and the highest peak in bytes."""

    wall: float
    quickest: float
    slowest: float
    cpu: float
    memory: int
    runs: int


Key = tuple[int, str, Deed]
"""How many services, which program, what it did."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured, and counted of kploy's requests by number of services."""

    summaries: Mapping[Key, Summary]
    requests: Mapping[int, Mapping[Deed, Requests]]

    @property
    def sizes(self) -> list[int]:
        """How many services were deployed, ascending; 0 is none at all."""
        return sorted({services for services, _, _ in self.summaries if services})

    def of(self, services: int, deed: Deed, program: str = "kploy") -> Summary | None:
        """The summary; None if it was not measured."""
        return self.summaries.get((services, program, deed))

    def ratio(self, services: int, deed: Deed, program: str = "kploy") -> float | None:
        """How many times as long as the limit it took."""
        one, limit = self.of(services, deed, program), self.of(services, deed, "limit")
        return one.wall / limit.wall if one and limit else None

    def writes(self, services: int, deed: Deed) -> int | None:
        """How many requests of kploy's wrote anything; None if they were not counted."""
        counted = self.requests.get(services, {}).get(deed)
        return None if counted is None else counted.writes

    def per_object(self, services: int, deed: Deed) -> float | None:
        """Seconds that each object took kploy."""
        one = self.of(services, deed)
        return one.wall / (services * OBJECTS) if one else None


def summarised(samples: Iterable[Sample]) -> dict[Key, Summary]:
    """One summary for all samples of the same kind, in the order in which the first came."""
    costs = defaultdict(list)
    for sample in samples:
        costs[sample.services, sample.program, sample.deed].append(sample.cost)
    summaries = {}
    for key, group in costs.items():
        walls = [cost.wall for cost in group]
        summaries[key] = Summary(
            median(walls),
            min(walls),
            max(walls),
            median(cost.cpu for cost in group),
            max(cost.memory for cost in group),
            len(group),
        )
    return summaries
