"""Fields that cannot change, or that others own, are named before any write; replicas are left to autoscalers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kploy.cluster.transport import Request
from kploy.model.app import app_id
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_admission import OTHERS
from tests.cli.test_run import FLAGS, WEB

pytestmark = pytest.mark.cluster

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 2Gi
"""

ROUTE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: {}
  selector:
    app: web
  ports:
    - port: 80
"""

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: a
          image: ghcr.io/acme/web:1.0.0
"""

SET = OTHERS.split("---")[0]

DEPLOYMENTS = (("apps/v1", "Deployment"),)


@pytest.mark.parametrize(
    ("change", "field", "line"),
    [
        (("rcs/web.yaml", WEB, WEB.replace("app: web", "app: net")), "spec.selector", 7),
        (("rcs/db.yaml", SET, SET.replace("serviceName: db", "serviceName: other")), "spec.serviceName", 5),
        (("rcs/db.yaml", SET, SET.replace("1Gi", "2Gi")), "spec.volumeClaimTemplates", 15),
        (("services/web.yaml", ROUTE.format("None"), ROUTE.format("10.96.0.77")), "spec.clusterIPs[0]", 6),
    ],
)
def test_a_field_that_cannot_change_is_named_with_its_line_and_remedy_before_any_write(
    kploy: Kploy, write: Write, live: Live, change: tuple[str, str, str], field: str, line: int
) -> None:
    file, before, after = change
    others = {} if file == "rcs/web.yaml" else {"rcs/web.yaml": WEB}
    write({"resources/flags.yaml": FLAGS.format("blue"), **others, file: before})
    kploy("run", "--timeout", "4s")
    kinds = (*DEPLOYMENTS, ("v1", "ConfigMap"), ("v1", "Service"), ("batch/v1", "Job"))
    stored = live.objects(("v1", "ConfigMap"))["configmap/flags"]["metadata"]["resourceVersion"]
    write({"resources/flags.yaml": FLAGS.format("green"), file: after})
    result = kploy("run")
    assert result.code == 3
    wrong = [said for said in result.lines if said.startswith("error[refused-by-server]")]
    assert len(wrong) == 1
    assert f"`{field}` of " in wrong[0]
    places = [said.split(":")[:2] for said in result.lines[result.lines.index(wrong[0]) :] if f"  {file}:" in said]
    assert places == [[f"  {file}", str(line)]]
    assert "undo the change, or replace the object: the same command with --replace" in result.stderr
    assert live.versions(*kinds)["configmap/flags"] == stored


def other(live: Live, manager: str, body: dict[str, Any], *, force: bool = True) -> None:
    """Another field manager's server-side apply."""
    resource = live.api.resource(body["apiVersion"], body["kind"])
    assert resource is not None
    live.api.apply(resource, body, manager, dry_run=False, force=force)


def scale(live: Live, replicas: int, manager: str) -> None:
    """Set the number of replicas as an autoscaler and `kubectl scale` do: through the subresource."""
    path = f"/apis/apps/v1/namespaces/{live.namespace}/deployments/web/scale"
    patch = {"spec": {"replicas": replicas}}
    request = Request("PATCH", path, (("fieldManager", manager),), patch, "application/merge-patch+json")
    live.api._transport.send(request)  # noqa: SLF001 - the port has no subresources


def replicas(live: Live) -> int:
    number = live.objects(*DEPLOYMENTS)["deployment/web"]["spec"]["replicas"]
    assert isinstance(number, int)
    return number


