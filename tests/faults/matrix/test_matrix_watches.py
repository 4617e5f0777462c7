"""Rows 12 to 16: watches that fail in every way. No change is missed, and nothing is asked without a pause."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.eventually import eventually
from tests.faults.matrix.conftest import GATED, Shop
from tests.faults.matrix.proxy import Proxy, Request, fault, status

pytestmark = pytest.mark.cluster

WATCH = "watch=true"
TOO_OLD = "too old resource version: 1 (2)"
EXPIRED = status(410, TOO_OLD, "Expired")
EXPIRED_IN_MID_WATCH = {
    "status": 200,
    "body": json.dumps({"type": "ERROR", "object": json.loads(EXPIRED["body"])}) + "\n",
    "headers": EXPIRED["headers"],
}


@pytest.fixture
def gated(shop: Shop) -> Shop:
    """The app with a Deployment, too, which is not ready before the test says so."""
    shop.write({"rcs/web.yaml": GATED})
    return shop


def watched(proxy: Proxy) -> list[list[Request]]:
    """The watches by what was watched."""
    by_path: dict[str, list[Request]] = {}
    for one in proxy.requests(path=WATCH):
        by_path.setdefault(one.path.partition("?")[0], []).append(one)
    return list(by_path.values())


def has_no_hot_loop(proxy: Proxy) -> bool:
    """Whether watches were begun once a second at most. One that the proxy is late with is no loop."""
    return all(len(watches) <= watches[-1].at - watches[0].at + 2 for watches in watched(proxy))


def deployed_after(gated: Shop, proxy: Proxy, times: int) -> None:
    """Run the app; let it become ready when the fault has been met ``times`` times; all is well in the end."""
    running = gated.begin("run", "--timeout", "200")
    eventually(lambda: gated.is_waiting() and len([one for one in proxy.requests() if one.fault]) >= times)
    gated.open()
    result = running.end()
    assert result.code == 0, result.stderr
    assert gated.listed == ("deployed", ["configmap/settings", "deployment/web"])
    assert has_no_hot_loop(proxy)


@pytest.mark.parametrize("answer", [EXPIRED_IN_MID_WATCH, EXPIRED], ids=["event", "http"])
def test_row_14_a_watch_that_has_expired_is_begun_anew_from_a_new_list(
    gated: Shop, proxy: Proxy, answer: dict[str, Any]
) -> None:
    proxy.meet(fault("answer", "GET", f"/deployments.*{WATCH}", times=2, **answer))
    deployed_after(gated, proxy, 2)
    own = [one.is_watch for one in proxy.requests("GET", "/deployments[?]")]
    first = own.index(True)
    assert own[first - 1 : first + 6] == [False, True, False, True, False, True]


@pytest.mark.parametrize("kind", [pytest.param("close", marks=pytest.mark.faults), "cut"])
def test_rows_13_and_15_a_watch_that_breaks_every_second_goes_on_from_where_it_was(
    gated: Shop, proxy: Proxy, kind: str
) -> None:
    proxy.meet(fault(kind, "GET", WATCH, seconds=1))
    deployed_after(gated, proxy, 6)
    own = [one.is_watch for one in proxy.requests("GET", "/deployments[?]")]
    assert own.count(False) <= 2, "a watch that broke needs no new list"


@pytest.mark.faults
def test_row_13_a_server_that_ends_every_watch_at_once_is_asked_once_a_second(gated: Shop, proxy: Proxy) -> None:
    proxy.meet(fault("answer", "GET", WATCH, status=200, body="", times=12))
    deployed_after(gated, proxy, 12)


@pytest.mark.faults
def test_row_12_what_a_half_open_watch_does_not_tell_is_looked_up(gated: Shop, proxy: Proxy) -> None:
    proxy.meet(fault("silent", "GET", WATCH))
    deployed_after(gated, proxy, 1)
    assert all(len(watches) == 1 for watches in watched(proxy)), "nothing says yet that they are dead"


@pytest.mark.faults
def test_row_12_a_watch_without_a_byte_for_75_seconds_is_begun_anew(gated: Shop, proxy: Proxy) -> None:
    proxy.meet(fault("silent", "GET", f"/deployments.*{WATCH}", times=1))
    running = gated.begin("run", "--timeout", "250")
    eventually(lambda: len(proxy.requests(path=f"/deployments.*{WATCH}")) >= 2)
    first, second = proxy.requests(path=f"/deployments.*{WATCH}")
    assert second.at - first.at >= 75
    gated.open()
    assert running.end().code == 0


@pytest.mark.faults
def test_row_16_a_proxy_that_holds_watches_back_costs_seconds_not_the_deploy(gated: Shop, proxy: Proxy) -> None:
    proxy.meet(fault("buffer", "GET", WATCH))
    deployed_after(gated, proxy, 1)
