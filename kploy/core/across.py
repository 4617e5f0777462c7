"""All rules that look from one manifest to the others, and what of an app only the cluster can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kploy.core import habits, ports, references, workloads
from kploy.core.exemptions import heeded, ignored_by, wrong_exemptions
from kploy.core.holdings import Holdings
from kploy.core.readiness_rules import unused
from kploy.core.references import Answers, Unresolved
from kploy.core.selectors import Selector
from kploy.model.app import App, Manifest, Switch
from kploy.model.findings import Finding
from kploy.model.frozen import dataclass

_Check = Callable[[Manifest, Holdings], Iterator[Finding]]

_CHECKS: tuple[_Check, ...] = (
    workloads.of_controllers,
    ports.of_probes,
    habits.of_images,
    habits.of_readiness,
    habits.of_secrets,
    habits.of_sizes,
)
"""What is true whatever else there is."""

_CHECKS_OF_ALL: tuple[_Check, ...] = (
    references.missing_keys,
    workloads.of_budgets,
    ports.of_services,
    ports.of_routes,
)
"""What is true only if all manifests of the app could be read."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is wrong across the manifests of an app, and what is unresolved: see core.references."""

    findings: tuple[Finding, ...]
    unresolved: Unresolved
    holdings: Holdings

    def offline(self) -> tuple[Finding, ...]:
        """What can be said without a cluster of what is unresolved."""
        return heeded(references.not_in_app(self.unresolved, self.holdings))

    def answered(self, answers: Answers, pods: Mapping[Selector, bool]) -> tuple[Finding, ...]:
        """What the cluster's answers come to. See references.missing."""
        return heeded(references.missing(self.unresolved, answers, pods, self.holdings))


def survey(app: App, *, is_complete: bool = True) -> Survey:
    """Look across the manifests of ``app``.

    ``is_complete``: all of them could be read, so that what is not there is missing.
    Takes time in proportion to the manifests and the names in them.
    """
    holdings = Holdings(app.manifests)
    checks = (*_CHECKS, *_CHECKS_OF_ALL) if is_complete else _CHECKS
    findings = tuple(
        finding
        for manifest in app.manifests
        for finding in (*wrong_exemptions(manifest), *_checked(manifest, holdings, checks))
    )
    findings += tuple(unused(app)) if is_complete else ()
    return Survey(findings, _unresolved(app, holdings) if is_complete else Unresolved(), holdings)


def _checked(manifest: Manifest, holdings: Holdings, checks: tuple[_Check, ...]) -> tuple[Finding, ...]:
    return heeded((manifest, finding) for check in checks for finding in check(manifest, holdings))


def _unresolved(app: App, holdings: Holdings) -> Unresolved:
    """What only the cluster can tell, without what nobody wants to know."""
    off = {rule_id for rule_id, switch in app.kployfile.rules if switch is Switch.IGNORE}
    every = [references.unresolved_in(manifest, holdings) for manifest in app.manifests]
    return Unresolved(
        tuple(need for one in every for need in one.needs if need.rule not in off | ignored_by(need.manifest)),
        tuple(
            wanted
            for one in every
            for wanted in one.selectors
            if "service-without-pods" not in off | ignored_by(wanted.service)
        ),
    )
