"""Runbooks: what an app's developers have written down for the trouble that a file is named after."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kploy.core.remedies import REASONS
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.evidence import Runbook
from kploy.model.findings import warning
from kploy.source.files import Entry, Unusable, directory, exists, listing, read_text
from kploy.source.text import Report

DIRECTORY = "runbooks"

_LONGEST = 16_000
"""Characters of a runbook that are shown: who is woken by it reads no more."""


def check_runbooks(root: Path, report: Report) -> None:
    """Report what lies in runbooks/ and would never be shown, or not as it is meant."""
    there = directory(root, DIRECTORY, report)
    for entry in listing(there, report) if there else ():
        reason = entry.name.removesuffix(".md")
        near = "" if reason in REASONS else nearest(reason, REASONS)
        if entry.name != reason and near:
            fact = f"`{entry.file}` is named after no trouble that kploy knows"
            report(warning("unknown-runbook", fact, did_you_mean(f"{near}.md"), subject=entry.file))


def runbook_of(root: Path, reasons: Iterable[str]) -> Runbook | None:
    """The app's runbook for the first of ``reasons`` that has one. ``root`` has no links in its path.

    Of one that cannot be read, the text says why.
    """
    for reason in filter(str.isalnum, reasons):
        entry = Entry(root / DIRECTORY / f"{reason}.md", f"{DIRECTORY}/{reason}.md")
        if exists(entry.path):
            return Runbook(entry.file, _text(entry, root)[:_LONGEST])
    return None


def _text(entry: Entry, root: Path) -> str:
    try:
        return read_text(entry, root).content.replace("\r\n", "\n").strip()
    except Unusable as error:
        return f"{error.finding.message}: {error.finding.hint}"
