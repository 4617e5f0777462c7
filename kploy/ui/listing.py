"""How an app is, as a table or as names."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console

from kploy.model.listing import AppListing, Row
from kploy.model.objects import State
from kploy.ui.console import Hanging, line, padded, shown
from kploy.ui.narrator import SIMULATED
from kploy.ui.numbers import age
from kploy.ui.sanitize import clean

_STYLES = {
    State.CURRENT: "green",
    State.IN_PROGRESS: "yellow",
    State.TERMINATING: "yellow",
    State.FAILED: "bold red",
    State.NOT_FOUND: "red",
    State.UNKNOWN: "magenta",
}

_GAP = "   "

_STATUS = 2
"""The column that has a colour."""


def show_table(console: Console, listing: AppListing, *, wide: bool) -> None:
    """Print a row for each object, in columns, nothing cut; only the header when there is none."""
    header = ["NAME", "TYPE", "STATUS", "READY", "AGE", "MANIFEST", *(["IMAGE", "URL"] if wide else [])]
    table = [header, *(_cells(row, wide=wide) for row in listing.rows)]
    widths = [max(cell_len(shown(console, cell)) for cell in column) for column in zip(*table, strict=True)]
    styles = ["bold", *(_STYLES[row.status.state] for row in listing.rows)]
    for cells, style in zip(table, styles, strict=True):
        parts = [
            (padded(console, cell, width) + _GAP, style if column == _STATUS or cells is header else "")
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        row = line(*parts)
        row.rstrip()
        console.print(row)


def _cells(row: Row, *, wide: bool) -> list[str]:
    counts = str(row.status.counts) if row.status.counts else "-"
    cells = [row.ref.name, row.ref.kind, str(row.status.state), counts, age(row.age), row.file or "-"]
    return [*cells, ", ".join(row.images) or "-", ", ".join(row.urls) or "-"] if wide else cells


def show_header(console: Console, listing: AppListing, arrow: str) -> None:
    """Print which app, where, and what is not well: talk, not data."""
    where = f"{listing.context or 'direct'}/{listing.namespace}"
    console.print(line((listing.app, "bold"), f" {arrow} ", (where, "bold")))
    if listing.simulated:
        console.print(line((SIMULATED, "dim")))
    for row in listing.rows:
        if row.status.message and row.status.state is not State.CURRENT:
            console.print(Hanging(line("  "), line((f"{row.ref}: {row.status.message}", "yellow"))))


def names(listing: AppListing) -> list[str]:
    """What is live, as ``kubectl get`` takes it: ``deployment.apps/web``."""
    return [clean(row.ref.qualified) for row in listing.rows if row.status.state is not State.NOT_FOUND]
