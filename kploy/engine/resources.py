"""Where the cluster keeps each kind of an app: known, defined by the app itself, or discovered."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from kploy.cluster.port import Cluster
from kploy.core.kinds import defined_by
from kploy.model.app import Manifest
from kploy.model.frozen import replace
from kploy.model.objects import Resource


class Resources:
    """Finds the resource of a manifest. Asks the cluster only about kinds that nobody else knows."""

    def __init__(self, cluster: Cluster, manifests: Iterable[Manifest]) -> None:
        self._cluster = cluster
        self._defined = {
            (resource.api_version, resource.kind): resource
            for manifest in manifests
            for resource in defined_by(manifest.body)
        }

    def until(self, deadline: float) -> Resources:
        """The same, but nothing is tried again past ``deadline`` (monotonic)."""
        bounded = copy.copy(self)
        bounded._cluster = self._cluster.until(deadline)  # noqa: SLF001 - it is one of its own
        return bounded

    def of(self, api_version: str, kind: str) -> Resource | None:
        """Where a kind is kept; None if neither the app nor the cluster has it."""
        return self._defined.get((api_version, kind)) or self._cluster.resource(api_version, kind)

    def settled(self, manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
        """The manifests, without a namespace where only the cluster knows that their kind has none."""
        return tuple(map(self._settled, manifests))

    def _settled(self, manifest: Manifest) -> Manifest:
        resource = self.of(manifest.api_version, manifest.ref.kind) if manifest.ref.namespace else None
        if resource is None or resource.namespaced:
            return manifest
        return replace(manifest, ref=manifest.ref._replace(namespace=""))

    def is_defined_by_app(self, resource: Resource) -> bool:
        """Whether the app brings the definition of this kind itself."""
        return (resource.api_version, resource.kind) in self._defined
