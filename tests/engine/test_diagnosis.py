"""A rollout that goes wrong on the real API server: what is said of it, where, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.port import Change, Cluster, ClusterError, Forbidden, Listing, ServerFailed
from kploy.core import explaining
from kploy.core.bodies import dig
from kploy.engine import deploy
from kploy.engine.carrier import Inbox
from kploy.engine.run import run
from kploy.model import events
from kploy.model.events import Event, Failed
from kploy.model.objects import Grade, Resource
from kploy.model.report import Outcome
from tests.eventually import eventually
from tests.fakes import RecordingCluster, Unwilling

pytestmark = pytest.mark.cluster

MANIFEST = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata:
      labels: {{app: web}}
      annotations: {{sandbox.kploy.dev/plays: {plays}}}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:1.0.0
          command: [serve]
          env:
            - {{name: COLOUR, valueFrom: {{configMapKeyRef: {{name: flags, key: colour, optional: true}}}}}}
          readinessProbe: {{httpGet: {{port: 80}}, periodSeconds: 1, failureThreshold: 1}}
          resources: {{limits: {{memory: 64Mi}}}}
"""


def app(root: Path, namespace: str, plays: str, kind: str = "Deployment") -> Path:
    (root / "rcs").mkdir()
    (root / "Kployfile").write_text(f"name: shop\nnamespace: {namespace}\n")
    (root / "rcs/web.yaml").write_text(MANIFEST.format(plays=plays, kind=kind))
    return root


def line_of(words: str) -> int:
    """The first line of the manifest with these words."""
    return next(number for number, line in enumerate(MANIFEST.splitlines(), 1) if words in line)


def told(root: Path, cluster: Any, timeout: float = 60) -> list[Event]:
    return list(run(root, lambda _: cluster, timeout, Inbox()))


def failure(said: list[Event]) -> Failed:
    (found,) = [event for event in said if isinstance(event, Failed)]
    return found


@pytest.mark.parametrize(
    ("plays", "reason", "message", "line"),
    [
        (
            "image-not-found",
            "ImagePullBackOff",
            "web cannot get the image ghcr.io/acme/web:1.0.0: not found",
            "image",
        ),
        ("crash", "CrashLoopBackOff", "web ends with exit code 1, started again 3 times", "- name: web"),
        (
            "out-of-memory",
            "OOMKilled",
            "web wants more memory than its limit of 64Mi, started again 3 times",
            "resources",
        ),
        (
            "missing-key",
            "CreateContainerConfigError",
            "web cannot be made: couldn't find key colour in ConfigMap {namespace}/flags",
            "COLOUR",
        ),
        (
            "no-command",
            "RunContainerError",
            'web cannot be started: exec: "serve": executable file not found in $PATH',
            "command",
        ),
    ],
)
def test_what_does_not_mend_itself_ends_the_run_with_its_line_in_the_manifest(
    api: ApiServer, tmp_path: Path, namespace: str, plays: str, reason: str, message: str, line: str
) -> None:
    said = told(app(tmp_path, namespace, plays), api)
    found = failure(said)
    assert isinstance(said[-1], events.Finished)
    assert said[-1].outcome is Outcome.FAILED
    assert found.cause is not None
    assert found.cause.reason == reason
    assert found.reason == message.format(namespace=namespace)
    assert found.place is not None
    assert (found.place.file, found.place.line) == ("rcs/web.yaml", line_of(line))
    assert found.hint


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "ReplicaSet"])
def test_every_kind_of_workload_is_understood(api: ApiServer, tmp_path: Path, namespace: str, kind: str) -> None:
    found = failure(told(app(tmp_path, namespace, "no-command", kind), api))
    assert found.cause is not None
    assert (found.cause.reason, found.ref.kind) == ("RunContainerError", kind)


@pytest.mark.parametrize("plays", ["registry-away", "crash-twice"])
def test_what_mends_itself_is_waited_for_and_told_meanwhile(
    api: ApiServer, tmp_path: Path, namespace: str, plays: str
) -> None:
    said = told(app(tmp_path, namespace, plays), api)
    assert isinstance(said[-1], events.Finished)
    assert said[-1].outcome is Outcome.DONE
    causes = [event.status.cause for event in said if isinstance(event, events.Progressed) and event.status.cause]
    assert {cause.grade for cause in causes} == {Grade.TRANSIENT}


