"""What an API server says it serves: its discovery documents, for one version each or aggregated (KEP-3352)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.bodies import dig, entries, text
from kploy.model.objects import Resource, group_of, version_of

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
"""Who accepts this gets many documents in one; from a server before 1.30 the list of groups, as without it."""


def versions(groups: object) -> Iterator[str]:
    """Every API version in a list of groups; of each group, the preferred one comes first."""
    for group in entries(groups, "groups"):
        preferred = text(group, "preferredVersion", "groupVersion")
        yield preferred
        for version in entries(group, "versions"):
            if text(version, "groupVersion") != preferred:
                yield text(version, "groupVersion")


def documents(aggregated: object) -> dict[str, Any]:
    """The documents in an aggregated one, by API version, as a request for each would give them.

    One is left out where the aggregated API server was not reached when it was
    made: it may have nothing, or what was so a while ago.
    """
    return {
        f"{text(group, 'metadata', 'name')}/{text(version, 'version')}": {
            "resources": [_row(row) for row in entries(version, "resources")]
        }
        for group in entries(aggregated, "items")
        for version in entries(group, "versions")
        if text(version, "freshness") == "Current" and dig(version, "resources")
    }


def resources(api_version: str, document: object, with_verbs: frozenset[str] = frozenset()) -> Iterator[Resource]:
    """The kinds in the document of one API version, of which at least this can be done."""
    for row in entries(document, "resources"):
        verbs = row.get("verbs")
        if "/" not in text(row, "name") and with_verbs.issubset(verbs if isinstance(verbs, list) else ()):
            yield Resource(
                group_of(api_version),
                version_of(api_version),
                text(row, "kind"),
                text(row, "name"),
                namespaced=bool(row.get("namespaced")),
            )


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": text(row, "resource"),
        "kind": text(row, "responseKind", "kind"),
        "namespaced": text(row, "scope") == "Namespaced",
        "verbs": row.get("verbs"),
    }
