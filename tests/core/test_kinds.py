from __future__ import annotations

from typing import Any

import pytest

from kploy.core.kinds import GROUPS, ROUTES, WORKLOADS, builtin, defined_by
from kploy.model.objects import Resource


@pytest.mark.parametrize(
    ("api_version", "kind", "resource"),
    [
        ("v1", "ConfigMap", Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)),
        ("v1", "Namespace", Resource("", "v1", "Namespace", "namespaces", namespaced=False)),
        ("apps/v1", "Deployment", Resource("apps", "v1", "Deployment", "deployments", namespaced=True)),
        # The version is the manifest's choice; whether it is served, the server says.
        ("apps/v9", "Deployment", Resource("apps", "v9", "Deployment", "deployments", namespaced=True)),
        ("events.k8s.io/v1", "Event", Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)),
        ("v1", "Deployment", None),
        ("apps/v1", "deployment", None),
        ("example.com/v1", "ConfigMap", None),
        ("", "", None),
    ],
)
def test_the_resource_of_a_kind_of_kubernetes_itself(
    api_version: str, kind: str, resource: Resource | None
) -> None:
    assert builtin(api_version, kind) == resource


def test_the_tables_of_kinds_agree() -> None:
    of_gateways = {key for key in ROUTES if key[0] == "gateway.networking.k8s.io"}
    known = {key for key in WORKLOADS | ROUTES if builtin(f"{key[0]}/v1" if key[0] else "v1", key[1])}
    assert known == (WORKLOADS | ROUTES) - of_gateways
    assert not WORKLOADS & ROUTES
    assert "gateway.networking.k8s.io" not in GROUPS
    assert {"", "apps", "networking.k8s.io"} < GROUPS


def definition(**spec: Any) -> dict[str, Any]:
    names = {"kind": "Tap", "plural": "taps"}
    versions = [{"name": "v1"}, {"name": "v1beta1"}]
    body = {"group": "example.com", "names": names, "scope": "Namespaced", "versions": versions}
    return {"kind": "CustomResourceDefinition", "spec": {**body, **spec}}


@pytest.mark.parametrize(
    ("body", "resources"),
    [
        (
            definition(),
            [
                Resource("example.com", "v1", "Tap", "taps", namespaced=True),
                Resource("example.com", "v1beta1", "Tap", "taps", namespaced=True),
            ],
        ),
        (
            definition(scope="Cluster", versions=[{"name": "v1"}]),
            [Resource("example.com", "v1", "Tap", "taps", namespaced=False)],
        ),
        (definition(versions=None), []),
        ({"kind": "CustomResourceDefinition"}, []),
        ({**definition(), "kind": "Tap"}, []),
    ],
)
def test_a_definition_adds_a_resource_for_each_version(body: dict[str, Any], resources: list[Resource]) -> None:
    assert list(defined_by(body)) == resources
