"""No wait is silent, and none is longer than ``--timeout`` says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kploy.sandbox import Sandbox
from tests.cli.between import Between
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import rest, started, until
from tests.cli.test_run import FLAGS, STUCK

pytestmark = pytest.mark.cluster

HELD = FLAGS.format("blue").replace("  name: flags\n", "  name: flags\n  finalizers: [kploy.dev/held]\n")


def test_a_run_waits_for_the_end_of_its_namespace_and_makes_it_anew(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"resources/flags.yaml": HELD})
    assert kploy("run").code == 0
    live.delete_namespace()
    write({"resources/flags.yaml": FLAGS.format("green")})
    with started(cluster, root, "run", "--timeout", "50s") as process:
        until(process, f"namespace {live.namespace} is being deleted: waiting until it is gone")
        live.release("flags")
        assert rest(process)[0] == 0
    assert live.objects(("v1", "ConfigMap"))["configmap/flags"]["data"] == {"colour": "green"}


def test_a_namespace_that_does_not_end_in_time_is_named_with_what_is_left_in_it(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/flags.yaml": HELD})
    assert kploy("run").code == 0
    live.delete_namespace()
    result = kploy("run", "--timeout", "2s")
    assert result.code == 5
    assert f"namespace {live.namespace} is being deleted, and was not gone in time" in result.stderr
    result = kploy("dryrun")
    assert result.code == 1
    assert f"namespace {live.namespace} is being deleted, and takes nothing new" in result.stderr
    assert "kploy run waits until it is gone" in result.stderr
    live.release("flags")


def test_a_comparison_that_has_to_wait_says_so_and_ends_with_the_timeout(
    kploy: Kploy, write: Write, between: tuple[Between, str]
) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    assert kploy("run").code == 0
    write({"resources/flags.yaml": FLAGS.format("green")})
    middle, config = between
    middle.fails = lambda seen: seen.method == "PATCH"
    middle.failing.set()
    # It is told after 3 s at the soonest, and the longest pause between two tries is 8 s.
    result = kploy("run", "--timeout", "16s", KUBECONFIG=config)
    assert result.code in {1, 4}
    assert "trying again, for" in result.stderr


def start(directory: Path, config: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kploy", "run", *arguments],
        cwd=directory,
        env={**os.environ, "KUBECONFIG": config},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("interrupts", [False, True])
def test_a_run_whose_server_is_gone_ends_soon_after_its_deadline_or_an_interrupt(
    write: Write, between: tuple[Between, str], interrupts: bool
) -> None:
    middle, config = between
    directory = write({"rcs/web.yaml": STUCK})
    running = start(directory, config, "--timeout", "300s" if interrupts else "8s")
    assert running.stderr
    for line in running.stderr:
        if "deployment/web" in line:
            break
    middle.failing.set()
    if interrupts:
        running.send_signal(signal.SIGINT)
    # Without an end of the last words it would go on for three minutes.
    assert running.wait(50) in ({130, 1} if interrupts else {5, 1})
    running.stderr.close()


def test_an_interrupt_of_a_comparison_that_waits_ends_it(write: Write, between: tuple[Between, str]) -> None:
    middle, config = between
    middle.fails = lambda seen: seen.method == "PATCH"
    middle.failing.set()
    running = start(write({"resources/flags.yaml": FLAGS.format("blue")}), config)
    assert running.stderr
    for line in running.stderr:
        if "trying again" in line:
            break
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 130
    running.stderr.close()
