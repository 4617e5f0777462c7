"""``kploy graph``: what waits for what, without any network."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Kploy, Write
from tests.cli.test_run import APP, WEB


def test_the_graph_is_shown_in_waves_without_a_cluster(offline: Kploy, write: Write) -> None:
    write({**APP, "env/colour.config": "blue", "rcs/worker.yaml": later("worker", "deployment/web")})
    result = offline("graph")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout == (
        """\
  everything in env/ first: configmap/kploy-config
  Services before workloads: service/web
  1  configmap/kploy-config
  2  service/web             endpoints from deployment/web
     configmap/flags
  3  deployment/web
  4  deployment/worker       needs deployment/web ready
"""
    )


def test_the_graph_is_drawn_for_other_programs(offline: Kploy, write: Write) -> None:
    write(APP)
    assert offline("graph", "-o", "dot").stdout.startswith('digraph "shop" {\n')
    assert offline("graph", "-o", "mermaid").stdout.startswith("flowchart LR\n")
    document = json.loads(offline("graph", "-o", "json").stdout)
    assert (document["apiVersion"], document["kind"], document["app"]) == ("kploy.dev/v1", "Graph", "shop")
    assert [stop["ref"]["id"] for stop in document["stops"] if stop["ref"]] == [
        "service/web",
        "configmap/flags",
        "deployment.apps/web",
    ]


def test_without_graphviz_svg_is_refused_with_a_remedy(offline: Kploy, write: Write, tmp_path: Path) -> None:
    write(APP)
    result = offline("graph", "-o", "svg", PATH=str(tmp_path))
    assert (result.code, result.stdout) == (1, "")
    assert result.lines == [
        "error: svg is drawn by Graphviz, and there is no `dot` on the PATH",
        "  install Graphviz (its package is called graphviz), or take -o mermaid",
    ]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho 'Error: no layout' >&2\nexit 1\n", "error: Graphviz failed: Error: no layout"),
        ("no program", "cannot be started: Exec format error"),
    ],
)
def test_a_graphviz_that_fails_is_told(
    offline: Kploy, write: Write, tmp_path: Path, script: str, words: str
) -> None:
    write(APP)
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    program.write_text(script)
    program.chmod(0o755)
    result = offline("graph", "-o", "svg", PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert (result.code, result.stdout) == (1, "")
    assert words in result.lines[0]


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_with_graphviz_svg_has_every_object(offline: Kploy, write: Write) -> None:
    write(APP)
    result = offline("graph", "-o", "svg")
    assert result.code == 0
    assert "<svg" in result.stdout
    assert all(f">{name}<" in result.stdout for name in ("service/web", "configmap/flags", "deployment/web"))


@pytest.mark.parametrize("output", ["text", "dot", "svg"])
def test_an_app_whose_objects_wait_for_each_other_has_no_graph(offline: Kploy, write: Write, output: str) -> None:
    write({"rcs/a.yaml": later("a", "deployment/b"), "rcs/b.yaml": later("b", "deployment/a")})
    result = offline("graph", "-o", output)
    assert (result.code, result.stdout) == (3, "")
    assert "error[dependency-cycle]: these wait for each other" in result.stderr


def test_an_app_that_waits_for_what_it_does_not_have_has_no_graph(offline: Kploy, write: Write) -> None:
    write({"rcs/a.yaml": later("a", "deployment/b")})
    result = offline("graph")
    assert (result.code, result.stdout) == (3, "")
    assert "error[unknown-dependency]: deployment/a depends on `deployment/b`" in result.stderr


def later(name: str, after: str) -> str:
    """A Deployment that waits for another."""
    annotations = f"  name: {name}\n  annotations: {{kploy.dev/depends-on: {after}}}\n"
    return WEB.replace("  name: web\n", annotations, 1).replace("app: web", f"app: {name}")
