"""What cannot be changed is replaced: Jobs always, others with ``--replace``, what holds data never."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from kploy.model.objects import Body
from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_owners import CLAIM, JOB, SET
from tests.cli.test_run import FLAGS, WEB
from tests.eventually import eventually

pytestmark = pytest.mark.cluster

JOBS, DEPLOYMENTS, SETS = ("batch/v1", "Job"), ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet")
FROZEN = FLAGS + "immutable: true\n"


def the(live: Live, kind: tuple[str, str], name: str) -> Body:
    return live.objects(kind)[f"{kind[1].lower()}/{name}"]


def uid(live: Live, kind: tuple[str, str], name: str) -> str:
    return str(the(live, kind, name)["metadata"]["uid"])


def test_a_changed_job_is_run_again_and_an_unchanged_one_is_left_alone(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/job.yaml": JOB})
    assert kploy("run").code == 0
    first = the(live, JOBS, "migrate")
    assert kploy("run").code == 0
    assert the(live, JOBS, "migrate") == first

    write({"rcs/job.yaml": JOB.replace("1.0.0", "1.0.1")})
    planned = kploy("dryrun", "-o", "json")
    assert planned.code == 0
    (change,) = next(e for e in map(json.loads, planned.stdout.splitlines()) if e["kind"] == "Planned")["plan"][
        "changes"
    ]
    assert (change["action"], change["reason"]) == ("replaced", "its template is immutable")
    assert [(field["name"], field["after"]) for field in change["fields"]] == [
        ("spec.template.spec.containers[a].image", "ghcr.io/acme/web:1.0.1")
    ]
    assert the(live, JOBS, "migrate") == first

    result = kploy("run")
    assert result.code == 0
    assert any("job/migrate" in line and "replaced" in line for line in result.lines)
    second = the(live, JOBS, "migrate")
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert second["status"]["succeeded"] == 1
    assert kploy("run").code == 0
    assert the(live, JOBS, "migrate") == second


@pytest.mark.parametrize(
    ("file", "before", "after", "kind", "name"),
    [
        ("rcs/web.yaml", WEB, WEB.replace("app: web", "app: net"), DEPLOYMENTS, "web"),
        ("rcs/db.yaml", SET, SET.replace("serviceName: db", "serviceName: other"), SETS, "db"),
        ("resources/flags.yaml", FROZEN.format("red"), FROZEN.format("blue"), ("v1", "ConfigMap"), "flags"),
    ],
)
def test_other_kinds_are_replaced_only_if_asked_to(  # noqa: PLR0917 - one row each
    kploy: Kploy, write: Write, live: Live, file: str, before: str, after: str, kind: tuple[str, str], name: str
) -> None:
    write({file: before})
    assert kploy("run", "--timeout", "20s").code == 0
    first = the(live, kind, name)
    write({file: after})
    for command in ("run", "dryrun"):
        result = kploy(command)
        assert result.code == 3
        assert "undo the change, or replace the object: the same command with --replace" in result.stderr
    assert kploy("dryrun", "--replace").code == 0
    assert the(live, kind, name) == first
    assert kploy("run", "--replace", "--timeout", "40s").code == 0
    assert uid(live, kind, name) != first["metadata"]["uid"]
    version = the(live, kind, name)["metadata"]["resourceVersion"]
    assert kploy("run", "--replace").code == 0
    assert the(live, kind, name)["metadata"]["resourceVersion"] == version


def test_a_rollback_that_needs_a_replacement_is_refused_without_being_asked_for_it(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/flags.yaml": FROZEN.format("red")})
    assert kploy("run").code == 0
    write({"resources/flags.yaml": FROZEN.format("blue")})
    assert kploy("run", "--replace").code == 0
    before = the(live, ("v1", "ConfigMap"), "flags")
    result = kploy("rollback")
    assert result.code == 3
    assert "undo the change, or replace the object: the same command with --replace" in result.stderr
    assert the(live, ("v1", "ConfigMap"), "flags") == before
    assert kploy("rollback", "--replace").code == 0
    after = the(live, ("v1", "ConfigMap"), "flags")
    assert (after["data"], after["metadata"]["uid"] != before["metadata"]["uid"]) == ({"colour": "red"}, True)


def test_what_holds_data_or_is_to_be_kept_is_not_replaced(kploy: Kploy, write: Write, live: Live) -> None:
    keep = FROZEN.replace("  name: flags\n", "  name: flags\n  annotations: {{kploy.dev/keep: 'true'}}\n")
    write({"resources/claim.yaml": CLAIM, "resources/flags.yaml": keep.format("red")})
    kploy("run", "--timeout", "4s")
    before = live.versions(("v1", "PersistentVolumeClaim"), ("v1", "ConfigMap"))
    write(
        {
            "resources/claim.yaml": CLAIM.replace("ReadWriteOnce", "ReadWriteMany"),
            "resources/flags.yaml": keep.format("blue"),
        }
    )
    result = kploy("run", "--replace")
    assert result.code == 3
    assert "undo the change: a claim can only grow" in result.stderr
    assert "undo the change: it is never replaced, for kploy.dev/keep asks for it" in result.stderr
    assert live.versions(("v1", "PersistentVolumeClaim"), ("v1", "ConfigMap")) == before


def test_what_the_new_one_would_be_refused_for_is_told_before_the_old_one_goes(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/web.yaml": WEB})
    assert kploy("run", "--timeout", "20s").code == 0
    before = uid(live, DEPLOYMENTS, "web")
    other = WEB.replace("app: web", "app: net").replace(
        "containerPort: 80", "containerPort: 80\n              name: Web!"
    )
    write({"rcs/web.yaml": other})
    result = kploy("run", "--replace")
    assert result.code == 3
    assert "kploy-rehearsal" not in result.stderr
    assert uid(live, DEPLOYMENTS, "web") == before


def test_a_run_that_was_killed_in_between_is_finished_by_the_next_one(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"rcs/job.yaml": JOB})
    assert kploy("run").code == 0
    resource = live.api.resource(*JOBS)
    assert resource is not None
    live.api.delete(resource, live.namespace, "migrate", uid=uid(live, JOBS, "migrate"))
    write({"rcs/job.yaml": JOB.replace("1.0.0", "1.0.1")})
    result = kploy("run")
    assert result.code == 0
    assert any("job/migrate" in line and "created" in line for line in result.lines)


def held(file: str) -> str:
    return file.replace("  name: flags\n", "  name: flags\n  finalizers: [kploy.dev/held]\n")


def test_what_does_not_go_in_time_is_told_with_what_holds_it(kploy: Kploy, write: Write, live: Live) -> None:
    write({"resources/flags.yaml": held(FROZEN).format("red")})
    assert kploy("run").code == 0
    write({"resources/flags.yaml": held(FROZEN).format("blue")})
    result = kploy("run", "--replace", "--timeout", "6s")
    assert result.code == 5
    assert "it is being deleted to be made anew, and is not gone yet: kploy.dev/held holds it" in result.stderr
    assert "the next run makes it" in result.stderr
    live.release("flags")
    assert kploy("run").code == 0
    assert the(live, ("v1", "ConfigMap"), "flags")["data"] == {"colour": "blue"}
    live.release("flags")


def test_an_interrupt_in_between_is_told_as_it_is(
    write: Write, kploy: Kploy, live: Live, cluster: Sandbox
) -> None:
    directory = write({"resources/flags.yaml": held(FROZEN).format("red")})
    assert kploy("run").code == 0
    write({"resources/flags.yaml": held(FROZEN).format("blue")})
    running = subprocess.Popen(
        [sys.executable, "-m", "kploy", "run", "--replace"],
        cwd=directory,
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: "deletionTimestamp" in the(live, ("v1", "ConfigMap"), "flags")["metadata"])
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=40)
    assert running.returncode == 130
    assert "configmap/flags" in said
    assert "it is being deleted to be made anew, and is not gone yet" in said
    live.release("flags")
    assert kploy("run").code == 0
    live.release("flags")
