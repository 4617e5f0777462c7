"""What follows from the options: which cluster is talked to, and what kploy advises to type next."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
import yaml

from kploy.cli.options import Where, calls_of
from kploy.cli.run import run_command
from kploy.cluster.port import Unreachable
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_run import STUCK
from tests.makers import app_of


@pytest.mark.parametrize(
    ("typed", "advised"),
    [
        ([], "kploy list"),
        (["."], "kploy list ."),
        (["shop", "--context", "dev"], "kploy list shop --context dev"),
        (["--sandbox", "-n", "x", "a b;c"], "kploy list 'a b;c' --sandbox --namespace x"),
        (["--as", "bob", "--request-timeout", "1m30s"], "kploy list --as bob --request-timeout 90s"),
        (["--kubeconfig", "~/k $x", "--timeout", "9m", "-o", "json"], "kploy list --kubeconfig '~/k $x'"),
    ],
)
def test_advice_repeats_the_directory_and_the_flags_that_say_where(typed: list[str], advised: str) -> None:
    with click.Context(click.Group("kploy"), info_name="kploy") as parent:
        assert calls_of(run_command.make_context("run", list(typed), parent=parent)).of("list") == advised


@pytest.mark.parametrize("command", ["run", "dryrun", "list", "history", "rollback", "destroy", "init", "graph"])
def test_a_directory_that_is_empty_is_not_this_one(offline: Kploy, command: str) -> None:
    result = offline(command, "")
    assert result.code == 2
    assert result.lines[-1] == "Error: Invalid value for '[DIR]': it is empty. Say which one, or leave it out."


@pytest.mark.parametrize("flag", ["--context", "--kubeconfig", "--namespace", "--as"])
def test_a_name_that_is_empty_does_not_mean_the_default(offline: Kploy, flag: str) -> None:
    result = offline("destroy", flag, "", "--yes")
    assert result.code == 2
    assert result.lines[-1].endswith("it is empty. Say which one, or leave it out.")


@pytest.mark.cluster
def test_advice_after_a_timeout_can_be_typed_as_it_stands(kploy: Kploy, write: Write, live: Live) -> None:
    root = write({"rcs/web.yaml": STUCK})
    result = kploy("run", str(root), "-n", live.namespace, "--timeout", "2s")
    words = f"{root} --namespace {live.namespace}"
    assert result.code == 5
    assert result.lines[-2:] == [f"  wait  kploy run {words} --timeout 10m", f"  look  kploy list {words}"]


def test_the_end_of_a_command_is_the_end_of_its_connections(tmp_path: Path) -> None:
    path = tmp_path / "config"
    clusters = [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}]
    contexts = [{"name": "x", "context": {"cluster": "c"}}]
    path.write_text(
        yaml.safe_dump({"clusters": clusters, "contexts": contexts, "users": [], "current-context": "x"})
    )
    where = Where(
        sandbox=False, context=None, kubeconfig=str(path), namespace=None, user=None, request_timeout=None
    )
    with click.Context(click.Command("run")):
        cluster = where.connect(app_of())
        with pytest.raises(Unreachable, match="refuses the connection"):
            cluster.version()
    with pytest.raises(Unreachable, match="kploy ends"):
        cluster.version()