def template(plays: str, **spec: Any) -> dict[str, Any]:
    metadata = {"labels": {"app": "web"}, "annotations": {"sandbox.kploy.dev/plays": plays}}
    return {"metadata": metadata, "spec": {**spec, "containers": [{"name": "web", "image": "acme/web:1"}]}}


def deployed(
    api: Cluster,
    root: Path,
    namespace: str,
    kind: str,
    timeout: float = 60,
    **parts: Any,
) -> list[Event]:
    """What a run tells of an app of one object, called web."""
    (root / "rcs").mkdir()
    (root / "Kployfile").write_text(f"name: shop\nnamespace: {namespace}\n")
    metadata = {"name": "web", **parts.pop("metadata", {})}
    group = {"Job": "batch/", "Deployment": "apps/", "StatefulSet": "apps/"}.get(kind, "")
    body = {"apiVersion": f"{group}v1", "kind": kind, "metadata": metadata, **parts}
    (root / "rcs/web.json").write_text(json.dumps(body))
    return told(root, api, timeout)


SELECTOR = {"matchLabels": {"app": "web"}}
NEVER = {"restartPolicy": "Never"}
OFTEN = "BackoffLimitExceeded: its pods failed more often than its backoffLimit of 0 allows"
LATE = "ProgressDeadlineExceeded: no progress within 1 s, its progressDeadlineSeconds"


@pytest.mark.parametrize(
    ("kind", "spec", "reason", "message"),
    [
        (
            "Job",
            {"backoffLimit": 0, "template": template("fail", **NEVER)},
            "Error",
            f"{OFTEN}: web ends with exit code 3",
        ),
        (
            "Job",
            {"activeDeadlineSeconds": 1, "template": template("registry-away", **NEVER)},
            "DeadlineExceeded",
            "DeadlineExceeded: not done within 1 s, its activeDeadlineSeconds",
        ),
        (
            "Deployment",
            {"progressDeadlineSeconds": 1, "selector": SELECTOR, "template": template("registry-away")},
            "ErrImagePull",
            f"{LATE}: web cannot get the image acme/web:1: dial tcp: i/o timeout",
        ),
    ],
)
def test_a_controller_that_gives_up_is_told_with_what_its_pods_say(
    api: ApiServer, tmp_path: Path, namespace: str, kind: str, spec: dict[str, Any], reason: str, message: str
) -> None:
    found = failure(deployed(api, tmp_path, namespace, kind, spec=spec))
    assert found.reason == message
    assert found.cause is not None
    assert found.cause.reason == reason
    assert found.place is not None
    assert found.hint


def test_a_pod_that_nobody_runs_is_understood(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    found = failure(deployed(api, tmp_path, namespace, "Pod", **template("no-command")))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.path) == ("RunContainerError", ("spec", "containers", 0, "image"))


DISK = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.mark.parametrize(
    ("kind", "spec", "reason", "path"),
    [
        (
            "Service",
            {"type": "LoadBalancer", "loadBalancerClass": "acme.io/lb", "ports": [{"port": 80}]},
            "NoLoadBalancer",
            ("spec", "loadBalancerClass"),
        ),
        (
            "PersistentVolumeClaim",
            {**DISK, "storageClassName": ""},
            "FailedBinding",
            ("spec", "storageClassName"),
        ),
        (
            "StatefulSet",
            {
                "serviceName": "web",
                "selector": SELECTOR,
                "template": template("nothing"),
                "volumeClaimTemplates": [
                    {"metadata": {"name": "data"}, "spec": {**DISK, "storageClassName": "nowhere"}}
                ],
            },
            "ProvisioningFailed",
            ("spec", "volumeClaimTemplates", 0, "spec", "storageClassName"),
        ),
        (
            "Deployment",
            {"selector": SELECTOR, "template": template("nothing", nodeSelector={"disk": "quantum"})},
            "Unschedulable",
            ("spec", "template", "spec", "nodeSelector"),
        ),
    ],
)
def test_what_is_waited_for_in_vain_is_suspected_with_its_field_meanwhile(
    api: ApiServer,
    tmp_path: Path,
    namespace: str,
    kind: str,
    spec: dict[str, Any],
    reason: str,
    path: tuple[str | int, ...],
) -> None:
    said = deployed(api, tmp_path, namespace, kind, timeout=5, spec=spec)
    (left,) = [event.status for event in said if isinstance(event, events.Unfinished)]
    assert left.cause is not None
    assert (left.cause.reason, left.cause.grade, left.cause.path) == (reason, Grade.SUSPECTED, path)


