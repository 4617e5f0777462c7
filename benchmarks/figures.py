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
    """The wall times in seconds as they came, the median of the CPU's, and the highest peak of memory in bytes."""

    walls: tuple[float, ...]
    cpu: float
    memory: int

    @property
    def wall(self) -> float:
        """The median."""
        return median(self.walls)


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

    def rounds(self, services: int, deed: Deed, program: str = "kploy") -> tuple[float, ...]:
        """How many times as long as the limit it took in each round; nothing if they were not both in each."""
        one, limit = self.of(services, deed, program), self.of(services, deed, "limit")
        if one is None or limit is None or one is limit or len(one.walls) != len(limit.walls):
            return ()
        return tuple(wall / least for wall, least in zip(one.walls, limit.walls, strict=True))

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
        walls = tuple(cost.wall for cost in group)
        cpu, memory = median(cost.cpu for cost in group), max(cost.memory for cost in group)
        summaries[key] = Summary(walls, cpu, memory)
    return summaries
