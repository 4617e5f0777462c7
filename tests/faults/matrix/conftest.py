"""A small app whose readiness the test decides, kploy behind the faulting proxy, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from kploy import sandbox
from kploy.cluster.port import Conflict
from kploy.core.inventory import Inventory, decoded
from kploy.model.app import app_id
from kploy.model.objects import Resource
from kploy.sandbox import Sandbox
from tests.cli.conftest import Live, Result, Write, live, looking_at, namespace, write
from tests.eventually import eventually
from tests.faults.matrix.proxy import Proxy
from tests.forked import Forked, Limits

__all__ = ["live", "namespace", "write"]

SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  colour: COLOUR
"""

GATED = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      schedulingGates: [{name: kploy.dev/test}]
      containers:
        - {name: web, image: "ghcr.io/acme/web:1.0.0", resources: {requests: {cpu: 100m}}}
"""
"""Its pods wait until ``Shop.open`` lets them be scheduled."""

CONFIG_MAP = ("v1", "ConfigMap")
_PODS = Resource("", "v1", "Pod", "pods", namespaced=True)


@dataclass
class Running:
    """A kploy on its way."""

    process: subprocess.Popen[str]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> Result:
        """How it ended."""
        stdout, stderr = self.process.communicate(timeout=240)
        assert "Traceback" not in stderr
        return Result(self.process.returncode, stdout, stderr)


def begun(*arguments: str, cwd: Path, kubeconfig: Path) -> Running:
    """Start kploy with ``kubeconfig``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kploy", *arguments],
        cwd=cwd,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Running(process)


class Shop:
    """The app of a test: its directory, kploy runs of it behind the proxy, and what is live of it."""

    def __init__(self, root: Path, proxy: Proxy, live: Live, forked: Forked) -> None:
        self.root = root
        self.proxy = proxy
        self.live = live
        self.namespace = live.namespace
        self.kubeconfig = proxy.kubeconfig(root / "proxied.kubeconfig")
        self.begun: list[Running] = []
        self._forked = forked

    def write(self, files: dict[str, str | None]) -> None:
        """Write files of the app; those that are None go."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_text(content)

    def begin(self, *arguments: str, kubeconfig: Path | None = None) -> Running:
        """Begin ``kploy ARGUMENTS`` in the app's directory."""
        running = begun(*arguments, cwd=self.root, kubeconfig=kubeconfig or self.kubeconfig)
        self.begun.append(running)
        return running

    def kploy(self, *arguments: str, patience: int = 240) -> Result:
        """Run ``kploy ARGUMENTS`` in the app's directory."""
        limits = Limits(patience=patience)
        result = self._forked.run(*arguments, cwd=self.root, kubeconfig=self.kubeconfig, limits=limits)
        assert "Traceback" not in result.stderr
        return result

    def is_waiting(self) -> bool:
        """Whether the pod of the Deployment is there, and waits for ``open``."""
        return bool(self.live.api.list(_PODS, self.namespace).items)

    def open(self) -> None:
        """Let the pods be scheduled."""

        def opened() -> bool:
            try:
                for pod in self.live.api.list(_PODS, self.namespace).items:
                    spec = {key: value for key, value in pod["spec"].items() if key != "schedulingGates"}
                    self.live.api.replace(_PODS, {**pod, "apiVersion": "v1", "kind": "Pod", "spec": spec})
            except Conflict:
                return False
            return True

        eventually(opened)

    @property
    def root_path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps/kploy-shop"

    @property
    def inventory(self) -> Inventory:
        """What the root says, past kploy's own reading of it."""
        return decoded(self.live.admin.get(self.root_path)["data"], app_id("shop", self.namespace))

    @property
    def listed(self) -> tuple[str, list[str]]:
        """The phase in the inventory, and its entries as kind/name."""
        inventory = self.inventory
        return str(inventory.phase), sorted(f"{e.ref.kind.lower()}/{e.ref.name}" for e in inventory.entries)

    def colour(self, name: str = "settings") -> str | None:
        """What is live of a ConfigMap; None if it is not there."""
        body = self.live.admin.get(f"/api/v1/namespaces/{self.namespace}/configmaps/{name}")
        return body["data"]["colour"] if body else None

    def holder(self) -> str | None:
        """Who holds the lock."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases/kploy-shop"
        holder: str | None = self.live.admin.get(path)["spec"].get("holderIdentity")
        return holder or None


@pytest.fixture(scope="session")
def one_proxy(cluster: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy takes seconds to start: there is one for all tests."""
    proxy = Proxy(cluster, tmp_path_factory.mktemp("mitmproxy"))
    yield proxy
    proxy.close()


@pytest.fixture
def proxy(one_proxy: Proxy) -> Iterator[Proxy]:
    """The proxy, without faults so far."""
    one_proxy.meet()
    yield one_proxy
    one_proxy.meet()


@pytest.fixture
def shop(write: Write, proxy: Proxy, live: Live, forked: Forked) -> Iterator[Shop]:
    """An app with one ConfigMap, not deployed yet."""
    with opened(write, proxy, live, forked) as made:
        yield made


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A control plane that nobody else uses: the test may stop it, or harm what all of its apps share."""
    name = f"own-{uuid4().hex[:6]}"
    yield sandbox.up(name)
    sandbox.down(name)


@pytest.fixture
def apart(
    own: Sandbox, write: Write, namespace: str, forked: Forked, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The app, not deployed yet, on a control plane of its own and behind a proxy of its own."""
    with (
        closing(Proxy(own, tmp_path_factory.mktemp("mitmproxy"))) as proxy,
        looking_at(own, namespace) as live,
        opened(write, proxy, live, forked) as made,
    ):
        yield made


@contextmanager
def opened(write: Write, proxy: Proxy, live: Live, forked: Forked) -> Iterator[Shop]:
    """The app with one ConfigMap; in the end nothing of it runs or is left."""
    made = Shop(write({"resources/settings.yaml": SETTINGS.replace("COLOUR", "red")}), proxy, live, forked)
    yield made
    for running in made.begun:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()
    if live.namespace_exists():
        live.delete_namespace()


@pytest.fixture
def deployed(shop: Shop, proxy: Proxy) -> Shop:
    """The app, deployed; its manifest has changed since, and the proxy has forgotten."""
    assert shop.kploy("run").code == 0
    shop.write({"resources/settings.yaml": SETTINGS.replace("COLOUR", "blue")})
    proxy.meet()
    return shop
