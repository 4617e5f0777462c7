"""Who is measured when: in turn, never in blocks, for a machine has good and bad minutes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.generate import change
from benchmarks.programs import Deed, Place, Program
from benchmarks.stage import Stage
from benchmarks.stopwatch import Cost, measured
from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """What one deed cost one program once."""

    services: int
    program: str
    deed: Deed
    cost: Cost


@dataclass(frozen=True, slots=True)
class Repetitions:
    """How often the limit and kploy are measured, and how often the others."""

    subjects: int
    peers: int


def repetitions(services: int) -> Repetitions:
    """Enough for a median that one bad minute does not move; most goals are about 500 objects.

    Of thousands of objects, kubectl and Helm would take most of an hour.
    """
    if services > 200:
        return Repetitions(3, 0)
    return Repetitions(21, 3) if services == 100 else Repetitions(5, 3)


def in_turn(times: Repetitions, subjects: Sequence[Program], peers: Sequence[Program]) -> Iterator[Program]:
    """Every program as often as it shall be measured; each round begins with another one."""
    for number in range(times.subjects):
        programs = [*subjects, *(peers if number < times.peers else ())]
        first = number % len(programs)
        yield from (*programs[first:], *programs[:first])


def mingled(courses: Mapping[int, Sequence[Program]]) -> list[tuple[int, Program]]:
    """The courses of all sizes, by number of services, as one: each in its order, and all from start to end.

    So sizes can be compared, too, however the machine's speed changes meanwhile.
    """
    placed = [
        ((place + 0.5) / len(programs), services, program)
        for services, programs in courses.items()
        for place, program in enumerate(programs)
    ]
    return [(services, program) for _, services, program in sorted(placed, key=lambda each: each[0])]


def measure(stage: Stage, program: Program, services: int) -> Iterator[Sample]:
    """All deeds of a program, in a namespace of their own. Raises Failed."""
    namespace = stage.fresh_namespace()
    place = Place(stage.fresh_folder(), stage.cluster.kubeconfig, namespace)
    program.prepare(place, services)
    for deed in program.deeds:
        yield Sample(services, program.name, deed, perform(stage, program, place, deed))


def perform(stage: Stage, program: Program, place: Place, deed: Deed) -> Cost:
    """One deed; what it is done to is changed before, if need be. Raises Failed."""
    if deed is Deed.CHANGED:
        change(place.directory)
    environment = stage.environment(program.name)
    cost = Cost(0, 0, 0)
    for command in program.commands(place, deed):
        cost += measured(command, environment)
    return cost


def measure_start(stage: Stage, times: int = 10) -> Iterator[Sample]:
    """What kploy costs before it does anything: its help, and the shell's completion."""
    environment = stage.environment("kploy")
    asked = {"_KPLOY_COMPLETE": "bash_complete", "COMP_WORDS": "kploy ru", "COMP_CWORD": "1"}
    command = (sys.executable, "-m", "kploy")
    for _ in range(times):
        yield Sample(0, "kploy", Deed.HELP, measured((*command, "--help"), environment))
        yield Sample(0, "kploy", Deed.COMPLETION, measured(command, {**environment, **asked}))