def test_a_field_that_another_manager_owns_is_named_with_its_manager(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    kploy("run")
    metadata = {"name": "flags", "namespace": live.namespace}
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": "red"}}
    other(live, "kubectl", theirs)
    before = live.versions(("v1", "ConfigMap"))
    result = kploy("run")
    assert result.code == 6
    assert 'error[field-conflict]: `data.colour` of configmap/flags: conflict with "kubectl"' in result.stderr
    assert "  resources/flags.yaml:6:11" in result.lines
    assert live.versions(("v1", "ConfigMap")) == before


def test_a_number_that_kubectl_scaled_is_a_conflict_that_says_how_to_end_it(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/web.yaml": WEB})
    kploy("run")
    scale(live, 3, "kubectl")
    result = kploy("dryrun")
    assert result.code == 6
    assert '`spec.replicas` of deployment/web: conflict with "kubectl" with subresource "scale"' in result.stderr
    assert f"kubectl scale deployment.apps/web --replicas=2 -n {live.namespace}" in result.stderr
    scale(live, 2, "kubectl")
    assert kploy("run").code == 0


AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  minReplicas: 1
  maxReplicas: 9
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics:
    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}
"""

ITS_MANAGER = "kube-controller-manager"


def owners(live: Live) -> set[tuple[str, str]]:
    """Who has set the number of replicas."""
    fields = live.objects(*DEPLOYMENTS)["deployment/web"]["metadata"]["managedFields"]
    return {
        (entry["manager"], entry.get("subresource", ""))
        for entry in fields
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    }


def test_replicas_are_left_to_the_autoscaler_of_the_app(kploy: Kploy, write: Write, live: Live) -> None:
    ours = (f"kploy-{app_id('shop', live.namespace)}", "")
    write({"rcs/web.yaml": WEB, "resources/scaler.yaml": AUTOSCALER})
    assert kploy("run").code == 0
    assert (replicas(live), owners(live)) == (2, {ours})
    # As long as nobody else has set it, it is kept, even if the manifest says otherwise or nothing.
    for text in (WEB.replace("replicas: 2", "replicas: 7"), WEB.replace("  replicas: 2\n", "")):
        write({"rcs/web.yaml": text})
        assert kploy("run").lines[-1] == "✓ shop is up: 2 unchanged"
        assert (replicas(live), owners(live)) == (2, {ours})
    scale(live, 5, ITS_MANAGER)
    for text in (WEB, WEB.replace("1.0.0", "1.0.1")):
        write({"rcs/web.yaml": text})
        assert kploy("run").code == 0
        assert (replicas(live), owners(live)) == (5, {(ITS_MANAGER, "scale")})


def test_replicas_are_left_to_an_autoscaler_of_somebody_else(kploy: Kploy, write: Write, live: Live) -> None:
    write({"rcs/web.yaml": WEB})
    assert kploy("run").code == 0
    body = yaml.safe_load(AUTOSCALER)
    body["metadata"]["namespace"] = live.namespace
    other(live, "kubectl", body)
    # Taken out of the manifest before the autoscaler has said anything, it does not fall back to 1.
    write({"rcs/web.yaml": WEB.replace("  replicas: 2\n", "")})
    assert kploy("run").lines[-1] == "✓ shop is up: 1 unchanged"
    assert replicas(live) == 2
    scale(live, 4, ITS_MANAGER)
    write({"rcs/web.yaml": WEB})
    assert kploy("run").lines[-1] == "✓ shop is up: 1 unchanged"
    assert replicas(live) == 4
    # Without it, the number is a conflict again: nobody is silently ignored.
    path = f"/apis/autoscaling/v2/namespaces/{live.namespace}/horizontalpodautoscalers/web"
    assert live.admin.request("DELETE", path).code == 200
    result = kploy("dryrun")
    assert result.code == 6
    assert f'conflict with "{ITS_MANAGER}" with subresource "scale"' in result.stderr


@pytest.mark.parametrize(("was", "is_now"), [("2Gi", "1Gi"), ("ReadWriteOnce", "ReadWriteMany")])
def test_a_claim_that_shrinks_or_changes_is_refused_without_proposing_to_delete_its_data(
    kploy: Kploy, write: Write, was: str, is_now: str
) -> None:
    write({"resources/data.yaml": CLAIM})
    kploy("run", "--timeout", "4s")
    write({"resources/data.yaml": CLAIM.replace(was, is_now)})
    result = kploy("dryrun")
    assert result.code == 3
    assert "of persistentvolumeclaim/data: " in result.stderr
    line = 9 if was == "2Gi" else 5
    assert any(said.startswith(f"  resources/data.yaml:{line}:") for said in result.lines)
    assert "a claim can only grow" in result.stderr
    assert "--replace" not in result.stderr
