"""What ``kploy run`` waits for, and what not, on a real API server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kploy.cluster.connection import Choice, connect
from kploy.cluster.transport import Request, Transport
from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Write

pytestmark = pytest.mark.cluster

CONTROLLER = """\
apiVersion: v1
kind: ReplicationController
metadata:
  name: old
spec:
  replicas: 2
  selector: {app: old}
  template:
    metadata:
      labels: {app: old}
    spec:
      containers:
        - {name: web, image: "ghcr.io/acme/web:TAG"}
"""

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  storageClassName: standard-wait
  accessModes: [ReadWriteOnce]
  resources:
    requests: {storage: 1Gi}
"""

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  selector:
    matchLabels: {app: NAME}
  template:
    metadata:
      labels: {app: NAME, tier: front}
    spec:
      containers:
        - {name: web, image: "ghcr.io/acme/web:1.0.0", resources: {requests: {cpu: 100m}}}
"""

NOWHERE = "      nodeSelector: {disk: quantum}\n"
"""At the end of a pod template: no node can take it."""

AGENT = WEB.replace("Deployment", "DaemonSet").replace("NAME", "agent") + NOWHERE

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: SELECTOR
  ports:
    - port: 80
"""

SCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 3
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}
"""

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: lonely
spec:
  nodeSelector: {disk: quantum}
  containers:
    - {name: web, image: "ghcr.io/acme/web:1.0.0"}
"""

FLAGS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: flags\n"


def web(name: str = "web") -> str:
    return WEB.replace("NAME", name)


def service(selector: str = "{app: web}") -> str:
    return SERVICE.replace("SELECTOR", selector)


def images(live: Live) -> dict[str, str]:
    """By UID: the image of each pod that is not on its way out."""
    pod = live.api.resource("v1", "Pod")
    assert pod is not None
    there = [
        body for body in live.api.list(pod, live.namespace).items if "deletionTimestamp" not in body["metadata"]
    ]
    return {body["metadata"]["uid"]: body["spec"]["containers"][0]["image"] for body in there}


@pytest.fixture
def delete(cluster: Sandbox, namespace: str) -> Iterator[Callable[[str], None]]:
    """Deletes one object in the test's namespace: ``pods/web``."""
    transport = Transport(connect(Choice(kubeconfig=str(cluster.kubeconfig))))
    yield lambda path: transport.send(Request("DELETE", f"/api/v1/namespaces/{namespace}/{path}")) and None
    transport.close()


def change(live: Live, api_version: str, kind: str, name: str, **fields: Any) -> None:
    """Change an object by force, in the name of somebody else."""
    resource = live.api.resource(api_version, kind)
    assert resource is not None
    metadata = {"name": name, "namespace": live.namespace, **fields.pop("metadata", {})}
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
    live.api.apply(resource, body, "somebody", dry_run=False, force=True)