def test_a_paused_deployment_is_waited_for_and_told_with_what_resumes_it(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    spec = {"paused": True, "selector": SELECTOR, "template": template("nothing")}
    said = deployed(api, tmp_path, namespace, "Deployment", timeout=5, spec=spec)
    (left,) = [event for event in said if isinstance(event, events.Unfinished)]
    assert left.status.message == "paused: 0 of 1 updated"
    assert left.hint == (
        "take paused out of the manifest; where it is not in it: "
        f"kubectl rollout resume -n {namespace} deployment.apps/web"
    )
    assert left.place is not None
    assert ending(said) is Outcome.TIMED_OUT


QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata: {name: none}
spec: {hard: {pods: "0"}}
"""
WARNED = "rules: {over-quota: warning, pod-refused: warning, undeclared-resources: warning}\n"


def test_a_quota_that_leaves_no_room_is_told_in_its_own_words(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = app(tmp_path, namespace, "nothing")
    manifest = root / "rcs/web.yaml"
    deployment = manifest.read_text().replace("    spec:", "    spec:\n      terminationGracePeriodSeconds: 0")
    manifest.write_text(QUOTA)
    told(root, api)
    quota = Resource("", "v1", "ResourceQuota", "resourcequotas", namespaced=True)
    # Until its controller has seen it, it holds nobody back.
    eventually(lambda: dig(api.get(quota, namespace, "none"), "status", "hard"))
    manifest.write_text(f"{QUOTA}---\n{deployment}")
    (root / "Kployfile").write_text(f"name: shop\nnamespace: {namespace}\n{WARNED}")
    found = failure(told(root, api))
    assert found.cause is not None
    assert found.cause.reason == "FailedCreate"
    assert "exceeded quota: none" in found.reason


class Deaf(Unwilling):
    """Gives no objects of a ``kind``: ``method`` of them fails with ``error``."""

    def __init__(self, real: Cluster, method: str, error: ClusterError, kind: str = "Event") -> None:
        super().__init__(real)
        self._method = method
        self._error = error
        self._kind = kind

    def refusal(self, method: str, resource: Resource) -> Exception | None:
        return self._error if method == self._method and resource.kind == self._kind else None


class Blind(Unwilling):
    """May not look at pods, ReplicaSets and events."""

    def refusal(self, method: str, resource: Resource) -> Exception | None:
        is_hidden = method == "list" and resource.kind in {"Pod", "ReplicaSet", "Event"}
        return Forbidden(f"you may not list {resource.plural}") if is_hidden else None


def test_who_may_not_look_at_pods_does_without(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    said = told(app(tmp_path, namespace, "no-command"), Blind(api), timeout=8)
    assert isinstance(said[-1], events.Finished)
    assert said[-1].outcome is Outcome.TIMED_OUT
    what = "why something is not ready cannot be told in full: you may not list"
    noted = sorted(event.text for event in said if isinstance(event, events.Noted) and what in event.text)
    assert noted == [f"{what} {kind} in namespace {namespace}" for kind in ("events", "pods", "replicasets")]


FAILING = {"backoffLimit": 0, "template": template("fail", **NEVER)}
"""A Job that fails, of which only its pods say why."""


def ending(said: list[Event]) -> Outcome:
    last = said[-1]
    assert isinstance(last, events.Finished)
    return last.outcome


def test_who_may_not_look_at_pods_waits_for_nothing_that_they_could_say_of_a_failure(
    api: ApiServer, tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "_GRACE", 1000.0)
    said = deployed(Blind(api), tmp_path, namespace, "Job", timeout=60, spec=FAILING)
    assert failure(said).reason == OFTEN
    assert failure(said).at < 50


def test_a_failure_whose_reason_cannot_be_had_is_told_when_its_grace_is_over(
    api: ApiServer, tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "_LOOK_AGAIN", 1000.0)
    without_pods = Deaf(api, "list", ServerFailed("no pods today"), "Pod")
    said = deployed(without_pods, tmp_path, namespace, "Job", timeout=60, spec=FAILING)
    assert failure(said).reason == OFTEN
    assert failure(said).at < 50


def test_a_failure_whose_reason_is_looked_for_when_the_time_is_up_is_a_failure(
    api: ApiServer, tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "_GRACE", 1000.0)
    without_pods = Deaf(api, "list", ServerFailed("no pods today"), "Pod")
    said = deployed(without_pods, tmp_path, namespace, "Job", timeout=15, spec=FAILING)
    assert (failure(said).reason, ending(said)) == (OFTEN, Outcome.FAILED)


@pytest.mark.usefixtures("nothing_takes_long")
def test_what_goes_well_is_not_asked_for_reasons(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    recording = RecordingCluster(api)
    assert told(app(tmp_path, namespace, "nothing"), recording)
    assert not {"Pod", "Event"} & set(recording.count("list"))


class LateWarnings(RecordingCluster):
    """Tells no warning before it is watched, and then all."""

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        listing = super().list(resource, namespace, selector, fields)
        return Listing((), "1") if resource.kind == "Event" else listing

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        return super().watch(resource, namespace, selector, "0" if resource.kind == "Event" else since, fields)


@pytest.fixture
def all_else_goes_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if other objects became ready all the time."""
    monkeypatch.setattr(explaining, "_PAUSE", 1000.0)
    monkeypatch.setattr(explaining, "_AT_ALL", 1000.0)


@pytest.mark.usefixtures("all_else_goes_well")
@pytest.mark.parametrize("seen", [RecordingCluster, LateWarnings])
def test_while_others_become_ready_reasons_are_looked_for_once_there_is_a_warning(
    api: ApiServer, tmp_path: Path, namespace: str, seen: type[RecordingCluster]
) -> None:
    assert failure(told(app(tmp_path, namespace, "image-not-found"), seen(api), timeout=120)).at < 50


@pytest.mark.usefixtures("all_else_goes_well")
@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("list", Forbidden("you may not list events")),
        ("watch", Forbidden("you may not watch events")),
        ("list", ServerFailed("no events today")),
        ("watch", ServerFailed("no events today")),
    ],
    ids=str,
)
def test_while_others_become_ready_and_no_warning_can_be_heard_reasons_are_looked_for_all_the_same(
    api: ApiServer, tmp_path: Path, namespace: str, method: str, error: ClusterError
) -> None:
    said = told(app(tmp_path, namespace, "no-command"), Deaf(api, method, error), timeout=120)
    assert failure(said).at < 50


@pytest.mark.usefixtures("all_else_goes_well")
def test_while_others_become_ready_and_nothing_warns_reasons_are_looked_for_before_the_end(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    recording = RecordingCluster(api)
    found = failure(told(app(tmp_path, namespace, "no-command"), recording, timeout=20))
    assert found.cause is not None
    assert found.cause.reason == "RunContainerError"
    assert found.at >= 10
    watched = [call.kind for call in recording.calls if call.method == "list" and call.kind in {"Event", "Pod"}]
    assert watched == ["Event", "Pod"]


def test_a_watch_of_chosen_fields_tells_nothing_else(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    told(app(tmp_path, namespace, "image-not-found"), api)
    event = Resource("", "v1", "Event", "events", namespaced=True)
    eventually(lambda: api.list(event, namespace, "", "type=Warning").items)
    every = api.list(event, namespace).items
    warnings = api.list(event, namespace, "", "type=Warning")
    assert {body["type"] for body in every} == {"Normal", "Warning"}
    assert warnings.items
    assert {body["type"] for body in warnings.items} == {"Warning"}
    first: Change = next(iter(api.watch(event, namespace, "", "0", "type=Warning")))
    assert first.body["type"] == "Warning"
