"""Rows 4, 6, 7 and 11: others who do something at the same time, time that passes, and a server that is away."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kploy.sandbox import Sandbox
from kploy.sandbox.api import api_of
from kploy.sandbox.binaries import find_binaries
from kploy.sandbox.components import command_of
from kploy.sandbox.processes import end, spawn
from kploy.sandbox.progress import silent
from kploy.sandbox.start import log_of
from kploy.sandbox.state import save
from tests.eventually import eventually
from tests.faults.matrix.conftest import GATED, SETTINGS, Shop, begun
from tests.faults.matrix.proxy import Proxy, fault

pytestmark = pytest.mark.cluster


@pytest.mark.faults
def test_row_4_a_run_that_slept_past_its_lock_writes_nothing_after_the_takeover(
    shop: Shop, proxy: Proxy, cluster: Sandbox
) -> None:
    shop.write({"rcs/web.yaml": GATED})
    sleeper = shop.begin("run", "--timeout", "300")
    eventually(shop.is_waiting)
    sleeper.signal(signal.SIGSTOP)
    proxy.meet()
    shop.write({"resources/settings.yaml": SETTINGS.replace("COLOUR", "blue")})
    taker = begun("run", "--timeout", "200", cwd=shop.root, kubeconfig=cluster.kubeconfig)
    eventually(lambda: shop.colour() == "blue")
    shop.open()
    won = taker.end()
    assert won.code == 0, won.stderr
    assert "waiting for the lock, held by" in won.stderr
    after = shop.live.admin.get(shop.root_path)
    sleeper.signal(signal.SIGCONT)
    lost = sleeper.end()
    assert lost.code == 6, lost.stderr
    assert "the lock of the app" in lost.stderr
    assert proxy.writes() == []
    assert (shop.colour(), shop.listed[0], shop.holder()) == ("blue", "deployed", None)
    assert shop.live.admin.get(shop.root_path) == after


def test_row_6_an_object_that_another_app_has_is_refused_naming_that_app(deployed: Shop, proxy: Proxy) -> None:
    before = deployed.live.versions(("v1", "ConfigMap"), ("v1", "Secret"))
    deployed.write({"Kployfile": f"name: blog\nnamespace: {deployed.namespace}\n"})
    result = deployed.kploy("run")
    assert result.code == 6
    assert re.search(r"configmap/settings.*(belongs to|owned by|of) .*shop-[0-9a-f]{10}", result.stderr, re.DOTALL)
    assert proxy.writes() == []
    assert deployed.live.versions(("v1", "ConfigMap"), ("v1", "Secret")) == before
    assert deployed.colour() == "red"


def test_row_7_an_inventory_that_is_edited_in_mid_run_is_not_written_over(deployed: Shop, proxy: Proxy) -> None:
    proxy.meet(fault("hold", "PATCH", "/configmaps/settings"))
    running = deployed.begin("run")
    eventually(lambda: [one for one in proxy.requests() if one.fault])
    root = deployed.live.admin.get(deployed.root_path)
    root["metadata"]["annotations"] = {"somebody": "was here"}
    edited = deployed.live.admin.request("PUT", deployed.root_path, root).body
    proxy.meet()
    result = running.end()
    assert result.code == 6, result.stderr
    assert "somebody changed the inventory, configmap/kploy-shop, during the run" in result.stderr
    assert "see who: kploy history; then run again" in result.stderr
    assert deployed.live.admin.get(deployed.root_path) == edited
    assert deployed.kploy("run").code == 0
    assert (deployed.colour(), deployed.listed[0]) == ("blue", "deployed")


def stop(cluster: Sandbox) -> None:
    end(process for process in cluster.processes if process.component == "kube-apiserver")


def start_again(cluster: Sandbox) -> None:
    """The API server anew, with the same data, on the same port."""
    port = int(cluster.server.rpartition(":")[2])
    command = command_of("kube-apiserver", find_binaries(silent)["kube-apiserver"], port, 0)
    process = spawn("kube-apiserver", command, cluster.directory, log_of(cluster, "kube-apiserver"))
    others = tuple(one for one in cluster.processes if one.component != "kube-apiserver")
    save(replace(cluster, processes=(*others, process)))


@pytest.mark.faults
def test_row_11_a_server_that_is_away_for_20_seconds_is_ridden_out(tmp_path: Path, own: Sandbox) -> None:
    many = "---\n".join(SETTINGS.replace("settings", f"settings-{number}") for number in range(300))
    for file, text in {"Kployfile": "name: shop\nnamespace: away\n", "resources/many.yaml": many}.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    running = begun("run", "--timeout", "150", cwd=tmp_path, kubeconfig=own.kubeconfig)
    api = api_of(own)
    path = "/api/v1/namespaces/away/configmaps"
    eventually(lambda: len(api.get(path).get("items", ())) > 20)
    stop(own)
    time.sleep(20)
    start_again(own)
    result = running.end()
    assert result.code == 0, result.stderr
    assert "refuses the connection: trying again" in result.stderr
    assert "the wait is over, after" in result.stderr
    names = {body["metadata"]["name"] for body in api.get(path)["items"]}
    assert {f"settings-{number}" for number in range(300)} <= names
    second = begun("run", cwd=tmp_path, kubeconfig=own.kubeconfig).end()
    assert second.code == 0
    assert "configured" not in second.stderr
