"""One app on the real API server, deployed through a proxy that can kill whoever deploys it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

from kploy.model.app import LABEL, STATE_OF, app_id
from kploy.sandbox.api import Api
from tests.cli.conftest import Result
from tests.eventually import eventually
from tests.faults.proxy import Exchange, Proxy, Request
from tests.forked import Forked

NAME = "shop"
STATE = f"kploy-{NAME}"
"""What the lock and the inventory are called; revisions have a number behind it."""

_KINDS = {
    "configmaps": "/api/v1",
    "secrets": "/api/v1",
    "services": "/api/v1",
    "deployments": "/apis/apps/v1",
    "leases": "/apis/coordination.k8s.io/v1",
}
"""The kinds of the apps here, and of what kploy keeps of them."""


Picture = Mapping[str, Any]
"""Objects by kind and name, without what differs from one namespace to the next."""


def write_of(request: Request) -> str:
    """What a write does, in words that are the same for every namespace; "" for no write, and for a renewal."""
    if not request.is_write:
        return ""
    plural, name = request.parts[0], request.parts[1]
    label = f"{request.method} {plural}/{'NAMESPACE' if plural == 'namespaces' else name}"
    if name != STATE or request.method == "DELETE":
        return label
    if plural == "leases":
        spec = request.json["spec"]
        if spec.get("renewTime") != spec.get("acquireTime"):
            return ""
        return f"{label}: {'held' if 'holderIdentity' in spec else 'free'}"
    return f"{label}: {json.loads(request.json['data']['state'])['phase']}"


@dataclass
class Killing:
    """Kills a run at the ``number``-th request that ``matches``; before the API server sees it, or after it."""

    matches: Callable[[Request], bool]
    is_before: bool
    number: int = 1
    is_done: bool = False
    _pid: int = 0
    _known: threading.Event = field(default_factory=threading.Event)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def started(self, pid: int) -> None:
        """Whom to kill."""
        self._pid = pid
        self._known.set()

    def __call__(self, exchange: Exchange) -> None:
        if self.is_done:
            exchange.cut()
        if not self._is_it(exchange.request):
            return
        if not self.is_before:
            exchange.ask()
        assert self._known.wait(10)
        self.is_done = True
        os.kill(self._pid, signal.SIGKILL)
        exchange.cut()

    def _is_it(self, request: Request) -> bool:
        with self._counting:
            if self.matches(request):
                self.number -= 1
                return self.number == 0
        return False


@dataclass(frozen=True)
class Ended:
    """How a run of kploy ended, and what it wrote."""

    result: Result
    requests: tuple[Request, ...]

    @property
    def code(self) -> int:
        """Its exit code."""
        return self.result.code

    @property
    def writes(self) -> list[str]:
        """What it changed in the cluster, in this order."""
        return [write for request in self.requests if (write := write_of(request))]


class Stage:
    """The app, its directory, its namespace, and all that ever happened to it through the proxy."""

    def __init__(self, api: Api, forked: Forked, directory: Path, namespace: str) -> None:
        self.namespace = namespace
        self.app_id = app_id(NAME, namespace)
        self.deleted: list[Request] = []
        self._api = api
        self._forked = forked
        self._app = directory / "app"
        self._proxy = Proxy(api)
        self._kubeconfig = self._proxy.write_kubeconfig(directory / "kubeconfig")

    def close(self) -> None:
        """Leave nothing behind."""
        self._proxy.close()
        self._api.request("DELETE", f"/api/v1/namespaces/{self.namespace}")

    def kploy(self, files: Mapping[str, str], *arguments: str, killing: Killing | None = None) -> Ended:
        """Run kploy in a directory with these files."""
        self._lay_out(files)
        self._proxy.forget()
        if killing is None:
            self._proxy.hook = Exchange.pass_on
            result = self._run(arguments, lambda _: None)
        else:
            self._proxy.hook = killing
            result = self._run(arguments, killing.started)
        self._proxy.settle()
        self._proxy.hang_up()
        ended = Ended(result, tuple(self._proxy.requests))
        self.deleted += [request for request in ended.requests if request.is_write and request.method == "DELETE"]
        return ended

    def deletions(self) -> set[str]:
        """What was ever to be deleted, but for what kploy keeps of the app."""
        return {
            "/".join(request.parts)
            for request in self.deleted
            if not request.parts[1].startswith(STATE) and request.parts[0] != "namespaces"
        }

    # What is live.

    def labelled(self, label: str = LABEL) -> dict[str, dict[str, Any]]:
        """All objects that carry a label of the app, by kind and name."""
        selector = f"?labelSelector={label}%3D{self.app_id}"
        found: dict[str, dict[str, Any]] = {}
        for plural, prefix in _KINDS.items():
            items = self._api.get(f"{prefix}/namespaces/{self.namespace}/{plural}{selector}").get("items", ())
            found |= {f"{plural}/{item['metadata']['name']}": item for item in items}
        return found

    def picture(self) -> Picture:
        """The app's objects without what the server and its controllers write, the same in every namespace."""
        return {name: self._plain(body) for name, body in self.labelled().items()}

    def root(self) -> dict[str, str]:
        """The data of the inventory; {} if there is none."""
        found: dict[str, str] = self.get("configmaps", STATE).get("data", {})
        return found

    def phase(self) -> str:
        """What the inventory says about the last operation."""
        return str(json.loads(self.root()["state"])["phase"])

    def listed(self) -> dict[str, str]:
        """What the inventory lists, with UIDs, by kind and name."""
        rows = [line.split(" ") for line in self.root()["objects"].splitlines()]
        return {f"{plural}/{name}": uid for _, _, plural, _, name, uid in rows}

    def history(self) -> list[tuple[int, str]]:
        """Numbers and outcomes of the revisions that the inventory tells of."""
        records = [json.loads(line) for line in self.root()["history"].splitlines()]
        return [(record["revision"], record["outcome"]) for record in records]

    def kept_revisions(self) -> set[int]:
        """The numbers of the revisions whose content is kept."""
        stem = f"secrets/{STATE}-r"
        return {int(name.removeprefix(stem)) for name in self.labelled(STATE_OF) if name.startswith(stem)}

    def get(self, plural: str, name: str) -> dict[str, Any]:
        """One object; {} if there is none."""
        return self._api.get(f"{_KINDS[plural]}/namespaces/{self.namespace}/{plural}/{name}")

    def namespace_exists(self) -> bool:
        """Whether the namespace is there."""
        return bool(self._api.get(f"/api/v1/namespaces/{self.namespace}"))

    # Others.

    def settle_others(self) -> None:
        """Make the namespace, with a ConfigMap and a Deployment in it that are not the app's, and wait."""
        self._create("/api/v1/namespaces", "v1", "Namespace", self.namespace)
        inside = f"namespaces/{self.namespace}"
        self._create(f"/api/v1/{inside}/configmaps", "v1", "ConfigMap", "others", data={"a": "b"})
        container = {"name": "others", "image": "ghcr.io/acme/others:1"}
        labels = {"app": "others"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        self._create(f"/apis/apps/v1/{inside}/deployments", "apps/v1", "Deployment", "others", spec=spec)
        eventually(lambda: _is_settled(self.get("deployments", "others")))

    def others(self) -> tuple[dict[str, Any], ...]:
        """The objects of the others, as they are."""
        return self.get("configmaps", "others"), self.get("deployments", "others")

    def _create(self, path: str, api_version: str, kind: str, name: str, **content: Any) -> None:
        body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **content}
        assert self._api.request("POST", path, body).code == 201

    def _run(self, arguments: tuple[str, ...], started: Callable[[int], None]) -> Result:
        result = self._forked.run(*arguments, cwd=self._app, kubeconfig=self._kubeconfig, started=started)
        assert "Traceback" not in result.stderr
        return result

    def _lay_out(self, files: Mapping[str, str]) -> None:
        rmtree(self._app, ignore_errors=True)
        for file, text in {"Kployfile": f"name: {NAME}\nnamespace: {self.namespace}\n", **files}.items():
            path = self._app / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)

    def _plain(self, body: dict[str, Any]) -> Any:
        metadata = {key: value for key, value in body["metadata"].items() if key not in _SERVERS}
        annotations = metadata.get("annotations", {})
        annotations.pop("deployment.kubernetes.io/revision", None)
        metadata["annotations"] = annotations
        metadata["managers"] = sorted(
            (entry["manager"], json.dumps(entry["fieldsV1"], sort_keys=True))
            for entry in body["metadata"]["managedFields"]
            if "subresource" not in entry and entry["operation"] == "Apply"
        )
        spec = {
            key: value for key, value in body.get("spec", {}).items() if key not in {"clusterIP", "clusterIPs"}
        }
        plain = {**body, "metadata": metadata, "spec": spec}
        plain.pop("status", None)
        return json.loads(json.dumps(plain).replace(self.app_id, "APP").replace(self.namespace, "NAMESPACE"))


_SERVERS = frozenset({"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"})


def _is_settled(deployment: dict[str, Any]) -> bool:
    status = deployment.get("status", {})
    done = {condition["type"]: condition.get("reason") for condition in status.get("conditions", ())}
    return bool(status.get("availableReplicas") == 1 and done.get("Progressing") == "NewReplicaSetAvailable")
