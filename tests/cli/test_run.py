"""``kploy run`` on a real API server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kploy.model.app import app_id
from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Result, Write

pytestmark = pytest.mark.cluster

FLAGS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: flags\ndata:\n  colour: {}\n"

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:1.0.0
          ports:
            - containerPort: 80
          readinessProbe:
            tcpSocket: {port: 80}
"""

STUCK = WEB + "      nodeSelector:\n        disk: quantum\n"
"""A Deployment that no node can take."""

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
"""

APP = {"rcs/web.yaml": WEB, "services/web.yaml": SERVICE, "resources/flags.yaml": FLAGS.format("blue")}

KINDS = (("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "ConfigMap"), ("v1", "Secret"))


def ends(result: Result) -> list[str]:
    """The lines for what is final, in any order, and however many endpoints there were by then."""
    finals = [line for line in result.lines if line.startswith(("  ✓", "  ✗", "  ·"))]
    return sorted(" ".join(re.sub(r"\b\d+ ep\b", "ep", line).split()) for line in finals)


def test_deploys_everything_creates_the_namespace_and_waits_until_it_is_ready(
    kploy: Kploy, write: Write, live: Live, namespace: str
) -> None:
    write(APP)
    result = kploy("run")
    assert result.code == 0
    assert result.stdout == ""
    assert ends(result) == [
        "✓ configmap/flags created 1 key",
        "✓ deployment/web created 2/2 ready",
        f"✓ namespace/{namespace} created",
        "✓ service/web created ep",
    ]
    assert result.lines[0].startswith("shop → ")
    assert result.lines[-1] == "✓ shop is up: 4 created"
    found = live.objects(*KINDS)
    assert found["deployment/web"]["status"]["readyReplicas"] == 2
    ours, state = {"kploy.dev/app": app_id("shop", namespace)}, {"kploy.dev/state-of": app_id("shop", namespace)}
    assert {
        name: body["metadata"]["labels"] for name, body in found.items() if name != "configmap/kube-root-ca.crt"
    } == {
        "deployment/web": ours,
        "service/web": ours,
        "configmap/flags": ours,
        "configmap/kploy-shop": state,
        "secret/kploy-shop-r1": state,
    }


def test_a_second_run_finds_everything_unchanged_and_writes_nothing(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({**APP, "env/PASSWORD.secret": "hunter2\n", "env/COLOUR.config": "blue\n"})
    assert kploy("run").code == 0
    before = live.versions(*KINDS)
    result = kploy("run")
    assert result.code == 0
    assert result.lines[-1] == "✓ shop is up: 5 unchanged"
    assert live.versions(*KINDS) == before


def test_a_second_run_does_not_write_that_there_are_no_annotations_where_a_controller_has_put_some(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/web.yaml": WEB.replace("  name: web\n", "  name: web\n  annotations: {}\n", 1)})
    assert kploy("run").code == 0
    assert live.objects(KINDS[0])["deployment/web"]["metadata"]["annotations"] != {}
    assert kploy("run").lines[-1] == "✓ shop is up: 1 unchanged"


def test_a_changed_manifest_is_configured_and_the_rest_left_alone(kploy: Kploy, write: Write, live: Live) -> None:
    write(APP)
    kploy("run")
    before = live.versions(*KINDS)
    write({"resources/flags.yaml": FLAGS.format("green")})
    result = kploy("run")
    assert result.code == 0
    assert result.lines[-1] == "✓ shop is up: 1 configured, 2 unchanged"
    after = live.versions(*KINDS)
    assert {name for name in after if after[name] != before.get(name)} == {
        "configmap/flags",
        "configmap/kploy-shop",
        "secret/kploy-shop-r2",
    }
    assert live.objects(*KINDS)["configmap/flags"]["data"] == {"colour": "green"}


def test_a_field_that_leaves_the_manifest_leaves_the_cluster(kploy: Kploy, write: Write, live: Live) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue") + "  size: big\n"})
    kploy("run")
    write({"resources/flags.yaml": FLAGS.format("blue")})
    assert kploy("run").lines[-1] == "✓ shop is up: 1 configured"
    assert live.objects(*KINDS)["configmap/flags"]["data"] == {"colour": "blue"}


def test_env_becomes_a_secret_and_a_configmap_before_what_uses_them(
    kploy: Kploy, write: Write, live: Live
) -> None:
    using = WEB + (
        "          envFrom:\n"
        "            - secretRef: {name: kploy-secrets}\n"
        "            - configMapRef: {name: kploy-config}\n"
    )
    write({"rcs/web.yaml": using, "env/PASSWORD.secret": "hunter2\n\n", "env/COLOUR.config": "blue\n"})
    result = kploy("run", "-o", "json")
    assert result.code == 0
    events = [json.loads(line) for line in result.stdout.splitlines()]
    order = [event["ref"]["id"] for event in events if event["kind"] == "Applied"]
    assert order[-1] == "deployment.apps/web"
    assert set(order[1:3]) == {"secret/kploy-secrets", "configmap/kploy-config"}
    found = live.objects(*KINDS)
    assert found["secret/kploy-secrets"]["data"] == {"PASSWORD": "aHVudGVyMgo="}
    assert found["configmap/kploy-config"]["data"] == {"COLOUR": "blue"}
    assert "hunter2" not in result.stdout + result.stderr
    assert "aHVudGVyMgo" not in result.stdout + result.stderr


def test_json_output_is_one_versioned_event_a_line_and_ends_with_the_outcome(kploy: Kploy, write: Write) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    result = kploy("run", "-o", "json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert {event["apiVersion"] for event in events} == {"kploy.dev/v1"}
    kinds = ["Opened", "Checked", "Planned", "Applied", "Ready", "Applied", "Ready", "Finished"]
    assert [event["kind"] for event in events] == kinds
    assert events[-1]["outcome"] == {"exitCode": 0, "name": "done"}
    assert result.stderr == ""


def test_gives_up_after_the_timeout_with_code_5_and_says_what_is_missing(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": STUCK})
    result = kploy("run", "--timeout", "6s")
    assert result.code == 5
    assert any("deployment/web" in line and "applied, not ready" in line for line in result.lines)
    assert "shop is not up after" in result.lines[-3]


def test_what_needs_a_failed_object_is_not_started_and_the_rest_is_deployed(
    kploy: Kploy, write: Write, live: Live
) -> None:
    job = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
spec:
  activeDeadlineSeconds: 1
  template:
    spec:
      nodeSelector: {disk: quantum}
      restartPolicy: Never
      containers:
        - {name: migrate, image: "ghcr.io/acme/web:1.0.0"}
"""
    waiting = WEB.replace("  name: web\n", "  name: web\n  annotations: {kploy.dev/depends-on: job/migrate}\n", 1)
    write({"rcs/migrate.yaml": job, "rcs/web.yaml": waiting, "resources/flags.yaml": FLAGS.format("blue")})
    result = kploy("run")
    assert result.code == 1
    assert ends(result) == [
        "· deployment/web not started: job/migrate failed",
        "✓ configmap/flags created 1 key",
        f"✓ namespace/{live.namespace} created",
        "✗ job/migrate DeadlineExceeded: not done within 1 s, its activeDeadlineSeconds",
    ]
    assert sorted(live.objects(*KINDS)) == [
        "configmap/flags",
        "configmap/kploy-shop",
        "configmap/kube-root-ca.crt",
        "secret/kploy-shop-r1",
    ]


