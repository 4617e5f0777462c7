"""What pods read of ConfigMaps and Secrets."""

from __future__ import annotations

from typing import Any

import pytest

from kploy.core.configuration import Read, reads
from kploy.model.objects import ObjectRef
from tests.makers import deployment, thing

FLAGS = ObjectRef("", "ConfigMap", "shop", "flags")
LOGIN = ObjectRef("", "Secret", "shop", "login")


def read_by(**pod: Any) -> list[Read]:
    manifest = deployment("web", **pod)
    return list(reads(manifest.ref, manifest.body))


@pytest.mark.parametrize(
    ("container", "found"),
    [
        ({"envFrom": [{"configMapRef": {"name": "flags"}}]}, Read(FLAGS, at_start=True)),
        ({"envFrom": [{"prefix": "A_", "secretRef": {"name": "login"}}]}, Read(LOGIN, at_start=True)),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "a"}}}]},
            Read(FLAGS, "a", at_start=True),
        ),
        (
            {
                "env": [
                    {"name": "A", "valueFrom": {"secretKeyRef": {"name": "login", "key": "a", "optional": True}}}
                ]
            },
            Read(LOGIN, "a", at_start=True),
        ),
    ],
)
def test_what_becomes_environment_is_read_at_the_start(container: dict[str, Any], found: Read) -> None:
    assert read_by(containers=[container]) == [found]
    assert read_by(initContainers=[container]) == [found]


@pytest.mark.parametrize(
    ("volume", "found"),
    [
        ({"configMap": {"name": "flags"}}, [Read(FLAGS)]),
        ({"secret": {"secretName": "login", "items": []}}, [Read(LOGIN)]),
        (
            {"configMap": {"name": "flags", "items": [{"key": "a", "path": "x"}, {"key": "b", "path": "y"}]}},
            [Read(FLAGS, "a"), Read(FLAGS, "b")],
        ),
        (
            {
                "projected": {
                    "sources": [
                        {"secret": {"name": "login", "items": [{"key": "a", "path": "x"}]}},
                        {"configMap": {"name": "flags"}},
                        {"serviceAccountToken": {"path": "token"}},
                    ]
                }
            },
            [Read(LOGIN, "a"), Read(FLAGS)],
        ),
    ],
)
def test_what_is_mounted_is_read_as_well(volume: dict[str, Any], found: list[Read]) -> None:
    assert read_by(volumes=[{"name": "v", **volume}]) == found


def test_what_only_starts_the_pods_is_not_read_by_them() -> None:
    mounting = {"name": "v", "cephfs": {"secretRef": {"name": "login"}}}
    assert read_by(imagePullSecrets=[{"name": "login"}], volumes=[mounting]) == []


@pytest.mark.parametrize("odd", [None, 5, "x", [None, 5], [{"secret": 1, "configMap": {"name": 2}, "env": {}}]])
def test_bodies_of_any_shape_read_nothing(odd: Any) -> None:
    assert read_by(volumes=odd, containers=odd) == []
    assert list(reads(thing("a").ref, {"spec": {"template": {"spec": {"containers": odd}}}})) == []
