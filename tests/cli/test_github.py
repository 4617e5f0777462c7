"""What a job of GitHub Actions gets to see: annotations, a summary, and no orders from anybody else."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest

from tests.cli.conftest import Kploy, Live, Result, Write
from tests.cli.test_run import FLAGS, STUCK, WEB
from tests.ui.runner import Order, orders

JOB = """\
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

ATTACK = "::add-mask::hunter2"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: {}\nrules: []\n"


def step(kploy: Kploy, root: Path, *arguments: str) -> tuple[Result, str]:
    """What a step that calls kploy prints, and its summary with the entities resolved."""
    summary = root / "summary.md"
    result = kploy(*arguments, GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(root), GITHUB_STEP_SUMMARY=str(summary))
    return result, unescape(summary.read_text(encoding="utf-8"))


def broken(write: Write) -> Path:
    """A workspace with an app in apps/shop."""
    root = write({"apps/shop/rcs/web.yaml": WEB.replace("image:", "imagee:")})
    (root / "Kployfile").rename(root / "apps" / "shop" / "Kployfile")
    return root


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_findings_are_annotations_on_stderr_with_paths_from_the_workspace(
    offline: Kploy, write: Write, output: str
) -> None:
    result, summary = step(offline, broken(write), "dryrun", "apps/shop", "--offline", "-o", output)
    where = {
        "file": "apps/shop/rcs/web.yaml",
        "line": "17",
        "col": "11",
        "endColumn": "17",
        "title": "unknown-field",
    }
    assert orders(result.stderr) == [
        Order("error", "`imagee` is not a field of Container\ndid you mean `image`?", where)
    ]
    assert orders(result.stdout) == []
    assert result.code == 3
    assert "| ❌ unknown-field | <code>apps/shop/rcs/web.yaml:17</code> |" in summary
    if output == "json":
        assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == [
            "Opened",
            "Checked",
            "Finished",
        ]
    if output == "sarif":
        assert len(json.loads(result.stdout)["runs"][0]["results"]) == 1


def test_elsewhere_there_are_none(offline: Kploy, write: Write) -> None:
    result = offline("dryrun", str(broken(write) / "apps" / "shop"), "--offline", GITHUB_ACTIONS="false")
    assert orders(result.stderr) == []


def test_a_cluster_that_cannot_be_reached_is_an_annotation_and_a_line_of_the_summary(
    offline: Kploy, write: Write
) -> None:
    result, summary = step(offline, write({"resources/flags.yaml": FLAGS.format("blue")}), "run")
    assert result.code == 4
    (order,) = orders(result.stderr)
    assert (order.name, order.properties) == ("error", {"title": "kploy"})
    assert summary.startswith(f"### kploy run\n\n❌ **{order.message.partition(chr(10))[0]}**")


@pytest.mark.parametrize("path", ["/dev/full", "no/such/file"])
def test_a_summary_that_cannot_be_written_changes_nothing_else(offline: Kploy, write: Write, path: str) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    result = offline("dryrun", "--offline", GITHUB_STEP_SUMMARY=path)
    assert (result.code, result.stdout) == (0, "")
    assert "the job summary is not complete" in result.lines[-1]


def test_names_from_files_give_the_runner_no_orders(offline: Kploy, write: Write) -> None:
    attacks = {
        "services/a ##[error]x.yaml": "a",
        "rcs/x.yaml": f'"{ATTACK}": 1\nkind: "{ATTACK}"\n::add-mask::x: 2\n',
        "resources/y.yaml": f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: "x\\n{ATTACK}"}}\n',
        "resources/z.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: |\n  x\n  {ATTACK}\n  ##[error]z\n",
    }
    for output in ("text", "json", "sarif"):
        result = offline("dryrun", str(write(attacks)), "--offline", "-o", output)
        assert result.code == 3
        assert orders(result.stdout + result.stderr) == []
    assert orders(offline("dryrun", f"\n{ATTACK}\n##[error]x").stderr) == []


@pytest.mark.cluster
def test_names_from_the_cluster_give_the_runner_no_orders(kploy: Kploy, write: Write) -> None:
    write({f"resources/{n}.yaml": ROLE.format(json.dumps(name)) for n, name in enumerate((ATTACK, "##[error]x"))})
    result, _ = step(kploy, write(), "run")
    assert result.code == 0
    assert orders(result.stdout + result.stderr) == []
    for output in ("table", "wide", "name", "json", "yaml"):
        listed = kploy("list", "-o", output)
        assert listed.code == 0
        assert "add-mask" in listed.stdout
        assert orders(listed.stdout + listed.stderr) == []


@pytest.mark.cluster
def test_a_rollout_that_fails_is_annotated_where_the_manifest_names_the_object(
    kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"rcs/all.yaml": f"{STUCK}---\n{JOB}", "resources/flags.yaml": FLAGS.format("blue")})
    result, summary = step(kploy, root, "run", "--timeout", "10s")
    assert result.code in {1, 5}
    found = {order.properties["title"]: order for order in orders(result.stderr)}
    line = STUCK.count("\n") + 7
    assert found["rollout-failed"] == Order(
        "error",
        "job/migrate: DeadlineExceeded: not done within 1 s, its activeDeadlineSeconds\n"
        f"give it more time, or see what its pods do: kubectl describe -n {live.namespace} job.batch/migrate",
        {"file": "rcs/all.yaml", "line": str(line), "col": "26", "endColumn": "27", "title": "rollout-failed"},
    )
    assert found["not-ready"].properties["line"] == "22"
    assert f"/{live.namespace}\n\n❌ **" in summary
    assert "| ❌ | <code>job/migrate</code> | created | DeadlineExceeded" in summary
    assert "| ✅ | <code>configmap/flags</code> | created | 1 key |" in summary
    assert "<code>rcs/all.yaml</code>" in summary


@pytest.mark.cluster
def test_the_summary_of_a_dry_run_has_the_plan(kploy: Kploy, write: Write) -> None:
    _, summary = step(kploy, write({"resources/flags.yaml": FLAGS.format("blue")}), "dryrun")
    assert "| created | <code>configmap/flags</code> | <code>resources/flags.yaml</code> |" in summary
