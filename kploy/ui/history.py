"""The history of an app, as a table."""

from __future__ import annotations

from kploy.model.history import AppHistory, Record, RevisionDiff
from kploy.ui.console import Screen
from kploy.ui.lines import Hanging, line
from kploy.ui.numbers import age
from kploy.ui.tables import show_rows

_STYLES = {"deployed": "green", "applying": "yellow", "interrupted": "yellow", "unknown": "dim"}
_HEADER = ("REVISION", "AGE", "OUTCOME", "CHANGES", "CAUSE", "BY")
_OUTCOME = 2


def show_history(console: Screen, history: AppHistory, now: float) -> None:
    """Print a row for each revision. ``now`` in seconds since the epoch."""
    rows = [_cells(record, now) for record in history.records]
    styles = {
        (row, _OUTCOME): _STYLES.get(record.outcome, "bold red") for row, record in enumerate(history.records)
    }
    show_rows(console, _HEADER, rows, styles)


def show_heading(console: Screen, diff: RevisionDiff, now: float) -> None:
    """Print which revision it is, what came of it, and what it is compared with: talk, not data."""
    record = diff.record
    by = f" by {record.by}" if record.by else ""
    when = f", {age(now - record.at)} ago" if record.at else ""
    outcome = (record.outcome, _STYLES.get(record.outcome, "bold red"))
    heading = (f"{diff.app} revision {record.revision}", "bold")
    console.print(line(heading, "   ", outcome, f"{when}: {record.cause}{by}"))
    against = f"what changed since revision {diff.against}" if diff.against else diff.note
    console.print(Hanging(line("  "), line((against, "dim"))))


def _cells(record: Record, now: float) -> tuple[str, ...]:
    changes = ", ".join(f"{number} {what}" for what, number in record.changes if what != "unchanged")
    when = age(now - record.at if record.at else None)
    return str(record.revision), when, record.outcome, changes or "-", record.cause, record.by or "-"
