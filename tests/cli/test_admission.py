"""Whether pods would start, by the real admission of the API server, before anything is written."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.cluster.port import Forbidden
from kploy.engine.pipeline import dryrun
from kploy.model.events import Finished, Noted
from kploy.model.objects import Body, Resource
from kploy.model.report import Outcome
from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_run import FLAGS, WEB
from tests.cli.test_waiting import create
from tests.eventually import eventually
from tests.fakes import RecordingCluster

pytestmark = pytest.mark.cluster

ASKING = WEB + '          resources: {requests: {cpu: "%s"}}\n'
LEVEL = {"pod-security.kubernetes.io/enforce": "restricted"}


def namespace_with(live: Live, **labels: str) -> None:
    resource = live.api.resource("v1", "Namespace")
    assert resource is not None
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": live.namespace, "labels": labels}}
    live.api.apply(resource, body, "somebody", dry_run=False)
    # Without it no pod is let in, nor its rehearsal.
    eventually(lambda: live.objects(("v1", "ServiceAccount")).get("serviceaccount/default"))


def quota(live: Live, name: str = "compute", **hard: str) -> None:
    """A quota, once its controller has counted what there is."""
    spec = {"hard": {key.replace("_", "."): value for key, value in hard.items()}}
    create(live, live.namespace, "v1", "ResourceQuota", name, spec=spec)
    eventually(
        lambda: live.objects(("v1", "ResourceQuota"))[f"resourcequota/{name}"].get("status", {}).get("hard")
    )


def errors(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("error[", "warning[", "  rcs/"))]


def test_a_pod_that_the_security_level_forbids_is_found_at_its_container(
    kploy: Kploy, write: Write, live: Live
) -> None:
    namespace_with(live, **LEVEL)
    write({"rcs/web.yaml": WEB + "          securityContext: {runAsNonRoot: true}\n"})
    result = kploy("run")
    assert result.code == 3
    first, place = errors(result.lines)
    assert first.startswith(
        'error[pod-security]: no pod of deployment/web can start: violates PodSecurity "restricted:latest": allow'
    )
    assert place == "  rcs/web.yaml:22:11"
    assert live.objects(("apps/v1", "Deployment")) == {}


def test_a_pod_that_fits_into_no_quota_is_found_at_its_resources(kploy: Kploy, write: Write, live: Live) -> None:
    namespace_with(live)
    quota(live, requests_cpu="3")
    write({"rcs/web.yaml": ASKING % 4})
    result = kploy("dryrun")
    assert result.code == 3
    assert errors(result.lines) == [
        (
            "error[over-quota]: no pod of deployment/web can start: exceeded quota: compute, "
            "requested: requests.cpu=4, used: requests.cpu=0, limited: requests.cpu=3"
        ),
        "  rcs/web.yaml:22:11",
    ]


def test_a_quota_wants_to_be_told_what_a_pod_needs(kploy: Kploy, write: Write, live: Live) -> None:
    namespace_with(live)
    quota(live, requests_cpu="3")
    write({"rcs/web.yaml": WEB})
    assert errors(kploy("dryrun").lines) == [
        (
            "error[undeclared-resources]: no pod of deployment/web can start: "
            "failed quota: compute: must specify requests.cpu for: web"
        ),
        "  rcs/web.yaml:16:11",
    ]


def test_pods_that_fit_one_by_one_but_not_together_are_a_warning(kploy: Kploy, write: Write, live: Live) -> None:
    namespace_with(live)
    quota(live, requests_cpu="3")
    write({"rcs/web.yaml": (ASKING % 2).replace("replicas: 2", "replicas: 4")})
    result = kploy("dryrun")
    assert result.code == 0
    assert errors(result.lines) == [
        "warning[over-quota]: the 4 pods of deployment/web want 8 of requests.cpu; quota `compute` has 3 left",
        "  rcs/web.yaml:22:11",
    ]


def test_what_a_limit_range_fills_in_counts_against_the_quota(kploy: Kploy, write: Write, live: Live) -> None:
    namespace_with(live)
    quota(live, requests_memory="1Gi")
    filled = {"type": "Container", "defaultRequest": {"memory": "768Mi"}, "max": {"memory": "2Gi"}}
    create(live, live.namespace, "v1", "LimitRange", "sizes", spec={"limits": [filled]})
    write({"rcs/web.yaml": WEB})
    assert errors(kploy("dryrun").lines)[0] == (
        "warning[over-quota]: the 2 pods of deployment/web want 1536Mi of requests.memory; "
        "quota `compute` has 1Gi left"
    )
    write({"rcs/web.yaml": WEB + "          resources: {limits: {memory: 3Gi}}\n"})
    assert errors(kploy("dryrun").lines) == [
        (
            "error[limit-range]: no pod of deployment/web can start: "
            "maximum memory usage per Container is 2Gi, but limit is 3Gi"
        ),
        "  rcs/web.yaml:22:11",
    ]


def test_a_rollout_that_frees_what_it_needs_fits_into_a_full_quota(kploy: Kploy, write: Write, live: Live) -> None:
    namespace_with(live)
    quota(live, requests_cpu="4")
    recreated = (ASKING % 2).replace("  replicas: 2\n", "  replicas: 2\n  strategy: {type: Recreate}\n")
    write({"rcs/web.yaml": recreated})
    assert kploy("run").code == 0
    write({"rcs/web.yaml": recreated.replace("1.0.0", "1.0.1")})
    result = kploy("dryrun")
    assert (result.code, errors(result.lines)) == (0, [])
    # One new pod beside the old ones, as a rolling update with 2 replicas starts, has no room.
    write({"rcs/web.yaml": (ASKING % 2).replace("1.0.0", "1.0.1")})
    assert errors(kploy("dryrun").lines)[0].startswith("error[over-quota]: no pod of deployment/web can start")


@pytest.mark.parametrize(
    ("field", "column", "said"),
    [
        ("priorityClassName: nothing", 26, "no PriorityClass with name nothing was found"),
        ("runtimeClassName: nowhere", 25, 'pod rejected: RuntimeClass "nowhere" not found'),
    ],
)
def test_what_a_template_names_and_is_not_there_is_found_at_its_line(
    kploy: Kploy, write: Write, live: Live, field: str, column: int, said: str
) -> None:
    namespace_with(live)
    write({"rcs/web.yaml": f"{WEB}      {field}\n"})
    result = kploy("dryrun")
    assert result.code == 3
    assert errors(result.lines) == [
        f"error[pod-refused]: no pod of deployment/web can start: {said}",
        f"  rcs/web.yaml:22:{column}",
    ]


def test_an_account_that_is_not_there_is_told_once_however_many_pods_want_it(
    kploy: Kploy, write: Write, live: Live
) -> None:
    namespace_with(live)
    wanting = f"{WEB}      serviceAccountName: nobody\n"
    write({"rcs/web.yaml": wanting, "rcs/api.yaml": wanting.replace("web", "api")})
    result = kploy("dryrun")
    assert result.code == 3
    assert errors(result.lines) == [
        (
            "error[missing-service-account]: serviceaccount/nobody is neither in this app "
            f"nor in namespace {live.namespace} (named in 2 places)"
        ),
        "  rcs/api.yaml:22:27",
    ]


@pytest.mark.parametrize("by", ["Kployfile", "annotation"])
def test_who_makes_an_account_by_other_means_is_not_stopped_for_it(
    kploy: Kploy, write: Write, live: Live, by: str
) -> None:
    namespace_with(live)
    rule = "missing-service-account"
    annotated = WEB.replace("name: web\n", f'name: web\n  annotations: {{kploy.dev/ignore: "{rule}"}}\n', 1)
    root = write(
        {"rcs/web.yaml": (annotated if by == "annotation" else WEB) + "      serviceAccountName: nobody\n"}
    )
    if by == "Kployfile":
        (root / "Kployfile").write_text(f"{(root / 'Kployfile').read_text()}rules: {{{rule}: ignore}}\n")
    result = kploy("dryrun")
    assert (result.code, errors(result.lines)) == (0, [])


ROBOT = {
    "rcs/web.yaml": WEB + "      serviceAccountName: robot\n",
    "resources/robot.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: robot\n",
}


def test_pods_whose_account_the_same_run_makes_are_checked_with_another_one(
    kploy: Kploy, write: Write, live: Live
) -> None:
    namespace_with(live)
    write(ROBOT)
    result = kploy("dryrun")
    assert (result.code, [line for line in result.lines if "could not" in line]) == (0, [])
    assert kploy("run").code == 0


def test_the_level_is_held_against_pods_whose_account_the_same_run_makes(
    kploy: Kploy, write: Write, live: Live
) -> None:
    namespace_with(live, **LEVEL)
    write(ROBOT)
    result = kploy("run")
    assert result.code == 3
    assert errors(result.lines)[0].startswith("error[pod-security]: no pod of deployment/web can start: ")


def test_what_is_refused_for_an_account_that_the_same_run_makes_is_said_to_be_unchecked(
    kploy: Kploy, write: Write, live: Live
) -> None:
    namespace_with(live)
    account = live.api.resource("v1", "ServiceAccount")
    assert account is not None
    # The account that stands in for the other may use no secret but those it lists.
    strict = {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}
    metadata = {"name": "default", "namespace": live.namespace, **strict}
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    live.api.apply(account, body, "somebody", dry_run=False)
    key = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\n"
    reading = "          envFrom: [{secretRef: {name: key}}]\n      serviceAccountName: robot\n"
    write({**ROBOT, "rcs/web.yaml": WEB + reading, "resources/key.yaml": key})
    result = kploy("dryrun")
    assert result.code == 0
    assert (
        "whether pods of deployment/web would start could not be checked: "
        "it hangs on serviceaccount/robot, which the run changes as well"
    ) in result.lines


def test_a_namespace_that_does_not_exist_yet_is_said_once(kploy: Kploy, write: Write, live: Live) -> None:
    write({"rcs/web.yaml": WEB, "rcs/api.yaml": WEB.replace("web", "api")})
    lines = kploy("dryrun").lines
    told = [line for line in lines if "could not" in line]
    assert told == [
        (
            f"namespace {live.namespace} does not exist yet: "
            "its quota, its limits and its Pod Security level could not be checked"
        )
    ]


def test_a_level_that_the_run_itself_sets_could_not_be_checked(kploy: Kploy, write: Write, live: Live) -> None:
    namespace = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {live.namespace}\n"
    write({"resources/namespace.yaml": namespace, "resources/flags.yaml": FLAGS.format("x")})
    assert kploy("run").code == 0
    strict = namespace + '  labels: {pod-security.kubernetes.io/enforce: "restricted"}\n'
    write({"resources/namespace.yaml": strict, "rcs/web.yaml": WEB})
    assert (
        f"namespace/{live.namespace}: what it will say of the app's pods could not be checked; the run changes it"
        in kploy("dryrun").lines
    )


def test_who_may_not_create_pods_is_told_that_they_are_unchecked(kploy: Kploy, write: Write, live: Live) -> None:
    user = f"user-{uuid4().hex[:8]}"
    namespace_with(live)
    rbac = "rbac.authorization.k8s.io"
    # All that a run of these two needs, which is not to create pods.
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "list", "patch", "watch"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "delete", "get", "update"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "delete", "get"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["create", "get", "update", "watch"],
        },
    ]
    subjects = [{"apiGroup": rbac, "kind": "User", "name": user}]
    role = {"apiGroup": rbac, "kind": "Role", "name": user}
    create(live, live.namespace, f"{rbac}/v1", "Role", user, rules=rules)
    create(live, live.namespace, f"{rbac}/v1", "RoleBinding", user, roleRef=role, subjects=subjects)
    write({"rcs/web.yaml": WEB, "rcs/api.yaml": WEB.replace("web", "api")})
    result = kploy("dryrun", "--as", user)
    assert result.code == 0
    assert [line for line in result.lines if "could not be checked" in line] == [
        "whether pods of deployment/api, deployment/web would start could not be checked: you may not create pods"
    ]


OTHERS = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: ghcr.io/acme/db:1
          readinessProbe: {tcpSocket: {port: 5432}}
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: a, image: "ghcr.io/acme/web:1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: a, image: "ghcr.io/acme/web:1"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: a, image: "ghcr.io/acme/web:1"}]}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  selector: {app: old}
  template:
    metadata: {labels: {app: old}}
    spec: {containers: [{name: a, image: "ghcr.io/acme/web:1"}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: plain}
spec:
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain}}
    spec: {containers: [{name: a, image: "ghcr.io/acme/web:1"}]}
"""
SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: "None", selector: {app: db}}\n'


