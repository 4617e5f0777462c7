"""Rows 19 and 22 to 26: webhooks, kinds that are not served, and what does not go away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests.eventually import eventually
from tests.faults.matrix.conftest import SETTINGS, Shop
from tests.faults.matrix.proxy import Proxy, fault
from tests.faults.matrix.webhooks import Webhook

pytestmark = pytest.mark.cluster

SETTINGS_PATH = "/configmaps/settings"
MORE = SETTINGS.replace("settings", "more").replace("COLOUR", "green")

Hook = Callable[..., Webhook]


@pytest.fixture
def webhook(deployed: Shop) -> Iterator[Hook]:
    """Makes webhooks for the ConfigMap of the app; they are in force when they are returned."""
    with ExitStack() as stack:

        def make(*operations: str) -> Webhook:
            hook = stack.enter_context(
                closing(Webhook(deployed.live.admin, deployed.namespace, "settings", *operations))
            )
            path = f"/api/v1/namespaces/{deployed.namespace}{SETTINGS_PATH}"
            method = "DELETE" if "DELETE" in operations else "PUT"
            body = None if "DELETE" in operations else deployed.live.admin.get(path)
            eventually(lambda: deployed.live.admin.request(method, f"{path}?dryRun=All", body).code == 500)
            return hook

        yield make


def test_row_19_a_webhook_that_is_down_is_waited_for(deployed: Shop, proxy: Proxy, webhook: Hook) -> None:
    hook = webhook("CREATE", "UPDATE")
    running = deployed.begin("run", "--timeout", "100")
    eventually(lambda: len([one for one in proxy.requests("PATCH", SETTINGS_PATH) if one.status == 500]) >= 2)
    hook.up()
    result = running.end()
    assert result.code == 0, result.stderr
    assert hook.asked > 0
    assert (deployed.colour(), deployed.listed[0]) == ("blue", "deployed")


def test_row_19_a_webhook_that_denies_ends_it_in_its_own_words(
    deployed: Shop, proxy: Proxy, webhook: Hook
) -> None:
    hook = webhook("CREATE", "UPDATE")
    hook.denies = "blue is not a colour of ours"
    hook.up()
    result = deployed.kploy("run")
    assert result.code in {3, 6}, result.stderr
    assert "resources/settings.yaml" in result.stderr
    assert "blue is not a colour of ours" in result.stderr
    assert len(proxy.requests("PATCH", SETTINGS_PATH)) == 1
    assert proxy.writes() == []
    assert (deployed.colour(), deployed.listed[0]) == ("red", "deployed")


def test_row_26_a_deletion_that_is_denied_keeps_the_entry_and_the_next_run_prunes(
    deployed: Shop, proxy: Proxy, webhook: Hook
) -> None:
    hook = webhook("DELETE")
    hook.denies = "nobody deletes this on a Monday"
    hook.up()
    deployed.write({"resources/more.yaml": MORE, "resources/settings.yaml": None})
    result = deployed.kploy("run")
    assert result.code == 1, result.stderr
    assert "nobody deletes this on a Monday" in result.stderr
    assert len([one for one in proxy.requests("DELETE", SETTINGS_PATH) if not one.is_dry]) == 1
    assert deployed.listed == ("failed", ["configmap/more", "configmap/settings"])
    hook.denies = ""
    assert deployed.kploy("run").code == 0
    assert deployed.listed == ("deployed", ["configmap/more"])
    assert deployed.colour() is None


def test_row_25_what_a_finalizer_holds_is_waited_for_then_named_and_stays_listed(deployed: Shop) -> None:
    path = f"/api/v1/namespaces/{deployed.namespace}{SETTINGS_PATH}"
    body = deployed.live.admin.get(path)
    body["metadata"]["finalizers"] = ["kploy.dev/test"]
    assert deployed.live.admin.request("PUT", path, body).code == 200
    deployed.write({"resources/more.yaml": MORE, "resources/settings.yaml": None})
    result = deployed.kploy("run", "--timeout", "3")
    assert result.code == 5, result.stderr
    assert "configmap/settings" in result.stderr
    assert "kploy.dev/test" in result.stderr
    assert deployed.listed == ("failed", ["configmap/more", "configmap/settings"])
    deployed.live.release("settings")
    assert deployed.kploy("run").code == 0
    assert deployed.listed == ("deployed", ["configmap/more"])


def test_row_24_a_namespace_that_ends_is_waited_for_and_named_and_nothing_is_sent_there(
    deployed: Shop, proxy: Proxy
) -> None:
    path = f"/api/v1/namespaces/{deployed.namespace}{SETTINGS_PATH}"
    body = deployed.live.admin.get(path)
    body["metadata"]["finalizers"] = ["kploy.dev/test"]
    assert deployed.live.admin.request("PUT", path, body).code == 200
    deployed.live.delete_namespace()
    # Its controller says what is left in it after a while.
    home = f"/api/v1/namespaces/{deployed.namespace}"
    eventually(lambda: "kploy.dev/test in 1" in json.dumps(deployed.live.admin.get(home)["status"]))
    try:
        result = deployed.kploy("run", "--timeout", "3")
    finally:
        deployed.live.release("settings")
    assert result.code == 5, result.stderr
    said = f"namespace {deployed.namespace} is being deleted"
    assert f"{said}: waiting until it is gone, to make it anew" in result.stderr
    assert f"{said}, and was not gone in time: " in result.stderr
    assert "kploy.dev/test in 1 resource instances" in result.stderr
    assert f"see what holds it: kubectl get namespace {deployed.namespace} -o yaml" in result.stderr
    assert proxy.writes() == []


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.GROUP
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {size: {type: integer}}}}
"""

