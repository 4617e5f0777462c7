"""The results as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import quantiles

from benchmarks.counting import Requests
from benchmarks.figures import Figures, Key
from benchmarks.generate import OBJECTS
from benchmarks.goals import GOALS
from benchmarks.programs import Deed
from kploy.model.frozen import dataclass

_HEAD = """# What deploys cost

Written by `make bench`: N services of five objects each (ServiceAccount, ConfigMap of 40 lines, Secret,
Service, Deployment with one replica) are deployed to a sandbox of their own, each time into a fresh namespace.
*limit* is the least that a first deploy can take (`programs/limit`): 16 goroutines that apply, two watches
until all is ready, and nothing else; it applies all of it again if little or nothing has changed. The programs
take turns, and so do the sizes. Each waits until all is ready, as far as it can: kubectl by `rollout status`,
Helm by `--wait`, and it may ask more quickly than it does by itself (`--qps=1000`). The one object that changes is
a ConfigMap that a Deployment reads: kploy rolls that out, too, and waits for it; the others do not. Nothing in the
namespaces warns.

Times are medians, from the start of the program to its end; memory is the highest peak (what is below 30 MB may be
the bench's own). *x limit* is the ratio of the medians. A machine's speed changes within minutes: *by round* has
the median of what each round says by itself, and its quartiles."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the bench: its figures, on what machine, and what is to be known about it."""

    figures: Figures
    machine: Sequence[tuple[str, str]]
    notes: Sequence[str]
    failures: Sequence[str] = ()


def page(run: Run) -> str:
    """All of it."""
    figures = run.figures
    parts = [
        _HEAD,
        "## The machine",
        table(("what", "which"), run.machine),
        *run.notes,
        *(f"**{failure}.**" for failure in run.failures),
        "## Goals",
        table(("goal", "wanted", "measured", ""), [goal.row(figures) for goal in GOALS]),
    ]
    for services in figures.sizes:
        parts += [f"## {services * OBJECTS:,} objects", _costs(figures, services)]
        if services in figures.requests:
            parts += [
                "kploy's requests, counted apart from the timed runs:",
                _requests(figures.requests[services]),
            ]
    if figures.of(0, Deed.HELP):
        parts += ["## Before anything is done", _costs(figures, 0)]
    return "\n\n".join(parts) + "\n"


def _costs(figures: Figures, services: int) -> str:
    header = ("what", "program", "seconds", "from, to", "x limit", "by round", "CPU s", "peak MB", "runs")
    rows = [
        (deed.value, *_cells(figures, (services, program, deed)))
        for deed in Deed
        for (size, program, done) in figures.summaries
        if (size, done) == (services, deed)
    ]
    return table(header, rows, numbers=7)


def _cells(figures: Figures, key: Key) -> tuple[str, ...]:
    services, program, deed = key
    one, ratio = figures.summaries[key], figures.ratio(services, deed, program)
    return (
        program,
        f"{one.wall:.2f}",
        f"{min(one.walls):.2f}, {max(one.walls):.2f}",
        "" if ratio is None else f"{ratio:.2f}",
        _spread(figures.rounds(services, deed, program)),
        f"{one.cpu:.2f}",
        f"{one.memory / 1e6:.0f}",
        str(len(one.walls)),
    )


def _spread(ratios: Sequence[float]) -> str:
    """The median, and the quartiles; "" where there are too few for that."""
    if len(ratios) < 4:
        return ""
    first, middle, third = quantiles(ratios)
    return f"{middle:.2f} ({first:.2f}, {third:.2f})"


def _requests(counted: Mapping[Deed, Requests]) -> str:
    verbs = sorted({verb for requests in counted.values() for verb in requests.verbs})
    rows = [
        (deed.value, *(str(requests.verbs.get(verb, 0)) for verb in verbs), str(requests.writes))
        for deed, requests in counted.items()
    ]
    return table(("what", *verbs, "that write"), rows, numbers=len(verbs) + 1)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A table of Markdown that is legible as it is; the last ``numbers`` columns are aligned to the right."""
    every = [tuple(header), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    right = [position >= len(widths) - numbers for position in range(len(widths))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(cells, widths, right, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = "|".join(
        "-" * (width + 1) + (":" if is_right else "-") for width, is_right in zip(widths, right, strict=True)
    )
    return "\n".join([line(every[0]), f"|{rule}|", *map(line, every[1:])])
