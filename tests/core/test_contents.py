"""What an object holds, in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from kploy.core.contents import contents

POD = {"template": {"spec": {"containers": [{"image": "acme/web:1"}, {"image": "acme/side:2"}]}}}


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("Deployment", {"spec": {"replicas": 3, **POD}}, ("acme/web:1", "acme/side:2", "3 replicas")),
        ("Deployment", {"spec": {"replicas": 1, **POD}}, ("acme/web:1", "acme/side:2", "1 replica")),
        ("DaemonSet", {"spec": POD}, ("acme/web:1", "acme/side:2")),
        ("ConfigMap", {"data": {"a": "1"}, "binaryData": {"b": ""}}, ("2 keys",)),
        ("Secret", {"data": {"a": "1"}, "stringData": {"a": "hunter2"}}, ("1 key",)),
        ("Service", {"spec": {"ports": [{"port": 80}]}}, ("port 80",)),
        ("Service", {"spec": {"ports": [{"port": 80}, {"port": 443}]}}, ("ports 80, 443",)),
        ("Ingress", {"spec": {"rules": [{"host": "a.example"}, {"host": "a.example"}, {}]}}, ("a.example",)),
        ("PersistentVolumeClaim", {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}, ("1Gi",)),
        (
            "CronJob",
            {"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": POD}}},
            ("acme/web:1", "acme/side:2", "0 3 * * *"),
        ),
        ("ServiceAccount", {}, ()),
        ("Service", {"spec": {"ports": {"port": 80}}}, ()),
        ("PersistentVolumeClaim", {"spec": {"resources": {"requests": {"storage": []}}}}, ()),
        ("ConfigMap", {"data": [1]}, ("0 keys",)),
    ],
)
def test_what_tells_most_about_an_object(kind: str, body: dict[str, Any], words: tuple[str, ...]) -> None:
    assert contents(kind, body) == words
