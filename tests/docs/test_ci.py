"""The hook for pre-commit and the workflow in the README are what those programs take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from kploy.cli.main import kploy

ROOT = Path(__file__).parents[2]


def hook() -> dict[str, Any]:
    (only,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return dict(only)


def documents() -> list[Any]:
    """The YAML blocks of the README."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(block) for block in blocks]


def parsed(line: str) -> dict[str, Any]:
    """What a command line asks for; raises UsageError if kploy does not take it."""
    program, name, *arguments = shlex.split(line.partition(">")[0])
    assert program == "kploy"
    with click.Context(kploy) as parent:
        command = kploy.get_command(parent, name)
        assert command is not None
        return command.make_context(name, arguments, parent=parent).params


def test_the_hook_calls_a_dry_run_that_needs_no_cluster() -> None:
    assert {key: hook()[key] for key in ("id", "language", "pass_filenames", "require_serial")} == {
        "id": "kploy-dryrun",
        "language": "python",
        "pass_filenames": False,
        "require_serial": True,
    }
    assert parsed(hook()["entry"])["offline"] is True
    assert parsed(f"{hook()['entry']} shop")["directory"] == Path("shop")


@pytest.mark.parametrize(
    ("file", "is_meant"),
    [
        ("Kployfile", True),
        ("shop/Kployfile", True),
        ("shop/Kployfile.lock", True),
        ("rcs/web.yaml", True),
        ("apps/shop/rcs/deep/er/web.json", True),
        ("services/web.url", True),
        ("shop/resources/crd.yml", True),
        ("env/COLOUR.config", True),
        ("README.md", False),
        ("Kployfile.example", False),
        ("src/main.py", False),
        ("myrcs/web.yaml", False),
        ("rcs", False),
    ],
)
def test_the_hook_runs_when_a_file_of_an_app_changes(file: str, is_meant: bool) -> None:
    assert (re.search(hook()["files"], file) is not None) == is_meant


def test_the_hooks_in_the_readme_exist_and_call_what_kploy_takes() -> None:
    (config,) = (document for document in documents() if "repos" in document)
    hooks = [one for repo in config["repos"] for one in repo["hooks"]]
    assert {one["id"] for one in hooks} == {hook()["id"]}
    for one in hooks:
        directory = parsed(shlex.join([*shlex.split(hook()["entry"]), *one["args"]]))["directory"]
        assert re.search(one["files"], f"{directory}/rcs/web.yaml")


def test_the_workflow_in_the_readme_calls_what_kploy_takes() -> None:
    (workflow,) = (document for document in documents() if "jobs" in document)
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    calls = [parsed(step) for step in steps if step.startswith("kploy ")]
    assert [(call["directory"], call["output"]) for call in calls] == [
        (Path("shop"), "sarif"),
        (Path("shop"), "text"),
    ]
