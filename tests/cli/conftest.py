"""The command line as users start it: a process of its own, in an app's directory, on a real cluster."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.model.objects import Body
from kploy.sandbox import Sandbox
from kploy.sandbox.api import Api, api_of
from tests.cli.between import between
from tests.eventually import eventually

__all__ = ["between"]

Write = Callable[..., Path]


@dataclass(frozen=True)
class Result:
    """What a command printed, and how it ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """What it said on stderr, without durations, which no two runs share, and without trailing spaces."""
        return [re.sub(r"  +\d+(\.\d+)?s$|   +\d+\.\d+s$", "", line).rstrip() for line in self.stderr.splitlines()]


Kploy = Callable[..., Result]


def start(*arguments: str, cwd: Path, **environment: str) -> Result:
    """Run kploy; ``environment`` is added to this one's. No run may take longer than a minute."""
    done = subprocess.run(
        [sys.executable, "-m", "kploy", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def offline(tmp_path: Path) -> Kploy:
    """Runs kploy where there is no cluster at all."""
    nowhere = tmp_path / "no-such-kubeconfig"

    def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> Result:
        return start(*arguments, cwd=cwd, **{"KUBECONFIG": str(nowhere), **environment})

    return run


@pytest.fixture
def kploy(tmp_path: Path, cluster: Sandbox) -> Kploy:
    """Runs kploy on the sandbox of the tests, in the test's own directory."""

    def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> Result:
        return start(*arguments, cwd=cwd, **{"KUBECONFIG": str(cluster.kubeconfig), **environment})

    return run


@pytest.fixture
def namespace() -> str:
    """A namespace that nobody else uses."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def write(tmp_path: Path, namespace: str) -> Write:
    """Writes files of an app into the test's directory: file names and texts, by keyword or in a dict."""

    def files(texts: dict[str, str] | None = None, *, name: str = "shop") -> Path:
        for file, text in {"Kployfile": f"name: {name}\nnamespace: {namespace}\n", **(texts or {})}.items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return files


class Live:
    """Looks at what is live in a namespace, past kploy's own reading of it."""

    def __init__(self, api: ApiServer, admin: Api, namespace: str) -> None:
        self.api = api
        self.admin = admin
        self.namespace = namespace

    def objects(self, *kinds: tuple[str, str], namespace: str | None = None) -> dict[str, Body]:
        """The objects of ``kinds`` by kind/name, among them what the cluster puts into every namespace."""
        where, found = self.namespace if namespace is None else namespace, {}
        if ("v1", "ConfigMap") in kinds:
            eventually(lambda: self._is_furnished(where))
        for api_version, kind in kinds:
            resource = self.api.resource(api_version, kind)
            assert resource is not None
            for body in self.api.list(resource, where).items:
                found[f"{kind.lower()}/{body['metadata']['name']}"] = body
        return found

    def _is_furnished(self, namespace: str) -> bool:
        """Whether a namespace has its kube-root-ca.crt, which comes a moment after it, or will get none."""
        path = f"/api/v1/namespaces/{namespace}"
        is_active = self.admin.get(path).get("status", {}).get("phase") == "Active"
        return not is_active or bool(self.admin.get(f"{path}/configmaps/kube-root-ca.crt"))

    def versions(self, *kinds: tuple[str, str]) -> dict[str, str]:
        """The resource versions of the objects of ``kinds``, which every write changes."""
        return {name: body["metadata"]["resourceVersion"] for name, body in self.objects(*kinds).items()}

    def namespace_exists(self) -> bool:
        """Whether the namespace is there."""
        return f"namespace/{self.namespace}" in self.objects(("v1", "Namespace"), namespace="")

    def delete_namespace(self) -> None:
        """Begin to delete the namespace; it goes when its objects have gone."""
        assert self.admin.request("DELETE", f"/api/v1/namespaces/{self.namespace}").code == 200

    def release(self, name: str) -> None:
        """Take the finalizers off a ConfigMap."""
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/{name}"
        body = self.admin.get(path)
        del body["metadata"]["finalizers"]
        assert self.admin.request("PUT", path, body).code == 200


@contextmanager
def looking_at(cluster: Sandbox, namespace: str) -> Iterator[Live]:
    """What is live in a namespace of a sandbox."""
    api = ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig))))
    yield Live(api, api_of(cluster), namespace)
    api.close()


@pytest.fixture
def live(cluster: Sandbox, namespace: str) -> Iterator[Live]:
    """What is live in the test's namespace."""
    with looking_at(cluster, namespace) as found:
        yield found
