"""What an app names and does not have: looked up in the cluster, and told with all the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cli.conftest import Kploy, Live, Result, Write
from tests.eventually import eventually

pytestmark = pytest.mark.cluster

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      imagePullSecrets: [{name: hub}]
      containers:
        - name: web
          image: ghcr.io/acme/web:1.0.0
          env:
            - name: WORD
              valueFrom: {secretKeyRef: {name: login, key: word}}
          envFrom:
            - configMapRef: {name: flags}
            - configMapRef: {name: more, optional: true}
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: other
spec:
  selector: {app: other}
  ports: [{port: 80}]
"""

ROUTE = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  defaultBackend: {service: {name: gone, port: {number: 80}}}
"""

SCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  scaleTargetRef: {apiVersion: acme.example.com/v1, kind: Widget, name: one}
  maxReplicas: 3
"""

APP = {
    "rcs/web.yaml": WEB,
    "services/other.yaml": SERVICE,
    "services/route.yaml": ROUTE,
    "resources/s.yaml": SCALER,
}

NOWHERE = [
    "error[missing-backend]: service/gone is neither in this app nor in namespace NS",
    "error[missing-config-map]: configmap/flags is neither in this app nor in namespace NS",
    "error[missing-secret]: secret/login is neither in this app nor in namespace NS",
    (
        "error[service-without-pods]: service/other selects `app=other`,"
        " which no pod carries, in this app or in its namespace"
    ),
    "warning[missing-pull-secret]: secret/hub is neither in this app nor in namespace NS",
]


def findings(result: Result, namespace: str) -> list[str]:
    lines = result.stderr.replace(namespace, "NS").splitlines()
    return sorted(line for line in lines if re.match(r"(error|warning)\[", line))


def create(live: Live, api_version: str, kind: str, name: str, **fields: Any) -> None:
    resource = live.api.resource(api_version, kind)
    assert resource is not None
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}
    if resource.namespaced:
        body["metadata"]["namespace"] = live.namespace
    live.api.apply(resource, body, "somebody", dry_run=False, force=True)


@pytest.fixture
def theirs(live: Live) -> Live:
    """The namespace, in which others have made what the app names; ``login`` lacks the key."""
    create(live, "v1", "Namespace", live.namespace)
    create(live, "v1", "ConfigMap", "flags", data={"colour": "red"})
    create(live, "v1", "Secret", "login", data={"words": "aHVudGVyMg=="})
    create(live, "v1", "Secret", "hub", data={})
    create(live, "v1", "Service", "gone", spec={"ports": [{"port": 80}]})
    pod = {"containers": [{"name": "a", "image": "a:1"}], "automountServiceAccountToken": False}
    labels = {"metadata": {"labels": {"app": "other"}}, "spec": pod}
    selector = {"matchLabels": {"app": "other"}}
    create(live, "apps/v1", "Deployment", "other", spec={"selector": selector, "template": labels})
    return live


def test_what_is_in_neither_the_app_nor_its_namespace_is_an_error_and_nothing_is_written(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write(APP)
    result = kploy("run")
    assert (result.code, findings(result, live.namespace)) == (3, NOWHERE)
    assert not live.namespace_exists()
    create(live, "v1", "Namespace", live.namespace)
    again = kploy("dryrun")
    assert (again.code, findings(again, live.namespace)) == (3, NOWHERE)


def test_what_others_made_is_found_and_a_key_that_it_lacks_is_told_without_its_values(
    kploy: Kploy, write: Write, theirs: Live
) -> None:
    write(APP)
    eventually(lambda: theirs.objects(("v1", "Pod")))
    result = kploy("dryrun")
    assert findings(result, theirs.namespace) == [
        "error[missing-data-key]: secret/login has no key `word`: it is in the cluster, not in this app"
    ]
    assert "did you mean `words`?" in result.stderr
    assert "aHVudGVyMg" not in result.stdout + result.stderr
    create(theirs, "v1", "Secret", "login", data={"word": "aHVudGVyMg=="})
    fixed = kploy("dryrun")
    assert (fixed.code, findings(fixed, theirs.namespace)) == (0, [])


def test_switches_count_for_what_the_cluster_says_too(kploy: Kploy, write: Write, namespace: str) -> None:
    rules = "  missing-secret: warning\n  missing-config-map: ignore\n  missing-backend: ignore\n"
    rules += "  service-without-pods: ignore\n  missing-pull-secret: error\n"
    write({**APP, "Kployfile": f"name: shop\nnamespace: {namespace}\nrules:\n{rules}"})
    result = kploy("dryrun")
    assert (result.code, findings(result, namespace)) == (
        3,
        [
            "error[missing-pull-secret]: secret/hub is neither in this app nor in namespace NS",
            "warning[missing-secret]: secret/login is neither in this app nor in namespace NS",
        ],
    )


def test_offline_only_the_cluster_can_tell(offline: Kploy, write: Write, namespace: str) -> None:
    write(APP)
    result = offline("dryrun", "--offline")
    found = findings(result, namespace)
    assert result.code == 0
    assert len(found) == 6
    assert all(line.startswith("warning[not-in-app]: ") for line in found)
