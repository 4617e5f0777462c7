"""Rows 17, 18, 20, 21 and 33: what the server answers when it is busy, in trouble, or wants nothing of us."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from kploy.sandbox import Sandbox
from tests.eventually import eventually
from tests.faults.matrix.conftest import GATED, Shop
from tests.faults.matrix.proxy import Proxy, fault, status

pytestmark = pytest.mark.cluster

SETTINGS_PATH = "/configmaps/settings"


def busy(retry_after: str) -> dict[str, object]:
    return status(429, "too many requests, please try again later", headers={"Retry-After": retry_after})


@pytest.mark.parametrize(
    ("retry_after", "times", "least"),
    [
        ("1", 2, 1.0),
        ("soon, maybe", 2, 0.0),
        pytest.param("3600", 1, 30.0, marks=pytest.mark.faults),
    ],
)
def test_row_17_a_server_that_is_busy_is_asked_again_when_it_says_and_within_30_seconds(
    shop: Shop, proxy: Proxy, retry_after: str, times: int, least: float
) -> None:
    proxy.meet(fault("answer", "PATCH", SETTINGS_PATH, times=times, **busy(retry_after)))
    result = shop.kploy("run")
    assert result.code == 0, result.stderr
    sent = [one for one in proxy.requests("PATCH", SETTINGS_PATH) if not one.is_dry]
    assert [one.status for one in sent] == [*[429] * times, 201]
    gaps = [later.at - one.at for one, later in pairwise(sent)]
    assert all(least <= gap for gap in gaps), gaps
    if least == 30.0:
        assert "too many requests, please try again later: trying again" in result.stderr
    assert (shop.colour(), shop.listed[0]) == ("red", "deployed")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(status(500, "etcdserver: leader changed"), id="500", marks=pytest.mark.faults),
        pytest.param(status(503, "apiserver is shutting down", "ServiceUnavailable"), id="503"),
        pytest.param(
            status(504, "request did not complete within the allowed duration", "Timeout"),
            id="504",
            marks=pytest.mark.faults,
        ),
    ],
)
def test_row_18_a_server_in_trouble_is_asked_again_whatever_is_asked(
    deployed: Shop, proxy: Proxy, answer: dict[str, object]
) -> None:
    """Everything that is written fails twice: the object, the inventory, the revision and the lock."""
    kinds = ("PATCH", SETTINGS_PATH), ("PUT", "/configmaps/kploy"), ("POST", "/secrets"), ("PUT", "/leases")
    proxy.meet(*(fault("answer", method, path, times=2, **answer) for method, path in kinds))
    result = deployed.kploy("run")
    assert result.code == 0, result.stderr
    assert [len([one for one in proxy.requests(*kind) if one.fault]) for kind in kinds] == [2, 2, 2, 2]
    assert (deployed.colour(), deployed.listed, deployed.holder()) == (
        "blue",
        ("deployed", ["configmap/settings"]),
        None,
    )


def test_row_18_an_internal_error_that_is_none_of_the_known_is_tried_twice(deployed: Shop, proxy: Proxy) -> None:
    proxy.meet(fault("answer", "PATCH", SETTINGS_PATH, **status(500, "the server is out of its mind")))
    result = deployed.kploy("run")
    assert result.code == 1
    assert "the server is out of its mind" in result.stderr
    assert len([one for one in proxy.requests("PATCH", SETTINGS_PATH) if not one.is_dry]) == 2
    assert (deployed.colour(), deployed.listed) == ("red", ("failed", ["configmap/settings"]))


def renewable(shop: Shop, tmp_path: Path) -> tuple[Path, Path]:
    """A kubeconfig whose token a program gives, and the file in which it counts; the proxy knows the real one."""
    counts = tmp_path / "plugin.count"
    program = tmp_path / "plugin"
    version = "client.authentication.k8s.io/v1"
    says = f'{{"apiVersion": "{version}", "kind": "ExecCredential", "status": {{"token": "t%s"}}}}'
    program.write_text(f"#!/bin/sh\necho >>{counts}\nprintf '{says}' $(wc -l <{counts})\n")
    program.chmod(0o700)
    user = {"exec": {"apiVersion": version, "command": str(program), "interactiveMode": "Never"}}
    return shop.proxy.kubeconfig(tmp_path / "renewable.kubeconfig", user), counts


def test_row_20_credentials_that_are_refused_in_mid_wait_are_loaded_again_once(
    shop: Shop, proxy: Proxy, tmp_path: Path
) -> None:
    shop.write({"rcs/web.yaml": GATED})
    kubeconfig, counts = renewable(shop, tmp_path)
    proxy.meet(token=proxy.token)
    running = shop.begin("run", "--timeout", "200", kubeconfig=kubeconfig)
    eventually(shop.is_waiting)
    refused = status(401, "Unauthorized", "Unauthorized")
    proxy.meet({"fault": "answer", "method": ".*", "path": "", "bearer": "t1", **refused}, token=proxy.token)
    shop.open()
    # What is refused first is the renewal of the lock, or a look, or the last writing.
    result = running.end()
    assert result.code == 0, result.stderr
    assert len(counts.read_text().splitlines()) == 2
    assert (shop.listed[0], shop.holder()) == ("deployed", None)


def test_row_20_credentials_that_are_refused_again_end_the_run_with_4(
    shop: Shop, proxy: Proxy, tmp_path: Path
) -> None:
    shop.write({"rcs/web.yaml": GATED})
    kubeconfig, counts = renewable(shop, tmp_path)
    proxy.meet(token=proxy.token)
    running = shop.begin("run", "--timeout", "200", kubeconfig=kubeconfig)
    eventually(shop.is_waiting)
    refused = status(401, "Unauthorized", "Unauthorized")
    proxy.meet({"fault": "answer", "method": ".*", "path": "", **refused}, token=proxy.token)
    shop.open()
    result = running.end()
    assert result.code == 4, result.stderr
    assert "the API server refused the credentials" in result.stderr
    assert "log in again, or check the kubeconfig" in result.stderr
    assert len(counts.read_text().splitlines()) == 2
    assert shop.listed == ("applying", ["configmap/settings", "deployment/web"])


FORBIDDEN = 'deployments.apps "web" is forbidden: User "me" cannot patch resource "deployments"'


def test_row_21_a_right_that_is_lost_in_mid_run_is_told_with_what_is_done_and_what_is_not(
    shop: Shop, proxy: Proxy
) -> None:
    shop.write({"rcs/web.yaml": GATED})
    answer = status(403, FORBIDDEN, "Forbidden", details={"name": "web", "group": "apps", "kind": "deployments"})
    proxy.meet(fault("answer", "PATCH", "/deployments/web", **answer))
    result = shop.kploy("run")
    assert result.code == 1
    assert FORBIDDEN in result.stderr
    assert len([one for one in proxy.requests("PATCH", "/deployments/web") if not one.is_dry]) == 1
    assert shop.colour() == "red"
    assert shop.listed == ("failed", ["configmap/settings", "deployment/web"])


def test_row_33_a_page_instead_of_an_api_server_ends_with_4_after_one_request(shop: Shop, proxy: Proxy) -> None:
    page = {"status": 200, "body": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}
    proxy.meet(fault("answer", ".*", "", **page))
    result = shop.kploy("run")
    assert result.code == 4
    assert "does not answer as a Kubernetes API server" in result.stderr
    assert "a proxy or login page may stand in between" in result.stderr
    assert len(proxy.requests()) == 1


def test_row_33_a_page_in_mid_run_is_not_asked_for_again(deployed: Shop, proxy: Proxy) -> None:
    page = {"status": 200, "body": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}
    proxy.meet(fault("answer", "PATCH", SETTINGS_PATH, **page))
    result = deployed.kploy("run")
    assert result.code == 4, result.stderr
    assert len([one for one in proxy.requests("PATCH", SETTINGS_PATH) if not one.is_dry]) == 1
    assert (deployed.colour(), deployed.listed) == ("red", ("failed", ["configmap/settings"]))


def test_row_33_a_server_that_cannot_be_trusted_is_told_nothing(
    shop: Shop, proxy: Proxy, tmp_path: Path, cluster: Sandbox
) -> None:
    other = base64.b64encode(trustme.CA().cert_pem.bytes()).decode()
    config = json.loads(shop.kubeconfig.read_text())
    config["clusters"][0]["cluster"] = {"server": cluster.server, "certificate-authority-data": other}
    wrong = tmp_path / "wrong.kubeconfig"
    wrong.write_text(json.dumps(config))
    result = shop.begin("run", kubeconfig=wrong).end()
    assert result.code == 4
    assert f"cannot trust {cluster.server}" in result.stderr
    assert "check the cluster's certificate authority in the kubeconfig" in result.stderr
    assert proxy.token not in result.stderr
    assert not shop.live.namespace_exists()
