"""Every command in the documentation runs, and prints what the documentation says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from kploy.cli.main import _COMMANDS
from kploy.sandbox import Sandbox
from tests.cli.conftest import start

ROOT = Path(__file__).parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md"]


def blocks(document: str) -> list[str]:
    """The console blocks of a document."""
    return re.findall(r"^```console\n(.*?)^```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


def commands(document: str) -> list[tuple[str, list[str]]]:
    """The commands of a document in their order, each with the lines that follow it."""
    found: list[tuple[str, list[str]]] = []
    for line in "\n".join(blocks(document)).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def normal(line: str) -> str:
    """A line without what differs from run to run: times, endpoints so far, the width of columns."""
    line = re.sub(r"\b\d+ ep\b", "ep", re.sub(r"\b\d+(\.\d+)?[smh]\b", "", line))
    return " ".join(line.split())


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Path]:
    """A directory with the examples, and with sandboxes of its own."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    yield tmp_path
    start("sandbox", "down", "--all", cwd=tmp_path, XDG_STATE_HOME=str(tmp_path / "state"))


def session(script: str, cwd: Path, state: Path, kubeconfig: str = "/nowhere") -> str:
    """What one shell prints that runs a document's commands, each of which must succeed."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "KPLOY", "KUBE"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={**environment, "PATH": path, "XDG_STATE_HOME": str(state), "KUBECONFIG": kubeconfig},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.cluster
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_in_a_document_runs_and_prints_what_stands_there(document: str, workshop: Path) -> None:
    every = commands(document)
    cwd = ROOT if document == "CONTRIBUTING.md" else workshop
    script = "\n".join(command for command, _ in every if not command.startswith("make "))
    printed = {normal(line) for line in session(script, cwd, workshop / "state").splitlines()}
    promised = [normal(line) for _, lines in every for line in lines]
    assert [line for line in promised if line not in printed] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_in_a_document_exists(document: str) -> None:
    targets = set(re.findall(r"`make (\w+)`", (ROOT / document).read_text()))
    targets |= {command.removeprefix("make ") for command, _ in commands(document) if command.startswith("make ")}
    known = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets
    assert targets - known == set()


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in _COMMANDS if f"`kploy {name}" not in text] == []


def test_links_between_documents_lead_somewhere() -> None:
    for document in ROOT.glob("*.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text())
        assert [link for link in links if not (ROOT / link).exists()] == []


ON_WHAT_IS_DEPLOYED = {"history", "rollback", "destroy", "repair", "unlock"}

DEPLOYED = ["kploy run shop", "kploy run", "echo blue > env/COLOUR.config", "kploy run"]
"""Two apps are deployed, one of them twice."""


def examples(command: str) -> list[str]:
    """The calls of kploy among the examples in a command's help."""
    text = start(*command.split(), "--help", cwd=ROOT).stdout
    shown = text.partition("Examples:")[2].partition("\nOptions:")[0]
    lines = [re.split(r"  +", line.strip())[0] for line in shown.splitlines()]
    # Of a pipe, a redirection or a substitution only kploy's own part; of a list of commands all of it.
    return [
        line if "||" in line else call.strip() for line in lines for call in re.findall(r"kploy [^|>)]+", line)
    ]


@pytest.mark.cluster
@pytest.mark.parametrize("command", [name for name in _COMMANDS if name != "sandbox"])
def test_every_example_in_a_commands_help_runs(command: str, workshop: Path, cluster: Sandbox) -> None:
    calls = examples(command)
    assert calls
    # What asks for a name on a terminal is asked without one.
    calls = [f"{call} --yes" if call in {"kploy destroy", "kploy unlock"} else call for call in calls]
    own = f"sed -i 's/^namespace:.*/namespace: test-{uuid4().hex[:12]}/' Kployfile shop/Kployfile"
    ready = [] if command == "init" else ["kploy init --name here", "kploy init shop", own]
    script = "\n".join([*ready, *(DEPLOYED if command in ON_WHAT_IS_DEPLOYED else []), *calls])
    session(script, workshop, workshop / "state", str(cluster.kubeconfig))
