"""What can be said of an app without a cluster: where a dry run ends that is offline, or finds errors.

And where everything begins that goes by the Kployfile alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from kploy.core.rules import MISSING_PERMISSION, SAFETY
from kploy.core.schemas import NEWEST
from kploy.engine.prepare import Prepared, conforming, legible, prepare
from kploy.model.app import App
from kploy.model.events import Checked, Event, Finished, Opened
from kploy.model.findings import Finding, Severity
from kploy.model.report import Outcome


def check(root: Path, version: str = "") -> Iterator[Event]:
    """What is wrong with the app in ``root``, as far as that can be told offline. The last event is Finished.

    It is checked against the schemas of that version of Kubernetes, against the newest for "".
    """
    prepared = conforming(prepare(root, offline=True), version or NEWEST)
    app = prepared.app
    return report(prepared, [opened_offline(app, prepared.schemas)] if app is not None else [])


def named_in(root: Path) -> Generator[Event, None, App | None]:
    """The app that the Kployfile in ``root`` names; None when it ends there, the last event told."""
    found = legible(root)
    if isinstance(found, Prepared):
        yield from report(found, ())
        return None
    return found


def report(prepared: Prepared, opening: Iterable[Event]) -> Iterator[Event]:
    """What an app came to that goes no further. ``opening`` is what comes before the findings."""
    yield from opening
    yield Checked(prepared.findings, prepared.files)
    yield Finished(outcome_of(prepared.findings))


def opened_offline(app: App, schemas: str) -> Opened:
    """The first event about an app, as far as no cluster is involved. ``schemas``: it is checked against those."""
    return Opened(app.kployfile.name, app.id, app.kployfile.namespace, len(app.manifests), schemas)


def outcome_of(findings: tuple[Finding, ...]) -> Outcome:
    """How a command ends that found all this.

    When the app itself is fine: refused where going on would not be safe,
    unreachable where the credentials do not suffice, as if they had been refused.
    """
    rules = {finding.rule for finding in findings if finding.severity is Severity.ERROR}
    if not rules:
        return Outcome.DONE
    if rules == {MISSING_PERMISSION}:
        return Outcome.UNREACHABLE
    return Outcome.REFUSED if rules <= SAFETY else Outcome.INVALID
