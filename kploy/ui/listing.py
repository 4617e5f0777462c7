"""How an app is, as a table or as names."""

from __future__ import annotations

from kploy.model.listing import AppListing, Row
from kploy.model.objects import State
from kploy.ui.console import Screen
from kploy.ui.lines import Hanging, line
from kploy.ui.narrator import SIMULATED
from kploy.ui.numbers import age
from kploy.ui.sanitize import clean
from kploy.ui.tables import show_rows

_STYLES = {
    State.CURRENT: "green",
    State.IN_PROGRESS: "yellow",
    State.TERMINATING: "yellow",
    State.FAILED: "bold red",
    State.NOT_FOUND: "red",
    State.UNKNOWN: "magenta",
}

_STATUS = 2
"""The column that has a colour."""


def show_table(console: Screen, listing: AppListing, *, wide: bool) -> None:
    """Print a row for each object; only the header when there is none."""
    header = ["NAME", "TYPE", "STATUS", "READY", "AGE", "MANIFEST", *(["IMAGE", "URL"] if wide else [])]
    styles = {(number, _STATUS): _STYLES[row.status.state] for number, row in enumerate(listing.rows)}
    show_rows(console, header, [_cells(row, wide=wide) for row in listing.rows], styles)


def _cells(row: Row, *, wide: bool) -> list[str]:
    counts = str(row.status.counts) if row.status.counts else "-"
    file = row.file or ("kept" if row.kept else "-")
    cells = [row.ref.name, row.ref.kind, str(row.status.state), counts, age(row.age), file]
    return [*cells, ", ".join(row.images) or "-", ", ".join(row.urls) or "-"] if wide else cells


def show_header(console: Screen, listing: AppListing, arrow: str, *, wide: bool) -> None:
    """Print which app, where, and what is not well: talk, not data. ``wide``: also whose it is."""
    where = f"{listing.context or 'direct'}/{listing.namespace}"
    revision = f"   {_revision(listing)}" if listing.revision is not None else ""
    console.print(line((listing.app, "bold"), f" {arrow} ", (where, "bold"), revision))
    if listing.simulated:
        console.print(line((SIMULATED, "dim")))
    for whose, words in (("author", listing.author), ("source", listing.source)):
        if wide and words:
            console.print(Hanging(line("  "), line((f"{whose} {words}", "dim"))))
    for note in listing.notes:
        console.print(Hanging(line("  "), line((note, "yellow"))))
    for row in listing.rows:
        if row.kept:
            console.print(
                Hanging(line("  "), line((f"{row.ref} has no manifest, and is kept: {row.kept}", "dim")))
            )
        if row.status.message and row.status.state is not State.CURRENT:
            console.print(Hanging(line("  "), line((f"{row.ref}: {row.status.message}", "yellow"))))


def _revision(listing: AppListing) -> str:
    """``revision 12, 4m ago``, and what came of it if that was not good; or what is left of a destroyed app."""
    if listing.outcome == "destroyed":
        return f"destroyed, {len(names(listing))} kept"
    if listing.outcome == "destroying":
        return f"destroyed in part, {len(names(listing))} left"
    ago = f", {age(listing.deployed)} ago" if listing.deployed is not None else ""
    outcome = f", {listing.outcome}" if listing.outcome not in {"", "deployed"} else ""
    return f"revision {listing.revision}{ago}{outcome}"


def names(listing: AppListing) -> list[str]:
    """What is live, as ``kubectl get`` takes it: ``deployment.apps/web``."""
    return [clean(row.ref.qualified) for row in listing.rows if row.status.state is not State.NOT_FOUND]
