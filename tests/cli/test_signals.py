"""What a signal, a closed pipe or a full disk does to a run, and that the next one goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kploy.sandbox import Sandbox
from tests.cli.between import Between
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import config, configs, lease, listed, phase, rest, started, until
from tests.cli.test_run import STUCK
from tests.cluster.servers import Seen

pytestmark = pytest.mark.cluster


@contextmanager
def hanging_up_is_ignored() -> Iterator[None]:
    """The processes that begin meanwhile are not ended with their terminal, as by ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_saves_the_inventory_frees_the_lock_and_says_how_to_go_on(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"rcs/web.yaml": STUCK})
    with started(cluster, root, "run", "--atomic", "--timeout", "9m") as process:
        until(process, "deployment/web")
        process.send_signal(signal.SIGINT)
        code, said = rest(process)
    assert (code, said[-1]) == (130, "  kploy run --atomic goes on from here")
    assert (phase(live), listed(live)) == ("failed", ["web"])
    assert "holderIdentity" not in lease(live)["spec"]
    assert kploy("history").stdout.splitlines()[1].split()[2] == "interrupted"


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT, signal.SIGINT]],
    ids=["term", "hup", "int int"],
)
def test_who_leaves_at_once_leaves_everything_listed_and_the_next_run_begins_at_once(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live, signals: list[signal.Signals]
) -> None:
    root = write({"rcs/web.yaml": STUCK})
    with started(cluster, root, "run") as process:
        until(process, "deployment/web")
        for one in signals:
            process.send_signal(one)
        code, said = rest(process)
    assert (code, said[-1].endswith("kploy run goes on from here")) == (130, True), said
    assert listed(live) == ["web"]
    (root / "rcs/web.yaml").unlink()
    write({"resources/a.yaml": config("a")})
    result = kploy("run")
    assert result.code == 0
    assert "waiting for the lock" not in result.stderr
    assert (phase(live), listed(live)) == ("deployed", ["a"])


def test_who_wants_a_run_to_outlive_the_terminal_is_obeyed(cluster: Sandbox, write: Write) -> None:
    root = write({"rcs/web.yaml": STUCK})
    with hanging_up_is_ignored(), started(cluster, root, "run", "--timeout", "9m") as process:
        until(process, "deployment/web")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        code, said = rest(process)
    assert (code, said[-1]) == (130, "  kploy run goes on from here")


def test_a_rollback_that_was_interrupted_goes_on_to_the_same_revision(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"resources/a.yaml": config("a", "one")})
    assert kploy("run").code == 0
    write(
        {"resources/a.yaml": config("a", "two", **{"kploy.dev/keep": "true"}), "resources/stuck.yaml": config("b")}
    )
    assert kploy("run").code == 0
    path = f"/api/v1/namespaces/{live.namespace}/configmaps/b"
    body = dict(live.admin.get(path))
    body["metadata"]["finalizers"] = ["example.com/hold"]
    assert live.admin.request("PUT", path, body).code == 200
    with started(cluster, root, "rollback") as process:
        until(process, "waiting for example.com/hold")
        process.send_signal(signal.SIGINT)
        code, said = rest(process)
    assert (code, said[-1]) == (130, "  kploy rollback goes on from here")
    live.release("b")
    result = kploy("rollback")
    assert "deploying revision 1 again" in result.lines
    assert configs(live) == ["a"]


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_a_repair_that_writes_is_not_broken_off_in_between(
    kploy: Kploy,
    write: Write,
    live: Live,
    between: tuple[Between, str],
    cluster: Sandbox,
    ends: signal.Signals,
) -> None:
    root = write({"resources/a.yaml": config("a")})
    assert kploy("run").code == 0
    middle, kubeconfig = between
    taken = threading.Event()

    def holds(seen: Seen) -> bool:
        is_inventory = seen.method == "PUT" and seen.path.endswith("/configmaps/kploy-shop")
        if is_inventory:
            taken.set()
        return is_inventory

    middle.holds = holds
    with started(cluster, root, "repair", "--kubeconfig", kubeconfig) as process:
        assert taken.wait(50)
        process.send_signal(ends)
        if ends is signal.SIGINT:
            until(process, "stopping")
            middle.released.set()
        code, said = rest(process)
    assert ("goes on from here" in said[-1]) == (ends is signal.SIGTERM)
    assert code == (0 if ends is signal.SIGINT else 130)
    assert ("holderIdentity" in lease(live)["spec"]) == (ends is signal.SIGTERM)


def shell(cluster: Sandbox, root: object, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.replace("kploy", f"{sys.executable} -m kploy", 1)],
        cwd=str(root),
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "command", ["kploy run -o json | head -n 1", "kploy run 2>&1 | head -n 1", "kploy run >&- 2>&-"]
)
def test_a_deploy_finishes_though_nobody_reads_what_it_says(
    cluster: Sandbox, write: Write, live: Live, command: str
) -> None:
    root = write({"resources/a.yaml": config("a"), "resources/b.yaml": config("b")})
    assert shell(cluster, root, command).returncode == 0
    assert (phase(live), configs(live)) == ("deployed", ["a", "b"])


def test_a_home_that_cannot_be_written_does_not_matter(cluster: Sandbox, write: Write, live: Live) -> None:
    root = write({"resources/a.yaml": config("a")})
    nowhere = "/proc/no-such-home"
    places = {"HOME": nowhere, "XDG_CACHE_HOME": nowhere, "XDG_STATE_HOME": nowhere, "XDG_CONFIG_HOME": nowhere}
    done = shell(cluster, root, "kploy run", **places)
    assert (done.returncode, phase(live)) == (0, "deployed")


def test_a_full_disk_keeps_no_deploy_from_finishing(cluster: Sandbox, write: Write, live: Live) -> None:
    root = write({"resources/a.yaml": config("a"), "resources/b.yaml": config("b")})
    done = shell(cluster, root, "kploy run -o json > /dev/full")
    assert "Traceback" not in done.stderr
    assert (phase(live), configs(live)) == ("deployed", ["a", "b"])
