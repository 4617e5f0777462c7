"""What can be said of an app without a cluster: where a dry run ends that is offline, or finds errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kploy.core.permissions import MISSING_PERMISSION
from kploy.core.refusals import SAFETY
from kploy.core.schemas import NEWEST
from kploy.engine.prepare import Prepared, prepare
from kploy.model.app import App
from kploy.model.events import Checked, Event, Finished, Opened
from kploy.model.findings import Finding, Severity
from kploy.model.report import Outcome


def check(root: Path) -> Iterator[Event]:
    """What is wrong with the app in ``root``, as far as that can be told offline. The last event is Finished."""
    return report(prepare(root, offline=True))


def report(prepared: Prepared) -> Iterator[Event]:
    """What an app came to that goes no further."""
    if prepared.app is not None:
        yield opened_offline(prepared.app)
    yield Checked(prepared.findings, prepared.files)
    yield Finished(outcome_of(prepared.findings))


def opened_offline(app: App) -> Opened:
    """The first event about an app, as far as no cluster is involved."""
    return Opened(app.kployfile.name, app.id, app.kployfile.namespace, len(app.manifests), NEWEST)


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
