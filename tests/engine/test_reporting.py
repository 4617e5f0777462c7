"""What there is to see of a rollout that went wrong on the real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.port import Forbidden, Invalid, NotFound
from kploy.model.events import Failed, Finished, Logged, Unfinished
from kploy.model.evidence import LogTail, Runbook, Serving, Witness
from kploy.model.report import Outcome
from kploy.sandbox.pod_logs import pod_logs
from tests.engine.test_diagnosis import Blind, app, failure, told
from tests.fakes import RecordingCluster

pytestmark = pytest.mark.cluster


def written(file: str) -> tuple[str, ...]:
    """The last lines of what every container of the sandbox writes."""
    return tuple(line.split(" F ", 1)[1] for line in pod_logs()[file].splitlines())[-25:]


def crashing(root: Path) -> None:
    manifest = root / "rcs/web.yaml"
    manifest.write_text(manifest.read_text().replace("plays: nothing", "plays: crash"))


def test_a_failure_says_what_still_serves_and_what_the_container_said_last(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = app(tmp_path, namespace, "nothing")
    assert told(root, api)[-1].outcome is Outcome.DONE  # type: ignore[union-attr]
    crashing(root)
    (root / "runbooks").mkdir()
    (root / "runbooks/CrashLoopBackOff.md").write_text("call the *database* team\n")
    said = told(root, api)
    found = failure(said)
    assert found.cause is not None
    assert found.evidence is not None
    assert found.evidence.serving == Serving(0, 1, ("ghcr.io/acme/web:1.0.0",), 1)
    assert [notice.reason for notice in found.evidence.notices] == ["BackOff"]
    assert found.runbook == Runbook("runbooks/CrashLoopBackOff.md", "call the *database* team")
    (logged,) = [event for event in said if isinstance(event, Logged)]
    witness = Witness(found.cause.pods[0], "web", is_previous=True)
    assert logged.logs == (LogTail(witness, written("pod-previous.log")),)
    assert isinstance(said[-1], Finished)
    assert (said[-1].outcome, said[-1].good) == (Outcome.FAILED, 1)


def test_what_is_not_ready_in_time_is_reported_as_well(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    said = told(app(tmp_path, namespace, "not-ready"), api, timeout=5)
    (late,) = [event for event in said if isinstance(event, Unfinished)]
    assert late.evidence is not None
    assert late.evidence.serving == Serving(0, 0)
    assert late.place is not None
    assert late.place.file == "rcs/web.yaml"
    (logged,) = [event for event in said if isinstance(event, Logged)]
    assert [log.lines for log in logged.logs] == [written("pod.log")]


JOB = """\
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
      containers: [{name: migrate, image: "ghcr.io/acme/migrate:1.0.0"}]
"""


def test_a_job_that_fails_at_once_is_told_with_its_cause_and_its_log(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = app(tmp_path, namespace, "nothing")
    (root / "rcs/web.yaml").write_text(JOB)
    said = told(root, api)
    found = failure(said)
    assert found.cause is not None
    assert found.cause.reason == "Error"
    (logged,) = [event for event in said if isinstance(event, Logged)]
    assert [log.lines for log in logged.logs] == [written("pod.log")]


def test_a_job_whose_pods_nobody_may_look_at_has_failed_all_the_same(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = app(tmp_path, namespace, "nothing")
    (root / "rcs/web.yaml").write_text(JOB)
    found = failure(told(root, Blind(api)))
    assert found.cause is not None
    assert (found.cause.reason, found.cause.pods) == ("BackoffLimitExceeded", ())


class Deaf(RecordingCluster):
    """May not read logs."""

    def log(self, *_: Any, **__: Any) -> str:
        raise Forbidden("you may not get pods/log")


def test_who_may_not_read_logs_is_told_why_there_are_none(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    said = told(app(tmp_path, namespace, "crash"), Deaf(api))
    (logged,) = [event for event in said if isinstance(event, Logged)]
    assert [(log.lines, log.missing) for log in logged.logs] == [((), "you may not get pods/log")]


def with_secret(tmp_path: Path, namespace: str) -> Path:
    """An app whose container says, as it gives up, what is a secret of the app."""
    root = app(tmp_path, namespace, "crash")
    secret = root / "env/DATABASE.secret"
    secret.parent.mkdir()
    secret.write_text("the database does not\n")
    secret.chmod(0o600)
    return root


def test_what_a_container_says_is_masked_as_far_as_it_is_a_secret_of_the_app(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = with_secret(tmp_path, namespace)
    (logged,) = [event for event in told(root, api) if isinstance(event, Logged)]
    assert logged.logs[0].lines[-1] == "giving up: •••••• answer"


class Wordy(RecordingCluster):
    """Has a secret where a long line is cut."""

    def log(self, *_: Any, **__: Any) -> str:
        return "x" * 1990 + "the database does not" + "y" * 100


def test_a_long_line_is_cut_after_it_is_masked_and_no_part_of_a_secret_is_left(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = with_secret(tmp_path, namespace)
    (logged,) = [event for event in told(root, Wordy(api)) if isinstance(event, Logged)]
    assert logged.logs[0].lines == ("x" * 1990 + "••••••yyyy (and 96 characters more)",)


def test_of_many_objects_in_trouble_only_some_are_asked_for_their_logs(
    api: ApiServer, tmp_path: Path, namespace: str
) -> None:
    root = app(tmp_path, namespace, "crash")
    manifest = (root / "rcs/web.yaml").read_text()
    for number in range(7):
        (root / f"rcs/web{number}.yaml").write_text(manifest.replace(": web}", f": web{number}}}"))
    recording = RecordingCluster(api)
    said = told(root, recording)
    assert len([event for event in said if isinstance(event, Failed)]) == 8
    assert recording.count("log")["Pod"] == 5


def test_the_log_of_a_container_is_read_and_followed(api: ApiServer, tmp_path: Path, namespace: str) -> None:
    failing = failure(told(app(tmp_path, namespace, "crash"), api))
    assert failing.cause is not None
    pod = failing.cause.pods[0]
    lines = [line.split(" F ", 1)[1] for line in pod_logs()["pod.log"].splitlines()]
    assert api.log(namespace, pod, "web", lines=3).splitlines() == lines[-3:]
    following = api.follow_log(namespace, pod, "web")
    assert [next(following) for _ in lines] == lines
    following.close()  # type: ignore[attr-defined]
    with pytest.raises(Invalid, match="container nope is not valid"):
        api.log(namespace, pod, "nope", lines=3)
    with pytest.raises(NotFound, match="not found"):
        api.log(namespace, "nope", "web", lines=3)
