"""Pods restart when what they read of the app's ConfigMaps and Secrets changes, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from kploy.core.bodies import dig
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_plan import words

pytestmark = pytest.mark.cluster

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, annotations: {kploy.dev/restart-on-config: "WISH"}}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:1.0.0
          envFrom: [{configMapRef: {name: kploy-config}}]
"""

CONTROLLER = """\
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 2
  selector: {app: old}
  template:
    metadata: {labels: {app: old}}
    spec:
      containers:
        - {name: old, image: "ghcr.io/acme/old:1.0.0", volumeMounts: [{name: login, mountPath: /login}]}
      volumes:
        - {name: login, secret: {secretName: kploy-secrets}}
"""

APP = {
    "rcs/web.yaml": WEB.replace("NAME", "web").replace("WISH", "true"),
    "rcs/calm.yaml": WEB.replace("NAME", "calm").replace("WISH", "false"),
    "rcs/old.yaml": CONTROLLER,
    "env/COLOUR.config": "blue",
    "env/TOKEN.secret": "hunter2",
}


def pods(live: Live) -> dict[str, set[str]]:
    """The UIDs of the pods that there are, by the app that they are of."""
    found: dict[str, set[str]] = {"web": set(), "calm": set(), "old": set()}
    for body in live.objects(("v1", "Pod")).values():
        if "deletionTimestamp" not in body["metadata"]:
            found[body["metadata"]["labels"]["app"]].add(body["metadata"]["uid"])
    return found


def template(live: Live, name: str = "deployment/web") -> Any:
    found = live.objects(("apps/v1", "Deployment"), ("v1", "ReplicationController"))
    return dig(found[name], "spec", "template", "metadata", "annotations", "kploy.dev/config-hash")


def test_pods_restart_for_what_they_read_and_the_run_says_why(kploy: Kploy, write: Write, live: Live) -> None:
    write(APP)
    assert kploy("run").code == 0
    before, blue = pods(live), template(live)
    write({"env/COLOUR.config": "green", "env/TOKEN.secret": "swordfish"})
    calm = "deployment/calm has read it at its start: restart it to see the change"
    assert sorted(words(kploy("dryrun"))) == [
        "= 1 unchanged",
        f"~ configmap/kploy-config COLOUR blue → green {calm}",
        "~ deployment/web configmap/kploy-config changed 1 pod restarts, the new one first",
        "~ replicationcontroller/old secret/kploy-secrets changed 2 pods restart, one at a time",
        "~ secret/kploy-secrets TOKEN changed (masked)",
    ]
    result = kploy("run")
    assert result.code == 0
    assert {
        "  configmap/kploy-config changed: the pods of deployment/web restart",
        "  secret/kploy-secrets changed: the pods of replicationcontroller/old restart",
    } <= set(result.lines)
    after = pods(live)
    assert {name: len(uids & before[name]) for name, uids in after.items()} == {"web": 0, "calm": 1, "old": 0}
    assert kploy("rollback").code == 0
    assert template(live) == blue


def test_who_does_not_want_it_any_more_is_not_restarted_for_that(kploy: Kploy, write: Write, live: Live) -> None:
    write({"rcs/web.yaml": APP["rcs/web.yaml"], "env/COLOUR.config": "blue"})
    assert kploy("run").code == 0
    before, blue = pods(live), template(live)
    write({"rcs/web.yaml": APP["rcs/web.yaml"].replace('"true"', '"false"'), "env/COLOUR.config": "green"})
    assert kploy("run").code == 0
    assert (pods(live), template(live)) == (before, blue)
