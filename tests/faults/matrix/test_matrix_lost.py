"""Rows 8 to 10: an answer that is lost."""

from __future__ import annotations

import pytest

from tests.faults.matrix.conftest import SETTINGS, Shop
from tests.faults.matrix.proxy import Proxy, fault

pytestmark = pytest.mark.cluster

DEPLOYED = ("deployed", ["configmap/settings"])


def test_row_8_an_apply_whose_answer_was_lost_is_sent_again_and_is_our_own(shop: Shop, proxy: Proxy) -> None:
    proxy.meet(fault("lose", "PATCH", "/configmaps/settings", times=1))
    result = shop.kploy("run")
    assert result.code == 0, result.stderr
    assert [(one.status, one.fault) for one in proxy.requests("PATCH", "settings") if not one.is_dry] == [
        (201, "lose"),
        (200, ""),
    ]
    assert (shop.colour(), shop.listed, shop.holder()) == ("red", DEPLOYED, None)


def test_row_9_a_deletion_whose_answer_was_lost_is_sent_again_and_found_done(deployed: Shop, proxy: Proxy) -> None:
    deployed.write({"resources/more.yaml": SETTINGS.replace("settings", "more"), "resources/settings.yaml": None})
    proxy.meet(fault("lose", "DELETE", "/configmaps/settings", times=1))
    result = deployed.kploy("run")
    assert result.code == 0, result.stderr
    assert [(one.status, one.fault) for one in proxy.requests("DELETE", "settings")] == [(200, "lose"), (404, "")]
    assert deployed.colour() is None
    assert deployed.listed == ("deployed", ["configmap/more"])


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_row_10_the_inventory_whose_answer_was_lost_is_read_again_and_is_our_own(
    shop: Shop, proxy: Proxy, method: str
) -> None:
    path = "/configmaps(/kploy-shop)?[?]fieldValidation"
    proxy.meet(fault("lose", method, path, times=1))
    result = shop.kploy("run")
    assert result.code == 0, result.stderr
    assert [one.fault for one in proxy.requests(method, path)] == ["lose", ""]
    assert (shop.colour(), shop.listed, shop.holder()) == ("red", DEPLOYED, None)
    assert len(shop.inventory.records) == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_row_10_the_lock_whose_answer_was_lost_is_read_again_and_is_our_own(
    deployed: Shop, proxy: Proxy, method: str
) -> None:
    if method == "POST":
        path = f"/apis/coordination.k8s.io/v1/namespaces/{deployed.namespace}/leases/kploy-shop"
        assert deployed.live.admin.request("DELETE", path).code == 200
    proxy.meet(fault("lose", method, "/leases", times=1))
    result = deployed.kploy("run")
    assert result.code == 0, result.stderr
    assert "lose" in [one.fault for one in proxy.requests(method, "/leases")]
    assert (deployed.colour(), deployed.listed, deployed.holder()) == ("blue", DEPLOYED, None)
