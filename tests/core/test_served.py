from __future__ import annotations

import re
from itertools import pairwise

import pytest

from kploy.core import schema_store
from kploy.core.lifecycle import _table as lifecycles
from kploy.core.lifecycle import is_reached, lifecycle_of
from kploy.core.served import check
from kploy.model.findings import Finding, Place, Severity, error, warning
from tests.makers import thing

AT = Place("value apiVersion", 1, 1)
VERSIONS = schema_store.VERSIONS


def found(version: str, api_version: str, kind: str) -> list[Finding]:
    return list(check(schema_store.load(version), thing("web", kind, api_version)))


@pytest.mark.parametrize(
    ("version", "api_version", "kind", "expected"),
    [
        ("1.33", "storage.k8s.io/v1beta1", "VolumeAttributesClass", []),
        (
            "1.34",
            "storage.k8s.io/v1beta1",
            "VolumeAttributesClass",
            [
                warning(
                    "deprecated-api",
                    "VolumeAttributesClass in storage.k8s.io/v1beta1 is deprecated since Kubernetes 1.34,"
                    " and goes in 1.37",
                    "use storage.k8s.io/v1",
                    AT,
                )
            ],
        ),
        (
            "1.37",
            "storage.k8s.io/v1beta1",
            "VolumeAttributesClass",
            [
                error(
                    "removed-api",
                    "Kubernetes 1.37 has no VolumeAttributesClass in storage.k8s.io/v1beta1: it went in 1.37",
                    "use storage.k8s.io/v1",
                    AT,
                )
            ],
        ),
        (
            "1.37",
            "v1",
            "Endpoints",
            [
                warning(
                    "deprecated-api",
                    "Endpoints in v1 is deprecated since Kubernetes 1.33",
                    "use EndpointSlice in discovery.k8s.io/v1",
                    AT,
                )
            ],
        ),
        (
            "1.36",
            "apps/v1alpha1",
            "PetSet",
            [
                error(
                    "removed-api",
                    "Kubernetes 1.36 has no PetSet in apps/v1alpha1: it went in 1.5",
                    "use StatefulSet in apps/v1",
                    AT,
                )
            ],
        ),
        (
            "1.37",
            "settings.k8s.io/v1alpha1",
            "PodPreset",
            [
                error(
                    "removed-api",
                    "Kubernetes 1.37 has no PodPreset in settings.k8s.io/v1alpha1: it went in 1.20",
                    "write into each pod what the preset added",
                    AT,
                )
            ],
        ),
        (
            "1.37",
            "policy/v1",
            "PodSecurityPolicy",
            [
                error(
                    "removed-api",
                    "Kubernetes 1.37 has no PodSecurityPolicy in policy/v1",
                    "label the Namespace pod-security.kubernetes.io/enforce instead",
                    AT,
                )
            ],
        ),
        (
            "1.37",
            "flowcontrol.apiserver.k8s.io/v1beta1",
            "FlowSchema",
            [
                error(
                    "removed-api",
                    "Kubernetes 1.37 has no FlowSchema in flowcontrol.apiserver.k8s.io/v1beta1: it went in 1.26",
                    "use flowcontrol.apiserver.k8s.io/v1",
                    AT,
                )
            ],
        ),
        (
            "1.33",
            "resource.k8s.io/v1",
            "ResourceClaim",
            [
                error(
                    "unknown-kind",
                    "Kubernetes 1.33 has no ResourceClaim in resource.k8s.io/v1 (1.34 has)",
                    "use resource.k8s.io/v1beta2",
                    AT,
                )
            ],
        ),
        (
            "1.35",
            "scheduling.k8s.io/v1alpha2",
            "PodGroup",
            [
                error(
                    "unknown-kind",
                    "Kubernetes 1.35 has no PodGroup in scheduling.k8s.io/v1alpha2 (1.36 has)",
                    "",
                    AT,
                )
            ],
        ),
        ("1.37", "acme.example.com/v1beta1", "CronJob", []),
    ],
)
def test_what_there_is_to_say_of_an_api_version(
    version: str, api_version: str, kind: str, expected: list[Finding]
) -> None:
    assert found(version, api_version, kind) == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_and_the_schemas_agree_on_what_is_gone(version: str) -> None:
    schemas = schema_store.load(version)
    gone = [key for key, end in lifecycles().items() if is_reached(end.removed, version)]
    assert [key for key in gone if schemas.definition_of(*key)] == []


def test_whatever_goes_from_one_version_to_the_next_is_in_the_table() -> None:
    for before, after in pairwise(VERSIONS):
        old, new = schema_store.load(before), schema_store.load(after)
        went = [
            (group, kind)
            for group, kinds in old.kinds.items()
            for kind in kinds
            if not new.definition_of(group, kind)
        ]
        assert [(key, getattr(lifecycle_of(*key), "removed", None)) for key in went] == [
            (key, after) for key in went
        ]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_end_is_told_once_and_by_something_that_is_served(version: str) -> None:
    schemas = schema_store.load(version)
    for (api_version, kind), end in lifecycles().items():
        findings = found(version, api_version, kind)
        is_served = schemas.definition_of(api_version, kind) is not None
        is_due = is_reached(end.deprecated if is_served else end.removed, version)
        rule = ("deprecated-api", Severity.WARNING) if is_served else ("removed-api", Severity.ERROR)
        assert [(each.rule, each.severity) for each in findings if each.rule != "unknown-kind"] == [rule] * is_due
        for each in findings:
            if use := re.fullmatch(r"use (?:(\w+) in )?(\S+)", each.hint):
                assert schemas.definition_of(use[2], use[1] or kind), each
