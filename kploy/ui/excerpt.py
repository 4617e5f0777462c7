"""Findings as people read them: what, where, the lines with a caret, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from kploy.model.findings import Finding, Place, Severity
from kploy.ui.console import line

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}


def show_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print every finding, errors last so that they are seen, each followed by an empty line."""
    for finding in sorted(findings, key=lambda finding: finding.severity is Severity.ERROR):
        for row in _rows(finding):
            console.print(row)
        console.print()


def _rows(finding: Finding) -> Iterator[Text]:
    style = _STYLES[finding.severity]
    yield line((f"{finding.severity}[{finding.rule}]", style), ": ", (finding.message, "bold"))
    if finding.place is None:
        if finding.subject:
            yield line("  ", finding.subject)
        if finding.hint:
            yield line("  ", (finding.hint, "cyan"))
        return
    yield line("  ", (str(finding.place), "dim"))
    if finding.place.excerpt:
        yield from _excerpt(finding.place, finding.hint, style)
    elif finding.hint:
        yield line("  ", (finding.hint, "cyan"))


def _excerpt(place: Place, hint: str, style: str) -> Iterator[Text]:
    gutter = len(str(place.excerpt[-1].number))
    for shown in place.excerpt:
        yield line(f"  {shown.number:>{gutter}} | ", shown.text)
    last = place.excerpt[-1].text
    # The caret goes under what is shown: a character that was escaped takes more columns than one.
    start = cell_len(line(last[: place.column - 1]).plain)
    width = max(1, cell_len(line(last[place.column - 1 : place.column - 1 + place.width]).plain))
    marked = line(" " * (gutter + 2) + " | " + " " * start, ("^" * width, style), " ", (hint, "cyan"))
    marked.rstrip()
    yield marked
