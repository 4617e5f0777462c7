"""What kploy advises to type next is what the user typed, as far as it says which app and which cluster."""

from __future__ import annotations

import click
import pytest

from kploy.cli.options import calls_of
from kploy.cli.run import run_command
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_run import STUCK


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


@pytest.mark.cluster
def test_advice_after_a_timeout_can_be_typed_as_it_stands(kploy: Kploy, write: Write, live: Live) -> None:
    root = write({"rcs/web.yaml": STUCK})
    result = kploy("run", str(root), "-n", live.namespace, "--timeout", "2s")
    words = f"{root} --namespace {live.namespace}"
    assert result.code == 5
    assert (
        result.lines[-1]
        == f"  see how it goes on: kploy list {words}; wait longer: kploy run {words} --timeout 10m"
    )