WIDGET = """\
apiVersion: GROUP/v1
kind: Widget
metadata:
  name: blue
spec: {size: 1}
"""
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


@pytest.fixture
def group(shop: Shop) -> Iterator[str]:
    """A group of kinds that nobody else uses."""
    name = f"test-{uuid4().hex[:8]}.kploy.dev"
    yield name
    shop.live.admin.request("DELETE", f"{_CRDS}/widgets.{name}")


def test_row_22_a_kind_that_is_not_served_yet_is_waited_for(shop: Shop, proxy: Proxy, group: str) -> None:
    shop.write(
        {
            "resources/crd.yaml": CRD.replace("GROUP", group),
            "resources/widget.yaml": WIDGET.replace("GROUP", group),
        }
    )
    missing = {"status": 404, "body": "404 page not found\n", "headers": {"Content-Type": "text/plain"}}
    proxy.meet(fault("answer", "PATCH", "/widgets/blue", times=3, **missing))
    result = shop.kploy("run")
    assert result.code == 0, result.stderr
    sent = [one.status for one in proxy.requests("PATCH", "/widgets/blue") if not one.is_dry]
    assert (sent[:3], sent[-1]) == ([404, 404, 404], 201)
    listed = ["configmap/settings", f"customresourcedefinition/widgets.{group}", "widget/blue"]
    assert shop.listed == ("deployed", listed)


AWAY: dict[str, Any] = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1.widgets.example"},
    "spec": {
        "group": "widgets.example",
        "version": "v1",
        "groupPriorityMinimum": 1000,
        "versionPriority": 15,
        "service": {"namespace": "default", "name": "nothing", "port": 443},
        "insecureSkipTLSVerify": True,
    },
}
"""What answers for a group, and is not there."""


def serves_widgets(shop: Shop) -> bool:
    """Whether the API server knows the kind, and answers for its objects."""
    version = "/apis/widgets.example/v1"
    known = [one["name"] for one in shop.live.admin.get(version).get("resources", ())]
    objects = f"{version}/namespaces/{shop.namespace}/widgets"
    return "widgets" in known and shop.live.admin.request("GET", objects).code == 200


@pytest.mark.faults
def test_row_23_what_an_api_server_that_is_away_would_know_of_is_pruned_when_it_is_back(apart: Shop) -> None:
    admin, group = apart.live.admin, "widgets.example"
    widget = f"/apis/{group}/v1/namespaces/{apart.namespace}/widgets/blue"
    assert admin.request("POST", _CRDS, yaml.safe_load(CRD.replace("GROUP", group))).code == 201
    eventually(lambda: serves_widgets(apart))
    apart.write({"resources/widget.yaml": WIDGET.replace("GROUP", group)})
    assert apart.kploy("run").code == 0
    uid = admin.get(widget)["metadata"]["uid"]

    # Somebody else answers for the group from now on, and is away.
    service = f"{_API_SERVICES}/v1.{group}"
    version = admin.get(service)["metadata"]["resourceVersion"]
    metadata = {**AWAY["metadata"], "resourceVersion": version}
    assert admin.request("PUT", service, {**AWAY, "metadata": metadata}).code == 200
    eventually(lambda: admin.request("GET", widget).code == 503)
    apart.proxy.meet()
    apart.write({"resources/widget.yaml": None, "resources/settings.yaml": SETTINGS.replace("COLOUR", "green")})
    result = apart.kploy("run", "--timeout", "200")
    assert result.code == 0, result.stderr
    assert "widget/blue stays listed: the cluster could not be asked about it" in result.stderr
    assert [one for one in apart.proxy.writes() if one.startswith("DELETE")] == []
    assert (apart.colour(), apart.listed) == ("green", ("deployed", ["configmap/settings", "widget/blue"]))

    assert admin.request("DELETE", service).code == 200
    eventually(lambda: serves_widgets(apart))
    assert admin.get(widget)["metadata"]["uid"] == uid
    result = apart.kploy("run")
    assert result.code == 0, result.stderr
    assert "stays listed" not in result.stderr
    assert (admin.get(widget), apart.listed) == ({}, ("deployed", ["configmap/settings"]))


@pytest.mark.faults
def test_row_30_5000_objects_and_2_megabytes_are_deployed_and_destroyed(shop: Shop) -> None:
    names = [f"one-of-many-with-a-long-name-{number:04}" for number in range(5000)]
    one = SETTINGS.replace("COLOUR", "x" * 350)
    shop.write({"resources/many.yaml": "---\n".join(one.replace("settings", name) for name in names)})
    assert (shop.root / "resources/many.yaml").stat().st_size > 2_000_000
    result = shop.kploy("run", "--timeout", "900", patience=1200)
    assert result.code == 0, result.stderr[-2000:]
    root = shop.live.admin.get(shop.root_path)["data"]
    shards = [line.split()[0] for line in root["shards"].splitlines()]
    path = shop.root_path.removesuffix("kploy-shop")
    listed = "".join(shop.live.admin.get(path + name)["data"]["objects"] for name in shards)
    assert (json.loads(root["state"])["phase"], len(shards) > 1, len(listed.splitlines())) == (
        "deployed",
        True,
        5001,
    )
    shop.proxy.meet()
    assert shop.kploy("run", "--timeout", "900", patience=1200).code == 0
    assert shop.proxy.writes() == []
    gone = shop.kploy("destroy", "--yes", "--timeout", "900", patience=1200)
    assert gone.code == 0, gone.stderr[-2000:]
    assert shop.colour(names[0]) is None