def test_refuses_an_object_that_belongs_to_somebody_else_before_it_writes(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    kploy("run")
    before = live.versions(*KINDS)
    write({"resources/extra.yaml": FLAGS.format("x").replace("flags", "extra")}, name="other")
    result = kploy("run")
    assert result.code == 6
    assert "error[foreign-object]: configmap/flags exists already and does not belong to this app" in result.stderr
    assert "resources/flags.yaml:4:9" in result.stderr
    assert live.versions(*KINDS) == before


def test_findings_stop_the_run_before_anything_is_written(kploy: Kploy, write: Write, live: Live) -> None:
    write({"rcs/web.yaml": WEB.replace("image:", "imagee:"), "resources/flags.yaml": FLAGS.format("blue")})
    result = kploy("run")
    assert result.code == 3
    assert "error[unknown-field]" in result.stderr
    assert not live.namespace_exists()


def test_what_only_the_server_knows_to_be_wrong_stops_the_run_even_in_a_new_namespace(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/web.yaml": WEB + "          volumeMounts:\n            - {name: data, mountPath: /data}\n"})
    result = kploy("run")
    assert result.code == 3
    assert "error[refused-by-server]" in result.stderr
    assert "rcs/web.yaml:23:22" in result.stderr
    assert not live.namespace_exists()


def interrupted(cluster: Sandbox, app: Path, *signals: signal.Signals) -> tuple[int, list[str]]:
    """The exit code and the words of a run that gets ``signals``, one a line, once something was created."""
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    command = [sys.executable, "-m", "kploy", "run"]
    with subprocess.Popen(command, cwd=app, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        pending = list(signals)
        for line in process.stderr:
            said.append(line.rstrip())
            if pending and (len(pending) < len(signals) or "deployment/web created" in " ".join(line.split())):
                process.send_signal(pending.pop(0))
        return process.wait(timeout=30), said


def test_ctrl_c_ends_the_run_with_130_and_says_how_to_go_on(cluster: Sandbox, write: Write) -> None:
    code, said = interrupted(cluster, write({"rcs/web.yaml": STUCK}), signal.SIGINT)
    assert code == 130
    assert said[-1] == "  kploy run goes on from here"
    assert any("deployment/web" in line and "applied, not ready" in line for line in said)


def test_sigterm_leaves_at_once(cluster: Sandbox, write: Write) -> None:
    code, said = interrupted(cluster, write({"rcs/web.yaml": STUCK}), signal.SIGTERM)
    assert code == 130
    assert said[-1] == "kploy: left at once; kploy run goes on from here"
