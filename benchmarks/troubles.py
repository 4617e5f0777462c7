"""Rollouts that go wrong, each in its own way, and how to see in the cluster that they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from kploy.core.bodies import entries, text
from kploy.core.kinds import own_resource
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, Resource

_PODS = own_resource("v1", "Pod")
_EVENTS = own_resource("v1", "Event")
_REPLICA_SETS = own_resource("apps/v1", "ReplicaSet")
_JOBS = own_resource("batch/v1", "Job")
_SERVICES = own_resource("v1", "Service")

Shown = Callable[[Body], bool]
"""Whether an object of what is watched gives the cause away."""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {sandbox.kploy.dev/plays: PLAY}
    spec:
      terminationGracePeriodSeconds: 0
      nodeSelector: {NODE}
      containers:
        - name: web
          image: ghcr.io/acme/web:1.0.0
          command: [serve]
          env:
            - {name: COLOUR, valueFrom: {configMapKeyRef: {name: flags, key: colour, optional: true}}}
          readinessProbe: {httpGet: {port: 80}}
          resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 64Mi}}
"""

_JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 0
  template:
    metadata:
      annotations: {sandbox.kploy.dev/plays: fail}
    spec:
      restartPolicy: Never
      containers:
        - name: migrate
          image: ghcr.io/acme/migrate:1.0.0
          resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 64Mi}}
"""

_CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  storageClassName: none-such
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""

_DEADLINE = """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  activeDeadlineSeconds: 2
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {disk: none-such}
      containers:
        - name: migrate
          image: ghcr.io/acme/migrate:1.0.0
          resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 64Mi}}
"""

_BALANCED = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  loadBalancerClass: example.com/none-such
  ports: [{port: 80}]
"""

_RULES = (
    "rules: {over-quota: warning, pod-refused: warning, pod-security: warning, undeclared-resources: warning}\n"
)
"""What a dry run would find, so that the rollout itself meets it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way to go wrong.

    kploy calls it ``reason``, or at first one of ``earlier``. The objects of ``watched`` for which
    ``is_shown_by`` holds give it away. ``labels`` and ``quota`` are of the namespace. It ends with
    ``exit_code``: 5 where the grace is longer than anybody wants to wait, 0 where it mends itself.
    """

    name: str
    manifest: str
    reason: str
    watched: Resource
    is_shown_by: Shown
    earlier: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    quota: Mapping[str, Any] = field(default_factory=dict)
    timeout: int = 60
    exit_code: int = 1

    def write(self, root: Path, namespace: str) -> None:
        """Write the app to ``root``, which is not there yet."""
        (root / "rcs").mkdir(parents=True)
        (root / "Kployfile").write_text(f"name: shop\nnamespace: {namespace}\n{_RULES}")
        (root / "rcs/all.yaml").write_text(self.manifest)


def _playing(play: str, node: str = "") -> str:
    return _DEPLOYMENT.replace("PLAY", play).replace("{NODE}", f"{{{node}}}")


def _waits_for(*reasons: str, restarts: int = 0) -> Shown:
    """A container waits for one of these reasons, and was started again so often."""

    def is_shown(pod: Body) -> bool:
        return any(
            text(container, "state", "waiting", "reason") in reasons and container["restartCount"] >= restarts
            for container in entries(pod, "status", "containerStatuses")
        )

    return is_shown


def _has(condition: str, status: str) -> Shown:
    return lambda body: any(
        (text(each, "type"), text(each, "status")) == (condition, status)
        for each in entries(body, "status", "conditions")
    )


def _is_warned(reason: str) -> Shown:
    return lambda event: text(event, "reason") == reason


def _is_balanced(service: Body) -> bool:
    return text(service, "spec", "type") == "LoadBalancer"


def _has_failed(pod: Body) -> bool:
    return text(pod, "status", "phase") == "Failed"


TROUBLES = (
    Trouble(
        "image-not-found",
        _playing("image-not-found"),
        "ImagePullBackOff",
        _PODS,
        _waits_for("ErrImagePull", "ImagePullBackOff"),
        earlier=("ErrImagePull",),
    ),
    Trouble(
        "missing-key",
        _playing("missing-key"),
        "CreateContainerConfigError",
        _PODS,
        _waits_for("CreateContainerConfigError"),
    ),
    Trouble("no-command", _playing("no-command"), "RunContainerError", _PODS, _waits_for("RunContainerError")),
    Trouble("crash", _playing("crash"), "CrashLoopBackOff", _PODS, _waits_for("CrashLoopBackOff", restarts=3)),
    Trouble(
        "out-of-memory", _playing("out-of-memory"), "OOMKilled", _PODS, _waits_for("CrashLoopBackOff", restarts=3)
    ),
    Trouble("failed-job", _JOB, "Error", _PODS, _has_failed),
    Trouble(
        "not-ready", _playing("not-ready"), "Unhealthy", _EVENTS, _is_warned("Unhealthy"), timeout=12, exit_code=5
    ),
    Trouble(
        "unschedulable",
        _playing("nothing", node="disk: none-such"),
        "Unschedulable",
        _PODS,
        _has("PodScheduled", "False"),
        timeout=12,
        exit_code=5,
    ),
    Trouble(
        "quota",
        _playing("nothing"),
        "FailedCreate",
        _REPLICA_SETS,
        _has("ReplicaFailure", "True"),
        quota={"hard": {"pods": "0"}},
    ),
    Trouble(
        "admission",
        _playing("nothing"),
        "FailedCreate",
        _REPLICA_SETS,
        _has("ReplicaFailure", "True"),
        labels={"pod-security.kubernetes.io/enforce": "restricted"},
    ),
    Trouble("claim", _CLAIM, "ProvisioningFailed", _EVENTS, _is_warned("ProvisioningFailed")),
    Trouble("deadline", _DEADLINE, "DeadlineExceeded", _JOBS, _has("FailureTarget", "True")),
    Trouble("load-balancer", _BALANCED, "NoLoadBalancer", _SERVICES, _is_balanced, timeout=12, exit_code=5),
    Trouble(
        "registry-away",
        _playing("registry-away"),
        "ErrImagePull",
        _PODS,
        _waits_for("ErrImagePull"),
        exit_code=0,
    ),
    Trouble(
        "crash-twice",
        _playing("crash-twice"),
        "CrashLoopBackOff",
        _PODS,
        _waits_for("CrashLoopBackOff"),
        exit_code=0,
    ),
)