def events_of(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_the_pods_of_a_replication_controller_are_replaced_until_all_have_its_template(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/old.yaml": CONTROLLER.replace("TAG", "1")})
    assert kploy("run").code == 0
    before = images(live)
    write({"rcs/old.yaml": CONTROLLER.replace("TAG", "2")})
    result = kploy("run")
    assert result.code == 0
    assert any("replicationcontroller/old" in line and "2/2" in line for line in result.lines)
    after = images(live)
    assert set(before.values()) == {"ghcr.io/acme/web:1"}
    assert set(after.values()) == {"ghcr.io/acme/web:2"}
    assert not before.keys() & after.keys()


def test_a_run_goes_on_replacing_pods_where_one_that_was_cut_off_has_left_it(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/old.yaml": CONTROLLER.replace("TAG", "1")})
    assert kploy("run").code == 0
    # New pods find no node: the first that is replaced is the last.
    write({"rcs/old.yaml": CONTROLLER.replace("TAG", "2") + NOWHERE})
    result = kploy("run", "--timeout", "8s")
    assert result.code == 5
    assert sorted(images(live).values()) == ["ghcr.io/acme/web:1", "ghcr.io/acme/web:2"]
    write({"rcs/old.yaml": CONTROLLER.replace("TAG", "3")})
    assert kploy("run").code == 0
    assert set(images(live).values()) == {"ghcr.io/acme/web:3"}


def test_a_claim_that_binds_on_use_is_ready_without_a_pod(kploy: Kploy, write: Write) -> None:
    write({"resources/data.yaml": CLAIM})
    for action in ("created", "unchanged"):
        result = kploy("run", "--timeout", "20s")
        assert result.code == 0
        assert any(f"persistentvolumeclaim/data {action}" in " ".join(line.split()) for line in result.lines)


def test_a_service_whose_workload_was_scaled_to_zero_is_ready_without_endpoints(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/web.yaml": web(), "services/web.yaml": service()})
    assert kploy("run").code == 0
    change(live, "apps/v1", "Deployment", "web", spec={"replicas": 0})
    write({"services/web.yaml": service().replace("port: 80", "port: 81")})
    result = kploy("run", "--timeout", "20s")
    assert result.code == 0
    assert any("service/web" in line and "0 ep" in line for line in result.lines)


def test_a_service_whose_workload_is_on_no_node_is_ready_without_endpoints(kploy: Kploy, write: Write) -> None:
    write({"rcs/agent.yaml": AGENT, "services/web.yaml": service("{app: agent}")})
    assert kploy("run", "--timeout", "20s").code == 0


def test_a_service_with_another_selector_is_not_ready_by_the_endpoints_of_the_old_one(
    kploy: Kploy, write: Write
) -> None:
    write({"rcs/web.yaml": web(), "services/web.yaml": service()})
    assert kploy("run").code == 0
    write({"rcs/next.yaml": web("next") + NOWHERE, "services/web.yaml": service("{app: next}")})
    result = kploy("run", "--timeout", "8s", "-o", "json")
    assert result.code == 5
    ready = {event["ref"]["id"] for event in events_of(result.stdout) if event["kind"] == "Ready"}
    assert ready == {"deployment.apps/web"}


def test_a_service_with_a_selector_for_the_same_pods_is_ready(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": web(), "services/web.yaml": service()})
    assert kploy("run").code == 0
    write({"services/web.yaml": service("{app: web, tier: front}")})
    assert kploy("run", "--timeout", "30s").code == 0


def test_an_autoscaler_does_not_wait_for_metrics(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": web(), "resources/scaler.yaml": SCALER})
    result = kploy("run", "--timeout", "50s", "-o", "json")
    assert result.code == 0
    assert "FailedGetResourceMetric" in result.stdout


def test_a_pod_that_no_node_can_take_is_told(kploy: Kploy, write: Write) -> None:
    write({"rcs/lonely.yaml": POD})
    result = kploy("run", "--timeout", "5s", "-o", "json")
    assert result.code == 5
    told = [event["status"]["message"] for event in events_of(result.stdout) if event["kind"] == "Progressed"]
    assert "no node can take it: not the labels that it asks for on all 3 nodes" in told


def test_a_deletion_that_began_before_the_run_is_told_as_such(
    kploy: Kploy, cluster: Sandbox, write: Write, live: Live, delete: Callable[[str], None]
) -> None:
    app = write({"resources/flags.yaml": FLAGS})
    assert kploy("run").code == 0
    change(live, "v1", "ConfigMap", "flags", metadata={"finalizers": ["acme.io/wait"]})
    delete("configmaps/flags")
    said = run_until_applied(cluster, app, lambda: change(live, "v1", "ConfigMap", "flags"))
    failed = {event["ref"]["id"]: event["reason"] for event in said if event["kind"] == "Failed"}
    assert failed == {"configmap/flags": "it was being deleted when the run began: run again"}


def run_until_applied(cluster: Sandbox, app: Path, then: Callable[[], None]) -> list[dict[str, Any]]:
    """What a run says during which ``then`` happens once something was applied."""
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    command = [sys.executable, "-m", "kploy", "run", "-o", "json", "--timeout", "30s"]
    with subprocess.Popen(command, cwd=app, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(json.loads(line))
            if said[-1]["kind"] == "Applied":
                then()
    return said


def test_who_may_not_watch_is_told_so_before_anything_is_written(
    kploy: Kploy, write: Write, live: Live, namespace: str
) -> None:
    allow(live, "deployer", ["get", "list", "create", "patch", "update", "delete"])
    write({"rcs/web.yaml": web() + NOWHERE})
    result = kploy("run", "-o", "json", "--as", "deployer")
    said = events_of(result.stdout)
    assert [event["kind"] for event in said] == ["Opened", "Checked", "Finished"]
    assert said[-1]["outcome"]["exitCode"] == result.code == 4
    assert [finding["message"] for finding in said[1]["findings"]] == [
        f"deployer may not, in namespace {namespace}: watch deployments.apps"
    ]
    assert live.objects(("apps/v1", "Deployment")) == {}


def allow(live: Live, user: str, verbs: list[str]) -> None:
    """Make the test's namespace, and let a user do ``verbs`` there."""
    create(live, "", "v1", "Namespace", live.namespace)
    rbac = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": verbs}]
    subjects = [{"apiGroup": rbac, "kind": "User", "name": user}]
    role = {"apiGroup": rbac, "kind": "Role", "name": user}
    create(live, live.namespace, f"{rbac}/v1", "Role", user, rules=rules)
    create(live, live.namespace, f"{rbac}/v1", "RoleBinding", user, roleRef=role, subjects=subjects)


def create(live: Live, namespace: str, api_version: str, kind: str, name: str, **fields: Any) -> None:
    resource = live.api.resource(api_version, kind)
    assert resource is not None
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
    live.api.apply(resource, body, "somebody", dry_run=False)
