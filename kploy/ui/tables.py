"""Tables for people and for pipes: columns as wide as what is in them, nothing cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kploy.ui.console import Screen, padded, shown
from kploy.ui.lines import line
from kploy.ui.width import width_of

_GAP = "   "


def show_rows(
    console: Screen, header: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[tuple[int, int], str]
) -> None:
    """Print a bold header, and below it the rows. ``styles`` are those of single cells, by row and column."""
    widths = [max(width_of(shown(console, cell)) for cell in column) for column in zip(header, *rows, strict=True)]
    for number, cells in enumerate([header, *rows], -1):
        parts = [
            (padded(console, cell, width) + _GAP, "bold" if number < 0 else styles.get((number, column), ""))
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        console.print(line(*parts).stripped)
