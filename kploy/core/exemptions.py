"""The annotation kploy.dev/ignore: rules that a single object need not follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kploy.core.bodies import text
from kploy.core.rules import is_ignorable, no_switch
from kploy.model.app import IGNORE, Manifest
from kploy.model.findings import Finding


def ignored_by(manifest: Manifest) -> frozenset[str]:
    """The rules that an object need not follow."""
    return frozenset(name for name in _named(manifest) if is_ignorable(name))


def heeded(findings: Iterable[tuple[Manifest, Finding]]) -> tuple[Finding, ...]:
    """The findings, each told with its object, without those that their objects ignore."""
    return tuple(finding for manifest, finding in findings if finding.rule not in ignored_by(manifest))


def wrong_exemptions(manifest: Manifest) -> Iterator[Finding]:
    """What the annotation names that no object can ignore."""
    for name in _named(manifest):
        if not is_ignorable(name):
            yield no_switch(name, manifest.positions.value(("metadata", "annotations", IGNORE)))


def _named(manifest: Manifest) -> list[str]:
    names = text(manifest.body, "metadata", "annotations", IGNORE)
    return [name.strip() for name in names.split(",") if name.strip()]
