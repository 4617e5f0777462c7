"""Measures kploy and prints what it found. Ctrl-C ends it, and takes the sandbox down.

python -m benchmarks                 every size; written to benchmarks/RESULTS.md, too
python -m benchmarks 20              one size, only printed
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.building import build_programs
from benchmarks.counting import count_requests
from benchmarks.course import Sample, in_turn, measure, measure_start, mingled, repetitions
from benchmarks.figures import Figures, summarised
from benchmarks.generate import OBJECTS
from benchmarks.machine import cores_of_others, load_note, moment, shape
from benchmarks.programs import Program, peers, subjects
from benchmarks.report import Run, page
from benchmarks.stage import Occupied, Stage, staged
from benchmarks.stopwatch import Failed

SIZES = (20, 100, 1000)
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Run the bench; 1 if a program did not do what was measured."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks")
    arguments.add_argument("services", type=int, nargs="*", help="how many services; several sizes take turns")
    asked = arguments.parse_args().services
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="kploy-bench-") as folder:
            done = run(tuple(asked) or SIZES, Path(folder))
    except (Occupied, Failed) as reason:
        say(str(reason))
        return 1
    except KeyboardInterrupt:
        return 130
    report = page(done)
    sys.stdout.write(report)
    if not asked:
        RESULTS.write_text(report)
    return int(bool(done.failures))


def run(sizes: tuple[int, ...], folder: Path) -> Run:
    """Measure all sizes, then count requests: that takes memory, which would be seen.

    Raises Occupied, and Failed if not even the smallest app can be deployed.
    """
    binaries = build_programs()
    subject, others = subjects(binaries), peers(binaries)
    load, failures = os.getloadavg()[0], list[str]()
    with staged(folder / "stage") as stage:
        warm_up(stage, (*subject, *others))
        before = moment(stage.cluster)
        course = mingled({size: tuple(in_turn(repetitions(size), subject, others)) for size in sizes})
        samples = [sample for size, program in course for sample in measured_once(stage, size, program, failures)]
        with noted(failures, "kploy failed before it did anything"):
            samples += measure_start(stage)
        busy = cores_of_others(before, moment(stage.cluster))
        kploy = subject[-1]
        requests = {}
        for size in sizes:
            say(f"{size * OBJECTS} objects: counting requests")
            with noted(failures, f"the requests for {size * OBJECTS} objects could not be counted"):
                requests[size] = count_requests(stage, kploy, size)
        machine = shape(stage.cluster)
    notes = [
        load_note(load, busy),
        *(LEFT_OUT.format(size * OBJECTS) for size in sizes if not repetitions(size).peers),
    ]
    return Run(Figures(summarised(samples), requests), machine, notes, failures)


LEFT_OUT = "Of {:,} objects kubectl and Helm take many minutes a run: they are left out there."


def warm_up(stage: Stage, programs: tuple[Program, ...]) -> None:
    """Let every program run once: bytecode, discovery caches, and the API server's own."""
    for program in programs:
        say(f"warming up: {program.name}")
        for _ in measure(stage, program, 2):
            pass


def measured_once(stage: Stage, services: int, program: Program, failures: list[str]) -> Iterator[Sample]:
    """All deeds of a program once, as far as it comes."""
    with noted(failures, f"{program.name} failed with {services * OBJECTS} objects"):
        for sample in measure(stage, program, services):
            say(f"{services * OBJECTS} objects: {sample.program}, {sample.deed}: {sample.cost.wall:.2f} s")
            yield sample


@contextmanager
def noted(failures: list[str], failure: str) -> Iterator[None]:
    """What fails is told, noted and left: it costs nobody else's figures."""
    try:
        yield
    except Failed as reason:
        say(str(reason))
        failures.append(failure)


def say(words: str) -> None:
    """Tell how far it has come."""
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main())