def test_a_pod_of_every_kind_of_workload_is_taken_by_the_server(kploy: Kploy, write: Write, live: Live) -> None:
    namespace_with(live)
    write({"rcs/all.yaml": OTHERS, "services/db.yaml": SERVICE})
    result = kploy("dryrun")
    assert (result.code, errors(result.lines)) == (0, [])
    assert not [line for line in result.lines if "could not be checked" in line]
    namespace_with(live, **LEVEL)
    found = [line for line in errors(kploy("dryrun").lines) if line.startswith("error[pod-security]")]
    named = ("cronjob/nightly", "daemonset/agent", "job/migrate", "replicaset/plain", "replicationcontroller/old")
    assert sorted(line.split()[4] for line in found) == [*named, "statefulset/db"]


class Young(RecordingCluster):
    """A cluster whose namespaces are so new that their default account is still to be made."""

    def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        if resource.kind != "Pod":
            return super().create(resource, body, dry_run=dry_run)
        name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
        looked_up = f'error looking up service account {namespace}/default: serviceaccount "default" not found'
        raise Forbidden(f'pods "{name}" is forbidden: {looked_up}')


def test_what_is_refused_because_its_namespace_was_just_made_is_no_error(
    cluster: Sandbox, write: Write, live: Live
) -> None:
    namespace_with(live)
    api = Young(ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig)))))
    *told, end = dryrun(write({"rcs/web.yaml": WEB}), lambda _: api)
    assert isinstance(end, Finished)
    assert end.outcome is Outcome.DONE
    why = "its namespace has no ServiceAccount default yet"
    assert [event.text for event in told if isinstance(event, Noted)] == [
        f"whether pods of deployment/web would start could not be checked: {why}"
    ]


def test_only_what_changes_costs_a_request(cluster: Sandbox, kploy: Kploy, write: Write, live: Live) -> None:
    namespace_with(live)
    root = write({"rcs/web.yaml": WEB, "rcs/api.yaml": WEB.replace("web", "api")})
    pods, quotas = asked(cluster, root)
    assert (sorted(pods), quotas) == (["api-kploy-rehearsal", "web-kploy-rehearsal"], 1)
    assert kploy("run").code == 0
    assert asked(cluster, root) == ([], 0)
    write({"rcs/web.yaml": WEB.replace("1.0.0", "1.0.1")})
    assert asked(cluster, root) == (["web-kploy-rehearsal"], 1)
    assert live.objects(("v1", "Pod")).keys().isdisjoint({"pod/web-kploy-rehearsal"})


def asked(cluster: Sandbox, root: Any) -> tuple[list[str], int]:
    """The pods that a dry run puts to the server, and how often it looks at quotas."""
    api = RecordingCluster(ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig)))))
    list(dryrun(root, lambda _: api))
    pods = [call for call in api.calls if (call.method, call.kind) == ("create", "Pod")]
    assert all(call.dry_run for call in pods)
    return [call.name for call in pods], api.count("list")["ResourceQuota"]
