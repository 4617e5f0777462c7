"""Two runs never interleave: who waits, for whom, and who is taken over."""

from __future__ import annotations

import signal

import pytest

from kploy.sandbox import Sandbox
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import config, configs, hold, lease, listed, phase, rest, started, until
from tests.cli.test_run import STUCK

pytestmark = pytest.mark.cluster


def deployed(kploy: Kploy, write: Write) -> None:
    write({"resources/a.yaml": config("a")})
    assert kploy("run").code == 0


def test_the_lock_is_free_after_a_run_and_an_unchanged_app_takes_none(
    kploy: Kploy, write: Write, live: Live
) -> None:
    deployed(kploy, write)
    before = lease(live)
    assert "holderIdentity" not in before["spec"]
    assert kploy("run").code == 0
    assert lease(live) == before


def test_a_run_elsewhere_is_waited_for_and_named_until_the_timeout(kploy: Kploy, write: Write, live: Live) -> None:
    deployed(kploy, write)
    hold(live)
    before = live.versions(("v1", "ConfigMap"), ("v1", "Secret"))
    write({"resources/a.yaml": config("a", "other")})
    result = kploy("run", "--timeout", "3s")
    assert result.code == 6
    assert "waiting for the lock, held by ada@laptop, process 4711, kploy run" in result.lines
    assert result.lines[-2:] == [
        "error: the app is being deployed by ada@laptop, process 4711, kploy run",
        "  wait for it; if that run is gone for good: kploy unlock",
    ]
    assert live.versions(("v1", "ConfigMap"), ("v1", "Secret")) == before


def test_a_lease_that_nobody_renews_is_taken_over_when_it_has_run_out(
    kploy: Kploy, write: Write, live: Live
) -> None:
    deployed(kploy, write)
    hold(live, duration=2)
    write({"resources/a.yaml": config("a", "other")})
    result = kploy("run")
    assert result.code == 0
    assert "waiting for the lock, held by ada@laptop, process 4711, kploy run" in result.lines
    assert lease(live)["spec"]["leaseTransitions"] > 0


def test_the_second_of_two_runs_waits_for_the_first_and_is_whole(
    cluster: Sandbox, write: Write, live: Live
) -> None:
    root = write({"rcs/web.yaml": STUCK, "resources/a.yaml": config("a", "one")})
    with started(cluster, root, "run") as first:
        until(first, "deployment/web")
        write({"resources/a.yaml": config("a", "two"), "resources/b.yaml": config("b")})
        (root / "rcs/web.yaml").unlink()
        with started(cluster, root, "run") as second:
            said = until(second, "waiting for the lock, held by")
            assert f"process {first.pid}, kploy run" in said[-1]
            first.send_signal(signal.SIGINT)
            assert rest(first)[0] == 130
            code, said = rest(second)
    assert (code, said[-1].split("   ")[0]) == (0, "✓ shop is up: 1 created, 1 configured, 1 pruned")
    assert configs(live) == listed(live) == ["a", "b"]
    assert live.objects(("apps/v1", "Deployment")) == {}


def test_a_run_that_was_killed_is_taken_over_at_once(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"rcs/web.yaml": STUCK})
    with started(cluster, root, "run") as first:
        until(first, "deployment/web")
        first.kill()
        first.wait()
    assert lease(live)["spec"]["holderIdentity"]
    assert phase(live) == "applying"
    (root / "rcs/web.yaml").unlink()
    write({"resources/a.yaml": config("a")})
    result = kploy("run")
    assert result.code == 0
    assert [line for line in result.lines if "waiting for the lock" in line] == []
    assert (phase(live), listed(live)) == ("deployed", ["a"])
    assert live.objects(("apps/v1", "Deployment")) == {}


def test_a_run_that_was_stopped_writes_nothing_after_somebody_took_its_lock(
    cluster: Sandbox, kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"rcs/web.yaml": STUCK})
    with started(cluster, root, "run") as first:
        until(first, "deployment/web")
        first.send_signal(signal.SIGSTOP)
        assert kploy("unlock", "--yes").code == 0
        (root / "rcs/web.yaml").unlink()
        write({"resources/a.yaml": config("a")})
        assert kploy("run").code == 0
        kinds = ("v1", "ConfigMap"), ("v1", "Secret"), ("apps/v1", "Deployment")
        before = live.versions(*kinds)
        first.send_signal(signal.SIGCONT)
        first.send_signal(signal.SIGINT)
        code, said = rest(first)
    assert code != 0
    assert any("lock of the app" in line or "somebody changed the inventory" in line for line in said)
    assert live.versions(*kinds) == before


def test_unlock_names_the_holder_and_asks(kploy: Kploy, write: Write, live: Live) -> None:
    deployed(kploy, write)
    assert kploy("unlock").lines == ["nobody holds the lock of shop"]
    hold(live)
    result = kploy("unlock")
    assert result.code == 2
    assert result.lines[0].startswith(
        "shop is being deployed by ada@laptop, process 4711, kploy run; last sign of"
    )
    assert result.lines[1:] == [
        "error: there is no terminal to ask on; nothing was changed",
        "  say --yes if it is meant",
    ]
    assert lease(live)["spec"]["holderIdentity"] == "laptop_4711"
    assert kploy("unlock", "--yes").lines[1:] == ["the lock is free"]
    assert "holderIdentity" not in lease(live)["spec"]
    write({"resources/a.yaml": config("a", "other")})
    assert [line for line in kploy("run").lines if "waiting for" in line] == []
