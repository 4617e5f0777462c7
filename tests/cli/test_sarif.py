"""``kploy dryrun -o sarif``, as code scanning takes it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Kploy, Result, Write
from tests.cli.test_run import FLAGS, SERVICE, WEB
from tests.ui.test_sarif import sound


def run_of(result: Result) -> dict[str, Any]:
    """The run that a command wrote, which is valid."""
    return sound(json.loads(result.stdout))


def found(run: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Rule, file and line of each result; without a region the line is 0."""
    places = [(result["ruleId"], result["locations"][0]["physicalLocation"]) for result in run["results"]]
    return [
        (rule, place["artifactLocation"]["uri"], place.get("region", {}).get("startLine", 0))
        for rule, place in places
    ]


def test_offline_it_has_every_finding(offline: Kploy, write: Write) -> None:
    write(
        {
            "rcs/web.yaml": WEB.replace("image:", "imagee:"),
            "services/web.yaml": SERVICE.replace("Service", "Servce"),
        }
    )
    result = offline("dryrun", "--offline", "-o", "sarif")
    run = run_of(result)
    assert (result.code, result.stderr) == (3, "")
    assert found(run) == [("unknown-field", "rcs/web.yaml", 17), ("unknown-kind", "services/web.yaml", 2)]
    assert (run["invocations"][0]["executionSuccessful"], run["invocations"][0]["exitCode"]) == (True, 3)


def test_an_app_without_findings_has_a_document_without_results(offline: Kploy, write: Write) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    result = offline("dryrun", "--offline", "-o", "sarif")
    assert (result.code, found(run_of(result))) == (0, [])


@pytest.mark.parametrize(
    ("kployfile", "expected"),
    [
        ("name: [", [("yaml-syntax", "Kployfile", 1)]),
        ("namespace: x\n", [("missing-key", "Kployfile", 1)]),
        (None, [("no-kployfile", "Kployfile", 0)]),
    ],
)
def test_a_kployfile_that_is_illegible_is_a_result_too(
    offline: Kploy, write: Write, kployfile: str | None, expected: list[tuple[str, str, int]]
) -> None:
    root = write({"resources/flags.yaml": FLAGS.format("blue"), "Kployfile": kployfile or ""})
    if kployfile is None:
        (root / "Kployfile").unlink()
    result = offline("dryrun", "--offline", "-o", "sarif")
    assert (result.code, found(run_of(result))) == (3, expected)


def test_without_a_cluster_the_document_says_what_kept_it_from_being_asked(offline: Kploy, write: Write) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    result = offline("dryrun", "-o", "sarif")
    (invocation,) = run_of(result)["invocations"]
    assert (result.code, invocation["exitCode"], invocation["executionSuccessful"]) == (4, 4, False)
    assert "no-such-kubeconfig" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_two_runs_write_the_same_document(offline: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": WEB.replace("image:", "imagee:")})
    first, second = (offline("dryrun", "--offline", "-o", "sarif").stdout for _ in range(2))
    assert first == second


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", ">/dev/full", "| true"])
def test_wherever_it_is_written_the_exit_code_says_how_it_ended(
    write: Write, output: str, redirection: str
) -> None:
    root = write({"rcs/web.yaml": WEB.replace("image:", "imagee:")})
    script = f"set -o pipefail; {sys.executable} -m kploy dryrun --offline -o {output} {redirection}"
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"}
    for more in ({}, {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"}):
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=root,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3
        assert "Traceback" not in done.stderr
    assert "❌" in (root / "summary.md").read_text()


@pytest.mark.cluster
def test_with_a_cluster_it_has_what_only_the_server_knows(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": WEB + "          volumeMounts:\n            - {name: data, mountPath: /data}\n"})
    result = kploy("dryrun", "-o", "sarif")
    assert (result.code, found(run_of(result))) == (3, [("refused-by-server", "rcs/web.yaml", 23)])


@pytest.mark.cluster
def test_pending_changes_are_no_result(kploy: Kploy, write: Write) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    result = kploy("dryrun", "-o", "sarif", "--exit-code")
    assert (result.code, found(run_of(result))) == (10, [])
